/** QoS 0 to one connected session: nothing is kept, and what cannot leave now is counted as dropped. */
import { encodePublish } from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import type { RoutedMessage } from "../routing/routed-message.ts";
import { withIdentifiers } from "./encode-delivery.ts";
import type { Link } from "./link.ts";
import type { SessionState } from "./session-state.ts";

export function sendOnce(
  engine: Engine,
  session: SessionState,
  link: Link,
  message: RoutedMessage,
  isRetained: boolean,
  identifiers: number[] | undefined,
): "delivered" | "skipped" {
  const { statistics, observer } = engine;
  const { payloadBytes } = message;
  const { outbox, version } = link;
  // The outbox is at hand; what stands behind `isLagging` is a cold cache line for each receiver.
  if (outbox.isWatched && link.isLagging) return skip(engine, session, message, "slow_reader");
  const { wireBody, isForMany } = message;
  if (wireBody !== undefined && message.qos === 0 && version !== 5 && !isRetained && !isForMany) {
    outbox.appendBody(0x30, wireBody.buffer, wireBody.start, wireBody.end);
  } else if (version === 5 && link.aliases !== undefined) {
    const { topic, payload } = message;
    const properties = identifiers === undefined ? message.properties : withIdentifiers(message.properties, identifiers);
    const publish = { topic, payload, qos: 0 as const, isDuplicate: false, isRetained, packetId: 0, properties };
    const bytes = link.aliases.encode(publish, link.clientPacketBytesMax);
    if (bytes === undefined) return skip(engine, session, message, "too_large");
    outbox.append(bytes);
  } else {
    const bytes =
      identifiers === undefined || version !== 5
        ? message.encoded(version, 0, isRetained).bytes
        : encodePublish(message.topic, message.payload, 0, false, isRetained, 0, withIdentifiers(message.properties, identifiers), 5);
    // [MQTT-3.1.2-24] Too large for this client: not sent, and treated as if it had been.
    if (version === 5 && bytes.length > link.clientPacketBytesMax) return skip(engine, session, message, "too_large");
    if (isForMany && identifiers === undefined) outbox.appendShared(bytes);
    else outbox.append(bytes);
  }
  statistics.messagesSent += 1;
  observer.delivered(session.id, session.subject, message.topic, 0, payloadBytes);
  if (outbox.needsCheck) link.checkCongestion();
  return "delivered";
}

function skip(engine: Engine, session: SessionState, message: RoutedMessage, reason: "slow_reader" | "too_large"): "skipped" {
  engine.statistics.messagesDropped += 1;
  engine.observer.dropped({ sessionId: session.id, topic: message.topic, qos: 0, reason });
  return "skipped";
}
