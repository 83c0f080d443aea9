export { createConsumerHandlers } from "./alibaba/consumer.ts";
export type { Uplink, UplinkDevice, UplinkHandler, UplinkHandlers } from "./alibaba/uplink.ts";
export { createUplinkRouter } from "./alibaba/uplink-router.ts";
