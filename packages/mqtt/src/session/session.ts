/**
 * One client across its connections: what it is owed and what is on its way to it.
 * [MQTT-4.1]
 */
import type { ProtocolVersion, QoS } from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import type { JournalSlot, OwedMessage, SessionBehaviour } from "../ports.ts";
import { type EncodedPublish, type RoutedMessage, remainingProperties } from "../routing/routed-message.ts";
import type { SharedGroup } from "../routing/shared-group.ts";
import { type AnswerType, checkAnswer } from "./check-answer.ts";
import { type Delivery, DeliveryQueue, deliveryBytes } from "./delivery-queue.ts";
import { encodeFor, withIdentifiers } from "./encode-delivery.ts";
import type { Link } from "./link.ts";
import { OwedQueue } from "./owed-queue.ts";
import { lowerQos } from "./qos.ts";
import { writeReply } from "./reply-queue.ts";
import { sendOnce } from "./send-once.ts";
import { SessionState } from "./session-state.ts";
import type { CommitWaiter } from "./turn.ts";

const packetIdMax = 0xffff;

export type OfferOutcome = "delivered" | "queued" | "skipped";

export class Session extends SessionState implements CommitWaiter {
  readonly #engine: Engine;
  /** Everything that has a packet identifier, in the order of first transmission. */
  readonly #inflight = new Map<number, Delivery>();
  /** Of these, what an earlier connection left unanswered and this one was not yet sent. */
  readonly #resend = new DeliveryQueue();
  /** Of these, what waits for the commit that records its identifier, by turn. */
  #held: Delivery[] = [];
  #heldCounts: number[] = [];
  #heldTurn = 0;
  /** It has been offered messages of a shared subscription. */
  #hasShared = false;
  /** Who wants to know that the client has a message, by its sequence: mostly nobody. */
  #awaited: Map<number, () => void> | undefined;
  readonly #queue = new OwedQueue();
  #sequence = 0;
  #packetId = 0;

  constructor(engine: Engine, key: number, id: string, behaviour: SessionBehaviour, version: ProtocolVersion) {
    super(key, id, behaviour, version);
    this.#engine = engine;
  }

  get queuedMessages(): number {
    return this.#queue.length;
  }

  get inflightMessages(): number {
    return this.#inflight.size;
  }

  /** QoS of a delivery, by this session's rule. */
  deliveryQos(published: QoS, granted: QoS): QoS {
    const { deliveryQos, qosMax } = this.behaviour;
    // [MQTT-3.8.4-8] The lower of the published and the granted QoS, unless the dialect keeps the publisher's.
    const qos = deliveryQos === "publisher" || published < granted ? published : granted;
    return lowerQos(qos, qosMax);
  }

  /** When the oldest queued message was accepted. */
  get oldestQueuedAt(): number {
    return this.#queue.oldestReceivedAt;
  }

