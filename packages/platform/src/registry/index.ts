export { createRegistry } from "./create-registry.ts";
export { defaultRegistryLimits, type RegistryLimits } from "./limits.ts";
export type * from "./ports.ts";
export type * from "./registry.ts";
