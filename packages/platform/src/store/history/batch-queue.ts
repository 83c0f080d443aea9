/** Batches between the event loop and the writer: one is committed while the next gathers. */
import type { Clock } from "../../clock.ts";
import type { HistoryLimits } from "./limits.ts";
import { type Batch, type BatchItem, recordWeight } from "./worker-messages.ts";

interface GatheringBatch {
  items: BatchItem[];
  records: number;
  committed: Promise<void>;
  resolve: () => void;
}

interface SentBatch extends GatheringBatch {
  sequence: number;
  message: Batch;
}

function createBatch(): GatheringBatch {
  let resolve = (): void => {};
  const committed = new Promise<void>((done) => {
    resolve = done;
  });
  return { items: [], records: 0, committed, resolve };
}

export class BatchQueue {
  readonly #clock: Clock;
  readonly #limits: HistoryLimits;
  readonly #send: (batch: Batch) => void;
  #gathering = createBatch();
  #running: SentBatch | undefined;
  #lastDevice: string | undefined;
  #sequence = 0;
  /** The next commit does not begin before this, unless there is much to commit. */
  #gatherUntil = 0;
  #isStartDue = false;
  #cancelTimer: (() => void) | undefined;
  #isReady = false;
  #onIdle: (() => void) | undefined;

  constructor(clock: Clock, limits: HistoryLimits, send: (batch: Batch) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#send = send;
  }

  /** Records that are not on the disk yet. */
  get waitingRecords(): number {
    return this.#gathering.records + (this.#running?.records ?? 0);
  }

  /** The writer runs and has everything up to `sequence`. */
  ready(sequence: number): void {
    this.#isReady = true;
    if (sequence > this.#sequence) this.#sequence = sequence;
    if (this.#running !== undefined) this.#send(this.#running.message);
    else this.#startSoon();
  }

  /** The writer is gone; what it had not confirmed is sent again to the next one. */
  lost(): void {
    this.#isReady = false;
  }

  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Where to put the next record's items, about `iotId`, with texts of so many characters. */
  begin(iotId: string, deviceOperation: BatchItem, characters: number): BatchItem[] {
    const batch = this.#gathering;
    if (this.#lastDevice !== iotId) {
      this.#lastDevice = iotId;
      batch.items.push(deviceOperation, iotId);
    }
    batch.records += recordWeight(characters);
    this.#startSoon();
    return batch.items;
  }

  committed(): Promise<void> {
    if (this.#gathering.records > 0) return this.#gathering.committed;
    return this.#running?.committed ?? Promise.resolve();
  }

  confirm(sequence: number): void {
    const batch = this.#running;
    if (batch === undefined || batch.sequence !== sequence) return;
    this.#running = undefined;
    batch.resolve();
    if (this.#gathering.records > 0) this.#start();
    else this.#onIdle?.();
  }

  /** Resolves when nothing waits any more; from now on nothing gathers longer than it must. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.waitingRecords === 0) resolve();
      else this.#start();
    });
  }

  /** Not at once: what one turn of the event loop brings is in one batch. */
  #startSoon(): void {
    if (this.#isStartDue || this.#running !== undefined || !this.#isReady || this.#gathering.records === 0) return;
    this.#isStartDue = true;
    this.#clock.soon(() => {
      this.#isStartDue = false;
      this.#start();
    });
  }

  #start(): void {
    const batch = this.#gathering;
    if (this.#running !== undefined || !this.#isReady || batch.records === 0) return;
    const { gatherRecordsMax, gatherBusyMilliseconds, gatherMilliseconds, busyBatchRecords } = this.#limits;
    const now = this.#clock.now();
    const wait = this.#gatherUntil - now;
    // A clock that was set back must not hold a commit up.
    if (wait > 0 && wait <= gatherBusyMilliseconds && batch.records < gatherRecordsMax && this.#onIdle === undefined) {
      this.#cancelTimer ??= this.#clock.after(wait, () => {
        this.#cancelTimer = undefined;
        this.#start();
      });
      return;
    }
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#gathering = createBatch();
    this.#lastDevice = undefined;
    const sequence = this.nextSequence();
    const sent: SentBatch = {
      ...batch,
      items: [],
      sequence,
      message: { name: "write", sequence, items: JSON.stringify(batch.items), now },
    };
    this.#running = sent;
    this.#gatherUntil = now + (batch.records >= busyBatchRecords ? gatherBusyMilliseconds : gatherMilliseconds);
    this.#send(sent.message);
  }
}