  /**
   * Sends the message, or keeps it for later when it is owed. A persistent session's message leaves after the commit that
   * records it with its packet identifier: so a repetition after a crash is the same message again, with DUP. [MQTT-4.4.0-1]
   */
  offer(message: RoutedMessage, qos: QoS, isRetained: boolean, identifiers: number[] | undefined, group?: SharedGroup): OfferOutcome {
    const { link, isPersistent } = this;
    if (!this.mayReceive(message.topic)) return "skipped";
    if (qos === 0) return link === undefined ? "skipped" : sendOnce(this.#engine, this, link, message, isRetained, identifiers);
    if (link === undefined && !isPersistent) return "skipped";
    this.#sequence += 1;
    if (group !== undefined) this.#hasShared = true;
    // Encoded before it is kept: the encoding then serves as the kept payload too.
    const encoded = link === undefined ? undefined : message.encoded(link.version, qos, isRetained);
    const isNext = link !== undefined && this.#queue.length === 0 && this.#canSend(link);
    const isSpecial = identifiers !== undefined || group !== undefined || message.isForMany;
    const isPacked = !isNext && !isSpecial && this.#queue.packs(message);
    const delivery: Delivery = {
      sequence: this.#sequence,
      message: isPacked ? message.passing() : message.keep(),
      qos,
      isRetained,
      identifiers,
      packetId: 0,
      isReleased: false,
      slot: undefined,
      shareFilter: group?.shareFilter,
      isHeld: false,
      wasSent: false,
      encoded: undefined,
    };
    if (isNext) this.#takeIdentifier(delivery);
    if (isPersistent) {
      delivery.slot = this.#engine.journal.appendMessage(this.key, delivery);
      this.#engine.turn.hasDebt = true;
    }
    if (isNext) {
      if (isPersistent) {
        if (identifiers === undefined && link.aliases === undefined) delivery.encoded = encoded;
        this.#hold(delivery);
      } else this.#sendFirst(link, delivery, message);
      link.checkCongestion();
      return "delivered";
    }
    this.#enqueue(delivery, isPacked);
    this.#trimQueue();
    link?.checkCongestion();
    return "queued";
  }

  /** Sends queued messages while the window and the client's reading allow. */
  pump(): void {
    const { link } = this;
    if (link === undefined) return;
    const now = this.#engine.clock.now();
    while (this.#canSend(link)) {
      const again = this.#resend.shift();
      if (again !== undefined) {
        if (this.#inflight.get(again.packetId) === again) this.#sendCurrent(link, again, now);
        continue;
      }
      const delivery = this.#dequeue();
      if (delivery === undefined) return;
      if (this.#isTooOld(delivery, now)) this.#drop(delivery, "expired");
      else if (!this.mayReceive(delivery.message.topic)) this.#forget(delivery);
      else {
        this.#takeIdentifier(delivery);
        if (this.isPersistent) {
          this.#engine.journal.saveSent(this.key, delivery.sequence, delivery.packetId);
          this.#hold(delivery);
        } else this.#send(link, delivery, now);
      }
    }
  }

  /** A client is there (again): first what was on its way, in its old order, then the queue. [MQTT-4.4.0-1] [MQTT-4.6.0-1] */
  resume(link: Link): void {
    this.link = link;
    this.#resend.clear();
    for (const delivery of this.#inflight.values()) {
      if (delivery.isHeld) {
        // Encoded for the connection before.
        delivery.encoded = undefined;
        continue;
      }
      if (delivery.isReleased) this.#sendRelease(link, delivery.packetId, 0);
      else this.#resend.push(delivery);
    }
    this.pump();
  }

  /** The commit of one turn: what it records may leave. */
  committed(): void {
    const count = this.#heldCounts.shift() ?? 0;
    if (count === 0) return;
    const { link } = this;
    const now = this.#engine.clock.now();
    const recorded = this.#held.splice(0, count);
    for (const delivery of recorded) {
      delivery.isHeld = false;
      const { encoded, packetId } = delivery;
      delivery.encoded = undefined;
      if (link === undefined || this.#inflight.get(packetId) !== delivery) continue;
      if (encoded !== undefined) this.#sendEncoded(link, delivery, encoded);
      else this.#sendCurrent(link, delivery, now);
    }
    link?.checkCongestion();
  }

  /** As `offer`, for one who wants to know that the client has it. */
  offerAwaited(message: RoutedMessage, qos: QoS, onAcknowledged: () => void): OfferOutcome {
    const outcome = this.offer(message, qos, false, undefined);
    if (outcome === "skipped" || qos === 0) return outcome;
    this.#awaited ??= new Map();
    this.#awaited.set(this.#sequence, onAcknowledged);
    return outcome;
  }

  /** PUBACK, or PUBCOMP, or a PUBREC that refuses: the debt is paid. False when the identifier is unknown. */
  settle(packetId: number, answer: AnswerType): boolean {
    const delivery = this.#inflight.get(packetId);
    if (delivery === undefined) return false;
    checkAnswer(delivery, answer);
    this.#inflight.delete(packetId);
    this.#forget(delivery);
    const onAcknowledged = this.#awaited?.get(delivery.sequence);
    if (onAcknowledged !== undefined) {
      this.#awaited?.delete(delivery.sequence);
      if (answer !== "pubrec") onAcknowledged();
    }
    if (this.#queue.length > 0 || this.#resend.length > 0) this.pump();
    this.link?.relieve();
    return true;
  }

  /** [MQTT-4.3.3-8] PUBREC: from now on only the release is repeated, never the message. */
  release(link: Link, packetId: number): void {
    const delivery = this.#inflight.get(packetId);
    const isKnown = delivery !== undefined;
    if (isKnown) checkAnswer(delivery, "pubrec");
    if (isKnown && !delivery.isReleased) {
      delivery.isReleased = true;
      if (this.isPersistent) this.#engine.journal.saveReleased(this.key, delivery.sequence);
    }
    this.#sendRelease(link, packetId, isKnown ? 0 : 0x92);
  }

  /** Takes back what the journal kept of this session, in the order of the sequences. */
  restore(owed: OwedMessage, slot: JournalSlot): void {
    const { sequence, packetId } = owed;
    if (sequence > this.#sequence) this.#sequence = sequence;
    if (owed.shareFilter !== undefined) this.#hasShared = true;
    const delivery: Delivery = { ...owed, slot, isHeld: false, wasSent: packetId !== 0, encoded: undefined };
    if (packetId === 0) this.#enqueue(delivery, false);
    else {
      this.#inflight.set(packetId, delivery);
      this.#packetId = packetId;
    }
  }

  /** Writes what lies in old slots to the journal again. */
  rewrite(slotNumberMax: number): void {
    const { journal } = this.#engine;
    const rewrite = (delivery: Delivery, slot: JournalSlot): JournalSlot | undefined => {
      journal.forget(slot);
      // A session that ends with its connection by now is not in the journal any more, nor are its messages.
      return this.slot === undefined ? undefined : journal.appendMessage(this.key, delivery);
    };
    for (const delivery of this.#inflight.values()) {
      const { slot } = delivery;
      if (slot !== undefined && slot.number <= slotNumberMax) delivery.slot = rewrite(delivery, slot);
    }
    this.#queue.moveSlots(slotNumberMax, rewrite);
  }

  /** Drops what is too old at the head of the queue. */
  expireQueue(now: number): void {
    for (let head = this.#queue.peek(); head !== undefined && this.#isTooOld(head, now); head = this.#queue.peek()) {
      this.#dequeue();
      this.#drop(head, "expired");
    }
  }

  /** Gives up the oldest queued message because all queues together are too large. */
  dropOldest(): void {
    const oldest = this.#dequeue();
    if (oldest !== undefined) this.#drop(oldest, "queue_full");
  }

  /**
   * Takes out the messages of shared subscriptions that another member may have: when the session ends, what was not
   * acknowledged, but [MQTT-4.8.2-5] no QoS 2 message that was sent; when its client goes, what was not sent at all.
   */
  takeShared(isEnding: boolean): Delivery[] {
    if (!this.#hasShared) return [];
    const taken: Delivery[] = [];
    const take = (delivery: Delivery): boolean => {
      const { shareFilter, wasSent, qos } = delivery;
      const { topic } = delivery.message;
      if (shareFilter === undefined || (wasSent && (!isEnding || qos === 2))) return false;
      const group = this.#engine.router.groupOf(shareFilter);
      if (group === undefined) return false;
      if (isEnding ? !group.hasTaker(topic) : !group.isServed(topic)) return false;
      this.#forget(delivery);
      taken.push(delivery);
      return true;
    };
    for (const delivery of this.#inflight.values()) if (take(delivery)) this.#inflight.delete(delivery.packetId);
    for (let count = this.#queue.length; count > 0; count -= 1) {
      const delivery = this.#dequeue();
      if (delivery !== undefined && !take(delivery)) this.#enqueue(delivery, false);
    }
    return taken;
  }

  /** The session is over: whatever it was owed is forgotten. */
  clear(): void {
    const { sessions, journal } = this.#engine;
    this.isEnded = true;
    this.claimant = undefined;
    for (const { slot } of this.#inflight.values()) if (slot !== undefined) journal.forget(slot);
    // Most end with nothing owed: the walk alone is half a kilobyte of garbage.
    if (this.#queue.length > 0) for (const slot of this.#queue.slots()) if (slot !== undefined) journal.forget(slot);
    sessions.queuedBytes -= this.#queue.bytes;
    this.#inflight.clear();
    this.#queue.clear();
    this.#resend.clear();
    this.#held = [];
    this.#heldCounts = [];
    this.freeIdentifiers();
  }

  #canSend(link: Link): boolean {
    return this.#inflight.size - this.#resend.length < link.window && !link.isLagging && !link.outbox.isFull;
  }

  /** Keeps back what has an identifier until the journal has recorded it. */
  #hold(delivery: Delivery): void {
    const { turn } = this.#engine;
    delivery.isHeld = true;
    if (this.#heldTurn !== turn.number) {
      this.#heldTurn = turn.number;
      this.#heldCounts.push(0);
      turn.awaitCommit(this);
    }
    this.#held.push(delivery);
    this.#heldCounts[this.#heldCounts.length - 1] = (this.#heldCounts.at(-1) ?? 0) + 1;
  }

  /** [MQTT-4.3.3-6] PUBREL. The client forgets the identifier then, so that the journal must know of it before. */
  #sendRelease(link: Link, packetId: number, reasonCode: number): void {
    if (!this.isPersistent) {
      writeReply(link.outbox, link.version, 6, packetId, reasonCode);
      return;
    }
    this.#engine.turn.awaitCommit({
      committed: () => {
        if (this.link === link) writeReply(link.outbox, link.version, 6, packetId, reasonCode);
      },
    });
  }

  /** First transmission of a message that just came: from the encoding all receivers share. */
  #sendFirst(link: Link, delivery: Delivery, message: RoutedMessage): void {
    if (link.aliases !== undefined || (delivery.identifiers !== undefined && link.version === 5)) {
      this.#send(link, delivery, message.receivedAt);
      return;
    }
    this.#sendEncoded(link, delivery, message.encoded(link.version, delivery.qos, delivery.isRetained));
  }

  #sendEncoded(link: Link, delivery: Delivery, encoded: EncodedPublish): void {
    if (encoded.bytes.length > link.clientPacketBytesMax) {
      this.#inflight.delete(delivery.packetId);
      this.#drop(delivery, "too_large");
      return;
    }
    link.outbox.appendWithId(encoded.bytes, encoded.idOffset, delivery.packetId);
    this.#countSent(delivery);
  }

  /** Sends what has been waiting, unless it is too old by now or may not be received any more. */
  #sendCurrent(link: Link, delivery: Delivery, now: number): void {
    if (!this.mayReceive(delivery.message.topic)) {
      this.#inflight.delete(delivery.packetId);
      this.#forget(delivery);
      return;
    }
    if (!this.#isTooOld(delivery, now)) {
      this.#send(link, delivery, now);
      return;
    }
    this.#inflight.delete(delivery.packetId);
    this.#drop(delivery, "expired");
  }

  #send(link: Link, delivery: Delivery, now: number): void {
    const { identifiers, qos, isRetained, packetId, message } = delivery;
    // [MQTT-4.3.3-7] [MQTT-4.3.3-13] What was sent once is completed, whatever its age: only a delivery not begun expires.
    const expired = delivery.wasSent ? { properties: { ...message.properties, messageExpiryIntervalSeconds: 0 } } : undefined;
    const current = remainingProperties(message, now) ?? expired;
    if (current === undefined) {
      this.#inflight.delete(packetId);
      this.#drop(delivery, "expired");
      return;
    }
    const properties = identifiers === undefined ? current.properties : withIdentifiers(current.properties, identifiers);
    // [MQTT-3.3.1-1] DUP is set exactly on a repeated delivery.
    const publish = {
      topic: message.topic,
      payload: message.payload,
      qos,
      isDuplicate: delivery.wasSent,
      isRetained,
      packetId,
      properties,
    };
    const bytes = encodeFor(link, publish);
    if (bytes === undefined) {
      this.#inflight.delete(packetId);
      this.#drop(delivery, "too_large");
      return;
    }
    link.outbox.append(bytes);
    this.#countSent(delivery);
  }

  #countSent(delivery: Delivery): void {
    delivery.wasSent = true;
    this.#engine.statistics.messagesSent += 1;
    const { topic, payload } = delivery.message;
    this.#engine.observer.delivered(this.id, this.subject, topic, delivery.qos, payload.length);
  }

