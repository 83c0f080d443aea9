/**
 * What the broker knows of one client across its connections: subscriptions, what it is owed and what is on its way.
 * [MQTT-4.1]
 */
import { encodePublish, type Properties, type ProtocolVersion, type QoS } from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import type { PublishGrant, QueuedMessage, Refusal, SessionBehaviour, SessionRights, StoredSubscription } from "../ports.ts";
import { type RoutedMessage, remainingProperties } from "../routing/routed-message.ts";
import type { Destinations } from "../routing/router.ts";
import { type Delivery, DeliveryQueue } from "./delivery-queue.ts";
import type { Link } from "./link.ts";
import { lowerQos } from "./qos.ts";
import type { PendingWill } from "./will.ts";

const packetIdMax = 0xffff;
const pubrelFirstByte = 0x62;

const noFilters: ReadonlySet<string> = new Set();

export type OfferOutcome = "delivered" | "queued" | "skipped";

/** A topic of this session's publishes, compiled: its permission and, once asked for, its receivers. */
export interface TopicRoute {
  /** Topic that is routed; may differ from the one on the wire. */
  topic: string;
  grant: PublishGrant | undefined;
  refusal: Refusal | undefined;
  destinations: Destinations | undefined;
  /** `Session.routesEpoch` when it was compiled. */
  epoch: number;
}

export class Session {
  readonly id: string;
  readonly #engine: Engine;
  /** Opaque, from the latest Admission; undefined for a session loaded from the journal until its client comes back. */
  subject: unknown;
  rights: SessionRights | undefined;
  behaviour: SessionBehaviour;
  version: ProtocolVersion;
  link: Link | undefined;
  /** 0 = ends with its connection; Infinity = never. [MQTT-3.1.2-23] */
  expirySeconds = 0;
  expiresAt: number | undefined;
  readonly subscriptions = new Map<string, StoredSubscription>();
  /** Filters the server subscribed for the client: not the client's to ask permission for. */
  implicitFilters: ReadonlySet<string> = noFilters;
  /** Those of them that the client cancelled with UNSUBSCRIBE. */
  readonly cancelledFilters = new Set<string>();
  /** Packet identifiers of QoS 2 publishes of the client that PUBREL has not released. [MQTT-4.3.3-10] */
  readonly unreleased = new Set<number>();
  routes = new Map<string, TopicRoute>();
  routesEpoch = 1;
  pendingWill: PendingWill | undefined;
  isEnded = false;
  /** The journal knows it. */
  isStored = false;
  readonly #inflight = new Map<number, Delivery>();
  #queue = new DeliveryQueue();
  #sequence = 0;
  #packetId = 0;

  constructor(engine: Engine, id: string, behaviour: SessionBehaviour, version: ProtocolVersion) {
    this.#engine = engine;
    this.id = id;
    this.behaviour = behaviour;
    this.version = version;
  }

