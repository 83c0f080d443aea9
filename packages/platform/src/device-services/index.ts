export { createDeviceServices } from "./create-device-services.ts";
export type * from "./device-services.ts";
export { createFileFolder } from "./file-folder.ts";
export { filePathPrefix } from "./file-links.ts";
export { defaultDeviceServicesLimits } from "./limits.ts";
export type { LinkedFiles } from "./linked-files.ts";
export type * from "./ports.ts";
export type { ShadowDocument } from "./shadow-document.ts";
