export { createAlibabaApi } from "./alibaba-api.ts";
export { createFirmwareUploads, type FirmwareUploads, firmwareUploadPath } from "./firmware-uploads.ts";
export { defaultAlibabaApiLimits } from "./limits.ts";
export { createScriptLinks, type ScriptLinks, scriptDownloadPath } from "./script-links.ts";
