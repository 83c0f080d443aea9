export type * from "./tokens.ts";
