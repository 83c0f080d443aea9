import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../clock.ts";
import type { PlatformError } from "../../errors/index.ts";
import type { TimeRange } from "../../things/index.ts";
import { dayMilliseconds } from "./history-file.ts";
import { defaultHistoryLimits, type HistoryLimits } from "./limits.ts";
import { PendingRecords } from "./pending-records.ts";
import { SqliteHistory } from "./sqlite-history.ts";
import { operations } from "./worker-messages.ts";

/** On a machine that is busy with other things. */
const patient = { timeout: 4_000 };

const dataDirs: string[] = [];
const histories: SqliteHistory[] = [];

afterEach(async () => {
  for (const history of histories.splice(0)) await history.close();
  for (const dataDir of dataDirs.splice(0)) rmSync(dataDir, { recursive: true });
});

function dataDirOf(): string {
  const dataDir = mkdtempSync(join(tmpdir(), "thingstead-history-"));
  dataDirs.push(dataDir);
  return dataDir;
}

const midnight = 20_000 * dayMilliseconds;

async function open(limits: Partial<HistoryLimits> = {}, dataDir = dataDirOf()) {
  const problems: PlatformError[] = [];
  const time = { now: midnight };
  const history = new SqliteHistory({
    dataDir,
    // Commits, retries and restarts take real time; what counts as old is the test's.
    clock: { ...systemClock, now: () => time.now },
    limits: {
      ...defaultHistoryLimits,
      gatherMilliseconds: 0,
      gatherBusyMilliseconds: 0,
      retryMilliseconds: 5,
      restartMilliseconds: 1,
      ...limits,
    },
    report: (problem) => problems.push(problem),
  });
  await history.open();
  histories.push(history);
  return { history, problems, time, dataDir };
}

const all: TimeRange = { from: 0, to: midnight * 2, isAscending: true, entriesMax: 1_000 };

async function valuesOf(history: SqliteHistory, device: string, range: Partial<TimeRange> = {}): Promise<unknown[]> {
  return (await history.values(device, "level", { ...all, ...range })).items.map(({ value }) => value);
}

async function save(history: SqliteHistory, device: string, ...values: [value: unknown, time: number][]): Promise<void> {
  for (const [value, time] of values) history.saveValue(device, "level", value, time, true);
  await history.committed();
}

test("values of every type come back as they were, and the file is for the server's user alone", async () => {
  const { history, dataDir } = await open();
  const values = [1, -2.5, 0, 1e300, "", '"quoted"', "明", { Red: 1, deep: [1, "a"] }, [], [{ a: 1 }], null, true];
  await save(history, "one", ...values.map((value, index): [unknown, number] => [value, midnight + index]));
  expect(await valuesOf(history, "one")).toEqual(values);
  expect(await history.currentValues("one")).toEqual({ level: { value: true, time: midnight + values.length - 1 } });
  expect(await history.currentValues("nobody")).toEqual({});
  expect(await valuesOf(history, "nobody")).toEqual([]);
  expect(statSync(join(dataDir, "history.db")).mode & 0o777).toBe(0o600);
});

test("until there is something to keep there is no file; the first value, question or wish makes it", async () => {
  const { history, dataDir } = await open();
  await history.forgetDevice("one");
  await history.committed();
  expect(existsSync(join(dataDir, "history.db"))).toBe(false);
  await save(history, "one", [1, midnight]);
  expect(await valuesOf(history, "one")).toEqual([1]);

  const asked = await open();
  expect(await asked.history.currentValues("one")).toEqual({});
  const wished = await open();
  expect(await wished.history.changeDesired("one", [{ identifier: "level", value: 5 }], midnight, true)).toMatchObject({ kind: "ok" });
  expect([...asked.problems, ...wished.problems]).toEqual([]);
});

test("the current value is the one with the greatest time, of one time the later one, and history does not touch it", async () => {
  const { history } = await open();
  await save(history, "one", [1, midnight + 10], [2, midnight + 5]);
  expect(await history.currentValues("one")).toEqual({ level: { value: 1, time: midnight + 10 } });
  await save(history, "one", [3, midnight + 10]);
  history.saveValue("one", "level", 4, midnight + 20, false);
  history.saveValue("one", "other", 5, midnight + 20, false);
  await history.committed();
  expect(await history.currentValues("one")).toEqual({ level: { value: 3, time: midnight + 10 } });
  expect(await valuesOf(history, "one")).toEqual([2, 3, 4]);
});

