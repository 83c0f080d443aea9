/** PUBLISH and PUBREL from one client. The hot path: nothing here makes an object that a QoS 0 message can do without. */
import {
  checkTopicBytes,
  createPublishView,
  decodePublishProperties,
  isTopicNameValid,
  locatePublish,
  type Properties,
} from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import type { Refusal } from "../ports.ts";
import type { WireBody } from "../routing/routed-message.ts";
import { acceptMessage, isUnheard, routeOf } from "./accept-message.ts";
import type { ClientConnection } from "./client-connection.ts";
import { forwardedProperties } from "./forwarded-properties.ts";
import { ReplyQueue, type ReplyQueueOwner } from "./reply-queue.ts";
import type { Session } from "./session.ts";
import { SessionError } from "./session-error.ts";
import type { TopicRoute } from "./session-state.ts";

/** One view serves all connections: it is read before the next packet is looked at. */
const view = createPublishView();
/** The same for what can be sent on as it came: an object per message, which the garbage collector took for long-lived, was 5 % of a durable one. */
const wireBody: WireBody = { buffer: Buffer.alloc(0), start: 0, payloadStart: 0, end: 0 };
const noRights: Refusal = { code: "mqtt.session_without_rights" };
/** Not authorized. */
const refusedReason = 0x87;
const emptyTopic = Buffer.alloc(0);

export class InboundPublishes implements ReplyQueueOwner {
  readonly #engine: Engine;
  readonly #connection: ClientConnection;
  readonly #session: Session;
  readonly #replies: ReplyQueue;
  /** Bytes of the topic published last: a device repeats itself, and comparing bytes spares decoding them. */
  #lastTopic = emptyTopic;
  #lastTopicBytes = -1;
  #lastRoute: TopicRoute | undefined;
  #aliases: Map<number, string> | undefined;
  #isThrottled = false;

  constructor(engine: Engine, connection: ClientConnection, session: Session) {
    this.#engine = engine;
    this.#connection = connection;
    this.#session = session;
    this.#replies = new ReplyQueue(connection.outbox, engine.turn, connection.version, this);
  }

