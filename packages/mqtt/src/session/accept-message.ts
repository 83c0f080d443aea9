/** What happens to a message of a session once its bytes are understood: permission, taps, retained store, receivers. */
import type { Properties, QoS } from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import type { Message, PublishGrant, Refusal } from "../ports.ts";
import { keepProperties, payloadOf, RoutedMessage, type WireBody } from "../routing/routed-message.ts";
import type { Destinations } from "../routing/router.ts";
import type { Link } from "./link.ts";
import type { Session } from "./session.ts";
import type { TopicRoute } from "./session-state.ts";

/** Asks for the permission of a topic, or takes it from the session's cache. */
export function routeOf(engine: Engine, session: Session, wireTopic: string): TopicRoute {
  const known = session.routes.get(wireTopic);
  if (known !== undefined) return known;
  const answer = session.rights?.publish(wireTopic) ?? { code: "mqtt.session_without_rights" };
  const route: TopicRoute = isRefusal(answer)
    ? { topic: wireTopic, grant: undefined, refusal: answer, destinations: undefined, unheardVersion: 0, epoch: session.routesEpoch }
    : {
        topic: answer.topic ?? wireTopic,
        grant: answer,
        refusal: undefined,
        destinations: undefined,
        unheardVersion: 0,
        epoch: session.routesEpoch,
      };
  if (session.routes.size >= engine.limits.grantCacheEntriesMax) session.routes.clear();
  session.routes.set(wireTopic, route);
  return route;
}

export function isRefusal(answer: object): answer is Refusal {
  return "code" in answer;
}

/** True when nobody takes the message: no tap, no other node, no subscriber. Then it costs no object. */
export function isUnheard(engine: Engine, route: TopicRoute, grant: PublishGrant): boolean {
  if (route.unheardVersion === engine.router.version) return true;
  if (grant.taps.length > 0) return false;
  if (grant.isRouted) {
    if (engine.peers.isAlone !== true) return false;
    const { sessions, groups } = destinationsOf(engine, route);
    if (sessions.length > 0 || groups.length > 0) return false;
  }
  route.unheardVersion = engine.router.version;
  return true;
}

/** The receivers of a topic, compiled anew only when any subscription changed. */
function destinationsOf(engine: Engine, route: TopicRoute): Destinations {
  const { router } = engine;
  let { destinations } = route;
  if (destinations === undefined || destinations.version !== router.version) {
    destinations = router.destinationsOf(route.topic);
    route.destinations = destinations;
  }
  return destinations;
}

export interface AcceptedPublish {
  route: TopicRoute;
  grant: PublishGrant;
  /** Undefined: the end of `wireBody`. */
  payload: Uint8Array | undefined;
  qos: QoS;
  isRetained: boolean;
  properties: Properties | undefined;
  receivedAt: number;
  feeder: Link | undefined;
  wireBody: WireBody | undefined;
}

/**
 * Taps, stores and routes. Returns the promises of taps that owe durability; `engine.turn.hasDebt` tells whether the journal
 * owes a commit.
 */
export function acceptMessage(engine: Engine, session: Session, publish: AcceptedPublish): Promise<void>[] | undefined {
  const { route, grant, payload, qos, properties, receivedAt, wireBody, feeder } = publish;
  const { turn, router } = engine;
  turn.hasDebt = false;
  // `deliver` treats the retain flag as if it were not there.
  const isRetained = publish.isRetained && session.behaviour.retain === "store";
  let waits: Promise<void>[] | undefined;
  if (grant.taps.length > 0) {
    const message = toMessage(session, publish, isRetained);
    for (const tap of grant.taps) {
      const wait = tap(message);
      if (wait !== undefined) {
        waits ??= [];
        waits.push(wait);
      }
    }
  }
  if (isRetained) {
    const { topic } = route;
    const retained = { topic, qos, properties, receivedAt };
    if (!retainMessage(engine, retained, payload ?? payloadOf(wireBody))) {
      engine.observer.dropped({ sessionId: session.id, topic, qos, reason: "retained_limit" });
    }
  }
  if (!grant.isRouted) return waits;
  if (engine.peers.isAlone !== true) engine.peers.forward(toMessage(session, publish, isRetained));
  const destinations = destinationsOf(engine, route);
  if (destinations.sessions.length === 0 && destinations.groups.length === 0) return waits;
  router.route(new RoutedMessage(route.topic, payload, qos, isRetained, properties, receivedAt, session, wireBody), destinations, feeder);
  return waits;
}

type Retainable = Pick<RoutedMessage, "topic" | "qos" | "properties" | "receivedAt">;

/**
 * [MQTT-3.3.1-5] The latest retained message of a topic is kept; [MQTT-3.3.1-6] an empty one removes it. False when a limit forbids
 * it. What changes is a debt of the journal.
 */
export function retainMessage(engine: Engine, { topic, qos, properties, receivedAt }: Retainable, payload: Uint8Array): boolean {
  const { retained, turn } = engine;
  if (payload.length === 0) {
    retained.remove(topic);
    turn.hasDebt = true;
    return true;
  }
  const kept = properties === undefined ? {} : { properties: keepProperties(properties) };
  const isStored = retained.store({ topic, payload: Buffer.from(payload), qos, receivedAt, ...kept });
  if (isStored) turn.hasDebt = true;
  return isStored;
}

function toMessage(session: Session, publish: AcceptedPublish, isRetained: boolean): Message {
  const { route, qos, properties, receivedAt } = publish;
  return {
    topic: route.topic,
    payload: publish.payload ?? payloadOf(publish.wireBody),
    qos,
    isRetained,
    receivedAt,
    publisherSessionId: session.id,
    hops: 0,
    ...(properties === undefined ? {} : { properties }),
  };
}
