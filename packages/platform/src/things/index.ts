export { createThings } from "./create-things.ts";
export { defaultThingLimits, type ThingLimits } from "./limits.ts";
export type * from "./ports.ts";
export { readThingModel } from "./read-thing-model.ts";
export type * from "./things.ts";
