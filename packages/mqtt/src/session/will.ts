/** The message a client left for the case that it goes without saying so. [MQTT-3.1.2-8] */
import type { Will } from "../codec/index.ts";
import { isTopicNameValid } from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import { acceptMessage, routeOf } from "./accept-message.ts";
import { lowerQos } from "./qos.ts";
import type { Session } from "./session.ts";

export interface PendingWill {
  will: Will;
  dueAt: number;
}

/** Publishes now, with the rights the session has; a will that is not allowed is refused like any publish. */
export function publishWill(engine: Engine, session: Session, will: Will): void {
  const { observer, clock } = engine;
  if (!isTopicNameValid(will.topic)) return;
  const qos = lowerQos(will.qos, session.behaviour.qosMax);
  const route = routeOf(engine, session, will.topic);
  if (route.grant === undefined) {
    const refusal = route.refusal ?? { code: "mqtt.session_without_rights" };
    observer.publishRefused({ sessionId: session.id, subject: session.subject, topic: will.topic, qos, refusal });
    return;
  }
  observer.published(session.id, session.subject, route.topic, qos, will.payload.length);
  // The delay is the server's business and is not sent on. [MQTT-3.1.3.2.2]
  const { willDelayIntervalSeconds: _delay, ...properties } = will.properties ?? {};
  const waits = acceptMessage(engine, session, {
    route,
    grant: route.grant,
    payload: will.payload,
    qos,
    isRetained: will.isRetained,
    properties: Object.keys(properties).length === 0 ? undefined : properties,
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
  if (delaySeconds > 0) session.pendingWill = { will, dueAt: engine.clock.now() + delaySeconds * 1000 };
  else publishWill(engine, session, will);
}
