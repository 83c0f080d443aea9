export { createGatekeeper } from "./gatekeeper.ts";
export { defaultAccessLimits, defaultPlainSessionLimits, defaultSessionLimits } from "./limits.ts";
export { createObserver } from "./observer.ts";
export { createAnonymousGate, createUserGate, createUserWatcher } from "./plain-gate.ts";
export { createPreAuth } from "./pre-auth.ts";
export type * from "./tokens.ts";
export { createTopicBook } from "./topic-book.ts";
export { createAccessWatcher } from "./watcher.ts";
