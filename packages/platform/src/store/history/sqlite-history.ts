/**
 * What devices reported, were asked and should be, in a SQLite file of its own. A worker thread writes, another one reads; the
 * event loop waits for neither.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { CallAnswer, CallRecord, CallSlot, DesiredOutcome, ThingHistory, TimeRange } from "../../things/index.ts";
import { BatchQueue } from "./batch-queue.ts";
import { dayMilliseconds, toCell } from "./history-file.ts";
import type { HistoryLimits } from "./limits.ts";
import { WaitingAnswers } from "./waiting-answers.ts";
import {
  type BatchItem,
  operations,
  type ReadAnswers,
  type ReaderReport,
  type ReaderRequest,
  type ReadName,
  type ReadRange,
  type ReadRequests,
  type WorkerSettings,
  type WriterReport,
  type WriterRequest,
} from "./worker-messages.ts";
import { WorkerThread } from "./worker-thread.ts";

const historyFileName = "history.db";
/** For an answer whose code is no whole number. */
const unreadableCode = -1;

interface SqliteHistoryOptions {
  dataDir: string;
  clock: Clock;
  limits: HistoryLimits;
  /** A commit failed (told once until one succeeds), or a thread died. */
  report(problem: PlatformError): void;
}

const codesByDriverCode: readonly (readonly [RegExp, string])[] = [
  [/^SQLITE_(BUSY|LOCKED)/, "store.locked"],
  [/^SQLITE_(NOTADB|CORRUPT|FORMAT)/, "store.damaged"],
  [/^SQLITE_FULL/, "store.disk_full"],
  [/^SQLITE_(CANTOPEN|READONLY|PERM|IOERR)/, "store.unwritable"],
];

export class SqliteHistory implements ThingHistory {
  readonly #options: SqliteHistoryOptions;
  readonly #file: string;
  readonly #writer: WorkerThread<WriterRequest, WriterReport>;
  readonly #reader: WorkerThread<ReaderRequest, ReaderReport>;
  readonly #queue: BatchQueue;
  readonly #changes = new WaitingAnswers();
  readonly #reads = new WaitingAnswers();
  /** Devices whose forgetting is not confirmed; asked again of a new writer. */
  readonly #forgetting = new Set<string>();
  #opening: { resolve: () => void; reject: (error: PlatformError) => void } | undefined;
  #cancelTrim: (() => void) | undefined;
  #isSeriesMaxTold = false;
  /** There is no file yet: its writer, 12 MB, is started with the first thing to keep. */
  #isDormant = false;