test("ranges go over days in both directions, page by page, and a page says whether there is more", async () => {
  const { history } = await open();
  const times = [-dayMilliseconds - 1, -dayMilliseconds, -1, 0, 1, dayMilliseconds].map((offset) => midnight + offset);
  await save(history, "one", ...times.map((time, index): [number, number] => [index, time]));
  await save(history, "two", [99, midnight]);
  for (const isAscending of [true, false]) {
    const seen: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await history.values("one", "level", {
        ...all,
        isAscending,
        entriesMax: 2,
        ...(cursor === undefined ? {} : { cursor }),
      });
      expect(page.items.length).toBe(2);
      seen.push(...page.items.map(({ value }) => value));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(isAscending ? [0, 1, 2, 3, 4, 5] : [5, 4, 3, 2, 1, 0]);
  }
  expect(await valuesOf(history, "one", { from: midnight - 1, to: midnight })).toEqual([2, 3]);
  for (const cursor of ["", "1.2", "x", "1;", "1e3"])
    await expect(history.values("one", "level", { ...all, cursor })).rejects.toMatchObject({ code: "things.cursor_invalid" });
});

test("aggregates count buckets from the beginning of the range; sums are of numbers, first and last of anything", async () => {
  const { history } = await open();
  await save(history, "one", [1, midnight - 1_500], [2.5, midnight - 1_000], ["on", midnight - 500], [4, midnight + 3_000]);
  const ask = (name: "count" | "sum" | "average" | "minimum" | "maximum" | "first" | "last") =>
    history.aggregate("one", "level", { from: midnight - 2_000, to: midnight + 3_000, bucketMilliseconds: 2_000, function: name });
  const buckets = (first: unknown, last: unknown, count: number) => [
    { time: midnight - 2_000, value: first, count },
    { time: midnight + 2_000, value: last, count: 1 },
  ];
  expect(await ask("count")).toEqual(buckets(3, 1, 3));
  expect(await ask("sum")).toEqual(buckets(3.5, 4, 2));
  expect(await ask("average")).toEqual(buckets(1.75, 4, 2));
  expect(await ask("minimum")).toEqual(buckets(1, 4, 2));
  expect(await ask("maximum")).toEqual(buckets(2.5, 4, 2));
  expect(await ask("first")).toEqual(buckets(1, 4, 3));
  expect(await ask("last")).toEqual(buckets("on", 4, 3));
});

test("events and calls are found by device, identifier and type; several of one moment are all there", async () => {
  const { history } = await open();
  for (const [identifier, type] of [
    ["low", "alert"],
    ["full", "info"],
    ["low", "alert"],
  ] as const)
    history.saveEvent("one", { identifier, type, time: midnight, value: { identifier } });
  history.saveEvent("two", { identifier: "low", type: "alert", time: midnight, value: {} });
  const slot = history.saveCall("one", { identifier: "set", time: midnight, input: { level: 1 } });
  history.saveCall("one", { identifier: "blink", time: midnight + 1, input: {} });
  history.saveAnswer("one", slot, { answeredAt: midnight + 9, code: 200, output: { done: 1 } });
  await history.committed();
  const full = { identifier: "full", type: "info", time: midnight, value: { identifier: "full" } };
  expect((await history.events("one", { type: "info" }, all)).items).toEqual([full]);
  const first = await history.events("one", { identifier: "low" }, { ...all, entriesMax: 1 });
  const second = await history.events("one", { identifier: "low" }, { ...all, entriesMax: 1, cursor: first.cursor ?? "" });
  expect([first.items.length, second.items.length, second.cursor]).toEqual([1, 1, undefined]);
  expect((await history.calls("one", {}, all)).items).toEqual([
    { identifier: "set", time: midnight, input: { level: 1 }, answeredAt: midnight + 9, code: 200, output: { done: 1 } },
    { identifier: "blink", time: midnight + 1, input: {} },
  ]);
  expect((await history.calls("one", { identifier: "blink" }, all)).items).toHaveLength(1);
});

test("what is older than retention is not shown, and its days are deleted", async () => {
  const { history, time, dataDir } = await open({ retentionDays: 2, trimSeconds: 0.01 });
  await save(history, "one", [0, midnight - 3 * dayMilliseconds], [1, midnight - dayMilliseconds], [2, midnight]);
  expect(await valuesOf(history, "one")).toEqual([1, 2]);
  time.now = midnight + dayMilliseconds + 1;
  expect(await valuesOf(history, "one")).toEqual([2]);
  time.now = midnight + 2 * dayMilliseconds;
  const file = new Database(join(dataDir, "history.db"), { readonly: true });
  const days = () =>
    file.prepare("select name from sqlite_schema where name like 'property%' and type = 'table' order by name").pluck().all();
  await expect.poll(days, patient).toEqual(["property_20000"]);
  file.close();
  expect(await history.currentValues("one")).toEqual({ level: { value: 2, time: midnight } });
});

