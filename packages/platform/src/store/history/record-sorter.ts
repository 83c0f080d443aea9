/**
 * A batch is committed as one row of a log: little to write, in one place. What gathered in the log is sorted into the tables
 * by device, a slice at a time: a page of a table is then written once for many records, not once for each.
 */
import type Database from "better-sqlite3";
import { BatchApplier } from "./batch-applier.ts";
import { driverCodeOf } from "./history-file.ts";
import { PendingRecords } from "./pending-records.ts";
import type { Batch, BatchItem, WorkerSettings } from "./worker-messages.ts";

export class RecordSorter {
  readonly applier: BatchApplier;
  readonly #database: Database.Database;
  readonly #settings: WorkerSettings;
  readonly #insertLog: Database.Statement<[number, string]>;
  readonly #transaction: (work: () => void) => void;
  readonly #drop: (iotId: string, error: unknown) => void;
  #gathered = new PendingRecords();
  /** What is being sorted; when it is empty the log up to `#sortedUpTo` can go. */
  #sorting = new PendingRecords();
  #sortedUpTo = 0;
  #sequence: number;
  #now = 0;

  /** @param drop told of records that are given up */
  constructor(database: Database.Database, settings: WorkerSettings, drop: (iotId: string, error: unknown) => void) {
    this.#drop = drop;
    this.applier = new BatchApplier(database, settings);
    this.#database = database;
    this.#settings = settings;
    this.#insertLog = database.prepare("insert into log (sequence, items) values (?, ?)");
    const transaction = database.transaction((work: () => void) => work());
    this.#transaction = (work) => transaction.immediate(work);
    this.#sequence = Number(
      database.prepare("select max((select sequence from meta), (select ifnull(max(sequence), 0) from log))").pluck().get(),
    );
    for (const items of database.prepare<[], string>("select items from log order by sequence").pluck().iterate())
      this.#gathered.add(JSON.parse(items) as BatchItem[]);
  }

  /** Of the batch committed last. */
  get sequence(): number {
    return this.#sequence;
  }

  get isTooMuch(): boolean {
    return this.#gathered.records >= this.#settings.sortRecordsMax;
  }

  get isSorting(): boolean {
    return this.#sorting.records > 0 || this.#sortedUpTo > 0;
  }

  get isEmpty(): boolean {
    return this.#gathered.records === 0 && !this.isSorting;
  }

  /** On the disk when it returns. */
  commit({ sequence, items, now }: Batch): void {
    // Sent again after a death of this thread: it may be there already.
    if (sequence <= this.#sequence) return;
    while (this.#gathered.records + this.#sorting.records >= this.#settings.sortRecordsMax * 2) this.sortSome();
    this.#insertLog.run(sequence, items);
    this.#sequence = sequence;
    this.#now = now;
    this.#gathered.add(JSON.parse(items) as BatchItem[]);
  }

  /** One slice. False when nothing is left. */
  sortSome(): boolean {
    if (!this.isSorting) {
      if (this.#gathered.records === 0) return false;
      this.#sorting = this.#gathered;
      this.#gathered = new PendingRecords();
      this.#sortedUpTo = this.#sequence;
    }
    const slice = this.#sorting.first(this.#settings.sliceRecords);
    // The log has all of it until it is deleted, in the order of commits: a slice need not be on the disk at once.
    this.#database.pragma("synchronous = NORMAL");
    try {
      if (slice.length === 0) this.#forgetLog();
      else this.#sort(slice);
    } finally {
      this.#database.pragma("synchronous = FULL");
    }
    return !this.isEmpty;
  }

  sortAll(): void {
    while (this.sortSome());
  }

  /** Everything of one device. */
  settle(iotId: string): void {
    for (const pending of [this.#sorting, this.#gathered]) {
      const items = pending.of(iotId);
      if (items.length === 0) continue;
      this.#apply([[iotId, items]]);
      pending.remove(iotId);
    }
  }

  #forgetLog(): void {
    this.#transaction(() => {
      this.#database.prepare("delete from log where sequence <= ?").run(this.#sortedUpTo);
      this.#database.prepare("update meta set sequence = ?").run(this.#sortedUpTo);
    });
    this.#sortedUpTo = 0;
  }

  /** All devices in one transaction; when one has what no table takes, each in its own, and that one's records are dropped. */
  #sort(slice: readonly (readonly [iotId: string, items: readonly BatchItem[]])[]): void {
    try {
      this.#apply(slice);
    } catch (error) {
      if (!isFaultOfData(error)) throw error;
      const [first, ...others] = slice;
      if (first === undefined) return;
      if (others.length > 0) {
        for (const one of slice) this.#sort([one]);
        return;
      }
      this.#drop(first[0], error);
    }
    for (const [iotId] of slice) this.#sorting.remove(iotId);
  }

  #apply(parts: readonly (readonly [iotId: string, items: readonly BatchItem[]])[]): void {
    try {
      this.#transaction(() => {
        for (const [iotId, items] of parts) this.applier.apply(iotId, items, this.#now);
      });
    } catch (error) {
      this.applier.forgetAll();
      throw error;
    }
  }
}

/** Not the disk's: trying again would fail again. */
function isFaultOfData(error: unknown): boolean {
  return (
    /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE|ERROR)/.test(driverCodeOf(error)) ||
    error instanceof TypeError ||
    error instanceof RangeError
  );
}
