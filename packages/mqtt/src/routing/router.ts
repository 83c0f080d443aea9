/**
 * From a topic to its receivers. The tree is walked on change only: a topic's destinations are compiled once and kept until
 * any subscription changes (one global version), because matching per message costs a third of the throughput.
 */
import type { QoS } from "../codec/index.ts";
import { isTopicMatching, parseSharedFilter } from "../codec/index.ts";
import type { OwedMessage, StoredSubscription } from "../ports.ts";
import type { Link } from "../session/link.ts";
import type { Session } from "../session/session.ts";
import { RoutedMessage } from "./routed-message.ts";
import { SharedGroup } from "./shared-group.ts";
import { TopicTree } from "./topic-tree.ts";

/** What all matching subscriptions of one session amount to. */
interface Terms {
  qos: QoS;
  isRetainAsPublished: boolean;
  identifiers: number[] | undefined;
}

interface Destination {
  session: Session;
  /** Undefined when every matching subscription is no-local and the session itself published. */
  others: Terms;
  own: Terms | undefined;
}

export interface Destinations {
  version: number;
  sessions: Destination[];
  groups: SharedGroup[];
}

/** From so many receivers on they share the bytes of a message. */
const sharingReceiversMin = 8;

/** How many sets compiled last a new one is compared with: the topics of a fleet mostly have the same few receivers. */
const recentSetsMax = 8;

export interface RouterOptions {
  routeCacheEntriesMax: number;
}

export class Router {
  readonly #tree = new TopicTree<Session, StoredSubscription>();
  readonly #shared = new TopicTree<SharedGroup, SharedGroup>();
  readonly #groups = new Map<string, SharedGroup>();
  readonly #cache = new Map<string, Destinations>();
  readonly #entriesMax: number;
  readonly #recent: Destinations[] = [];
  #recentNext = 0;
  version = 1;
  /** Outcome of the latest `route`. */
  delivered = 0;
  queued = 0;

  constructor(options: RouterOptions) {
    this.#entriesMax = options.routeCacheEntriesMax;
  }

  /** Shared subscriptions, whatever the number of their members. */
  get sharedCount(): number {
    return this.#groups.size;
  }

  add(session: Session, subscription: StoredSubscription): void {
    this.version += 1;
    const shared = parseSharedFilter(subscription.filter);
    if (shared === undefined) {
      this.#tree.set(subscription.filter, session, subscription);
      return;
    }
    let group = this.#groups.get(subscription.filter);
    if (group === undefined) {
      group = new SharedGroup(subscription.filter);
      this.#groups.set(subscription.filter, group);
      this.#shared.set(shared.filter, group, group);
    }
    group.join(session, subscription);
  }

  remove(session: Session, filter: string): void {
    this.version += 1;
    const shared = parseSharedFilter(filter);
    if (shared === undefined) {
      this.#tree.delete(filter, session);
      return;
    }
    const group = this.#groups.get(filter);
    if (group === undefined) return;
    group.leave(session);
    if (group.members.size > 0) return;
    this.#groups.delete(filter);
    this.#shared.delete(shared.filter, group);
  }

  /** The shared subscription of that name and filter, as its members subscribed; undefined when it has none. */
  groupOf(shareFilter: string): SharedGroup | undefined {
    return this.#groups.get(shareFilter);
  }

  /** A session matches topics otherwise than before. */
  forgetDestinations(): void {
    this.version += 1;
  }

  destinationsOf(topic: string): Destinations {
    const cached = this.#cache.get(topic);
    if (cached !== undefined && cached.version === this.version) return cached;
    const compiled = this.#shareEqual(this.#compile(topic));
    if (cached === undefined && this.#cache.size >= this.#entriesMax) this.#cache.clear();
    this.#cache.set(topic, compiled);
    return compiled;
  }

  /** Offers the message to everyone in `destinations`; publishers that feed a slow reader are held through `feeder`. */
  route(message: RoutedMessage, destinations: Destinations, feeder: Link | undefined): void {
    this.delivered = 0;
    this.queued = 0;
    const { publisher } = message;
    message.isForMany = destinations.sessions.length >= sharingReceiversMin;
    for (const destination of destinations.sessions) {
      const { session } = destination;
      const terms = session === publisher ? destination.own : destination.others;
      if (terms !== undefined) this.#offer(message, session, terms.qos, terms.isRetainAsPublished, terms.identifiers, feeder);
    }
    for (const group of destinations.groups) this.#offerGroup(message, group, feeder);
  }

  /** After `route`: to a session that has no matching subscription, unless its client unsubscribed from the topic. */
  address(message: RoutedMessage, destinations: Destinations, session: Session): void {
    if (destinations.sessions.some((destination) => destination.session === session)) return;
    for (const filter of session.cancelledFilters) if (isTopicMatching(filter, message.topic)) return;
    this.#offer(message, session, message.qos, false, undefined, undefined);
  }

  /** A shared message that its member did not take goes to another one, if there is any. */
  redeliver({ message: { topic, payload, properties, receivedAt }, qos, isRetained, shareFilter }: OwedMessage): void {
    const group = shareFilter === undefined ? undefined : this.groupOf(shareFilter);
    if (group !== undefined) this.#offerGroup(new RoutedMessage(topic, payload, qos, isRetained, properties, receivedAt), group, undefined);
  }

  #offerGroup(message: RoutedMessage, group: SharedGroup, feeder: Link | undefined): void {
    const session = group.choose(message.topic);
    const subscription = session === undefined ? undefined : group.members.get(session);
    if (session === undefined || subscription === undefined) return;
    const { identifier } = subscription;
    const identifiers = identifier === undefined ? undefined : [identifier];
    this.#offer(message, session, subscription.qos, subscription.isRetainAsPublished, identifiers, feeder, group);
  }

