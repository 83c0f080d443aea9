export {
  createDeviceCertificates,
  type DeviceCertificate,
  type DeviceCertificateStore,
  type DeviceCertificates,
} from "./device-certificates.ts";
export { createDeviceClients, type DeviceClients } from "./device-clients.ts";
export type { PayloadScripts, PublishListeners, SystemTopicHandler } from "./device-rights.ts";
export { createDeviceSubscriptions, type DeviceSubscriptions } from "./device-subscriptions.ts";
export { createGatekeeper } from "./gatekeeper.ts";
export {
  defaultAccessLimits,
  defaultGatewayLimits,
  defaultPlainSessionLimits,
  defaultSessionLimits,
} from "./limits.ts";
export { createObserver, type SessionListener } from "./observer.ts";
export { createAnonymousGate, createUserGate, createUserWatcher } from "./plain-gate.ts";
export { createPreAuth } from "./pre-auth.ts";
export { createRegistrar, type Registrar } from "./registrar.ts";
export { createRegistrationSessions } from "./registration-sessions.ts";
export { createSessionRoutes, type SessionRoutes } from "./session-routes.ts";
export {
  createSubDevices,
  type LoginOutcome,
  type SubDeviceConnection,
  type SubDeviceEnd,
  type SubDeviceListener,
  type SubDevices,
} from "./sub-devices.ts";
export {
  type DeviceSubject,
  isClientSubject,
  isDeviceSubject,
  isThingClientSubject,
  sessionIdOf,
  type ThingClientPrincipal,
  type ThingClientSubject,
  thingClientSessionIdOf,
} from "./subject.ts";
export type * from "./tokens.ts";
export { createTopicBook } from "./topic-book.ts";
export { createAccessWatcher } from "./watcher.ts";
