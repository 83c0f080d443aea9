export { defaultOtaLimits, type OtaLimits } from "./limits.ts";
export type * from "./ota.ts";
export { defaultModule } from "./ota.ts";
