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

/** One reply that waits. */
class PendingReply implements CommitWaiter {
  readonly #queue: ReplyQueue;
  type: ReplyType = 4;
  packetId = 0;
  reasonCode = 0;
  reasonString: string | undefined;
  /** Commits and taps still awaited. */
  waits = 0;
  /** The reply behind it. */
  next: PendingReply | undefined;

  constructor(queue: ReplyQueue) {
    this.#queue = queue;
  }

  committed(): void {
    this.#queue.settle(this);
  }
}

export interface ReplyQueueOwner {
  /** A tap broke its promise: the publish is not safe and must not be acknowledged. */
  repliesFailed(error: unknown): void;
  /** Replies left: reading may go on. */
  repliesDrained(): void;
}

export class ReplyQueue {
  readonly #outbox: Outbox;
  readonly #turn: Turn;
  readonly #version: ProtocolVersion;
  readonly #owner: ReplyQueueOwner;
  /** Those that wait, oldest first. */
  #first: PendingReply | undefined;
  #last: PendingReply | undefined;
  /**
   * One that is over is used again: who waits for a commit outlives a garbage collection, and a new object with its array for every
   * durable message was three quarters of what the collector had to move.
   */
  #spare: PendingReply | undefined;
  #isClosed = false;

  constructor(outbox: Outbox, turn: Turn, version: ProtocolVersion, owner: ReplyQueueOwner) {
    this.#outbox = outbox;
    this.#turn = turn;
    this.#version = version;
    this.#owner = owner;
  }

  /** Replies that wait. */
  length = 0;

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
    if (!hasDebt && taps === undefined && this.length === 0) {
      writeReply(this.#outbox, this.#version, type, packetId, reasonCode, reasonString);
      return;
    }
    const reply = this.#spare ?? new PendingReply(this);
    this.#spare = undefined;
    reply.type = type;
    reply.packetId = packetId;
    reply.reasonCode = reasonCode;
    reply.reasonString = reasonString;
    reply.waits = (hasDebt ? 1 : 0) + (taps === undefined ? 0 : 1);
    if (this.#last === undefined) this.#first = reply;
    else this.#last.next = reply;
    this.#last = reply;
    this.length += 1;
    if (type === 4) this.acknowledgements += 1;
    if (hasDebt) this.#turn.awaitCommit(reply);
    if (taps !== undefined)
      Promise.all(taps).then(
        () => reply.committed(),
        (error: unknown) => this.#owner.repliesFailed(error),
      );
  }

  /** The connection is gone: the client will send again what was not answered. */
  close(): void {
    this.#isClosed = true;
    this.#first = undefined;
    this.#last = undefined;
    this.length = 0;
  }

  /** One of the things that `reply` waits for has happened. */
  settle(reply: PendingReply): void {
    reply.waits -= 1;
    let next = this.#first;
    if (this.#isClosed || next === undefined || next.waits > 0) return;
    while (next !== undefined && next.waits === 0) {
      writeReply(this.#outbox, this.#version, next.type, next.packetId, next.reasonCode, next.reasonString);
      if (next.type === 4) this.acknowledgements -= 1;
      this.length -= 1;
      const over: PendingReply = next;
      next = over.next;
      over.next = undefined;
      this.#spare = over;
    }
    this.#first = next;
    if (next === undefined) this.#last = undefined;
    this.#owner.repliesDrained();
  }
}
