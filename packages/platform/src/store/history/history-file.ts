/** The file of the history: its tables, and those of one day each. */
import { closeSync, openSync } from "node:fs";
import Database from "better-sqlite3";
import type { StoredCell, WorkerSettings } from "./worker-messages.ts";

/** Values, events and calls lie in tables of one day each, by the time they tell: a day past retention goes as a whole. */
export const dayMilliseconds = 24 * 60 * 60 * 1000;

export const dayOf = (time: number): number => Math.floor(time / dayMilliseconds);

export type DayKind = "property" | "event" | "call";

const dayTables: Readonly<Record<DayKind, string>> = {
  property: "(series integer not null, time integer not null, value any, primary key (series, time)) strict, without rowid",
  event:
    "(device integer not null, time integer not null, sequence integer not null, identifier text not null, type text not null, value any, primary key (device, time, sequence)) strict, without rowid",
  call: "(device integer not null, time integer not null, sequence integer not null, identifier text not null, input any, answered_at integer, code integer, output any, primary key (device, time, sequence)) strict, without rowid",
};

const tables = `
  create table if not exists meta (id integer primary key check (id = 1), sequence integer not null) strict;
  insert or ignore into meta values (1, 0);
  -- What is committed and not sorted into the tables yet: JSON lists of records.
  create table if not exists log (sequence integer primary key, items text not null) strict;
  -- A deleted device has no iot_id; its rows go a few at a time.
  create table if not exists device (id integer primary key, iot_id text unique) strict;
  -- One property of one device, with its current value.
  create table if not exists series (
    id integer primary key, device integer not null, identifier text not null, time integer, value any, unique (device, identifier)
  ) strict;
  create table if not exists desired (
    device integer not null, identifier text not null, time integer not null, value any, version integer not null,
    primary key (device, identifier)
  ) strict, without rowid;
`;

/** The writer's connection: makes the file and its tables. */
export function openToWrite(settings: WorkerSettings): Database.Database {
  const { file, lockWaitMilliseconds, fileBytesMax, cacheBytes } = settings;
  // Made here so that nobody else may read it; the write-ahead log takes over the mode.
  closeSync(openSync(file, "a", 0o600));
  const database = new Database(file, { timeout: lockWaitMilliseconds });
  try {
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = FULL");
    database.pragma("wal_autocheckpoint = 2000");
    database.pragma("journal_size_limit = 33554432");
    database.pragma(`cache_size = -${Math.max(1, Math.floor(cacheBytes / 1024))}`);
    const pageBytes = Number(database.pragma("page_size", { simple: true }));
    database.pragma(`max_page_count = ${Math.max(2, Math.floor(fileBytesMax / pageBytes))}`);
    database.exec(`begin immediate; ${tables} commit`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** The reader's connection: sees what is committed and changes nothing. */
export function openToRead({ file, lockWaitMilliseconds, cacheBytes }: WorkerSettings): Database.Database {
  const database = new Database(file, { timeout: lockWaitMilliseconds, readonly: true, fileMustExist: true });
  database.pragma(`cache_size = -${Math.max(1, Math.floor(cacheBytes / 1024))}`);
  return database;
}

/** Days of one kind that have a table, oldest first. */
export function listDays(database: Database.Database, kind: DayKind): number[] {
  const names = database
    .prepare<[string], string>("select name from sqlite_schema where type = 'table' and name glob ?")
    .pluck()
    .all(`${kind}_[0-9]*`);
  return names.map((name) => Number(name.slice(kind.length + 1))).sort((one, other) => one - other);
}

export function createDay(database: Database.Database, kind: DayKind, day: number): void {
  database.exec(`create table if not exists ${kind}_${day} ${dayTables[kind]}`);
}

export function dropDay(database: Database.Database, kind: DayKind, day: number): void {
  database.exec(`drop table if exists ${kind}_${day}`);
}

export function toCell(value: unknown): StoredCell {
  // Infinity is a number that JSON has no word for (1e999).
  return typeof value === "number" && Number.isFinite(value) ? value : (JSON.stringify(value) ?? "null");
}

export function fromCell(cell: StoredCell): unknown {
  return typeof cell === "number" ? cell : JSON.parse(cell);
}

export const driverCodeOf = (error: unknown): string => (error instanceof Database.SqliteError ? error.code : "");