test("desired values count their versions; a wrong one changes nothing, or is left alone", async () => {
  const { history } = await open();
  const set = (entries: { identifier: string; value?: unknown; version?: number }[], isStrict = true) =>
    history.changeDesired("one", entries, midnight, isStrict);
  expect(
    await set([
      { identifier: "a", value: 1, version: 0 },
      { identifier: "b", value: { c: 1 } },
    ]),
  ).toEqual({
    kind: "ok",
    values: { a: { value: 1, time: midnight, version: 1 }, b: { value: { c: 1 }, time: midnight, version: 1 } },
  });
  expect(
    await set([
      { identifier: "a", value: 2, version: 1 },
      { identifier: "b", value: 2, version: 5 },
    ]),
  ).toEqual({ kind: "conflict", identifier: "b", current: 1 });
  await set([{ identifier: "a", version: 7 }, { identifier: "b" }, { identifier: "never" }], false);
  expect(await history.desired("one")).toEqual({ a: { value: 1, time: midnight, version: 1 } });
  expect(await set([{ identifier: "b", value: 3 }])).toMatchObject({ values: { b: { version: 2 } } });
  expect(await history.desired("two")).toEqual({});
});

test("a forgotten device leaves nothing behind, in no table, and another one keeps everything", async () => {
  const { history, dataDir } = await open({ forgetRowsMax: 2 });
  for (const device of ["one", "two"]) {
    for (let index = 0; index < 7; index++) history.saveValue(device, `p${index % 2}`, index, midnight + index, true);
    history.saveEvent(device, { identifier: "e", type: "info", time: midnight, value: {} });
    history.saveCall(device, { identifier: "c", time: midnight, input: {} });
    await history.changeDesired(device, [{ identifier: "p0", value: 1 }], midnight, true);
  }
  await history.forgetDevice("one");
  expect([await history.currentValues("one"), await history.desired("one")]).toEqual([{}, {}]);
  const file = new Database(join(dataDir, "history.db"), { readonly: true });
  const tables = ["property_20000", "event_20000", "call_20000", "desired", "series", "device"];
  const counts = () => tables.map((table) => file.prepare(`select count(*) from ${table}`).pluck().get());
  await expect.poll(counts, patient).toEqual([7, 1, 1, 1, 2, 1]);
  file.close();
  // A device of the same id begins anew.
  await save(history, "one", [5, midnight]);
  expect(await history.currentValues("one")).toEqual({ level: { value: 5, time: midnight } });
});

test("when the writer dies nothing is lost or doubled, and what waited is committed by the next one", async () => {
  const { history, problems } = await open();
  await save(history, "one", [1, midnight]);
  history.saveEvent("one", { identifier: "e", type: "info", time: midnight, value: 1 });
  const committed = history.committed();
  await history.killThread("writer");
  await save(history, "one", [2, midnight + 1]);
  await committed;
  expect(await valuesOf(history, "one")).toEqual([1, 2]);
  expect((await history.events("one", {}, all)).items).toHaveLength(1);
  expect(problems.map(({ code }) => code)).toEqual(["things.history_failed"]);
});

test("when the reader dies its question is answered with a code, and the next one is answered", async () => {
  const { history } = await open();
  await save(history, "one", [1, midnight]);
  expect(await valuesOf(history, "one")).toEqual([1]);
  await history.killThread("reader");
  expect(await valuesOf(history, "one")).toEqual([1]);
});

test("what was committed and not yet sorted when the process ended is there after the next start", async () => {
  const dataDir = dataDirOf();
  const { history } = await open({ sortMilliseconds: 1_000_000 }, dataDir);
  for (let index = 0; index < 50; index++) history.saveValue(`d${index % 7}`, "level", index, midnight + index, true);
  history.saveEvent("d1", { identifier: "e", type: "info", time: midnight, value: 1 });
  await history.committed();
  // As after a crash: the file as it is now, opened by another one.
  const copy = dataDirOf();
  const source = new Database(join(dataDir, "history.db"), { readonly: true });
  expect(source.prepare("select count(*) from log").pluck().get()).toBeGreaterThan(0);
  await source.backup(join(copy, "history.db"));
  source.close();
  const { history: next } = await open({}, copy);
  expect(await valuesOf(next, "d1")).toEqual([1, 8, 15, 22, 29, 36, 43]);
  expect(await next.currentValues("d0")).toEqual({ level: { value: 49, time: midnight + 49 } });
  expect((await next.events("d1", {}, all)).items).toHaveLength(1);
});

test("sorting by slices, forced by much, loses nothing", async () => {
  const { history } = await open({ sortRecordsMax: 20, sliceRecords: 3, sortMilliseconds: 1 });
  for (let round = 0; round < 30; round++) {
    for (let device = 0; device < 10; device++) history.saveValue(`d${device}`, "level", round, midnight + round, true);
    await history.committed();
  }
  for (let device = 0; device < 10; device++)
    expect(await valuesOf(history, `d${device}`)).toEqual(Array.from({ length: 30 }, (_, round) => round));
});

