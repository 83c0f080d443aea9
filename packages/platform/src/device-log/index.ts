export type * from "./device-log.ts";
export type * from "./ports.ts";