  handle(firstByte: number, buffer: Buffer, bodyStart: number, bodyEnd: number): void {
    const connection = this.#connection;
    const session = this.#session;
    const { behaviour } = session;
    const { observer, statistics, turn } = this.#engine;
    // The topic's text is looked at when it is not the one of the publish before: saves 95 ns.
    locatePublish(firstByte, buffer, bodyStart, bodyEnd, connection.version, view);
    const { qos, packetId, isRetained, payloadStart, payloadEnd } = view;
    statistics.messagesReceived += 1;
    let properties: Properties | undefined;
    let route: TopicRoute;
    if (view.propertiesEnd > view.propertiesStart) {
      properties = decodePublishProperties(buffer, view.propertiesStart, view.propertiesEnd);
      route = this.#routeWithAlias(buffer, properties);
      properties = forwardedProperties(properties, behaviour);
    } else {
      route = this.#routeFromBytes(buffer, view.topicStart, view.topicEnd);
    }
    if (qos > behaviour.qosMax) {
      this.#refuseQos(route, qos);
      return;
    }
    if (isRetained && behaviour.retain === "refuse") {
      // [MQTT-3.2.2-14] The server said that it does not keep messages.
      throw new SessionError("mqtt.retain_not_supported", "MQTT-3.2.2-14", "RETAIN 1", "RETAIN 0");
    }
    if (qos > 0) {
      // [MQTT-4.3.3-10] A QoS 2 publish that was not released yet is the same message again.
      if (qos === 2 && session.unreleased.has(packetId)) {
        // Taken over on an earlier connection perhaps, whose commit may still be on its way.
        this.#replies.add(5, packetId, 0, session.isPersistent, undefined);
        return;
      }
      this.#checkReceiveMaximum();
    }
    const payloadBytes = payloadEnd - payloadStart;
    const { grant } = route;
    if (grant === undefined) {
      this.#refuse(route, qos, packetId, route.refusal ?? noRights);
      return;
    }
    if (payloadBytes > behaviour.payloadBytesMax) {
      this.#refuseSize(route, qos, packetId, payloadBytes);
      return;
    }
    if (isRetained && grant.retainRefusal !== undefined) {
      this.#refuse(route, qos, packetId, grant.retainRefusal);
      return;
    }
    if (isRetained && qos !== 0 && connection.version === 5 && this.#isRetainedFull(route, qos, packetId, payloadBytes)) return;
    observer.published(session.id, session.subject, route.topic, qos, payloadBytes);
    if (!isRetained && isUnheard(this.#engine, route, grant)) {
      turn.hasDebt = false;
      if (qos === 2) this.#takeOver(packetId);
      if (qos > 0) this.#replies.add(qos === 1 ? 4 : 5, packetId, 0, turn.hasDebt, undefined);
      return;
    }
    const isForwardable = connection.version !== 5 && grant.topic === undefined;
    if (isForwardable) {
      wireBody.buffer = buffer;
      wireBody.start = bodyStart;
      wireBody.payloadStart = payloadStart;
      wireBody.end = bodyEnd;
    }
    const waits = acceptMessage(this.#engine, session, {
      route,
      grant,
      payload: isForwardable ? undefined : buffer.subarray(payloadStart, payloadEnd),
      qos,
      isRetained,
      properties,
      receivedAt: connection.lastPacketAt,
      feeder: connection,
      wireBody: isForwardable ? wireBody : undefined,
    });
    if (qos === 0) {
      for (const wait of waits ?? []) wait.catch((error: unknown) => connection.failed(error, "tap"));
      return;
    }
    if (qos === 2) this.#takeOver(packetId);
    // [MQTT-4.3.2-4] [MQTT-4.3.3-11] The acknowledgement says that the message is taken over: nothing owed may be unsafe.
    this.#replies.add(qos === 1 ? 4 : 5, packetId, 0, turn.hasDebt, waits);
    if (connection.version !== 5 && this.#replies.length >= behaviour.receiveMaximum) this.#throttle();
    if (turn.hasDebt && this.#engine.journal.isBehind) this.#engine.pressure.hold(connection);
  }

  /** [MQTT-4.3.3-12] PUBREL: the identifier is free again, and must be so after a crash before the client may use it anew. */
  handleRelease(packetId: number): void {
    const session = this.#session;
    const { isPersistent, key } = session;
    const isKnown = session.freeIdentifier(packetId);
    if (isKnown && isPersistent) this.#engine.journal.removeReceivedId(key, packetId);
    this.#replies.add(7, packetId, isKnown ? 0 : 0x92, isPersistent, undefined);
  }

  close(): void {
    this.#replies.close();
  }

  #routeFromBytes(buffer: Buffer, start: number, end: number): TopicRoute {
    const bytes = end - start;
    const last = this.#lastRoute;
    if (bytes === this.#lastTopicBytes && last !== undefined && last.epoch === this.#session.routesEpoch) {
      const lastTopic = this.#lastTopic;
      let index = 0;
      while (index < bytes && buffer[start + index] === lastTopic[index]) index += 1;
      if (index === bytes) return last;
    }
    // [MQTT-1.5.4-1] [MQTT-3.3.2-2] Well-formed text without wildcards.
    checkTopicBytes(buffer, start, end, this.#connection.version);
    const { topicBytesMax } = this.#session.behaviour;
    const topic = buffer.toString("utf8", start, end);
    // [MQTT-4.7.3-1] A topic has at least one character; its text was checked above.
    if (!isTopicNameValid(topic)) {
      throw new SessionError("mqtt.topic_name_invalid", "MQTT-4.7.3-1", topic.slice(0, 256), "a topic name without wildcards");
    }
    if (bytes > topicBytesMax) {
      const refusal = { code: "mqtt.topic_too_long", received: `${bytes} bytes`, expected: `at most ${topicBytesMax} bytes` };
      return { topic, grant: undefined, refusal, destinations: undefined, unheardVersion: 0, epoch: 0 };
    }
    const { topicLevelsMax } = this.#engine.limits;
    const levels = topic.split("/").length;
    if (levels > topicLevelsMax) {
      const refusal = { code: "mqtt.topic_too_deep", received: `${levels} levels`, expected: `at most ${topicLevelsMax} levels` };
      return { topic, grant: undefined, refusal, destinations: undefined, unheardVersion: 0, epoch: 0 };
    }
    const route = routeOf(this.#engine, this.#session, topic);
    if (this.#lastTopic.length < bytes) this.#lastTopic = Buffer.allocUnsafe(bytes);
    buffer.copy(this.#lastTopic, 0, start, end);
    this.#lastTopicBytes = bytes;
    this.#lastRoute = route;
    return route;
  }

  #routeWithAlias(buffer: Buffer, properties: Properties | undefined): TopicRoute {
    // [MQTT-3.3.4-6] Subscription identifiers only travel from the server.
    if (properties?.subscriptionIdentifiers !== undefined) {
      throw new SessionError("mqtt.subscription_identifier_not_allowed", "MQTT-3.3.4-6", "Subscription Identifier", "none from a client");
    }
    const alias = properties?.topicAlias;
    if (alias === undefined) return this.#routeFromBytes(buffer, view.topicStart, view.topicEnd);
    const { topicAliasMax } = this.#session.behaviour;
    // [MQTT-3.3.2-8] [MQTT-3.3.2-9]
    if (alias === 0 || alias > topicAliasMax) {
      throw new SessionError("mqtt.topic_alias_invalid", "MQTT-3.3.2-9", String(alias), `1 to ${topicAliasMax}`);
    }
    this.#aliases ??= new Map();
    if (view.topicEnd > view.topicStart) {
      const route = this.#routeFromBytes(buffer, view.topicStart, view.topicEnd);
      this.#aliases.set(alias, buffer.toString("utf8", view.topicStart, view.topicEnd));
      return route;
    }
    const topic = this.#aliases.get(alias);
    if (topic === undefined) throw new SessionError("mqtt.topic_alias_unknown", "MQTT-3.3.2-7", String(alias), "an alias that was set");
    return routeOf(this.#engine, this.#session, topic);
  }

  #checkReceiveMaximum(): void {
    const { receiveMaximum } = this.#session.behaviour;
    const unanswered = this.#replies.acknowledgements + this.#session.unreleased.size;
    // [MQTT-3.3.4-7] Clients of 3.x were not told the limit; they are throttled instead.
    if (this.#connection.version !== 5 || unanswered < receiveMaximum) return;
    const received = `${unanswered + 1} unanswered publishes`;
    throw new SessionError("mqtt.receive_maximum_exceeded", "MQTT-3.3.4-7", received, `at most ${receiveMaximum}`);
  }

  #refuseQos(route: TopicRoute, qos: 0 | 1 | 2): void {
    const { behaviour, id, subject } = this.#session;
    // [MQTT-3.2.2-11] The server said which QoS it supports at most.
    const error = new SessionError("mqtt.qos_not_supported", "MQTT-3.2.2-11", `QoS ${qos}`, `at most QoS ${behaviour.qosMax}`);
    if (behaviour.onQosAboveMax === "disconnect") throw error;
    const { code, received, expected } = error;
    this.#engine.observer.publishRefused({ sessionId: id, subject, topic: route.topic, qos, refusal: { code, received, expected } });
  }

  /** [MQTT-3.3.5-2] A publish that is not allowed is either acknowledged as usual or ends the connection. */
  #refuse(route: TopicRoute, qos: 0 | 1 | 2, packetId: number, refusal: Refusal): void {
    const session = this.#session;
    const { behaviour, id, subject } = session;
    const connection = this.#connection;
    this.#engine.observer.publishRefused({ sessionId: id, subject, topic: route.topic, qos, refusal });
    if (qos > 0 && (behaviour.onPublishRefused === "acknowledge" || connection.version === 5)) {
      // A PUBREC with a reason from 0x80 ends the exchange in MQTT 5; 3.x goes on with PUBREL.
      if (qos === 2 && connection.version !== 5) session.holdIdentifier(packetId);
      const reasonCode = refusal.reasonCode ?? refusedReason;
      this.#replies.add(qos === 1 ? 4 : 5, packetId, reasonCode, false, undefined, connection.reasonString(refusal, 4));
    }
    if (behaviour.onPublishRefused === "disconnect") connection.close("refused", refusal);
  }

  #refuseSize(route: TopicRoute, qos: 0 | 1 | 2, packetId: number, payloadBytes: number): void {
    const { behaviour, id, subject } = this.#session;
    const refusal = {
      code: "mqtt.payload_too_large",
      received: `${payloadBytes} bytes`,
      expected: `at most ${behaviour.payloadBytesMax} bytes`,
    };
    if (behaviour.onPayloadTooLarge !== "disconnect") {
      this.#refuse(route, qos, packetId, refusal);
      return;
    }
    this.#engine.observer.publishRefused({ sessionId: id, subject, topic: route.topic, qos, refusal });
    this.#connection.close("packet_too_large", refusal);
  }

  /**
   * MQTT 5 can say that a retained message is above a limit, and says it (0x97, section 3.4.2.1): such a publish reaches nobody, so that
   * the client may send it again. For 3.x, and for QoS 0, it is only not kept.
   */
  #isRetainedFull(route: TopicRoute, qos: 1 | 2, packetId: number, payloadBytes: number): boolean {
    const { id, behaviour } = this.#session;
    if (behaviour.retain !== "store" || payloadBytes === 0 || this.#engine.retained.hasRoomFor(route.topic, payloadBytes)) return false;
    this.#engine.observer.dropped({ sessionId: id, topic: route.topic, qos, reason: "retained_limit" });
    const { retainedMessagesMax, retainedBytesMax } = this.#engine.limits;
    const refusal = {
      code: "mqtt.retained_limit",
      received: `${payloadBytes} bytes to retain`,
      expected: `at most ${retainedMessagesMax} retained messages and ${retainedBytesMax} bytes in all`,
    };
    this.#replies.add(qos === 1 ? 4 : 5, packetId, 0x97, false, undefined, this.#connection.reasonString(refusal, 4));
    return true;
  }

  /** [MQTT-4.3.3-10] Until PUBREL the identifier means this message, also after a crash. */
  #takeOver(packetId: number): void {
    const session = this.#session;
    session.holdIdentifier(packetId);
    const { isPersistent, key } = session;
    if (!isPersistent) return;
    this.#engine.journal.saveReceivedId(key, packetId);
    this.#engine.turn.hasDebt = true;
  }

  #throttle(): void {
    if (this.#isThrottled) return;
    this.#isThrottled = true;
    this.#connection.stopReading();
  }

  repliesFailed(error: unknown): void {
    this.#connection.failed(error, "tap");
  }

  /** Reads on when half of what was too much is answered. */
  repliesDrained(): void {
    if (!this.#isThrottled || this.#replies.length > this.#session.behaviour.receiveMaximum / 2) return;
    this.#isThrottled = false;
    this.#connection.continueReading();
  }
}
