/** What the parts of the engine share. Built once by `createBroker`. */
import type { BrokerStatistics } from "./broker.ts";
import type { BrokerLimits } from "./limits.ts";
import type { Clock, Gatekeeper, Journal, Observer, Peers } from "./ports.ts";
import type { RetainedStore } from "./routing/retained-store.ts";
import type { Router } from "./routing/router.ts";
import type { ClientConnection } from "./session/client-connection.ts";
import type { JournalPressure } from "./session/journal-pressure.ts";
import type { SlabPool } from "./session/outbox.ts";
import type { SessionRegistry } from "./session/session-registry.ts";
import type { Turn } from "./session/turn.ts";
import type { SysTopics } from "./sys-topics.ts";

/** Random bytes; only client identifiers are made of them. */
export interface Random {
  bytes(count: number): Uint8Array;
}

/** Told about our own mistakes. The session that hit one is closed, the others go on. */
export type BugReporter = (error: unknown, state: Readonly<Record<string, unknown>>) => void;

export interface Engine {
  readonly gatekeeper: Gatekeeper;
  readonly journal: Journal;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly limits: Readonly<BrokerLimits>;
  readonly random: Random;
  readonly onBug: BugReporter;
  readonly statistics: BrokerStatistics;
  readonly turn: Turn;
  readonly slabs: SlabPool;
  readonly router: Router;
  readonly retained: RetainedStore;
  readonly sessions: SessionRegistry;
  readonly sysTopics: SysTopics;
  readonly pressure: JournalPressure;
  /** Every stream that is not yet gone, whatever its phase. */
  readonly connections: Set<ClientConnection>;
}
