/** What becomes of the journal when its thread dies or its disk refuses. Real threads and files; only the deaths are made. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import type { JournalOwner } from "@thingstead/mqtt";
import Database from "better-sqlite3";
import { afterEach, expect, test, vi } from "vitest";
import { systemClock } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { SettingsStore } from "../settings-store.ts";
import { startJournalWorker } from "./journal-thread.ts";
import { defaultJournalLimits } from "./limits.ts";
import { noteJournal } from "./note-journal.ts";
import { SqliteJournal } from "./sqlite-journal.ts";

const dataDirs: string[] = [];
const journals: SqliteJournal[] = [];

afterEach(async () => {
  for (const journal of journals.splice(0)) await journal.close();
  for (const dataDir of dataDirs.splice(0)) rmSync(dataDir, { recursive: true });
});

function dataDirOf(): string {
  const dataDir = mkdtempSync(join(tmpdir(), "thingstead-journal-"));
  dataDirs.push(dataDir);
  return dataDir;
}

function journalIn(dataDir: string, limits: Partial<typeof defaultJournalLimits> = {}) {
  const problems: PlatformError[] = [];
  const lost: PlatformError[] = [];
  const workers: Worker[] = [];
  /** How large the file may become for the next thread: the disk, as it were. */
  const disk = { bytes: limits.fileBytesMax ?? defaultJournalLimits.fileBytesMax };
  const journal = new SqliteJournal({
    dataDir,
    clock: systemClock,
    limits: { ...defaultJournalLimits, restartMilliseconds: 1, restartMillisecondsMax: 1, ...limits },
    startWorker(settings) {
      const worker = startJournalWorker({ ...settings, fileBytesMax: disk.bytes });
      workers.push(worker);
      return worker;
    },
    report: (problem) => problems.push(problem),
    gaveUp: (problem) => lost.push(problem),
  });
  journals.push(journal);
  return { journal, problems, lost, workers, disk };
}

const nobody: JournalOwner = { rewrite: () => [][Symbol.iterator](), caughtUp: () => {} };
const committed = (journal: SqliteJournal): Promise<void> => new Promise((resolve) => journal.afterCommit(resolve));
const retained = (topic: string, payload = Buffer.from(topic)) => ({ topic, payload, qos: 1 as const, receivedAt: 1 });
const codes = (problems: readonly PlatformError[]) => problems.map(({ code }) => code);

async function topicsIn(dataDir: string): Promise<string[]> {
  const { journal } = journalIn(dataDir);
  const contents = await journal.open(nobody);
  await journal.close();
  return contents.retained.map(({ message }) => message.topic);
}

test("a thread that dies is replaced, and the next one writes what was not confirmed", async () => {
  const dataDir = dataDirOf();
  const { journal, problems, lost, workers } = journalIn(dataDir);
  await journal.open(nobody);
  journal.saveRetained(retained("before"), undefined);
  await committed(journal);
  const order: string[] = [];
  // Several batches wait: one is with the thread when it dies.
  for (const topic of ["one", "two", "three"]) {
    journal.saveRetained(retained(topic), undefined);
    journal.afterCommit(() => order.push(topic));
    if (topic === "one") void workers[0]?.terminate();
  }
  await committed(journal);
  expect(order).toEqual(["one", "two", "three"]);
  expect(workers.length).toBe(2);
  expect(codes(problems)).toEqual(["store.journal_stopped"]);
  expect(lost).toEqual([]);
  await journal.close();
  expect(await topicsIn(dataDir)).toEqual(["before", "one", "two", "three"]);
});

test("a death at any moment writes every batch once and in order", async () => {
  const dataDir = dataDirOf();
  const { journal, workers, lost } = journalIn(dataDir, { gatherMilliseconds: 0, gatherBusyMilliseconds: 0 });
  await journal.open(nobody);
  const confirmed: number[] = [];
  for (let number = 1; number <= 60; number += 1) {
    journal.saveRetained(retained(String(number)), undefined);
    const isSafe = committed(journal).then(() => confirmed.push(number));
    // Sometimes before the thread saw the batch, sometimes after it wrote it.
    if (number % 6 === 0) {
      for (let turn = 0; turn < number / 6; turn += 1) await new Promise(setImmediate);
      void workers.at(-1)?.terminate();
    }
    await isSafe;
  }
  expect(confirmed).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  expect(workers.length).toBe(11);
  expect(lost).toEqual([]);
  await journal.close();
  expect(await topicsIn(dataDir)).toEqual(confirmed.map(String));
});

