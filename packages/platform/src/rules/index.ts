export type * from "./ports.ts";
export type * from "./rule.ts";
