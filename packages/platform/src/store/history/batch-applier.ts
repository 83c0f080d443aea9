/**
 * Puts records into their tables, which may be done twice: after a crash the log is gone through again. Inside the caller's
 * transaction; after a failure `forgetAll` must be called.
 */
import type Database from "better-sqlite3";
import { createDay, type DayKind, dayMilliseconds, dayOf, dropDay, listDays } from "./history-file.ts";
import { type BatchItem, operations, recordLength, type WorkerSettings } from "./worker-messages.ts";

interface Series {
  id: number;
  identifier: string;
  /** Of the current value; undefined when there is history only. */
  time: number | undefined;
  value: BatchItem | undefined;
  isDirty: boolean;
}

interface KnownDevice {
  id: number;
  series: Map<string, Series>;
}

type Run = Database.Statement<unknown[]>;

const insertSql: Readonly<Record<DayKind, string>> = {
  // Of two values of one time the later one stays.
  property: "(series, time, value) values (?, ?, ?) on conflict (series, time) do update set value = excluded.value",
  event: "(device, time, sequence, identifier, type, value) values (?, ?, ?, ?, ?, ?) on conflict do nothing",
  call: "(device, time, sequence, identifier, input) values (?, ?, ?, ?, ?) on conflict do nothing",
};

const kinds = ["property", "event", "call"] as const;

export class BatchApplier {
  readonly #database: Database.Database;
  readonly #settings: WorkerSettings;
  readonly #findDevice: Run;
  readonly #insertDevice: Run;
  readonly #listSeries: Run;
  readonly #insertSeries: Run;
  readonly #updateCurrent: Run;
  readonly #devices = new Map<string, KnownDevice>();
  readonly #inserts: Record<DayKind, Map<number, Run>> = { property: new Map(), event: new Map(), call: new Map() };
  #dirty: Series[] = [];
  #refusedSeries = 0;

  constructor(database: Database.Database, settings: WorkerSettings) {
    this.#database = database;
    this.#settings = settings;
    this.#findDevice = database.prepare("select id from device where iot_id = ?").pluck();
    this.#insertDevice = database.prepare("insert into device (iot_id) values (?)");
    this.#listSeries = database.prepare("select id, identifier, time from series where device = ?");
    this.#insertSeries = database.prepare("insert into series (device, identifier) values (?, ?)");
    this.#updateCurrent = database.prepare("update series set time = ?, value = ? where id = ?");
  }

  /** Values of properties beyond the limit of their device since the last call. */
  takeRefusedSeries(): number {
    const count = this.#refusedSeries;
    this.#refusedSeries = 0;
    return count;
  }

  /** What is in memory may be what was rolled back. */
  forgetAll(): void {
    this.#devices.clear();
    this.#dirty = [];
    for (const kind of kinds) this.#inserts[kind].clear();
  }

  forgetDevice(iotId: string): void {
    this.#devices.delete(iotId);
  }

  deviceId(iotId: string): number {
    return this.#device(iotId).id;
  }

  /** @param items records of one device, without the operation that names it */
  apply(iotId: string, items: readonly BatchItem[], now: number): void {
    const visibleFrom = now - this.#settings.retentionMilliseconds;
    const device = this.#device(iotId);
    for (let at = 0; at < items.length; ) {
      switch (items[at]) {
        case operations.value:
          this.#value(device, items, at, visibleFrom);
          break;
        case operations.event: {
          const time = Number(items[at + 2]);
          if (time >= visibleFrom)
            this.#insert("event", time).run(device.id, time, items[at + 1], items[at + 3], items[at + 4], items[at + 5]);
          break;
        }
        case operations.call: {
          const time = Number(items[at + 2]);
          this.#insert("call", time).run(device.id, time, items[at + 1], items[at + 3], items[at + 4]);
          break;
        }
        case operations.answer:
          this.#answer(device, items, at);
          break;
      }
      at += recordLength(items[at]);
    }
    for (const series of this.#dirty) {
      this.#updateCurrent.run(series.time, series.value, series.id);
      series.isDirty = false;
    }
    this.#dirty = [];
  }

  /** Days that ended before `before` go. */
  trim(before: number): void {
    for (const kind of kinds) {
      for (const day of listDays(this.#database, kind)) {
        if ((day + 1) * dayMilliseconds > before) continue;
        this.#inserts[kind].delete(day);
        dropDay(this.#database, kind, day);
      }
    }
  }

  #value(device: KnownDevice, items: readonly BatchItem[], at: number, visibleFrom: number): void {
    const series = this.#series(device, String(items[at + 1]));
    if (series === undefined) return;
    const time = Number(items[at + 2]);
    const cell = items[at + 3];
    if (time >= visibleFrom) this.#insert("property", time).run(series.id, time, cell);
    if (items[at + 4] !== 1 || (series.time !== undefined && series.time > time)) return;
    series.time = time;
    series.value = cell;
    if (series.isDirty) return;
    series.isDirty = true;
    this.#dirty.push(series);
  }

  #answer(device: KnownDevice, items: readonly BatchItem[], at: number): void {
    const time = Number(items[at + 2]);
    // The call's day may be gone by now.
    this.#insert("call", time);
    this.#database
      .prepare(`update call_${dayOf(time)} set answered_at = ?, code = ?, output = ? where device = ? and time = ? and sequence = ?`)
      .run(items[at + 3], items[at + 4], items[at + 5], device.id, time, items[at + 1]);
  }

  #device(iotId: string): KnownDevice {
    const found = this.#devices.get(iotId);
    if (found !== undefined) return found;
    const id = this.#findDevice.get(iotId) as number | undefined;
    const device: KnownDevice = { id: id ?? Number(this.#insertDevice.run(iotId).lastInsertRowid), series: new Map() };
    if (id !== undefined) {
      for (const row of this.#listSeries.all(id) as { id: number; identifier: string; time: number | null }[])
        device.series.set(row.identifier, { ...row, time: row.time ?? undefined, value: undefined, isDirty: false });
    }
    this.#devices.set(iotId, device);
    if (this.#devices.size > this.#settings.devicesCachedMax) {
      const oldest = this.#devices.keys().next();
      if (!oldest.done) this.#devices.delete(oldest.value);
    }
    return device;
  }

  #series(device: KnownDevice, identifier: string): Series | undefined {
    const found = device.series.get(identifier);
    if (found !== undefined) return found;
    if (device.series.size >= this.#settings.seriesPerDeviceMax) {
      this.#refusedSeries += 1;
      return undefined;
    }
    const { lastInsertRowid } = this.#insertSeries.run(device.id, identifier);
    const series: Series = { id: Number(lastInsertRowid), identifier, time: undefined, value: undefined, isDirty: false };
    device.series.set(identifier, series);
    return series;
  }

  /** The prepared insert into the day's table, which is made when there is none. */
  #insert(kind: DayKind, time: number): Run {
    const day = dayOf(time);
    const known = this.#inserts[kind].get(day);
    if (known !== undefined) return known;
    createDay(this.#database, kind, day);
    const statement: Run = this.#database.prepare(`insert into ${kind}_${day} ${insertSql[kind]}`);
    this.#inserts[kind].set(day, statement);
    return statement;
  }
}
