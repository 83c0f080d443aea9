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

/** A class and not a literal with a closure: one is made per message that somebody is owed. */
class PendingReply implements CommitWaiter {
  readonly type: ReplyType;
  readonly packetId: number;
  readonly reasonCode: number;
  readonly reasonString: string | undefined;
  /** Commits and taps still awaited. */
  waits: number;
  readonly #queue: ReplyQueue;

  constructor(queue: ReplyQueue, type: ReplyType, packetId: number, reasonCode: number, reasonString: string | undefined, waits: number) {
    this.#queue = queue;
    this.type = type;
    this.packetId = packetId;
    this.reasonCode = reasonCode;
    this.reasonString = reasonString;
    this.waits = waits;
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
  /** Undefined until a reply has to wait for the first time. */
  #pending: PendingReply[] | undefined;
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
    const waits = (hasDebt ? 1 : 0) + (taps === undefined ? 0 : 1);
    const reply = new PendingReply(this, type, packetId, reasonCode, reasonString, waits);
    this.#pending ??= [];
    this.#pending.push(reply);
    this.length = this.#pending.length;
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
    this.#pending = undefined;
    this.length = 0;
  }

  /** One of the things that `reply` waits for has happened. */
  settle(reply: PendingReply): void {
    reply.waits -= 1;
    const pending = this.#pending;
    if (this.#isClosed || pending === undefined) return;
    let ready = 0;
    for (const next of pending) {
      if (next.waits > 0) break;
      writeReply(this.#outbox, this.#version, next.type, next.packetId, next.reasonCode, next.reasonString);
      if (next.type === 4) this.acknowledgements -= 1;
      ready += 1;
    }
    if (ready === 0) return;
    this.#pending = ready === pending.length ? undefined : pending.slice(ready);
    this.length = pending.length - ready;
    this.#owner.repliesDrained();
  }
}
