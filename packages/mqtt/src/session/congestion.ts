/**
 * Back-pressure of one receiver. While more waits for it than the soft limits allow, the publishers that feed it are not
 * read; that is bounded in time, so that a stalled client cannot stop a device that also feeds others.
 *
 * Messages from the cloud and from rules hold nobody: there only the hard limits count, one for each client and one for
 * all of them together.
 *
 * clear -> congested (publishers held) -> lagging (bytes: QoS 0 dropped, rest queued; later disconnected)
 *                                      -> overdue (queue: publishers run free, the bounded queue drops its oldest)
 */
import type { BrokerLimits } from "../limits.ts";
import type { Clock } from "../ports.ts";
import type { Link } from "./link.ts";
import type { Outbox } from "./outbox.ts";
import type { Session } from "./session.ts";

type CongestionState = "clear" | "congested" | "lagging" | "overdue";

export class Congestion {
  readonly #outbox: Outbox;
  readonly #session: Session;
  readonly #limits: Readonly<BrokerLimits>;
  readonly #clock: Clock;
  #since = 0;
  #held: Set<Link> | undefined;
  #state: CongestionState = "clear";

  constructor(outbox: Outbox, session: Session, limits: Readonly<BrokerLimits>, clock: Clock) {
    this.#outbox = outbox;
    this.#session = session;
    this.#limits = limits;
    this.#clock = clock;
  }

  get state(): CongestionState {
    return this.#state;
  }

  /** Called after every delivery: two comparisons in the usual case. */
  check(): void {
    const outbox = this.#outbox;
    const { outgoingBytesSoftMax } = this.#limits;
    if (outbox.pendingBytes + outbox.bufferedBytes > outgoingBytesSoftMax && outbox.isFull) {
      if (this.state === "clear") this.#enter("congested");
      if (this.state === "lagging" || !this.#isTooMuch) return;
      // One large burst in one turn is not yet a slow reader: it is offered the bytes first.
      outbox.flush();
      if (outbox.isFull && this.#isTooMuch) this.#enter("lagging");
    } else if (this.state === "clear" && this.#session.queuedMessages > this.#queueSoftMax) {
      this.#enter("congested");
    }
  }

  /** Something was written, drained or acknowledged. Returns true when the receiver has caught up. */
  relieve(): boolean {
    if (this.state === "clear") return false;
    const bytes = this.#outbox.pendingBytes + this.#outbox.bufferedBytes;
    if (bytes > this.#limits.outgoingBytesSoftMax / 2) return false;
    if (this.#session.queuedMessages > this.#queueSoftMax / 2) {
      // The bytes are gone but the queue is long: sending goes on.
      if (this.state !== "lagging") return false;
      this.#become("overdue");
      return true;
    }
    this.#become("clear");
    this.releaseAll();
    return true;
  }

  /** Looks at the deadlines. True when the receiver has been a slow reader for too long. */
  isOverdueAt(now: number): boolean {
    if (this.state === "congested" && now - this.#since >= this.#limits.pauseMilliseconds) {
      this.#enter(this.#outbox.isFull ? "lagging" : "overdue");
    }
    return this.state === "lagging" && now - this.#since >= this.#limits.slowReaderMilliseconds;
  }

  hold(feeder: Link, isSelf: boolean): void {
    // Who waits for its own acknowledgements must go on being read.
    if (this.state !== "congested" || (isSelf && !this.#outbox.isFull)) return;
    this.#held ??= new Set();
    if (this.#held.has(feeder)) return;
    this.#held.add(feeder);
    feeder.stopReading();
  }

  releaseAll(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    for (const feeder of held) feeder.continueReading();
  }

  /** Over its own hard limit, or one of those that fill the memory that all clients share. */
  get #isTooMuch(): boolean {
    const { pendingBytes, bufferedBytes, waitingBytesOfAll } = this.#outbox;
    const { outgoingBytesHardMax, outgoingBytesTotalMax } = this.#limits;
    return pendingBytes + bufferedBytes > outgoingBytesHardMax || pendingBytes + waitingBytesOfAll > outgoingBytesTotalMax;
  }

  get #queueSoftMax(): number {
    return this.#session.behaviour.queueMessagesMax / 2;
  }

  #become(state: CongestionState): void {
    this.#state = state;
    this.#outbox.isWatched = state !== "clear";
  }

  #enter(state: CongestionState): void {
    this.#become(state);
    this.#since = this.#clock.now();
    if (state !== "congested") this.releaseAll();
  }
}
