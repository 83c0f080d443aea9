/** All sessions of this node, connected or waiting for their client. */
import type { ConnectPacket, ProtocolVersion } from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import type { Admission, JournalContents, SessionBehaviour, StoredSession, StoredSubscription } from "../ports.ts";
import type { Delivery } from "./delivery-queue.ts";
import { trimOldest } from "./queue-budget.ts";
import { Session } from "./session.ts";
import { pendingWillOf, publishWill, storedPendingWill, storedWillOf } from "./will.ts";

const neverSeconds = 0xffff_ffff;

export class SessionRegistry {
  readonly #engine: Engine;
  readonly #sessions = new Map<string, Session>();
  readonly #offline = new Set<Session>();
  #key = 0;
  /** Topic and payload bytes in all queues together. */
  queuedBytes = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Sessions that wait for their client. */
  get offlineCount(): number {
    return this.#offline.size;
  }

  get(sessionId: string): Session | undefined {
    return this.#sessions.get(sessionId);
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /**
   * [MQTT-3.1.2-4] [MQTT-3.1.2-5] Continues the session of that identity, or starts a new one. `isOwed`: the journal must
   * have committed before the client may hear of it.
   */
  open(admission: Admission, packet: ConnectPacket): { session: Session; isPresent: boolean; isOwed: boolean } {
    const { sessionId, behaviour, rights, subject } = admission;
    const { router, limits } = this.#engine;
    const kept = this.#sessions.get(sessionId);
    const wasStored = kept?.slot !== undefined;
    const isOtherVersion = behaviour.isSessionSharedByVersions === false && kept?.version !== packet.protocolVersion;
    const isPresent = kept !== undefined && !packet.isCleanStart && !isOtherVersion;
    if (kept !== undefined && !isPresent) this.end(kept);
    const session = isPresent ? kept : this.#create(sessionId, behaviour, packet.protocolVersion);
    if (session.behaviour.hashMatchesParent !== behaviour.hashMatchesParent) router.forgetDestinations();
    session.behaviour = behaviour;
    session.subject = subject;
    session.version = packet.protocolVersion;
    session.expirySeconds = expirySecondsOf(packet, admission);
    session.expiresAt = undefined;
    // [MQTT-3.1.3-9] Back in time: the will is not sent.
    session.pendingWill = undefined;
    session.grant(rights, limits.receiveCacheEntriesMax);
    this.#offline.delete(session);
    this.#sessions.set(sessionId, session);
    session.will = session.isPersistent ? storedWillOf(this.#engine, session, packet.will) : undefined;
    if (session.isPersistent) this.save(session);
    else this.#remove(session);
    return { session, isPresent, isOwed: session.isPersistent || wasStored };
  }

  /** Its client is gone. */
  detach(session: Session): void {
    session.link = undefined;
    session.claimant = undefined;
    session.will = undefined;
    if (session.isEnded) return;
    if (!session.isPersistent) {
      this.end(session);
      return;
    }
    if (session.expirySeconds !== Number.POSITIVE_INFINITY) {
      session.expiresAt = this.#engine.clock.now() + session.expirySeconds * 1000;
    }
    this.#offline.add(session);
    this.save(session);
    this.#redeliver(session.takeShared(false));
  }

  /** Forgets the session, its subscriptions and what it was owed. */
  end(session: Session): void {
    if (session.isEnded) return;
    const { router, statistics } = this.#engine;
    for (const filter of session.subscriptions.keys()) router.remove(session, filter);
    statistics.subscriptions -= session.subscriptions.size;
    session.subscriptions.clear();
    const shared = session.takeShared(true);
    session.clear();
    this.#offline.delete(session);
    this.#sessions.delete(session.id);
    this.#remove(session);
    this.#redeliver(shared);
    this.#publishPendingWill(session);
  }

  #redeliver(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) this.#engine.router.redeliver(delivery);
  }

  subscribe(session: Session, subscription: StoredSubscription): { isNew: boolean } {
    const { router, statistics, journal } = this.#engine;
    const isNew = !session.subscriptions.has(subscription.filter);
    session.subscriptions.set(subscription.filter, subscription);
    router.add(session, subscription);
    if (isNew) statistics.subscriptions += 1;
    if (session.slot !== undefined) journal.saveSubscription(session.key, subscription);
    return { isNew };
  }

  unsubscribe(session: Session, filter: string): boolean {
    if (!session.subscriptions.delete(filter)) return false;
    const { router, statistics, journal } = this.#engine;
    router.remove(session, filter);
    statistics.subscriptions -= 1;
    if (session.slot !== undefined) journal.removeSubscription(session.key, filter);
    return true;
  }

  /** Takes over what the journal kept. */
  restore({ session: stored, slot, messages }: JournalContents["sessions"][number]): void {
    const { router, statistics, clock } = this.#engine;
    const session = new Session(this.#engine, stored.key, stored.sessionId, stored.behaviour, stored.protocolVersion);
    if (stored.key > this.#key) this.#key = stored.key;
    session.slot = slot;
    session.expirySeconds = stored.expirySeconds ?? Number.POSITIVE_INFINITY;
    // A session that was connected when the process ended starts to wait now.
    const now = clock.now();
    if (session.expirySeconds !== Number.POSITIVE_INFINITY) session.expiresAt = stored.expiresAt ?? now + session.expirySeconds * 1000;
    session.pendingWill = pendingWillOf(stored.will, session.expirySeconds, now);
    for (const filter of stored.cancelledFilters) session.cancelFilter(filter);
    for (const packetId of stored.receivedIds) session.holdIdentifier(packetId);
    this.#sessions.set(session.id, session);
    this.#offline.add(session);
    for (const subscription of stored.subscriptions) {
      session.subscriptions.set(subscription.filter, subscription);
      router.add(session, subscription);
      statistics.subscriptions += 1;
    }
    for (const { owed, slot: messageSlot } of messages) session.restore(owed, messageSlot);
  }

  /** Writes the session's own record to the journal. */
  save(session: Session): void {
    session.slot = this.#engine.journal.saveSession(toStoredSession(session), session.slot);
  }

  /** Drops the oldest queued messages of all sessions when all queues together are too large. */
  trimQueues(): void {
    const { queuedBytesMax } = this.#engine.limits;
    if (this.queuedBytes > queuedBytesMax) trimOldest(this, queuedBytesMax);
  }

  sweep(now: number): void {
    for (const session of this.#offline) {
      if (session.pendingWill !== undefined && session.pendingWill.dueAt <= now) this.#publishPendingWill(session);
      if (session.expiresAt !== undefined && session.expiresAt <= now) this.end(session);
      else if (session.queuedMessages > 0) session.expireQueue(now);
    }
  }

  #create(sessionId: string, behaviour: SessionBehaviour, version: ProtocolVersion): Session {
    this.#key += 1;
    return new Session(this.#engine, this.#key, sessionId, behaviour, version);
  }

  #remove(session: Session): void {
    const { slot } = session;
    if (slot === undefined) return;
    session.slot = undefined;
    this.#engine.journal.removeSession(session.key, slot);
  }

  #publishPendingWill(session: Session): void {
    const { pendingWill } = session;
    session.pendingWill = undefined;
    if (pendingWill === undefined) return;
    publishWill(this.#engine, session, pendingWill.will, session.rights === undefined ? pendingWill.route : undefined);
    if (!session.isEnded && session.slot !== undefined) this.save(session);
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
  const { key, id, version, behaviour, expirySeconds, expiresAt, pendingWill } = session;
  const will = pendingWill === undefined ? session.will : storedPendingWill(pendingWill);
  return {
    key,
    sessionId: id,
    protocolVersion: version,
    behaviour,
    subscriptions: [...session.subscriptions.values()],
    cancelledFilters: [...session.cancelledFilters],
    receivedIds: [...session.unreleased],
    ...(expirySeconds === Number.POSITIVE_INFINITY ? {} : { expirySeconds }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(will === undefined ? {} : { will }),
  };
}