  get isPersistent(): boolean {
    return this.expirySeconds > 0;
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

  /** Sends the message, or keeps it for later when it is owed. */
  offer(message: RoutedMessage, qos: QoS, isRetained: boolean, identifiers: number[] | undefined): OfferOutcome {
    const { link } = this;
    if (qos === 0) return link === undefined ? "skipped" : this.#sendOnce(link, message, isRetained, identifiers);
    if (link === undefined && !this.isPersistent) return "skipped";
    this.#sequence += 1;
    // Encoded before it is kept: the encoding then serves as the kept payload too.
    if (link !== undefined) message.encoded(link.version, qos, isRetained);
    const delivery: Delivery = {
      sequence: this.#sequence,
      message: message.keep(),
      qos,
      isRetained,
      identifiers,
      packetId: 0,
      isReleased: false,
    };
    if (this.isPersistent) {
      this.#engine.journal.appendMessage(this.id, delivery.sequence, toQueuedMessage(delivery));
      this.#engine.turn.hasDebt = true;
    }
    if (link !== undefined && this.#queue.length === 0 && this.#canSend(link)) {
      this.#sendFirst(link, delivery, message);
      link.checkCongestion();
      return "delivered";
    }
    this.#queue.push(delivery);
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
      const delivery = this.#queue.shift();
      if (delivery === undefined) return;
      if (this.#isTooOld(delivery, now)) this.#drop(delivery, "expired");
      else this.#send(link, delivery, false, now);
    }
  }

  /** A client is there (again): first what was on its way, in its old order, then the queue. [MQTT-4.4.0-1] [MQTT-4.6.0-1] */
  resume(link: Link): void {
    this.link = link;
    const now = this.#engine.clock.now();
    this.#fitWindow(link.window);
    for (const delivery of [...this.#inflight.values()]) {
      if (delivery.isReleased) link.outbox.appendReply(pubrelFirstByte, delivery.packetId);
      else this.#send(link, delivery, true, now);
    }
    this.pump();
  }

  /** PUBACK, or PUBCOMP, or a PUBREC that refuses: the debt is paid. False when the identifier is unknown. */
  settle(packetId: number): boolean {
    const delivery = this.#inflight.get(packetId);
    if (delivery === undefined) return false;
    this.#inflight.delete(packetId);
    this.#forget(delivery);
    if (this.#queue.length > 0) this.pump();
    this.link?.relieve();
    return true;
  }

  /** [MQTT-4.3.3-8] PUBREC: from now on only the release is repeated, never the message. */
  release(packetId: number): boolean {
    const delivery = this.#inflight.get(packetId);
    if (delivery === undefined || delivery.qos !== 2) return false;
    delivery.isReleased = true;
    return true;
  }

  /** Takes back what the journal kept of this session. */
  restore(sequence: number, message: QueuedMessage): void {
    const { topic, payload, properties, receivedAt, qos, isRetained, subscriptionIdentifiers: identifiers } = message;
    if (sequence > this.#sequence) this.#sequence = sequence;
    this.#queue.push({
      sequence,
      message: { topic, payload, properties, receivedAt },
      qos,
      isRetained,
      identifiers,
      packetId: 0,
      isReleased: false,
    });
  }

  /** Drops what is too old at the head of the queue. */
  expireQueue(now: number): void {
    for (let head = this.#queue.peek(); head !== undefined && this.#isTooOld(head, now); head = this.#queue.peek()) {
      this.#queue.shift();
      this.#drop(head, "expired");
    }
  }

  /** The session is over: whatever it was owed is forgotten. */
  clear(): void {
    this.isEnded = true;
    this.#inflight.clear();
    this.#queue.clear();
    this.unreleased.clear();
  }

  forgetRoutes(): void {
    this.routes = new Map();
    this.routesEpoch += 1;
  }

  #canSend(link: Link): boolean {
    return this.#inflight.size < link.window && !link.isLagging && !link.outbox.isFull;
  }

  #sendOnce(link: Link, message: RoutedMessage, isRetained: boolean, identifiers: number[] | undefined): OfferOutcome {
    const { statistics, observer } = this.#engine;
    const payloadBytes = message.payload.length;
    if (link.isLagging) return this.#skip(message, "slow_reader");
    const { wireBody } = message;
    if (wireBody !== undefined && link.version !== 5 && !isRetained) {
      link.outbox.appendBody(0x30, wireBody.buffer, wireBody.start, wireBody.end);
    } else {
      const bytes =
        identifiers === undefined || link.version !== 5
          ? message.encoded(link.version, 0, isRetained).bytes
          : encodePublish(message.topic, message.payload, 0, false, isRetained, 0, withIdentifiers(message.properties, identifiers), 5);
      // [MQTT-3.1.2-24] Too large for this client: not sent, and treated as if it had been.
      if (bytes.length > link.clientPacketBytesMax) return this.#skip(message, "too_large");
      link.outbox.append(bytes);
    }
    statistics.messagesSent += 1;
    observer.delivered(this.id, this.subject, message.topic, 0, payloadBytes);
    link.checkCongestion();
    return "delivered";
  }

