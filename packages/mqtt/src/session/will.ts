/** The message a client left for the case that it goes without saying so. [MQTT-3.1.2-8] */
import type { Will } from "../codec/index.ts";
import { isTopicNameValid } from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import type { Refusal, StoredWill } from "../ports.ts";
import { acceptMessage, routeOf } from "./accept-message.ts";
import { forwardedProperties } from "./forwarded-properties.ts";
import { lowerQos } from "./qos.ts";
import type { Session } from "./session.ts";
import type { TopicRoute } from "./session-state.ts";

export interface PendingWill {
  will: Will;
  dueAt: number;
  /** The permission it had, for a session that came from the journal and whose client was not here since. */
  route?: TopicRoute;
}

const noRights: Refusal = { code: "mqtt.session_without_rights" };

function refusalOfWill({ grant, refusal }: TopicRoute, { isRetained }: Will): Refusal | undefined {
  if (grant === undefined) return refusal ?? noRights;
  return isRetained ? grant.retainRefusal : undefined;
}

/** Publishes now, with the rights the session has; a will that is not allowed is refused like any publish. */
export function publishWill(engine: Engine, session: Session, will: Will, granted?: TopicRoute): void {
  const { observer, clock } = engine;
  if (!isTopicNameValid(will.topic)) return;
  const qos = lowerQos(will.qos, session.behaviour.qosMax);
  const route = granted ?? routeOf(engine, session, will.topic);
  const refusal = refusalOfWill(route, will);
  if (route.grant === undefined || refusal !== undefined) {
    observer.publishRefused({ sessionId: session.id, subject: session.subject, topic: will.topic, qos, refusal: refusal ?? noRights });
    return;
  }
  observer.published(session.id, session.subject, route.topic, qos, will.payload.length);
  const waits = acceptMessage(engine, session, {
    route,
    grant: route.grant,
    payload: will.payload,
    qos,
    isRetained: will.isRetained,
    properties: forwardedProperties(will.properties, session.behaviour),
    receivedAt: clock.now(),
    feeder: undefined,
    wireBody: undefined,
  });
  for (const wait of waits ?? []) {
    wait.catch((error: unknown) => engine.onBug(error, { doing: "will", sessionId: session.id }));
  }
}

/** [MQTT-3.1.3-9] A will with a delay waits for it or for the end of the session, whichever is first. */
export function leaveWill(engine: Engine, session: Session, will: Will): void {
  const delaySeconds = Math.min(will.properties?.willDelayIntervalSeconds ?? 0, session.expirySeconds);
  const dueAt = engine.clock.now() + delaySeconds * 1000;
  if (delaySeconds > 0) session.pendingWill = { will, dueAt, route: routeOf(engine, session, will.topic) };
  else publishWill(engine, session, will);
}

/** What the journal keeps of a connected client's will: a will that is not allowed is not kept. */
export function storedWillOf(engine: Engine, session: Session, will: Will | undefined): StoredWill | undefined {
  if (will === undefined || session.behaviour.will !== "publish" || !isTopicNameValid(will.topic)) return undefined;
  const route = routeOf(engine, session, will.topic);
  const { grant, topic } = route;
  return grant === undefined || refusalOfWill(route, will) !== undefined ? undefined : { will, topic, isRouted: grant.isRouted };
}

/** A delayed will that waits. A session from the journal has no rights to ask: the permission is kept with the will. */
export function storedPendingWill({ will, dueAt, route }: PendingWill): StoredWill | undefined {
  if (route?.grant === undefined || refusalOfWill(route, will) !== undefined) return undefined;
  return { will, topic: route.topic, isRouted: route.grant.isRouted, dueAt };
}

/**
 * The will of a session that comes from the journal. [MQTT-3.1.2-8] A client that was connected when the server ended has
 * gone without a word: its delay starts now. Taps belong to rights and are not asked.
 */
export function pendingWillOf(stored: StoredWill | undefined, expirySeconds: number, now: number): PendingWill | undefined {
  if (stored === undefined) return undefined;
  const { will, topic, isRouted } = stored;
  const delaySeconds = Math.min(will.properties?.willDelayIntervalSeconds ?? 0, expirySeconds);
  const route = { topic, grant: { isRouted, taps: [] }, refusal: undefined, destinations: undefined, unheardVersion: 0, epoch: 0 };
  return { will, dueAt: stored.dueAt ?? now + delaySeconds * 1000, route };
}
