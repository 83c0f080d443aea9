export type { SystemTopicHandler } from "./device-rights.ts";
export { createGatekeeper } from "./gatekeeper.ts";
export { type AccessLimits, defaultAccessLimits, defaultSessionLimits, type SessionLimits } from "./limits.ts";
export { createObserver } from "./observer.ts";
export { createPreAuth } from "./pre-auth.ts";
export type { DeviceSubject } from "./subject.ts";
export type * from "./tokens.ts";
export { createTopicBook } from "./topic-book.ts";
export { createAccessWatcher } from "./watcher.ts";
