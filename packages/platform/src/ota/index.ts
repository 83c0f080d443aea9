export { createOta } from "./create-ota.ts";
export { downloadPathPrefix } from "./download-links.ts";
export type { Downloads } from "./downloads.ts";
export { createFirmwareFolder } from "./firmware-folder.ts";
export { defaultOtaLimits, type OtaLimits } from "./limits.ts";
export type * from "./ota.ts";
export { defaultModule } from "./ota.ts";
export type * from "./ports.ts";