test("records that no table takes are dropped and told; nobody else's are", async () => {
  const { history, problems } = await open({ sortMilliseconds: 1 });
  for (const device of ["one", "bad", "two"]) history.saveValue(device, "level", 1, device === "bad" ? midnight + 0.5 : midnight, true);
  await history.committed();
  await expect.poll(() => problems.map(({ code, details }) => [code, details.iotId]), patient).toEqual([["things.records_dropped", "bad"]]);
  expect([await valuesOf(history, "one"), await valuesOf(history, "bad"), await valuesOf(history, "two")]).toEqual([[1], [], [1]]);
});

test("a device's code that is no whole number does not stop the history", async () => {
  const { history } = await open();
  const slot = history.saveCall("one", { identifier: "c", time: midnight, input: {} });
  history.saveAnswer("one", slot, { answeredAt: midnight, code: 1e300, output: {} });
  await history.committed();
  expect((await history.calls("one", {}, all)).items).toMatchObject([{ code: -1 }]);
});

test("a full disk acknowledges nothing, is told once, and refuses more than may wait", async () => {
  const { history, problems, dataDir } = await open({ fileBytesMax: 400_000, waitingRecordsMax: 3, closeMilliseconds: 50 });
  await save(history, "one", [1, midnight]);
  let isSafe = false;
  history.saveValue("one", "level", "x".repeat(500_000), midnight + 1, true);
  void history.committed().then(() => {
    isSafe = true;
  });
  await expect.poll(() => problems.map(({ code }) => code), patient).toEqual(["store.disk_full"]);
  for (let index = 0; index < 2; index++) history.saveValue("one", "level", index, midnight + 2, true);
  expect(() => history.admit()).toThrow(expect.objectContaining({ code: "things.history_busy" }));
  await history.close();
  histories.splice(0);
  expect(isSafe).toBe(false);
  expect(problems.map(({ code }) => code)).toEqual(["store.disk_full", "things.history_failed"]);
  const { history: next } = await open({}, dataDir);
  expect(await valuesOf(next, "one")).toEqual([1]);
});

test("a device that invents properties is held to the limit, and it is told once", async () => {
  const { history, problems } = await open({ seriesPerDeviceMax: 3 });
  for (const round of [1, 2]) {
    for (let index = 0; index < 5; index++) history.saveValue("one", `p${index}`, index, midnight + round, true);
    await history.committed();
  }
  expect(Object.keys(await history.currentValues("one"))).toEqual(["p0", "p1", "p2"]);
  history.saveValue("one", "p9", 1, midnight, true);
  await history.committed();
  await expect.poll(() => problems.map(({ code }) => code), patient).toEqual(["things.series_max"]);
});

test("a file that is no database is refused, and left as it is", async () => {
  const dataDir = dataDirOf();
  const other = new Database(join(dataDir, "other.db"));
  other.exec("create table meta (wrong text)");
  other.close();
  const { writeFileSync, readFileSync } = await import("node:fs");
  const text = "this is not a database, and long enough for a header of one ".repeat(20);
  writeFileSync(join(dataDir, "history.db"), text);
  await expect(open({}, dataDir)).rejects.toMatchObject({ code: "store.damaged" });
  expect(readFileSync(join(dataDir, "history.db"), "utf8")).toBe(text);
});

test("limits bound memory: a long value counts for many, waiting and until it is sorted", async () => {
  const { history } = await open({ waitingRecordsMax: 100, sortMilliseconds: 60_000, sortRecordsMax: 100 });
  history.saveValue("one", "level", "x".repeat(10_000), midnight, true);
  history.admit();
  for (let time = 1; time <= 2; time++) history.saveValue("one", "level", "y".repeat(10_000), midnight + time, true);
  expect(() => history.admit()).toThrow(expect.objectContaining({ code: "things.history_busy" }));
  await history.committed();
  history.admit();
  for (let time = 3; time <= 20; time++) {
    history.saveValue("one", "level", "z".repeat(10_000), midnight + time, true);
    await history.committed();
  }
  expect(await valuesOf(history, "one")).toHaveLength(21);
});

test("what waits to be sorted is weighed as it was when it came", () => {
  const pending = new PendingRecords();
  pending.add([operations.device, "one", operations.value, "level", 1, "x".repeat(2_560), 1, operations.value, "level", 2, 7, 1]);
  expect(pending.records).toBe(12);
  pending.add([operations.device, "two", operations.value, "level", 1, "short", 1]);
  pending.remove("one");
  expect(pending.records).toBe(1);
});
