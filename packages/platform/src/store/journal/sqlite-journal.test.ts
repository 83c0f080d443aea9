import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Journal,
  type JournalOwner,
  type JournalSlot,
  journalOrderCases,
  journalSurvivalCases,
  type OwedMessage,
} from "@thingstead/mqtt";
import Database from "better-sqlite3";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../clock.ts";
import type { PlatformError } from "../../errors/index.ts";
import { defaultJournalLimits } from "./limits.ts";
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
  const journal = new SqliteJournal({
    dataDir,
    clock: systemClock,
    limits: { ...defaultJournalLimits, ...limits },
    report: (problem) => problems.push(problem),
  });
  journals.push(journal);
  return { journal, problems };
}

for (const { name, run } of [...journalOrderCases, ...journalSurvivalCases]) {
  test(`SQLite journal: ${name}`, () => {
    const dataDir = dataDirOf();
    let last: Journal | undefined;
    return run({
      async create() {
        // Only one may have the file; what was committed is asked for, not what an orderly end would add.
        await last?.close();
        last = journalIn(dataDir).journal;
        return last;
      },
    });
  });
}

const behaviour = {
  qosMax: 1,
  onQosAboveMax: "disconnect",
  retain: "store",
  will: "ignore",
  wildcards: true,
  sharedSubscriptions: false,
  deliveryQos: "minimum",
  onPublishRefused: "acknowledge",
  subscriptionsMax: 10,
  filtersPerSubscribeMax: 10,
  receiveMaximum: 10,
  inflightMax: 10,
  payloadBytesMax: 1000,
  topicBytesMax: 100,
  topicAliasMax: 0,
  sessionExpirySecondsMax: 60,
  queueMessagesMax: 10,
  queueBytesMax: 1000,
  queueAgeSecondsMax: 60,
} as const;
const nobody: JournalOwner = { rewrite: () => [][Symbol.iterator](), caughtUp: () => {} };
const committed = (journal: Journal): Promise<void> => new Promise((resolve) => journal.afterCommit(resolve));
const retained = (text: string) => ({ topic: "a", payload: Buffer.from(text), qos: 1 as const, receivedAt: 1 });

function owed(sequence: number, payload = Buffer.alloc(1000)): OwedMessage {
  const message = { topic: "t", payload, properties: undefined, receivedAt: 1 };
  return { sequence, message, qos: 1, isRetained: false, identifiers: undefined, shareFilter: undefined, packetId: 0, isReleased: false };
}

/** Changes the file behind the journal's back. */
function tamper(dataDir: string, sql: string): void {
  const database = new Database(join(dataDir, "journal.db"));
  database.exec(sql);
  database.close();
}

async function filled(): Promise<string> {
  const dataDir = dataDirOf();
  const { journal } = journalIn(dataDir);
  await journal.open(nobody);
  for (const text of ["one", "two", "three"]) {
    journal.saveRetained(retained(text), undefined);
    await committed(journal);
  }
  await journal.close();
  return dataDir;
}

test("nobody else may read the file, and only one process may have it", async () => {
  const dataDir = dataDirOf();
  const { journal } = journalIn(dataDir);
  await journal.open(nobody);
  expect(statSync(join(dataDir, "journal.db")).mode & 0o777).toBe(0o600);
  const { journal: other } = journalIn(dataDir, { lockWaitMilliseconds: 50 });
  await expect(other.open(nobody)).rejects.toMatchObject({ code: "store.locked" });
});

test.each([
  ["a changed byte", "update batch set data = cast(substr(data, 1, 5) || 'x' || substr(data, 7) as blob) where number = 2"],
  ["a lost batch", "delete from batch where number = 2"],
  ["a lost end", "update batch set data = substr(data, 1, length(data) - 1) where number = 3"],
  ["a foreign table", "drop table batch; create table batch (number integer primary key, other text)"],
])("%s is refused with a code and left as it is", async (_name, sql) => {
  const dataDir = await filled();
  tamper(dataDir, sql);
  const { journal } = journalIn(dataDir);
  await expect(journal.open(nobody)).rejects.toMatchObject({
    code: "store.journal_damaged",
    details: { file: join(dataDir, "journal.db") },
  });
});

