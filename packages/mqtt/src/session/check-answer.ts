/** Whether a client answers a message of ours with the packet that its QoS and its progress ask for. */
import type { Delivery } from "./delivery-queue.ts";
import { SessionError } from "./session-error.ts";

const names = { puback: "PUBACK", pubrec: "PUBREC", pubcomp: "PUBCOMP" } as const;
export type AnswerType = keyof typeof names;

/**
 * [MQTT-4.3.2-3] [MQTT-4.3.3-8] An answer of the wrong kind settles nothing and ends the connection. Nobody asks about an identifier that
 * is not in use: that may be a late or a second answer, which real clients send after they reconnected.
 * @throws SessionError `mqtt.acknowledgement_mismatch`
 */
export function checkAnswer({ qos, isReleased, packetId }: Delivery, answer: AnswerType): void {
  const expected = qos === 1 ? "puback" : isReleased ? "pubcomp" : "pubrec";
  // A second PUBREC is answered with PUBREL once more.
  if (expected === answer || (expected === "pubcomp" && answer === "pubrec")) return;
  const clause = qos === 1 ? "MQTT-4.3.2-3" : "MQTT-4.3.3-8";
  throw new SessionError("mqtt.acknowledgement_mismatch", clause, `${names[answer]} for packet identifier ${packetId}`, names[expected]);
}
