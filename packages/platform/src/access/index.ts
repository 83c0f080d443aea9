export type { PublishListeners, SystemTopicHandler } from "./device-rights.ts";
export { createGatekeeper, type GatekeeperPorts } from "./gatekeeper.ts";
export { type AccessLimits, defaultAccessLimits, defaultSessionLimits, type SessionLimits } from "./limits.ts";
export { createObserver, type ObserverPorts } from "./observer.ts";
export { createPreAuth, type PreAuthPorts } from "./pre-auth.ts";
export { type DeviceSubject, isDeviceSubject, sessionIdOf } from "./subject.ts";
export type * from "./tokens.ts";
export { createTopicBook, type TopicBook, type TopicPage } from "./topic-book.ts";
export { type AccessWatcher, type AccessWatcherPorts, createAccessWatcher } from "./watcher.ts";