test("a file that is no database is refused", async () => {
  const dataDir = dataDirOf();
  writeFileSync(join(dataDir, "journal.db"), "not a database, but long enough to look at ".repeat(40));
  const { journal } = journalIn(dataDir);
  await expect(journal.open(nobody)).rejects.toMatchObject({ code: "store.journal_damaged" });
});

test("a data directory that cannot be written is told as such", async () => {
  const { journal } = journalIn("/proc/none");
  await expect(journal.open(nobody)).rejects.toMatchObject({ code: "store.unwritable" });
});

test("the log forgets what is dead and keeps what is alive; the file stays bounded", async () => {
  const dataDir = dataDirOf();
  const limits = { segmentBytes: 16 * 1024, compactBytesMin: 128 * 1024 };
  const { journal, problems } = journalIn(dataDir, limits);
  let slot: JournalSlot | undefined;
  let sessionSlot: JournalSlot | undefined;
  const saveSession = (): void => {
    const session = {
      key: 1,
      sessionId: "s",
      protocolVersion: 4,
      behaviour,
      subscriptions: [],
      cancelledFilters: [],
      receivedIds: [],
    } as const;
    sessionSlot = journal.saveSession({ ...session, subscriptions: [], cancelledFilters: [], receivedIds: [] }, sessionSlot);
  };
  const keepers = new Map<number, JournalSlot>();
  await journal.open({
    caughtUp: () => {},
    *rewrite(slotNumberMax) {
      if (slot !== undefined && slot.number <= slotNumberMax) slot = journal.saveRetained(retained("kept"), slot);
      if (sessionSlot !== undefined && sessionSlot.number <= slotNumberMax) saveSession();
      for (const [sequence, old] of keepers) {
        if (old.number > slotNumberMax) continue;
        journal.forget(old);
        keepers.set(sequence, journal.appendMessage(1, owed(sequence, Buffer.from(String(sequence)))));
        yield undefined;
      }
    },
  });
  slot = journal.saveRetained(retained("kept"), undefined);
  saveSession();
  for (let sequence = 1; sequence <= 3000; sequence += 1) {
    const message = journal.appendMessage(1, owed(sequence));
    if (sequence % 100 === 0) keepers.set(sequence, message);
    else journal.removeMessage(1, sequence, message);
    if (sequence % 10 === 0) await committed(journal);
  }
  await journal.close();
  expect(problems).toEqual([]);
  // Three megabytes went through it.
  expect(statSync(join(dataDir, "journal.db")).size).toBeLessThan(1024 * 1024);
  const { journal: again } = journalIn(dataDir, limits);
  const { sessions, retained: messages } = await again.open(nobody);
  expect(sessions.flatMap((entry) => entry.messages.map((message) => message.owed.sequence))).toEqual([...keepers.keys()]);
  expect(messages.map(({ message }) => Buffer.from(message.payload).toString())).toEqual(["kept"]);
});

test("while the disk refuses, nothing is called back, publishers are to be held, and it is told once", async () => {
  const dataDir = dataDirOf();
  const { journal, problems } = journalIn(dataDir, {
    fileBytesMax: 200 * 1024,
    unsafeBytesSoftMax: 100 * 1024,
    retryMilliseconds: 5,
    closeMilliseconds: 50,
  });
  let caughtUp = 0;
  await journal.open({ ...nobody, caughtUp: () => (caughtUp += 1) });
  journal.saveRetained(retained("small"), undefined);
  await committed(journal);
  let calls = 0;
  for (let sequence = 1; sequence <= 300; sequence += 1) journal.appendMessage(1, owed(sequence));
  journal.afterCommit(() => {
    calls += 1;
  });
  expect(journal.isBehind).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect({ calls, caughtUp, codes: problems.map(({ code }) => code) }).toEqual({ calls: 0, caughtUp: 0, codes: ["store.journal_full"] });
  await journal.close();
  const { journal: again } = journalIn(dataDir);
  const contents = await again.open(nobody);
  expect([contents.sessions.length, contents.retained.length]).toEqual([0, 1]);
});
