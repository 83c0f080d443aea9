/**
 * Owns the journal's file in a thread of its own, so that a slow disk stops nobody. One batch is one row and one commit.
 */
import { closeSync, openSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { crc32 } from "node:zlib";
import Database from "better-sqlite3";
import { systemClock } from "../../clock.ts";
import type { CommitRequest, WorkerReport, WorkerRequest, WorkerSettings } from "./worker-messages.ts";

const { file, lockWaitMilliseconds, retryMilliseconds, fileBytesMax, newFileId, isSuccessor } = workerData as WorkerSettings;
const port = parentPort;
if (port === null) throw new Error("this file is run as a worker");

function report(message: WorkerReport, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

const driverCodeOf = (error: unknown): string => (error instanceof Database.SqliteError ? error.code : "");
/** What passes when somebody makes room or lets go: the same batch is tried again on the same file. */
const passingPattern = /^SQLITE_(FULL|BUSY|LOCKED)/;

function openJournal(): Database.Database {
  // Made here so that nobody else may read it; the write-ahead log takes over the mode.
  closeSync(openSync(file, "a", 0o600));
  const database = new Database(file, { timeout: lockWaitMilliseconds });
  database.pragma("locking_mode = EXCLUSIVE");
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  // A commit that meets a checkpoint waits for it: short ones, and a log that does not stay large.
  database.pragma("wal_autocheckpoint = 1000");
  database.pragma("journal_size_limit = 16777216");
  const pageBytes = Number(database.pragma("page_size", { simple: true }));
  database.pragma(`max_page_count = ${Math.max(2, Math.floor(fileBytesMax / pageBytes))}`);
  database.exec(
    "begin immediate; create table if not exists batch (number integer primary key, checksum integer not null, data blob not null); commit",
  );
  if (fileIdOf(database) === 0) database.pragma(`user_version = ${newFileId}`);
  return database;
}

function fileIdOf(database: Database.Database): number {
  return Number(database.pragma("user_version", { simple: true }));
}

/** Hands every batch over, checked, oldest first. False when one is damaged. */
function load(database: Database.Database): boolean {
  const rows = database.prepare<[], { number: number; checksum: number; data: Buffer }>(
    "select number, checksum, data from batch order by number",
  );
  let expected: number | undefined;
  for (const { number, checksum, data } of rows.iterate()) {
    if (expected !== undefined && number !== expected) {
      report({ name: "damaged", problem: `batch ${expected} is missing` });
      return false;
    }
    if (crc32(data) !== checksum) {
      report({ name: "damaged", problem: `the checksum of batch ${number} is wrong` });
      return false;
    }
    expected = number + 1;
    // In memory of its own: the driver's may be shared.
    const bytes = new Uint8Array(data);
    report({ name: "batch", number, bytes }, [bytes.buffer]);
  }
  return true;
}

function serve(database: Database.Database): void {
  const insert = database.prepare<[number, number, Uint8Array]>("insert into batch (number, checksum, data) values (?, ?, ?)");
  const remove = database.prepare<[number]>("delete from batch where number <= ?");
  const insertAndRemove = database.transaction((number: number, checksum: number, data: Uint8Array, forgetUpTo: number) => {
    // In this order: in a full file the new takes the place of the old.
    remove.run(forgetUpTo);
    insert.run(number, checksum, data);
  });
  let isFailing = false;

  function end(): void {
    database.close();
    port?.close();
  }

  function fail(error: unknown, request: CommitRequest): void {
    const [driverCode, problem] = [driverCodeOf(error), (error as Error).message];
    if (!passingPattern.test(driverCode)) {
      // After a failed sync nobody knows what of it reached the disk: the file is opened anew by the next worker.
      report({ name: "gaveUp", driverCode, problem });
      end();
      return;
    }
    // Told once; nothing is acknowledged meanwhile.
    if (!isFailing) report({ name: "failed", driverCode, problem });
    isFailing = true;
    systemClock.after(retryMilliseconds, () => commit(request));
  }

  function commit(request: CommitRequest): void {
    if (!database.open) return;
    const { number, memory, length, forgetUpTo } = request;
    const data = new Uint8Array(memory, 0, length);
    try {
      const checksum = crc32(data);
      if (forgetUpTo === 0) insert.run(number, checksum, data);
      else insertAndRemove(number, checksum, data, forgetUpTo);
    } catch (error) {
      fail(error, request);
      return;
    }
    isFailing = false;
    report({ name: "committed", number });
  }

  port?.on("message", (request: WorkerRequest) => {
    if (request.name === "commit") commit(request);
    else end();
  });
  const last = database.prepare<[], number | null>("select max(number) from batch").pluck().get();
  report({ name: "opened", fileId: fileIdOf(database), last: last ?? 0 });
}

let database: Database.Database | undefined;
try {
  database = openJournal();
  if (isSuccessor || load(database)) serve(database);
  else database.close();
} catch (error) {
  database?.close();
  report({ name: "gaveUp", driverCode: driverCodeOf(error), problem: (error as Error).message });
}
