export { defaultHistoryLimits } from "./limits.ts";
export { SqliteHistory } from "./sqlite-history.ts";
