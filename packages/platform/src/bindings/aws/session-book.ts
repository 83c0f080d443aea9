/** AWS sessions that are connected now: by which certificate, with which rights, for how long. */
import type { Broker, Refusal } from "@thingstead/mqtt";
import { isThingClientSubject, type SessionListener, type ThingClientSubject } from "../../access/index.ts";
import type { Clock } from "../../clock.ts";

/** What the gate knows of a session that it let in. */
export interface AwsSession {
  readonly sessionId: string;
  readonly subject: ThingClientSubject;
  /** Looks up what it may do and replaces its rights; a refusal when it may not be here any more. Rejects when that cannot be known now. */
  refresh(): Promise<Refusal | undefined>;
  /** `AwsSessionBook.changes` when its rights were looked up. */
  readonly changesSeen: number;
  /** The connection ends after this time; absent: never. */
  readonly lifetimeSeconds?: number;
  /** Its rights are looked up anew so often. */
  readonly refreshSeconds?: number;
}

export interface AwsSessionBookPorts {
  broker: () => Pick<Broker, "kick" | "forgetGrants">;
  clock: Pick<Clock, "after">;
  onFailure(error: unknown): void;
}

export interface AwsSessionBook extends SessionListener {
  /** Changes that may have touched anybody's rights, so far. */
  readonly changes: number;
  /** Before the engine opens the session: its subject tells it apart from an older one of the same id. */
  admit(session: AwsSession): void;
  all(): readonly AwsSession[];
  ofCertificate(certificateId: string): readonly AwsSession[];
  /** Their rights changed: looked up one after the other. */
  refresh(sessions: readonly AwsSession[]): void;
  /** Anybody's rights may have changed: also of those who are being admitted just now. */
  noteChange(): void;
  close(): void;
}

interface Entry {
  readonly session: AwsSession;
  cancelLifetime: (() => void) | undefined;
  cancelRefresh: (() => void) | undefined;
}

export function createAwsSessionBook({ broker, clock, onFailure }: AwsSessionBookPorts): AwsSessionBook {
  const admitted = new WeakMap<ThingClientSubject, Entry>();
  const live = new Map<string, Entry>();
  const byCertificate = new Map<string, Set<Entry>>();
  const waiting = new Set<Entry>();
  let changes = 0;
  let isRefreshing = false;

  function leave(entry: Entry): void {
    entry.cancelLifetime?.();
    entry.cancelRefresh?.();
    waiting.delete(entry);
    const { sessionId, subject } = entry.session;
    if (live.get(sessionId) === entry) live.delete(sessionId);
    if (subject.principal.kind !== "certificate") return;
    const ofCertificate = byCertificate.get(subject.principal.id);
    ofCertificate?.delete(entry);
    if (ofCertificate?.size === 0) byCertificate.delete(subject.principal.id);
  }

  function enter(entry: Entry): void {
    const { sessionId, subject, lifetimeSeconds, changesSeen } = entry.session;
    live.set(sessionId, entry);
    if (subject.principal.kind === "certificate") {
      const ofCertificate = byCertificate.get(subject.principal.id) ?? new Set();
      byCertificate.set(subject.principal.id, ofCertificate.add(entry));
    }
    if (lifetimeSeconds !== undefined) {
      const refusal = { code: "access.connection_lifetime", received: `${lifetimeSeconds} s`, expected: "a new connection" };
      entry.cancelLifetime = clock.after(lifetimeSeconds * 1000, () => void broker().kick(sessionId, "kicked", refusal));
    }
    refreshLater(entry);
    if (changesSeen !== changes) enqueue(entry);
  }

  function refreshLater(entry: Entry): void {
    const { refreshSeconds } = entry.session;
    if (refreshSeconds === undefined) return;
    entry.cancelRefresh = clock.after(refreshSeconds * 1000, () => {
      enqueue(entry);
      refreshLater(entry);
    });
  }

  function enqueue(entry: Entry): void {
    waiting.add(entry);
    if (!isRefreshing) void work();
  }

  /** One after the other: a change for everybody must not ask the store a thousand things at once. */
  async function work(): Promise<void> {
    isRefreshing = true;
    for (const entry of waiting) {
      waiting.delete(entry);
      await refresh(entry.session).catch(onFailure);
    }
    isRefreshing = false;
  }

  async function refresh(session: AwsSession): Promise<void> {
    const refusal = await session.refresh();
    if (refusal === undefined) broker().forgetGrants(session.sessionId);
    else if (live.get(session.sessionId)?.session === session) broker().kick(session.sessionId, "kicked", refusal);
  }

  return {
    get changes() {
      return changes;
    },
    admit(session) {
      admitted.set(session.subject, { session, cancelLifetime: undefined, cancelRefresh: undefined });
    },
    connected({ subject }) {
      const entry = isThingClientSubject(subject) ? admitted.get(subject) : undefined;
      if (entry !== undefined) enter(entry);
    },
    disconnected({ subject }) {
      const entry = isThingClientSubject(subject) ? admitted.get(subject) : undefined;
      if (entry !== undefined) leave(entry);
    },
    all: () => Array.from(live.values(), ({ session }) => session),
    ofCertificate: (certificateId) => Array.from(byCertificate.get(certificateId) ?? [], ({ session }) => session),
    refresh(sessions) {
      for (const { sessionId } of sessions) {
        const entry = live.get(sessionId);
        if (entry !== undefined) enqueue(entry);
      }
    },
    noteChange() {
      changes += 1;
    },
    close() {
      for (const entry of [...live.values()]) leave(entry);
    },
  };
}
