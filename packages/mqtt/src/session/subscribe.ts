/** SUBSCRIBE and UNSUBSCRIBE. [MQTT-3.8] [MQTT-3.10] */
import {
  encodePacket,
  hasWildcard,
  isParentOfHash,
  isTopicFilterValid,
  parseSharedFilter,
  type QoS,
  type SubscribePacket,
  type Subscription,
  type UnsubscribePacket,
} from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import type { Refusal, SessionRights, StoredSubscription, SubscribeGrant } from "../ports.ts";
import type { RetainedMessage } from "../routing/retained-store.ts";
import { RoutedMessage, remainingProperties } from "../routing/routed-message.ts";
import { isRefusal } from "./accept-message.ts";
import type { ClientConnection } from "./client-connection.ts";
import { lowerQos } from "./qos.ts";
import type { Session } from "./session.ts";
import { SessionError } from "./session-error.ts";

const failureV3 = 0x80;
/** Not authorized. */
const refusedReason = 0x87;
const noRights: Refusal = { code: "mqtt.session_without_rights" };

/** Refusals the engine itself makes, with the MQTT 5 reason code of each. [MQTT-3.9.3-1] */
const filterRefusals = {
  "mqtt.topic_filter_invalid": 0x8f,
  "mqtt.filters_per_subscribe_exceeded": 0x97,
  "mqtt.subscriptions_exceeded": 0x97,
  "mqtt.wildcards_not_supported": 0xa2,
  "mqtt.shared_subscriptions_not_supported": 0x9e,
} as const;

type FilterRefusalCode = keyof typeof filterRefusals;

interface FilterRefusal {
  refusal: Refusal;
  isOfGatekeeper: boolean;
  reasonCode: number;
}

/** [MQTT-3.8.4-1] [MQTT-3.8.4-6] One reason code per filter, in order; retained messages follow the SUBACK where no commit is awaited. */
export function handleSubscribe(engine: Engine, connection: ClientConnection, session: Session, packet: SubscribePacket): void {
  checkAnswerFits(connection, "SUBSCRIBE", packet.subscriptions.length);
  const identifier = packet.properties?.subscriptionIdentifiers?.[0];
  if (identifier !== undefined && session.behaviour.subscriptionIdentifiers === false) {
    const clause = "5.0 section 3.2.2.3.12";
    throw new SessionError("mqtt.subscription_identifiers_not_supported", clause, `Subscription Identifier ${identifier}`, "none");
  }
  if (session.behaviour.onSubscribeRefused === "disconnect" && isClosedForRefusal(engine, connection, session, packet)) return;
  const added: { subscription: StoredSubscription; isNew: boolean }[] = [];
  let firstRefusal: Refusal | undefined;
  const reasonCodes = packet.subscriptions.map((wanted, index) => {
    const answer = authoriseFilter(engine, session, wanted, index);
    if (typeof answer === "object") {
      const { refusal, reasonCode } = answer;
      firstRefusal ??= refusal;
      engine.observer.subscribeRefused({ sessionId: session.id, subject: session.subject, filter: wanted.filter, refusal });
      return connection.version === 5 ? reasonCode : failureV3;
    }
    const subscription: StoredSubscription = { ...wanted, qos: answer, ...(identifier === undefined ? {} : { identifier }) };
    session.wishFilter(wanted.filter);
    // [MQTT-3.8.4-3] The same filter again replaces the subscription.
    const { isNew } = engine.sessions.subscribe(session, subscription);
    added.push({ subscription, isNew });
    engine.observer.subscribed({ sessionId: session.id, subject: session.subject, filter: wanted.filter, qos: answer });
    return answer;
  });
  const reasonString = connection.reasonString(firstRefusal, 4 + reasonCodes.length);
  const properties = reasonString === undefined ? {} : { properties: { reasonString } };
  // Looked up now: what is retained later comes by the subscription itself.
  const retained = added.flatMap(({ subscription, isNew }) => retainedFor(engine, session, subscription, isNew));
  whenSafe(engine, connection, session, () => {
    connection.outbox.append(encodePacket({ type: "suback", packetId: packet.packetId, reasonCodes, ...properties }, connection.version));
    for (const offer of retained) if (offer.qos === 0) offerRetained(engine, session, offer);
  });
  // [MQTT-4.6.0-6] What is owed is queued now, before anything newer on its topic, and with the subscription it is from in one commit.
  for (const offer of retained) if (offer.qos > 0) offerRetained(engine, session, offer);
}

/**
 * On a client's behalf and with its rights: the same as its own SUBSCRIBE, but nothing is answered and nothing retained is sent.
 * All or none; answers what refused it.
 */
