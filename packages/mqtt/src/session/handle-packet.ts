/** What an admitted client may send besides PUBLISH: one row per packet type, everything else is refused. */
import type { Packet } from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import type { ActivePhase, ClientConnection } from "./client-connection.ts";
import type { Session } from "./session.ts";
import { SessionError } from "./session-error.ts";
import { cappedExpirySeconds } from "./session-registry.ts";
import { handleSubscribe, handleUnsubscribe } from "./subscribe.ts";

/** [MQTT-3.12.4-1] The answer to PINGREQ. */
export const pingresp = Buffer.from([0xd0, 0]);

export function handlePacket(engine: Engine, connection: ClientConnection, phase: ActivePhase, packet: Packet): void {
  const { session } = phase;
  switch (packet.type) {
    case "puback":
    case "pubcomp":
      session.settle(packet.packetId, packet.type);
      return;
    case "pubrec":
      // [MQTT-4.3.3-4] A reason from 0x80 ends the exchange.
      if ((packet.reasonCode ?? 0) >= 0x80) session.settle(packet.packetId, "pubrec");
      else session.release(connection, packet.packetId);
      return;
    case "pubrel":
      connection.publishesOf(phase).handleRelease(packet.packetId);
      return;
    case "subscribe":
      handleSubscribe(engine, connection, session, packet);
      return;
    case "unsubscribe":
      handleUnsubscribe(engine, connection, session, packet);
      return;
    case "pingreq":
      connection.outbox.append(pingresp);
      return;
    case "disconnect":
      changeExpiry(session, packet.properties?.sessionExpiryIntervalSeconds);
      // [MQTT-3.14.4-3] Any reason but 0x00 keeps the will.
      connection.leave((packet.reasonCode ?? 0) !== 0);
      return;
    case "auth":
      // [MQTT-4.12.0-7] Who connected without a method has nothing to say by AUTH.
      if (phase.authentication === undefined) {
        throw new SessionError("mqtt.authentication_not_expected", "MQTT-4.12.0-7", "AUTH", "no AUTH without a method in CONNECT");
      }
      phase.authentication.handle(connection, session, packet);
      return;
    case "connect":
      // [MQTT-3.1.0-2] A second CONNECT is a protocol violation.
      throw new SessionError("mqtt.second_connect", "MQTT-3.1.0-2", "CONNECT", "one CONNECT per connection");
    default:
      throw new SessionError("mqtt.packet_not_allowed", "MQTT-4.13.1-1", packet.type.toUpperCase(), "a packet that clients send");
  }
}

/** [MQTT-3.14.2-2] A session that was to end with its connection cannot be prolonged. */
function changeExpiry(session: Session, expirySeconds: number | undefined): void {
  if (expirySeconds === undefined) return;
  if (session.expirySeconds === 0 && expirySeconds > 0) {
    throw new SessionError("mqtt.session_expiry_invalid", "MQTT-3.14.2-2", `${expirySeconds} s`, "0 s, as in CONNECT");
  }
  session.expirySeconds = cappedExpirySeconds(expirySeconds, session.behaviour.sessionExpirySecondsMax);
}
