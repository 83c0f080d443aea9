/**
 * A batch is committed as one row of a log: little to write, in one place. What gathered in the log is sorted into the tables
 * by device, a slice at a time: a page of a table is then written once for many records, not once for each.
 */
import type Database from "better-sqlite3";
import { BatchApplier } from "./batch-applier.ts";
import { PendingRecords } from "./pending-records.ts";
import type { Batch, BatchItem, WorkerSettings } from "./worker-messages.ts";

export class RecordSorter {
  readonly applier: BatchApplier;
  readonly #database: Database.Database;
  readonly #settings: WorkerSettings;
  readonly #insertLog: Database.Statement<[number, string]>;
  readonly #transaction: (work: () => void) => void;
  #gathered = new PendingRecords();
  /** What is being sorted; when it is empty the log up to `#sortedUpTo` can go. */
  #sorting = new PendingRecords();
  #sortedUpTo = 0;
  #sequence: number;
  #now = 0;

  constructor(database: Database.Database, settings: WorkerSettings) {
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
      this.#transaction(() => {
        for (const [iotId, items] of slice) this.applier.apply(iotId, items, this.#now);
        if (slice.length === 0) this.#forgetLog();
      });
    } catch (error) {
      this.applier.forgetAll();
      throw error;
    } finally {
      this.#database.pragma("synchronous = FULL");
    }
    for (const [iotId] of slice) this.#sorting.remove(iotId);
    if (slice.length === 0) this.#sortedUpTo = 0;
    return !this.isEmpty;
  }

  sortAll(): void {
    while (this.sortSome());
  }

  /** Everything of one device. */
  settle(iotId: string): void {
    const parts = [this.#sorting.of(iotId), this.#gathered.of(iotId)].filter((items) => items.length > 0);
    if (parts.length === 0) return;
    try {
      this.#transaction(() => {
        for (const items of parts) this.applier.apply(iotId, items, this.#now);
      });
    } catch (error) {
      this.applier.forgetAll();
      throw error;
    }
    this.#sorting.remove(iotId);
    this.#gathered.remove(iotId);
  }

  #forgetLog(): void {
    this.#database.prepare("delete from log where sequence <= ?").run(this.#sortedUpTo);
    this.#database.prepare("update meta set sequence = ?").run(this.#sortedUpTo);
  }
}
