/** All sessions of this node, connected or waiting for their client. */
import type { ConnectPacket } from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import type { Admission, QueuedMessage, StoredSession, StoredSubscription } from "../ports.ts";
import { Session } from "./session.ts";
import { publishWill } from "./will.ts";

const neverSeconds = 0xffff_ffff;

export class SessionRegistry {
  readonly #engine: Engine;
  readonly #sessions = new Map<string, Session>();
  readonly #offline = new Set<Session>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(sessionId: string): Session | undefined {
    return this.#sessions.get(sessionId);
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** [MQTT-3.1.2-4] [MQTT-3.1.2-5] Continues the session of that identity, or starts a new one. */
  open(admission: Admission, packet: ConnectPacket): { session: Session; isPresent: boolean } {
    const { sessionId, behaviour, rights, subject } = admission;
    const kept = this.#sessions.get(sessionId);
    if (kept !== undefined && packet.isCleanStart) this.end(kept);
    const isPresent = kept !== undefined && !packet.isCleanStart;
    const session = isPresent ? kept : new Session(this.#engine, sessionId, behaviour, packet.protocolVersion);
    session.behaviour = behaviour;
    session.rights = rights;
    session.subject = subject;
    session.version = packet.protocolVersion;
    session.expirySeconds = expirySecondsOf(packet, admission);
    session.expiresAt = undefined;
    // [MQTT-3.1.3-9] Back in time: the will is not sent.
    session.pendingWill = undefined;
    session.forgetRoutes();
    this.#offline.delete(session);
    this.#sessions.set(sessionId, session);
    if (session.isPersistent) this.#save(session);
    else this.#remove(session);
    return { session, isPresent };
  }

  /** Its client is gone. */
  detach(session: Session): void {
    session.link = undefined;
    if (session.isEnded) return;
    if (!session.isPersistent) {
      this.end(session);
      return;
    }
    if (session.expirySeconds !== Number.POSITIVE_INFINITY) {
      session.expiresAt = this.#engine.clock.now() + session.expirySeconds * 1000;
    }
    this.#offline.add(session);
    this.#save(session);
  }

  /** Forgets the session, its subscriptions and what it was owed. */
  end(session: Session): void {
    if (session.isEnded) return;
    const { router, statistics } = this.#engine;
    for (const filter of session.subscriptions.keys()) router.remove(session, filter);
    statistics.subscriptions -= session.subscriptions.size;
    session.subscriptions.clear();
    session.clear();
    this.#offline.delete(session);
    this.#sessions.delete(session.id);
    this.#remove(session);
    this.#publishPendingWill(session);
  }

  subscribe(session: Session, subscription: StoredSubscription): { isNew: boolean } {
    const { router, statistics, journal } = this.#engine;
    const isNew = !session.subscriptions.has(subscription.filter);
    session.subscriptions.set(subscription.filter, subscription);
    router.add(session, subscription);
    if (isNew) statistics.subscriptions += 1;
    if (session.isPersistent) journal.saveSubscription(session.id, subscription);
    return { isNew };
  }

  unsubscribe(session: Session, filter: string): boolean {
    if (!session.subscriptions.delete(filter)) return false;
    const { router, statistics, journal } = this.#engine;
    router.remove(session, filter);
    statistics.subscriptions -= 1;
    if (session.isPersistent) journal.removeSubscription(session.id, filter);
    return true;
  }

  /** Takes over what the journal kept. */
  restore(stored: StoredSession, queue: readonly { sequence: number; message: QueuedMessage }[]): void {
    const { router, statistics, clock } = this.#engine;
    const session = new Session(this.#engine, stored.sessionId, stored.behaviour, stored.protocolVersion);
    session.isStored = true;
    session.expirySeconds = stored.behaviour.sessionExpirySecondsMax;
    // A session that was connected when the process ended starts to wait now.
    session.expiresAt = stored.expiresAt ?? clock.now() + session.expirySeconds * 1000;
    this.#sessions.set(session.id, session);
    this.#offline.add(session);
    for (const subscription of stored.subscriptions) {
      session.subscriptions.set(subscription.filter, subscription);
      router.add(session, subscription);
      statistics.subscriptions += 1;
    }
    for (const { sequence, message } of queue) session.restore(sequence, message);
  }

  sweep(now: number): void {
    for (const session of this.#offline) {
      if (session.pendingWill !== undefined && session.pendingWill.dueAt <= now) this.#publishPendingWill(session);
      if (session.expiresAt !== undefined && session.expiresAt <= now) this.end(session);
      else if (session.queuedMessages > 0) session.expireQueue(now);
    }
  }

  #save(session: Session): void {
    session.isStored = true;
    this.#engine.journal.saveSession(toStoredSession(session));
  }

  #remove(session: Session): void {
    if (!session.isStored) return;
    session.isStored = false;
    this.#engine.journal.removeSession(session.id);
  }

  #publishPendingWill(session: Session): void {
    const { pendingWill } = session;
    session.pendingWill = undefined;
    if (pendingWill !== undefined) publishWill(this.#engine, session, pendingWill.will);
  }
}

/** [MQTT-3.1.2-11.2] MQTT 5 asks for an expiry; 3.x only says whether the session outlives its connection. */
export function expirySecondsOf(packet: ConnectPacket, admission: Pick<Admission, "behaviour">): number {
  const { sessionExpirySecondsMax } = admission.behaviour;
  if (packet.protocolVersion < 5) return packet.isCleanStart ? 0 : sessionExpirySecondsMax;
  return cappedExpirySeconds(packet.properties?.sessionExpiryIntervalSeconds ?? 0, sessionExpirySecondsMax);
}

export function cappedExpirySeconds(requestedSeconds: number, maximumSeconds: number): number {
  const requested = requestedSeconds === neverSeconds ? Number.POSITIVE_INFINITY : requestedSeconds;
  const maximum = maximumSeconds >= neverSeconds ? Number.POSITIVE_INFINITY : maximumSeconds;
  return Math.min(requested, maximum);
}

function toStoredSession(session: Session): StoredSession {
  return {
    sessionId: session.id,
    protocolVersion: session.version,
    behaviour: session.behaviour,
    subscriptions: [...session.subscriptions.values()],
    ...(session.expiresAt === undefined ? {} : { expiresAt: session.expiresAt }),
  };
}
