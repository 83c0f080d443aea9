export type * from "./ports.ts";
export type * from "./registry.ts";
