import type { SessionConnection } from "../broker.ts";
import type { ProtocolVersion } from "../codec/index.ts";
import type { CloseReason, Refusal } from "../ports.ts";
import type { Outbox } from "./outbox.ts";
import type { OutgoingAliases } from "./outgoing-aliases.ts";

/** The connected side of a session, as delivery sees it. */
export interface Link {
  readonly outbox: Outbox;
  readonly version: ProtocolVersion;
  /** Largest packet the client takes; Infinity when it did not say. */
  readonly clientPacketBytesMax: number;
  /** Present when the client takes topic aliases. */
  readonly aliases: OutgoingAliases | undefined;
  /** QoS 1 and 2 deliveries it may have unanswered. */
  readonly window: number;
  /** More bytes or messages wait for it than the soft limits allow: its publishers are to be held. */
  readonly isCongested: boolean;
  /** It did not catch up in time: QoS 0 is dropped, the rest stays queued. */
  readonly isLagging: boolean;
  /** Bytes were appended or the queue grew: look at the limits again. */
  checkCongestion(): void;
  /** The unanswered window or the queue shrank. */
  relieve(): void;
  /** Stops reading from `feeder` until this link has caught up or the deadline has passed. */
  hold(feeder: Link): void;
  /** What the client left for the case of its going is not sent. */
  withdrawWill(): void;
  /** As it stands now; undefined when the client has gone. */
  describe(): SessionConnection | undefined;
  /** Ends the connection from the server's side. */
  close(reason: CloseReason, refusal?: Refusal): void;
  stopReading(): void;
  continueReading(): void;
}
