export { createDeviceServices, type DeviceServicesPorts } from "./create-device-services.ts";
export type * from "./device-services.ts";
export { createFileFolder } from "./file-folder.ts";
export { filePathPrefix } from "./file-links.ts";
export { type DeviceServicesLimits, defaultDeviceServicesLimits } from "./limits.ts";
export type { LinkedFileAnswer, LinkedFiles } from "./linked-files.ts";
export type * from "./ports.ts";
export { emptyShadow, type ShadowDocument, type ShadowValues } from "./shadow-document.ts";
