/** The device SDK's public door. */
export { type Clock, systemClock } from "./clock.ts";
export { connect, Device, type DeviceEvents, type DeviceState } from "./device.ts";
export { DeviceError, type DeviceErrorCode, type DeviceErrorDetails, deviceErrors } from "./errors.ts";
export type { ConnectMode, DeviceOptions, SignMethod } from "./options.ts";
export type { ReconnectPolicy } from "./reconnect-delay.ts";
export type { MessageHandler, ReceivedMessage } from "./subscriptions.ts";