  #offer(
    message: RoutedMessage,
    session: Session,
    grantedQos: QoS,
    isRetainAsPublished: boolean,
    identifiers: number[] | undefined,
    feeder: Link | undefined,
    group?: SharedGroup,
  ): void {
    const outcome = session.offer(
      message,
      session.deliveryQos(message.qos, grantedQos),
      message.isRetained && isRetainAsPublished,
      identifiers,
      group,
    );
    if (outcome === "delivered") this.delivered += 1;
    else if (outcome === "queued") this.queued += 1;
    const { link } = session;
    if (feeder !== undefined && link?.outbox.isWatched === true && link.isCongested) link.hold(feeder);
  }

  /** A thousand topics with one receiver are then one object, which stays in the processor's cache, and not six thousand. */
  #shareEqual(compiled: Destinations): Destinations {
    const equal = this.#recent.find((known) => areEqual(known, compiled));
    if (equal !== undefined) return equal;
    this.#recent[this.#recentNext] = compiled;
    this.#recentNext = (this.#recentNext + 1) % recentSetsMax;
    return compiled;
  }

  #compile(topic: string): Destinations {
    const bySession = new Map<Session, StoredSubscription[]>();
    this.#tree.match(topic, (session, subscription, isParent) => {
      if (isParent && session.behaviour.hashMatchesParent === false) return;
      const matching = bySession.get(session);
      if (matching === undefined) bySession.set(session, [subscription]);
      else matching.push(subscription);
    });
    const groups: SharedGroup[] = [];
    this.#shared.match(topic, (group) => groups.push(group));
    const sessions: Destination[] = [];
    for (const [session, matching] of bySession) {
      const others = mergeTerms(matching);
      if (others === undefined) continue;
      // [MQTT-3.8.3-3] A no-local subscription does not hear its own session.
      const own = matching.some((subscription) => subscription.isNoLocal)
        ? mergeTerms(matching.filter((subscription) => !subscription.isNoLocal))
        : others;
      sessions.push({ session, others, own });
    }
    return { version: this.version, sessions, groups };
  }
}

/**
 * [MQTT-3.3.4-2] Overlapping subscriptions are answered with one delivery at their highest QoS; [MQTT-3.3.4-3] it carries the
 * identifiers of all of them.
 */
function mergeTerms(subscriptions: readonly StoredSubscription[]): Terms | undefined {
  const [first] = subscriptions;
  if (first === undefined) return undefined;
  let qos = first.qos;
  let isRetainAsPublished = false;
  const identifiers: number[] = [];
  for (const subscription of subscriptions) {
    if (subscription.qos > qos) qos = subscription.qos;
    if (subscription.isRetainAsPublished) isRetainAsPublished = true;
    if (subscription.identifier !== undefined) identifiers.push(subscription.identifier);
  }
  return { qos, isRetainAsPublished, identifiers: identifiers.length === 0 ? undefined : identifiers };
}

function areEqual(a: Destinations, b: Destinations): boolean {
  return (
    a.version === b.version &&
    a.sessions.length === b.sessions.length &&
    a.groups.length === b.groups.length &&
    a.groups.every((group, index) => group === b.groups[index]) &&
    a.sessions.every((destination, index) => {
      const other = b.sessions[index];
      return (
        other !== undefined &&
        destination.session === other.session &&
        areEqualTerms(destination.others, other.others) &&
        areEqualTerms(destination.own, other.own)
      );
    })
  );
}

function areEqualTerms(a: Terms | undefined, b: Terms | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.qos === b.qos && a.isRetainAsPublished === b.isRetainAsPublished && (a.identifiers ?? []).join() === (b.identifiers ?? []).join()
  );
}
