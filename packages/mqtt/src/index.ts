/** `@thingstead/mqtt`: codec and broker engine for MQTT 3.1, 3.1.1 and 5.0. */
export type * from "./broker.ts";
export { type BrokerPorts, createBroker } from "./broker-engine.ts";
export * from "./codec/index.ts";
export type { BugReporter, Random } from "./engine.ts";
export { type JournalCase, type JournalUnderTest, journalOrderCases, journalSurvivalCases } from "./journal/contract.ts";
export { JournalReplay } from "./journal/journal-replay.ts";
export { createMemoryJournal } from "./journal/memory-journal.ts";
export { type BrokerLimits, defaultBrokerLimits } from "./limits.ts";
export { createObserver } from "./observer.ts";
export type * from "./ports.ts";
export { TopicTree } from "./routing/topic-tree.ts";
export { createSinglePeer } from "./single-peer.ts";