  /** [MQTT-2.2.1-4] An identifier that is not in use; the window is smaller than the number of identifiers. */
  #takeIdentifier(delivery: Delivery): void {
    do this.#packetId = this.#packetId === packetIdMax ? 1 : this.#packetId + 1;
    while (this.#inflight.has(this.#packetId));
    delivery.packetId = this.#packetId;
    this.#inflight.set(delivery.packetId, delivery);
  }

  #enqueue(delivery: Delivery, isPacked: boolean): void {
    this.#queue.push(delivery, isPacked);
    this.#engine.sessions.queuedBytes += deliveryBytes(delivery);
  }

  #dequeue(): Delivery | undefined {
    const delivery = this.#queue.shift();
    if (delivery !== undefined) this.#engine.sessions.queuedBytes -= deliveryBytes(delivery);
    return delivery;
  }

  #trimQueue(): void {
    const { queueMessagesMax, queueBytesMax } = this.behaviour;
    while (this.#queue.length > queueMessagesMax || this.#queue.bytes > queueBytesMax) {
      const oldest = this.#dequeue();
      if (oldest === undefined) return;
      this.#drop(oldest, "queue_full");
    }
    this.#engine.sessions.trimQueues();
  }

  #isTooOld(delivery: Delivery, now: number): boolean {
    const ageSeconds = (now - delivery.message.receivedAt) / 1000;
    const expirySeconds = delivery.wasSent ? undefined : delivery.message.properties?.messageExpiryIntervalSeconds;
    return ageSeconds > this.behaviour.queueAgeSecondsMax || (expirySeconds !== undefined && ageSeconds >= expirySeconds);
  }

  #drop(delivery: Delivery, reason: "queue_full" | "expired" | "too_large"): void {
    this.#engine.statistics.messagesDropped += 1;
    this.#engine.observer.dropped({ sessionId: this.id, topic: delivery.message.topic, qos: delivery.qos, reason });
    this.#awaited?.delete(delivery.sequence);
    this.#forget(delivery);
  }

  #forget(delivery: Delivery): void {
    const { slot } = delivery;
    if (slot === undefined) return;
    delivery.slot = undefined;
    if (this.slot === undefined) this.#engine.journal.forget(slot);
    else this.#engine.journal.removeMessage(this.key, delivery.sequence, slot);
  }
}
