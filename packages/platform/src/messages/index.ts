export { createDownlink } from "./create-downlink.ts";
export { createMessages } from "./create-messages.ts";
export type { DeviceEvent, DeviceEventKind, DeviceEventSink, DeviceEvents } from "./device-events.ts";
export { createDeviceEvents } from "./device-events.ts";
export type * from "./downlink.ts";
export { defaultMessageLimits } from "./limits.ts";
export type * from "./messages.ts";