  #skip(message: RoutedMessage, reason: "slow_reader" | "too_large"): OfferOutcome {
    this.#engine.statistics.messagesDropped += 1;
    this.#engine.observer.dropped({ sessionId: this.id, topic: message.topic, qos: 0, reason });
    return "skipped";
  }

  /** First transmission of a message that just came: from the encoding all receivers share. */
  #sendFirst(link: Link, delivery: Delivery, message: RoutedMessage): void {
    if (delivery.identifiers !== undefined && link.version === 5) {
      this.#send(link, delivery, false, message.receivedAt);
      return;
    }
    const encoded = message.encoded(link.version, delivery.qos, delivery.isRetained);
    if (encoded.bytes.length > link.clientPacketBytesMax) {
      this.#drop(delivery, "too_large");
      return;
    }
    this.#takeIdentifier(delivery);
    link.outbox.appendWithId(encoded.bytes, encoded.idOffset, delivery.packetId);
    this.#countSent(delivery);
  }

  #send(link: Link, delivery: Delivery, isDuplicate: boolean, now: number): void {
    const current = remainingProperties(delivery.message, now);
    if (current === undefined) {
      this.#inflight.delete(delivery.packetId);
      this.#drop(delivery, "expired");
      return;
    }
    if (delivery.packetId === 0) this.#takeIdentifier(delivery);
    const { topic, payload } = delivery.message;
    const properties = delivery.identifiers === undefined ? current.properties : withIdentifiers(current.properties, delivery.identifiers);
    // [MQTT-3.3.1-1] DUP is set exactly on a repeated delivery.
    const bytes = encodePublish(
      topic,
      payload,
      delivery.qos,
      isDuplicate,
      delivery.isRetained,
      delivery.packetId,
      properties,
      link.version,
    );
    if (bytes.length > link.clientPacketBytesMax) {
      this.#inflight.delete(delivery.packetId);
      this.#drop(delivery, "too_large");
      return;
    }
    link.outbox.append(bytes);
    this.#countSent(delivery);
  }

  #countSent(delivery: Delivery): void {
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

  /** A client that comes back with a smaller Receive Maximum gets the rest later. [MQTT-3.3.4-9] */
  #fitWindow(window: number): void {
    if (this.#inflight.size <= window) return;
    const queue = new DeliveryQueue();
    let kept = 0;
    for (const [packetId, delivery] of this.#inflight) {
      if (kept < window || delivery.isReleased) {
        kept += 1;
        continue;
      }
      this.#inflight.delete(packetId);
      delivery.packetId = 0;
      queue.push(delivery);
    }
    for (const delivery of this.#queue) queue.push(delivery);
    this.#queue = queue;
  }

  #trimQueue(): void {
    const { queueMessagesMax, queueBytesMax } = this.behaviour;
    while (this.#queue.length > queueMessagesMax || this.#queue.bytes > queueBytesMax) {
      const oldest = this.#queue.shift();
      if (oldest === undefined) return;
      this.#drop(oldest, "queue_full");
    }
  }

  #isTooOld(delivery: Delivery, now: number): boolean {
    const ageSeconds = (now - delivery.message.receivedAt) / 1000;
    const expirySeconds = delivery.message.properties?.messageExpiryIntervalSeconds;
    return ageSeconds > this.behaviour.queueAgeSecondsMax || (expirySeconds !== undefined && ageSeconds >= expirySeconds);
  }

  #drop(delivery: Delivery, reason: "queue_full" | "expired" | "too_large"): void {
    this.#engine.statistics.messagesDropped += 1;
    this.#engine.observer.dropped({ sessionId: this.id, topic: delivery.message.topic, qos: delivery.qos, reason });
    this.#forget(delivery);
  }

  #forget(delivery: Delivery): void {
    if (this.isPersistent) this.#engine.journal.removeMessage(this.id, delivery.sequence);
  }
}

function withIdentifiers(properties: Properties | undefined, subscriptionIdentifiers: number[]): Properties {
  return { ...properties, subscriptionIdentifiers };
}

function toQueuedMessage(delivery: Delivery): QueuedMessage {
  const { topic, payload, properties, receivedAt } = delivery.message;
  return {
    topic,
    payload,
    qos: delivery.qos,
    isRetained: delivery.isRetained,
    receivedAt,
    ...(properties === undefined ? {} : { properties }),
    ...(delivery.identifiers === undefined ? {} : { subscriptionIdentifiers: delivery.identifiers }),
  };
}