export function subscribeFor(engine: Engine, session: Session, filters: readonly string[], qos: QoS): Refusal | undefined {
  const granted: StoredSubscription[] = [];
  for (const [index, filter] of filters.entries()) {
    const wanted = { filter, qos, isNoLocal: false, isRetainAsPublished: false, retainHandling: 2 } as const;
    const answer = authoriseFilter(engine, session, wanted, index);
    if (typeof answer === "object") return answer.refusal;
    granted.push({ ...wanted, qos: answer });
  }
  const added = granted.filter(({ filter }) => !session.subscriptions.has(filter));
  if (session.subscriptions.size + added.length > session.behaviour.subscriptionsMax) {
    return refuse("mqtt.subscriptions_exceeded", `${added.length} more subscriptions`, `at most ${session.behaviour.subscriptionsMax}`)
      .refusal;
  }
  for (const subscription of granted) {
    session.wishFilter(subscription.filter);
    engine.sessions.subscribe(session, subscription);
    engine.observer.subscribed({ sessionId: session.id, subject: session.subject, filter: subscription.filter, qos: subscription.qos });
  }
  return undefined;
}

/** On a client's behalf. What it has not subscribed is passed over. */
export function unsubscribeFor(engine: Engine, session: Session, filters: readonly string[]): void {
  for (const filter of filters) {
    if (!engine.sessions.unsubscribe(session, filter)) continue;
    engine.observer.unsubscribed({ sessionId: session.id, subject: session.subject, filter });
  }
}

/** Where a refused filter ends the connection, none of its packet is subscribed. */
function isClosedForRefusal(engine: Engine, connection: ClientConnection, session: Session, packet: SubscribePacket): boolean {
  for (const [index, wanted] of packet.subscriptions.entries()) {
    const answer = authoriseFilter(engine, session, wanted, index);
    if (typeof answer !== "object" || !answer.isOfGatekeeper) continue;
    const { refusal } = answer;
    engine.observer.subscribeRefused({ sessionId: session.id, subject: session.subject, filter: wanted.filter, refusal });
    connection.close("refused", refusal);
    return true;
  }
  return false;
}

function offerRetained(engine: Engine, session: Session, { message, qos, identifiers, retained }: RetainedOffer): void {
  // Replaced while a commit was awaited: the newer one came by the subscription.
  if (qos === 0 && retained !== undefined && !engine.retained.isCurrent(retained)) return;
  session.offer(message, qos, true, identifiers);
}

/** [MQTT-3.1.2-24] A request whose answer the client would not take is refused before it changes anything. */
function checkAnswerFits(connection: ClientConnection, name: string, filters: number): void {
  const bytesMax = connection.clientPacketBytesMax;
  if (bytesMax === Number.POSITIVE_INFINITY) return;
  const reasonCodes = new Array<number>(filters).fill(0);
  // SUBACK is as long.
  if (encodePacket({ type: "unsuback", packetId: 1, reasonCodes }, connection.version).length <= bytesMax) return;
  const expected = `filters whose answer fits the client's maximum of ${bytesMax} bytes`;
  throw new SessionError("mqtt.answer_too_large", "MQTT-3.1.2-24", `${name} of ${filters} filters`, expected);
}

/** An answer about a persistent session's subscriptions leaves when the journal has them. */
function whenSafe(engine: Engine, connection: ClientConnection, session: Session, answer: () => void): void {
  if (!session.isPersistent) {
    answer();
    return;
  }
  engine.turn.awaitCommit({
    committed: () => {
      if (session.link === connection) answer();
    },
  });
}

/** [MQTT-3.10.4-1] Compared character by character; [MQTT-3.10.4-4] always answered. */
export function handleUnsubscribe(engine: Engine, connection: ClientConnection, session: Session, packet: UnsubscribePacket): void {
  checkAnswerFits(connection, "UNSUBSCRIBE", packet.filters.length);
  const reasonCodes = packet.filters.map((filter) => {
    const isSubscribed = engine.sessions.unsubscribe(session, filter);
    const isCancelled = session.implicitFilters.has(filter) ? isSubscribed : isCancelling(session, filter);
    if (!isSubscribed && !isCancelled) return 0x11;
    if (isCancelled) {
      session.cancelFilter(filter);
      if (session.slot !== undefined) engine.sessions.save(session);
    }
    engine.observer.unsubscribed({ sessionId: session.id, subject: session.subject, filter });
    return 0;
  });
  const codes = connection.version === 5 ? reasonCodes : [];
  whenSafe(engine, connection, session, () => {
    connection.outbox.append(encodePacket({ type: "unsuback", packetId: packet.packetId, reasonCodes: codes }, connection.version));
  });
}

/** What was never subscribed can be cancelled where messages come without a subscription. */
function isCancelling(session: Session, filter: string): boolean {
  if (!session.isAddressable || session.cancelledFilters.has(filter)) return false;
  return session.cancelledFilters.size < session.behaviour.subscriptionsMax && isTopicFilterValid(filter);
}

/** Asks again for the permission of every subscription of a session; those no longer allowed end, others may sink in QoS. */
export function reauthoriseSubscriptions(engine: Engine, session: Session): void {
  if (session.rights === undefined) return;
  for (const subscription of [...session.subscriptions.values()]) {
    const { filter } = subscription;
    if (session.implicitFilters.has(filter)) continue;
    const answer = askSubscribe(session.rights, filter, subscription.qos);
    if (!isRefusal(answer)) {
      if (answer.qos < subscription.qos) engine.sessions.subscribe(session, { ...subscription, qos: answer.qos });
      continue;
    }
    engine.sessions.unsubscribe(session, filter);
    engine.observer.unsubscribed({ sessionId: session.id, subject: session.subject, filter });
  }
}

