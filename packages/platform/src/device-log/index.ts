export { createDeviceLog } from "./create-device-log.ts";
export type * from "./device-log.ts";
export { type DeviceLogLimits, defaultDeviceLogLimits } from "./limits.ts";
export type * from "./ports.ts";
