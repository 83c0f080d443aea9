export { createDeviceLog, type DeviceLogPorts } from "./create-device-log.ts";
export type * from "./device-log.ts";
export { type DeviceLogLimits, defaultDeviceLogLimits, type LogRate } from "./limits.ts";
export type * from "./ports.ts";
