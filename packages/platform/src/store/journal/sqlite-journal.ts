/**
 * The engine's journal in a SQLite file of its own. Writes are collected in memory; a worker thread commits them, a batch at a
 * time, and while one commit runs the next batch gathers: so commits size themselves.
 */
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { type Journal, type JournalContents, type JournalOwner, JournalReplay, type JournalSlot } from "@thingstead/mqtt";
import { type Clock, type Random, systemRandom } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import { BatchWriter } from "./batch-writer.ts";
import { problemOf } from "./journal-problems.ts";
import { type Batch, JournalThread } from "./journal-thread.ts";
import type { JournalLimits } from "./limits.ts";
import { BatchError, BatchReader } from "./read-batch.ts";
import { Segments } from "./segments.ts";
import type { WorkerSettings } from "./worker-messages.ts";

export const journalFileName = "journal.db";

/** Between two pieces of a compaction: the engine's other work goes first. */
const compactPauseMilliseconds = 2;
const memoriesKept = 2;

interface Waiter {
  /** Number of the batch it waits for. */
  batch: number;
  callback: () => void;
}

interface SqliteJournalOptions {
  dataDir: string;
  clock: Clock;
  limits: JournalLimits;
  /** Draws the mark of a new file. */
  random?: Random;
  startWorker?: (settings: WorkerSettings) => Worker;
  /** A commit failed or the thread died: told once until a commit succeeds. Nothing is acknowledged meanwhile. */
  report(problem: PlatformError): void;
  /** The journal will commit nothing any more (`store.journal_lost`): the server has to end. */
  gaveUp?(problem: PlatformError): void;
}

export class SqliteJournal implements Journal {
  readonly #options: SqliteJournalOptions;
  readonly #file: string;
  readonly #segments: Segments;
  readonly #thread: JournalThread;
  #isOpen = false;
  #owner: JournalOwner | undefined;
  #writer = new BatchWriter(undefined);
  #memories: SharedArrayBuffer[] = [];
  /** Number of the batch that is being collected. */
  #number = 1;
  #sealed: Batch[] = [];
  #committed = 0;
  /** The next commit does not begin before this, unless there is much to commit. */
  #gatherUntil = 0;
  #waiters: Waiter[] = [];
  #nextWaiter = 0;
  #unsafeBytes = 0;
  #forgetUpTo = 0;
  #cancelTimer: (() => void) | undefined;
  #timerDueAt = 0;
  #isCompacting = false;
  #isSealDue = false;
  #isStuckTold = false;
  #onIdle: (() => void) | undefined;
  isBehind = false;

