export { type AlibabaHandlersPorts, createAlibabaHandlers } from "./alibaba/create-handlers.ts";
export { type AlibabaBindingLimits, defaultAlibabaBindingLimits } from "./alibaba/limits.ts";
export { createStatusForwards } from "./alibaba/status-forwards.ts";
export { createThingDownlink } from "./alibaba/thing-downlink.ts";
export type { Uplink, UplinkDevice, UplinkHandler, UplinkHandlers } from "./alibaba/uplink.ts";
export { createUplinkRouter } from "./alibaba/uplink-router.ts";
