export { plainDialect } from "./plain.ts";
export { isTopicRightFilterValid } from "./rights.ts";
