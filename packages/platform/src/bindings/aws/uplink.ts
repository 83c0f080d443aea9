/** What a handler of a reserved topic gets, whoever published: a device of either cloud, a rule, a server. */
import type { ReservedTopicName } from "@thingstead/dialects";

export interface AwsUplink {
  readonly topic: string;
  /** What the named levels of the row stand for: `thingName`, `shadowName`, `jobId`, `templateName`, `ruleName`, `format`. */
  readonly parts: Readonly<Record<string, string>>;
  /** Valid during the call only: whoever waits copies it or has parsed it before. */
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Session that published; absent: a rule or a server. */
  readonly sessionId?: string;
}

/** The PUBACK waits for the promise. A client's fault is answered on `…/rejected` and written to the device log; it neither throws nor rejects. */
export type AwsUplinkHandler = (uplink: AwsUplink) => undefined | Promise<void>;

/** By the name of the row in the dialect's reserved topic table. */
export type AwsUplinkHandlers = Readonly<Partial<Record<ReservedTopicName, AwsUplinkHandler>>>;

/** How the answers go out. */
export interface AwsAnswers {
  /** To whoever subscribed and may receive it, at QoS 1; seen by rules. */
  publish(topic: string, payload: Uint8Array): void;
  /** To one session and nobody else, subscribed or not; rules do not see it. At QoS 1 unless told: QoS 0 is kept nowhere. */
  deliver(sessionId: string, topic: string, payload: Uint8Array, qos?: 0 | 1): void;
}
