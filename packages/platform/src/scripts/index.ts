export { createScripts } from "./create-scripts.ts";
export { defaultScriptLimits } from "./limits.ts";
export type * from "./ports.ts";
export type * from "./scripts.ts";