test("a death between two commits costs nothing, and an orderly end waits for the successor", async () => {
  const dataDir = dataDirOf();
  const { journal, workers } = journalIn(dataDir);
  await journal.open(nobody);
  await workers[0]?.terminate();
  journal.saveRetained(retained("kept"), undefined);
  await journal.close();
  expect(await topicsIn(dataDir)).toEqual(["kept"]);
});

test("after restartsMax deaths without a commit it gives up once, and has called nobody back", async () => {
  const dataDir = dataDirOf();
  const { journal, problems, lost, workers } = journalIn(dataDir, { restartsMax: 2 });
  await journal.open(nobody);
  // A table of another shape: opening succeeds, committing does not.
  await workers[0]?.terminate();
  const other = new Database(join(dataDir, "journal.db"));
  other.exec("drop table batch; create table batch (number integer primary key)");
  other.close();
  let calls = 0;
  journal.saveRetained(retained("never"), undefined);
  journal.afterCommit(() => (calls += 1));
  await vi.waitFor(() => expect(codes(lost)).toEqual(["store.journal_lost"]), { timeout: 10_000 });
  expect(workers.length).toBe(3);
  expect(calls).toBe(0);
  expect(codes(problems)).toContain("store.journal_stopped");
  expect(lost[0]?.details).toMatchObject({ file: join(dataDir, "journal.db"), problem: expect.stringContaining("checksum") });
});

test("a successor that finds another file gives up instead of writing a log with a hole", async () => {
  const dataDir = dataDirOf();
  const { journal, lost, workers } = journalIn(dataDir);
  await journal.open(nobody);
  journal.saveRetained(retained("gone"), undefined);
  await committed(journal);
  await workers[0]?.terminate();
  for (const suffix of ["", "-wal"]) rmSync(join(dataDir, `journal.db${suffix}`), { force: true });
  let calls = 0;
  journal.saveRetained(retained("never"), undefined);
  journal.afterCommit(() => (calls += 1));
  await vi.waitFor(() => expect(codes(lost)).toEqual(["store.journal_lost"]), { timeout: 10_000 });
  expect(calls).toBe(0);
});

test("a full file acknowledges nothing new, loses nothing old, and goes on when there is space", async () => {
  const dataDir = dataDirOf();
  const { journal, problems, lost, workers, disk } = journalIn(dataDir, { fileBytesMax: 400 * 1024, retryMilliseconds: 2 });
  await journal.open(nobody);
  const safe: string[] = [];
  const written: string[] = [];
  const payload = Buffer.alloc(8 * 1024, 1);
  while (problems.length === 0) {
    const topic = `t/${written.length}`;
    journal.saveRetained(retained(topic, payload), undefined);
    written.push(topic);
    journal.afterCommit(() => safe.push(topic));
    await vi.waitFor(() => expect(safe.length === written.length || problems.length > 0).toBe(true), { interval: 1 });
  }
  expect(codes(problems)).toEqual(["store.journal_full"]);
  const before = [...safe];
  expect(before.length).toBeGreaterThan(20);
  expect(before).toEqual(written.slice(0, -1));
  // Several tries later nothing more is acknowledged, and it is not told again.
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(safe).toEqual(before);
  expect(problems.length).toBe(1);
  // Somebody makes room: a thread may let the file grow.
  disk.bytes *= 2;
  await workers[0]?.terminate();
  await vi.waitFor(() => expect(safe).toEqual(written));
  expect(lost).toEqual([]);
  await journal.close();
  expect(await topicsIn(dataDir)).toEqual(written);
});

test("a journal that another one takes the place of is told at the next start, once", async () => {
  const values = new Map<string, string>();
  const settings: SettingsStore = {
    read: async (key) => values.get(key),
    write: async (key, value) => void values.set(key, value),
    remove: async (key) => void values.delete(key),
  };
  const dataDir = dataDirOf();
  const start = async (): Promise<string[]> => {
    const told: PlatformError[] = [];
    const { journal } = journalIn(dataDir);
    await journal.open(nobody);
    await noteJournal(settings, dataDir, journal.fileId, (problem) => told.push(problem));
    await journal.close();
    return codes(told);
  };
  expect(await start()).toEqual([]);
  expect(await start()).toEqual([]);
  rmSync(join(dataDir, "journal.db"));
  expect(await start()).toEqual(["store.journal_missing"]);
  expect(await start()).toEqual([]);
  expect(new PlatformError("store.journal_missing", { file: "f" }).message).toContain("f");
});
