/**
 * PUBACK and PUBREC in the order of the publishes they answer [MQTT-4.6.0-2] [MQTT-4.6.0-3]. One that waits for a commit or
 * for a tap holds back those behind it; with nothing owed a reply leaves at once and no object is made.
 */
import { encodePacket, type ProtocolVersion } from "../codec/index.ts";
import type { Outbox } from "./outbox.ts";
import type { CommitWaiter, Turn } from "./turn.ts";

const replyTypes = { 4: "puback", 5: "pubrec", 6: "pubrel", 7: "pubcomp" } as const;
export type ReplyType = keyof typeof replyTypes;
const replyFirstBytes: Readonly<Record<ReplyType, number>> = { 4: 0x40, 5: 0x50, 6: 0x62, 7: 0x70 };

/** Writes one reply; the reason is known to MQTT 5 only. */
export function writeReply(
  outbox: Outbox,
  version: ProtocolVersion,
  type: ReplyType,
  packetId: number,
  reasonCode: number,
  reasonString?: string,
): void {
  if (version === 5 && reasonCode !== 0) {
    const properties = reasonString === undefined ? {} : { properties: { reasonString } };
    outbox.append(encodePacket({ type: replyTypes[type], packetId, reasonCode, ...properties }, version));
  } else outbox.appendReply(replyFirstBytes[type], packetId);
}

interface PendingReply extends CommitWaiter {
  type: ReplyType;
  packetId: number;
  reasonCode: number;
  reasonString: string | undefined;
  /** Commits and taps still awaited. */
  waits: number;
}

export interface ReplyQueueOptions {
  outbox: Outbox;
  turn: Turn;
  version: ProtocolVersion;
  /** A tap broke its promise: the publish is not safe and must not be acknowledged. */
  onFailure(error: unknown): void;
  /** Replies left: reading may go on. */
  onDrained(): void;
}

export class ReplyQueue {
  readonly #options: ReplyQueueOptions;
  #pending: PendingReply[] = [];
  #isClosed = false;

  constructor(options: ReplyQueueOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#pending.length;
  }

  /** PUBACKs not yet sent; QoS 2 publishes are counted until their PUBREL. */
  acknowledgements = 0;

  add(
    type: ReplyType,
    packetId: number,
    reasonCode: number,
    hasDebt: boolean,
    taps: Promise<void>[] | undefined,
    reasonString?: string,
  ): void {
    const { outbox, version, turn, onFailure } = this.#options;
    if (!hasDebt && taps === undefined && this.#pending.length === 0) {
      writeReply(outbox, version, type, packetId, reasonCode, reasonString);
      return;
    }
    const reply: PendingReply = {
      type,
      packetId,
      reasonCode,
      reasonString,
      waits: (hasDebt ? 1 : 0) + (taps === undefined ? 0 : 1),
      committed: () => this.#settle(reply),
    };
    this.#pending.push(reply);
    if (type === 4) this.acknowledgements += 1;
    if (hasDebt) turn.awaitCommit(reply);
    if (taps !== undefined) Promise.all(taps).then(reply.committed, onFailure);
  }

  /** The connection is gone: the client will send again what was not answered. */
  close(): void {
    this.#isClosed = true;
    this.#pending = [];
  }

  #settle(reply: PendingReply): void {
    reply.waits -= 1;
    if (this.#isClosed) return;
    const { outbox, version, onDrained } = this.#options;
    let ready = 0;
    for (const next of this.#pending) {
      if (next.waits > 0) break;
      writeReply(outbox, version, next.type, next.packetId, next.reasonCode, next.reasonString);
      if (next.type === 4) this.acknowledgements -= 1;
      ready += 1;
    }
    if (ready === 0) return;
    this.#pending = ready === this.#pending.length ? [] : this.#pending.slice(ready);
    onDrained();
  }
}