  constructor(options: SqliteHistoryOptions) {
    this.#options = options;
    const { dataDir, clock, limits } = options;
    this.#file = join(dataDir, historyFileName);
    const settings: WorkerSettings = {
      file: this.#file,
      lockWaitMilliseconds: limits.lockWaitMilliseconds,
      retryMilliseconds: limits.retryMilliseconds,
      fileBytesMax: limits.fileBytesMax,
      cacheBytes: limits.cacheBytes,
      retentionMilliseconds: limits.retentionDays * dayMilliseconds,
      devicesCachedMax: limits.devicesCachedMax,
      seriesPerDeviceMax: limits.seriesPerDeviceMax,
      forgetRowsMax: limits.forgetRowsMax,
      sortMilliseconds: limits.sortMilliseconds,
      sortRecordsMax: limits.sortRecordsMax,
      sliceRecords: limits.sliceRecords,
    };
    this.#queue = new BatchQueue(clock, limits, (batch) => this.#writer.ask(batch));
    this.#writer = new WorkerThread({
      name: "history",
      file: new URL("./history-worker.ts", import.meta.url),
      settings,
      clock,
      limits,
      take: (report) => this.#takeWriter(report),
      died: (problem) => this.#writerDied(problem),
      isRevived: true,
    });
    this.#reader = new WorkerThread({
      name: "history-reader",
      file: new URL("./reader-worker.ts", import.meta.url),
      settings,
      clock,
      limits,
      take: (report) => this.#takeReader(report),
      died: (problem) => {
        this.#tell("", problem);
        this.#reads.rejectAll(this.#problem("", problem));
      },
      // The next question starts it.
      isRevived: false,
    });
  }

  admit(): void {
    const { waitingRecordsMax } = this.#options.limits;
    if (this.#queue.waitingRecords >= waitingRecordsMax) throw new PlatformError("things.history_busy", { expected: waitingRecordsMax });
  }

  /** @throws PlatformError `store.locked`, `store.damaged`, `store.unwritable`, `store.disk_full`, `things.history_failed` */
  async open(): Promise<void> {
    if (!existsSync(this.#file)) {
      this.#isDormant = true;
      return;
    }
    const opened = new Promise<void>((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
    this.#writer.start();
    try {
      await opened;
    } catch (error) {
      await this.#writer.close({ name: "close" });
      throw error;
    }
    this.#trim();
  }

  async close(): Promise<void> {
    const { clock, limits } = this.#options;
    this.#cancelTrim?.();
    const isSafe = await new Promise<boolean>((resolve) => {
      const cancel = clock.after(limits.closeMilliseconds, () => resolve(false));
      void this.#queue.drain().then(() => {
        cancel();
        resolve(true);
      });
    });
    if (!isSafe) this.#tell("", `${this.#queue.waitingRecords} records were not committed in ${limits.closeMilliseconds} ms`);
    await Promise.all([this.#writer.close({ name: "close" }), this.#reader.close({ name: "close" })]);
    const closed = this.#problem("", "the server is stopping");
    this.#changes.rejectAll(closed);
    this.#reads.rejectAll(closed);
  }

  saveValue(iotId: string, identifier: string, value: unknown, time: number, isCurrent: boolean): void {
    const cell = toCell(value);
    this.#record(iotId, identifier.length + lengthOf(cell)).push(operations.value, identifier, time, cell, isCurrent ? 1 : 0);
  }

  saveEvent(iotId: string, event: { identifier: string; type: string; time: number; value: unknown }): void {
    const { identifier, type, time, value } = event;
    const cell = toCell(value);
    const items = this.#record(iotId, identifier.length + lengthOf(cell));
    items.push(operations.event, this.#queue.nextSequence(), time, identifier, type, cell);
  }

  saveCall(iotId: string, { identifier, time, input }: CallRecord): CallSlot {
    const sequence = this.#queue.nextSequence();
    const cell = toCell(input);
    this.#record(iotId, identifier.length + lengthOf(cell)).push(operations.call, sequence, time, identifier, cell);
    return { time, sequence };
  }

  saveAnswer(iotId: string, { time, sequence }: CallSlot, { answeredAt, code, output }: CallAnswer): void {
    const cell = toCell(output);
    this.#record(iotId, lengthOf(cell)).push(
      operations.answer,
      sequence,
      time,
      answeredAt,
      Number.isSafeInteger(code) ? code : unreadableCode,
      cell,
    );
  }

  committed(): Promise<void> {
    return this.#queue.committed();
  }

  async changeDesired(...[iotId, entries, time, isStrict]: Parameters<ThingHistory["changeDesired"]>): Promise<DesiredOutcome> {
    const written = entries.map(({ identifier, value, version }) => ({
      identifier,
      ...(value === undefined ? {} : { cell: toCell(value) }),
      ...(version === undefined ? {} : { version }),
    }));
    const change = { name: "desired", iotId, entries: written, time, isStrict } as const;
    // The writer's answer to this very request.
    return (await this.#askWriter((id) => ({ ...change, id }))) as DesiredOutcome;
  }

  async forgetDevice(iotId: string): Promise<void> {
    if (this.#isDormant) return;
    this.#forgetting.add(iotId);
    // After what was saved of it before.
    await this.committed();
    await this.#askWriter((id) => ({ name: "forget", id, iotId }));
    this.#forgetting.delete(iotId);
  }

  currentValues(iotId: string): Promise<ReadAnswers["currentValues"]> {
    return this.#read("currentValues", { iotId });
  }

  desired(iotId: string): Promise<ReadAnswers["desired"]> {
    return this.#read("desired", { iotId });
  }

  async values(iotId: string, identifier: string, range: TimeRange): Promise<ReadAnswers["values"]> {
    return this.#read("values", { iotId, identifier, range: this.#visible(range, 1) });
  }

  async aggregate(...[iotId, identifier, query]: Parameters<ThingHistory["aggregate"]>): Promise<ReadAnswers["aggregate"]> {
    return this.#read("aggregate", { iotId, identifier, query, visibleFrom: this.#visibleFrom() });
  }

  async events(...[iotId, filter, range]: Parameters<ThingHistory["events"]>): Promise<ReadAnswers["events"]> {
    return this.#read("events", { iotId, filter, range: this.#visible(range, 2) });
  }

  async calls(...[iotId, filter, range]: Parameters<ThingHistory["calls"]>): Promise<ReadAnswers["calls"]> {
    return this.#read("calls", { iotId, filter, range: this.#visible(range, 2) });
  }

  /** For tests: a thread dies as if by a fault of its own. */
  async killThread(which: "writer" | "reader"): Promise<void> {
    await (which === "writer" ? this.#writer : this.#reader).kill();
  }

  /** @param characters of the texts in the record */
  #record(iotId: string, characters: number): BatchItem[] {
    if (this.#isDormant) this.#wake();
    return this.#queue.begin(iotId, operations.device, characters);
  }

  #wake(): void {
    this.#isDormant = false;
    this.#writer.start();
    this.#trim();
  }

  #visibleFrom(): number {
    return this.#options.clock.now() - this.#options.limits.retentionDays * dayMilliseconds;
  }

  #visible(range: TimeRange, cursorParts: 1 | 2): ReadRange {
    const { cursor, ...rest } = range;
    return {
      ...rest,
      from: Math.max(range.from, this.#visibleFrom()),
      cursor: cursor === undefined ? undefined : readCursor(cursor, cursorParts),
    };
  }

  async #read<Name extends ReadName>(name: Name, request: ReadRequests[Name]): Promise<ReadAnswers[Name]> {
    const { readsWaitingMax } = this.#options.limits;
    if (this.#reads.size >= readsWaitingMax) throw new PlatformError("things.history_busy", { expected: readsWaitingMax });
    // What was committed comes into the tables a while later; of this device it does now. When that fails (a full disk, which is told
    // elsewhere), the last second is missing in the answer, and the rest is there.
    await this.#askWriter((id) => ({ name: "settle", id, iotId: request.iotId })).catch(() => undefined);
    // Started with the first question: a server that is asked nothing does not pay for it.
    if (!this.#reader.isRunning) this.#reader.start();
    // The type of the answer follows from the name of the question.
    return (await this.#reads.wait((id) => this.#reader.ask({ id, name, request } as ReaderRequest))) as ReadAnswers[Name];
  }

  /** Rejects when the writer is dead, dies or fails. */
  #askWriter(request: (id: number) => WriterRequest): Promise<unknown> {
    if (this.#isDormant) this.#wake();
    if (!this.#writer.isRunning) return Promise.reject(this.#problem("", "the thread is being started again"));
    return this.#changes.wait((id) => this.#writer.ask(request(id)));
  }

  #takeWriter(report: WriterReport): void {
    switch (report.name) {
      case "opened":
        this.#writer.worked();
        this.#queue.ready(report.sequence);
        this.#opening?.resolve();
        this.#opening = undefined;
        for (const iotId of this.#forgetting) this.#forgetAgain(iotId);
        return;
      case "openFailed": {
        const problem = this.#problem(report.driverCode, report.problem);
        if (this.#opening === undefined) this.#options.report(problem);
        this.#opening?.reject(problem);
        this.#opening = undefined;
        return;
      }
      case "committed":
        this.#queue.confirm(report.sequence);
        if (report.refusedSeries > 0 && !this.#isSeriesMaxTold) {
          this.#isSeriesMaxTold = true;
          this.#options.report(new PlatformError("things.series_max", { expected: this.#options.limits.seriesPerDeviceMax }));
        }
        return;
      case "failed":
        this.#tell(report.driverCode, report.problem);
        return;
      case "dropped":
        this.#options.report(
          new PlatformError("things.records_dropped", { file: this.#file, iotId: report.iotId, problem: report.problem }),
        );
        return;
      case "answer":
        this.#changes.resolve(report.id, report.value);
        return;
      case "requestFailed":
        this.#changes.reject(report.id, this.#problem(report.driverCode, report.problem));
    }
  }

  #takeReader(report: ReaderReport): void {
    this.#reader.worked();
    if (report.name === "answer") this.#reads.resolve(report.id, report.value);
    else this.#reads.reject(report.id, this.#problem(report.driverCode, report.problem));
  }

  #writerDied(problem: string): void {
    this.#queue.lost();
    if (this.#opening !== undefined) {
      this.#opening.reject(this.#problem("", problem));
      this.#opening = undefined;
      return;
    }
    this.#tell("", problem);
    this.#changes.rejectAll(this.#problem("", problem));
  }

  #forgetAgain(iotId: string): void {
    this.#askWriter((id) => ({ name: "forget", id, iotId })).then(
      () => this.#forgetting.delete(iotId),
      (error: PlatformError) => this.#options.report(error),
    );
  }

  #trim(): void {
    const { clock, limits } = this.#options;
    this.#writer.ask({ name: "trim", now: clock.now() });
    this.#cancelTrim = clock.after(limits.trimSeconds * 1000, () => this.#trim());
  }

  #tell(driverCode: string, problem: string): void {
    this.#options.report(this.#problem(driverCode, problem));
  }

  #problem(driverCode: string, problem: string): PlatformError {
    const code = codesByDriverCode.find(([pattern]) => pattern.test(driverCode))?.[1] ?? "things.history_failed";
    return new PlatformError(code, { file: this.#file, dataDir: this.#options.dataDir, problem });
  }
}

function lengthOf(cell: string | number): number {
  return typeof cell === "string" ? cell.length : 0;
}

function readCursor(cursor: string, parts: 1 | 2): number[] {
  const numbers = cursor.split(".").map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : Number.NaN));
  if (numbers.length !== parts || numbers.some(Number.isNaN)) throw new PlatformError("things.cursor_invalid");
  return numbers;
}