  constructor(options: SqliteJournalOptions) {
    this.#options = options;
    this.#file = join(options.dataDir, journalFileName);
    this.#segments = new Segments(options.limits.segmentBytes);
    const { clock, limits, startWorker, report, random = systemRandom } = options;
    this.#thread = new JournalThread({
      file: this.#file,
      // A positive number that fits the header of the file.
      newFileId: 1 + (random.bytes(4).readUInt32LE() % 0x7fffffff),
      clock,
      limits,
      ...(startWorker === undefined ? {} : { startWorker }),
      report,
      committed: (batch) => this.#take(batch),
      gaveUp: (problem) => this.#end(problem),
    });
  }

  /** Mark of the file, made with it: tells a file that was lost from one that is empty. */
  get fileId(): number {
    return this.#thread.fileId;
  }

  /** @throws PlatformError `store.journal_damaged`, `store.locked`, `store.unwritable` */
  async open(owner: JournalOwner): Promise<JournalContents> {
    this.#owner = owner;
    const replay = new JournalReplay();
    const reader = new BatchReader(replay);
    await this.#thread.open((number, bytes) => this.#read(reader, number, bytes));
    this.#isOpen = true;
    const contents = replay.contents();
    for (const { slot, messages } of contents.sessions) {
      this.#segments.occupySlot(slot);
      for (const message of messages) this.#segments.occupySlot(message.slot);
    }
    for (const { slot } of contents.retained) this.#segments.occupySlot(slot);
    this.#trim();
    return contents;
  }

  saveSession(...[session, previous]: Parameters<Journal["saveSession"]>): JournalSlot {
    if (previous !== undefined) this.#segments.leave(previous);
    this.#writer.session(session);
    return this.#occupy();
  }

  removeSession(key: number, slot: JournalSlot): void {
    this.#segments.leave(slot);
    this.#writer.sessionRemoved(key);
    this.#wrote();
  }

  saveSubscription(...args: Parameters<Journal["saveSubscription"]>): void {
    this.#writer.subscription(...args);
    this.#wrote();
  }

  removeSubscription(key: number, filter: string): void {
    this.#writer.subscriptionRemoved(key, filter);
    this.#wrote();
  }

  appendMessage(...[key, owed]: Parameters<Journal["appendMessage"]>): JournalSlot {
    this.#writer.message(key, owed);
    return this.#occupy();
  }

  saveSent(key: number, sequence: number, packetId: number): void {
    this.#writer.sent(key, sequence, packetId);
    this.#wrote();
  }

  saveReleased(key: number, sequence: number): void {
    this.#writer.released(key, sequence);
    this.#wrote();
  }

  removeMessage(key: number, sequence: number, slot: JournalSlot): void {
    this.#segments.leave(slot);
    this.#writer.messageRemoved(key, sequence);
    this.#wrote();
  }

  forget(slot: JournalSlot): void {
    this.#segments.leave(slot);
  }

  saveReceivedId(key: number, packetId: number): void {
    this.#writer.receivedId(key, packetId);
    this.#wrote();
  }

  removeReceivedId(key: number, packetId: number): void {
    this.#writer.receivedIdRemoved(key, packetId);
    this.#wrote();
  }

  saveRetained(...[message, previous]: Parameters<Journal["saveRetained"]>): JournalSlot {
    if (previous !== undefined) this.#segments.leave(previous);
    this.#writer.retained(message);
    return this.#occupy();
  }

  removeRetained(topic: string, slot: JournalSlot): void {
    this.#segments.leave(slot);
    this.#writer.retainedRemoved(topic);
    this.#wrote();
  }

  afterCommit(callback: () => void): void {
    const batch = this.#writer.length > 0 ? this.#number : this.#number - 1;
    if (batch <= this.#committed) {
      callback();
      return;
    }
    this.#waiters.push({ batch, callback });
    this.#start();
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    const { clock, limits } = this.#options;
    const isSafe = await new Promise<boolean>((resolve) => {
      const cancel = clock.after(limits.closeMilliseconds, () => resolve(false));
      this.#onIdle = () => {
        cancel();
        resolve(true);
      };
      this.#start();
    });
    this.#isOpen = false;
    this.#cancelTimer?.();
    if (!isSafe) this.#tellUnsafe(`not committed in ${limits.closeMilliseconds} ms`);
    await this.#thread.close();
  }

  #read(reader: BatchReader, number: number, bytes: Uint8Array): void {
    try {
      reader.read(bytes, this.#segments.current);
    } catch (error) {
      if (error instanceof BatchError) throw problemOf(this.#file, "SQLITE_CORRUPT", `batch ${number}, ${error.message}`);
      throw error;
    }
    this.#segments.addBatch(number, bytes.length);
    this.#committed = number;
    this.#number = number + 1;
  }

  #occupy(): JournalSlot {
    const slot = this.#segments.occupy();
    this.#wrote();
    return slot;
  }

  /** Something was added to the batch; it leaves when somebody waits for it, when it is large, or after a while. */
  #wrote(): void {
    const { limits } = this.#options;
    const { length } = this.#writer;
    if (length >= limits.batchBytesMax) this.#sealSoon();
    else if (this.#cancelTimer === undefined) this.#startLater(limits.idleMilliseconds);
    if (!this.isBehind && this.#unsafeBytes + length > limits.unsafeBytesSoftMax) this.isBehind = true;
  }

  /** Not at once: what the engine writes in one go is in one batch, and takes effect together. */
  #sealSoon(): void {
    if (this.#isSealDue) return;
    this.#isSealDue = true;
    this.#options.clock.soon(() => {
      this.#isSealDue = false;
      if (this.#writer.length >= this.#options.limits.batchBytesMax) this.#seal();
    });
  }

  #seal(): void {
    const { memory, length } = this.#writer.take();
    this.#sealed.push({ number: this.#number, memory, length, forgetUpTo: this.#forgetUpTo });
    this.#forgetUpTo = 0;
    this.#unsafeBytes += length;
    this.#writer = new BatchWriter(this.#memories.pop());
    const isSegmentFull = this.#segments.addBatch(this.#number, length);
    this.#number += 1;
    this.#start();
    if (isSegmentFull) this.#trim();
  }

  /** Begins the next commit if none runs and enough was gathered. */
  #start(): void {
    if (this.#thread.isBusy || !this.#isOpen) return;
    const { clock, limits } = this.#options;
    if (this.#sealed.length === 0) {
      if (this.#writer.length === 0) {
        this.#onIdle?.();
        return;
      }
      const waitMilliseconds = this.#gatherUntil - clock.now();
      // A clock that was set back must not hold a commit up.
      const isGathering = waitMilliseconds > 0 && waitMilliseconds <= limits.gatherBusyMilliseconds && this.#onIdle === undefined;
      if (isGathering && this.#writer.length < limits.gatherBytesMax) {
        this.#startLater(waitMilliseconds);
        return;
      }
      this.#seal();
      return;
    }
    const batch = this.#sealed.shift();
    if (batch === undefined) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const isBusy = batch.length >= limits.busyBatchBytes;
    this.#gatherUntil = clock.now() + (isBusy ? limits.gatherBusyMilliseconds : limits.gatherMilliseconds);
    this.#thread.commit(batch);
  }

  #startLater(milliseconds: number): void {
    const { clock } = this.#options;
    const dueAt = clock.now() + milliseconds;
    if (this.#cancelTimer !== undefined) {
      if (this.#timerDueAt <= dueAt) return;
      this.#cancelTimer();
    }
    this.#timerDueAt = dueAt;
    this.#cancelTimer = clock.after(milliseconds, () => {
      this.#cancelTimer = undefined;
      this.#start();
    });
  }

  #take({ number, memory, length }: Batch): void {
    this.#committed = number;
    this.#unsafeBytes -= length;
    if (this.#memories.length < memoriesKept) this.#memories.push(memory);
    this.#callBack();
    const isWanted = this.#sealed.length > 0 || this.#nextWaiter < this.#waiters.length || this.#onIdle !== undefined;
    if (isWanted) this.#start();
    else if (this.#writer.length > 0) this.#startLater(this.#options.limits.idleMilliseconds);
    const { unsafeBytesSoftMax } = this.#options.limits;
    if (this.isBehind && this.#unsafeBytes + this.#writer.length <= unsafeBytesSoftMax / 2) {
      this.isBehind = false;
      this.#owner?.caughtUp();
    }
  }

  #callBack(): void {
    const waiters = this.#waiters;
    while (this.#nextWaiter < waiters.length) {
      const waiter = waiters[this.#nextWaiter];
      if (waiter === undefined || waiter.batch > this.#committed) return;
      this.#nextWaiter += 1;
      if (this.#nextWaiter === waiters.length) {
        this.#waiters = [];
        this.#nextWaiter = 0;
        waiter.callback();
        return;
      }
      waiter.callback();
    }
  }

  /** Forgets the oldest segments that are dead, and makes dead ones when the log is much larger than what is alive. */
  #trim(): void {
    for (let batch = this.#segments.takeDead(); batch !== undefined; batch = this.#segments.takeDead()) this.#forgetUpTo = batch;
    if (this.#isCompacting) return;
    const { compactBytesMin, compactRatio } = this.#options.limits;
    const { bytes, liveBytes } = this.#segments;
    if (bytes > Math.max(compactBytesMin, liveBytes * compactRatio)) this.#compact();
  }

  /** The owner writes what is alive in the older half of the log once more; the half is dead then. */
  #compact(): void {
    const { clock, report } = this.#options;
    const slotNumberMax = this.#segments.olderHalf;
    const work = this.#owner?.rewrite(slotNumberMax);
    if (work === undefined) return;
    this.#isCompacting = true;
    const step = (): void => {
      if (!this.#isOpen) return;
      if (!this.isBehind && work.next().done === true) {
        this.#isCompacting = false;
        const live = this.#segments.liveUpTo(slotNumberMax);
        if (live > 0 && !this.#isStuckTold) report(new PlatformError("store.journal_not_compacted", { file: this.#file, records: live }));
        if (live > 0) this.#isStuckTold = true;
        else this.#trim();
        return;
      }
      clock.after(compactPauseMilliseconds, step);
    };
    clock.after(compactPauseMilliseconds, step);
  }

  /** Nothing is called back any more; who waits for an acknowledgement keeps waiting. */
  #end(problem: PlatformError): void {
    this.#isOpen = false;
    this.#cancelTimer?.();
    this.#tellUnsafe("lost with the journal");
    this.#options.gaveUp?.(problem);
  }

  #tellUnsafe(what: string): void {
    const bytes = this.#unsafeBytes + this.#writer.length;
    if (bytes > 0) this.#options.report(problemOf(this.#file, "", `${bytes} bytes were ${what}; none of it was acknowledged`));
  }
}