/** [MQTT-4.8.2] Of a shared subscription the filter behind the share name is what is to be allowed. */
function askSubscribe(rights: SessionRights, filter: string, qos: QoS): SubscribeGrant | Refusal {
  const shared = parseSharedFilter(filter);
  return shared === undefined ? rights.subscribe(filter, qos) : rights.subscribe(shared.filter, qos, shared.group);
}

function authoriseFilter(engine: Engine, session: Session, wanted: Subscription, index: number): QoS | FilterRefusal {
  const { behaviour, rights } = session;
  const { filter } = wanted;
  const { topicLevelsMax } = engine.limits;
  if (!isTopicFilterValid(filter) || filter.split("/").length > topicLevelsMax || Buffer.byteLength(filter) > behaviour.topicBytesMax) {
    const expected = `a valid topic filter of at most ${topicLevelsMax} levels and ${behaviour.topicBytesMax} bytes`;
    return refuse("mqtt.topic_filter_invalid", filter.slice(0, 256), expected);
  }
  if (index >= behaviour.filtersPerSubscribeMax) {
    return refuse("mqtt.filters_per_subscribe_exceeded", `filter ${index + 1}`, `at most ${behaviour.filtersPerSubscribeMax} filters`);
  }
  const isNew = !session.subscriptions.has(filter);
  if (isNew && session.subscriptions.size >= behaviour.subscriptionsMax) {
    return refuse(
      "mqtt.subscriptions_exceeded",
      `${session.subscriptions.size + 1} subscriptions`,
      `at most ${behaviour.subscriptionsMax}`,
    );
  }
  if (isNew && engine.statistics.subscriptions >= engine.limits.subscriptionsMax) {
    return refuse("mqtt.subscriptions_exceeded", "broker full", `at most ${engine.limits.subscriptionsMax} subscriptions of all sessions`);
  }
  const shared = parseSharedFilter(filter);
  if (shared !== undefined && !behaviour.sharedSubscriptions) {
    return refuse("mqtt.shared_subscriptions_not_supported", filter, "a filter without $share");
  }
  const topicFilter = shared?.filter ?? filter;
  if (!behaviour.wildcards && (topicFilter.includes("+") || topicFilter.includes("#"))) {
    return refuse("mqtt.wildcards_not_supported", filter, "a filter without wildcards");
  }
  const answer = rights === undefined ? noRights : askSubscribe(rights, filter, wanted.qos);
  if (isRefusal(answer)) return { refusal: answer, isOfGatekeeper: true, reasonCode: answer.reasonCode ?? refusedReason };
  // [MQTT-3.8.4-8] The granted QoS may be lower than the one asked for.
  return lowerQos(lowerQos(answer.qos, wanted.qos), behaviour.qosMax);
}

function refuse(code: FilterRefusalCode, received: string, expected: string): FilterRefusal {
  return { refusal: { code, received, expected }, isOfGatekeeper: false, reasonCode: filterRefusals[code] };
}

interface RetainedOffer {
  message: RoutedMessage;
  qos: QoS;
  identifiers: number[] | undefined;
  /** Undefined for a statistic. */
  retained: RetainedMessage | undefined;
}

/** [MQTT-3.3.1-9] to [MQTT-3.3.1-11]: 0 always, 1 for a new subscription, 2 never; [MQTT-4.8.2] never for a shared one. */
function retainedFor(engine: Engine, session: Session, subscription: StoredSubscription, isNew: boolean): RetainedOffer[] {
  const { retainHandling, filter, qos, identifier } = subscription;
  const { retainedForWildcards, hashMatchesParent } = session.behaviour;
  if (session.behaviour.retain !== "store" || retainHandling === 2 || (retainHandling === 1 && !isNew)) return [];
  if (parseSharedFilter(filter) !== undefined || (retainedForWildcards === false && hasWildcard(filter))) return [];
  const now = engine.clock.now();
  const offers: RetainedOffer[] = [];
  for (const retained of engine.retained.match(filter, now)) {
    const { topic, payload, receivedAt } = retained;
    if (hashMatchesParent === false && isParentOfHash(filter, topic)) continue;
    const current = remainingProperties({ topic, payload, receivedAt, properties: retained.properties }, now);
    if (current === undefined) continue;
    offers.push({
      message: new RoutedMessage(topic, payload, retained.qos, true, current.properties, now),
      qos: session.deliveryQos(retained.qos, qos),
      identifiers: identifier === undefined ? undefined : [identifier],
      retained,
    });
  }
  for (const { topic, payload } of engine.sysTopics.current(filter)) {
    offers.push({
      message: new RoutedMessage(topic, payload, 0, true, undefined, now),
      qos: 0,
      identifiers: identifier === undefined ? undefined : [identifier],
      retained: undefined,
    });
  }
  return offers;
}
