export { createMessages } from "./create-messages.ts";
export { defaultMessageLimits, type MessageLimits } from "./limits.ts";
export type * from "./messages.ts";
