/** The device SDK's public door. */
export { type Clock, systemClock } from "./clock.ts";
export { connect, Device, type DeviceEvents, type DeviceState } from "./device.ts";
export type { DownloadOptions, FileSink } from "./download.ts";
export { DeviceError, type DeviceErrorCode, type DeviceErrorDetails, deviceErrors } from "./errors.ts";
export { type DeviceLimits, defaultDeviceLimits } from "./limits.ts";
export type { Stop } from "./link.ts";
export type { ConnectMode, DeviceOptions, SignMethod } from "./options.ts";
export type { ReconnectPolicy } from "./reconnect-delay.ts";
export {
  type RegisteredDevice,
  type RegisteredUnknown,
  type RegistrationSettings,
  register,
  registerOverMqtt,
  registerUnknown,
} from "./registration.ts";
export type { RemoteConfig } from "./services/config.ts";
export type { UploadOptions } from "./services/files.ts";
export type { GatewayClient, SubDeviceNames, SubDeviceTriple, TopologyChange } from "./services/gateway.ts";
export type { Job, JobStatus } from "./services/jobs.ts";
export type { LogLine } from "./services/log.ts";
export type { UpgradePlan, UpgradeStep } from "./services/ota.ts";
export type { RrpcHandler, RrpcRequest } from "./services/rrpc.ts";
export type { ShadowDocument } from "./services/shadow.ts";
export {
  type AnyThing,
  type Batch,
  type DesiredValue,
  type ReportRemarks,
  type Settable,
  type ThingClient,
  ThingFault,
  type Timed,
} from "./services/thing.ts";
export type { ServerTime } from "./services/time.ts";
export type { Upgrade, UpgradeFailure, UpgradeFile } from "./services/upgrade.ts";
export type { LifecycleChange, SubDevice, SubDeviceAbsence, SubDeviceEvents } from "./sub-device.ts";
export type { MessageHandler, ReceivedMessage } from "./subscriptions.ts";
