import { beforeEach, describe, expect, test } from "vitest";
import type { PlatformError } from "../errors/index.ts";
import { createFakeClock, type FakeClock, settle } from "../fake-clock.ts";
import { openStore } from "../store/index.ts";
import { createDeviceLog, type DeviceLog, type DeviceLogLimits, type DeviceLogStore, type LogEntry, type NewLogEntry } from "./index.ts";

let clock: FakeClock;

/** Counts transactions and fails on demand, above a real store. */
let disk: DeviceLogStore;
let batches: number[];
let isBroken: boolean;
let reports: PlatformError[];

beforeEach(async () => {
  clock = createFakeClock(1_000_000);
  batches = [];
  isBroken = false;
  reports = [];
  const store = await openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 1) });
  disk = {
    ...store.deviceLog,
    async insert(entries) {
      if (isBroken) throw new Error("disk full");
      batches.push(entries.length);
      await store.deviceLog.insert(entries);
    },
  };
  return () => store.close();
});

const make = (limits: Partial<DeviceLogLimits> = {}): Promise<DeviceLog> =>
  createDeviceLog({ store: disk, clock, limits, report: (problem) => reports.push(problem) });

function published(deviceName = "lamp"): NewLogEntry {
  return { kind: "publish", code: "device.published", isSuccess: true, productKey: "a1", deviceName, topic: "/t" };
}

function refused(deviceName: string, remoteAddress: string): NewLogEntry {
  return { kind: "refuse", code: "access.signature_mismatch", isSuccess: false, productKey: "a1", deviceName, remoteAddress };
}

const stored = () => disk.query({ limit: 10_000 });

describe("writing behind", () => {
  test("entries are seen at once and stored together", async () => {
    const log = await make();
    log.write(published());
    log.write({ ...published("other"), time: 5 });
    expect(await stored()).toEqual([]);
    const seen = await log.query({});
    expect(seen.map((entry) => [entry.id, entry.deviceName, entry.time])).toEqual([
      [2, "other", 5],
      [1, "lamp", 1_000_000],
    ]);
    await clock.pass(200);
    expect(batches).toEqual([2]);
    expect(await stored()).toEqual(seen);
    expect(await log.query({})).toEqual(seen);
  });

  test("a full batch does not wait, a larger heap goes in several", async () => {
    const log = await make({ batchEntries: 3 });
    for (let index = 0; index < 3; index++) log.write(published());
    await settle();
    expect(batches).toEqual([3]);
    for (let index = 0; index < 7; index++) log.write(published());
    await settle();
    await clock.pass(200);
    expect(batches).toEqual([3, 3, 3, 1]);
  });

  test("numbers go on after a restart, and close stores what is left", async () => {
    const log = await make();
    log.write(published());
    await log.close();
    log.write(published());
    const next = await make();
    next.write(published());
    expect((await next.query({})).map((entry) => entry.id)).toEqual([2, 1]);
  });

  test("a query joins memory and store without doubles, by all its filters", async () => {
    const log = await make();
    for (const deviceName of ["lamp", "fan", "lamp"]) log.write(published(deviceName));
    await clock.pass(200);
    log.write(published("lamp"));
    log.write(refused("lamp", "10.0.0.1"));
    const ids = async (query: Parameters<DeviceLog["query"]>[0]) => (await log.query(query)).map((entry) => entry.id);
    expect(await ids({ deviceName: "lamp" })).toEqual([5, 4, 3, 1]);
    expect(await ids({ deviceName: "lamp", limit: 2 })).toEqual([5, 4]);
    expect(await ids({ isSuccess: false })).toEqual([5]);
    expect(await ids({ kind: "publish", beforeId: 4 })).toEqual([3, 2, 1]);
    expect(await ids({ afterId: 2 })).toEqual([5, 4, 3]);
    expect(await ids({ code: "access.signature_mismatch", since: clock.now() + 1 })).toEqual([]);
    for (const limit of [0, -1, 1.5, 1_001]) {
      await expect(log.query({ limit })).rejects.toMatchObject({ code: "device_log.invalid_limit" });
    }
  });

  test("texts that a peer chose are cut", async () => {
    const log = await make({ textCharactersMax: 10 });
    log.write({ ...published(), topic: "x".repeat(1_000), received: "short" });
    expect(await log.query({})).toMatchObject([{ topic: `${"x".repeat(9)}…`, received: "short" }]);
  });
});

describe("a store that fails", () => {
  test("is reported once, entries are kept and stored when it works again", async () => {
    const log = await make();
    isBroken = true;
    log.write(published());
    await clock.pass(200);
    await clock.pass(5_000);
    log.write(published());
    await clock.pass(5_000);
    expect(reports.map((problem) => problem.code)).toEqual(["device_log.store_failed"]);
    expect((await log.query({})).map((entry) => entry.id)).toEqual([2, 1]);
    isBroken = false;
    await clock.pass(5_000);
    expect((await stored()).map((entry) => entry.id)).toEqual([2, 1]);
    isBroken = true;
    log.write(published());
    await clock.pass(200);
    expect(reports).toHaveLength(2);
  });

  test("costs no more memory than allowed; what was lost is told", async () => {
    const log = await make({ unflushedEntriesMax: 20, retryMilliseconds: 1_000 });
    isBroken = true;
    for (let index = 0; index < 50; index++) log.write(published());
    await clock.pass(200);
    const kept = await log.query({});
    expect(kept.length).toBeLessThanOrEqual(20);
    expect(kept[0]?.id).toBe(50);
    isBroken = false;
    await clock.pass(1_000);
    await clock.pass(200);
    const [lost, ...rest] = await stored();
    expect(lost).toMatchObject({ code: "device_log.lost", kind: "drop", isSuccess: false, received: String(50 - kept.length) });
    expect(rest).toEqual(kept);
  });

  test("does not stop trimming or closing", async () => {
    const trim = disk.trim;
    disk.trim = async (...limits) => {
      if (isBroken) throw new Error("disk full");
      return trim(...limits);
    };
    const log = await make({ entriesMax: 1 });
    for (let index = 0; index < 3; index++) log.write(published());
    await clock.pass(200);
    isBroken = true;
    await clock.pass(60_000);
    expect(await stored()).toHaveLength(3);
    isBroken = false;
    await clock.pass(60_000);
    expect(await stored()).toHaveLength(1);
    isBroken = true;
    log.write(published());
    await log.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("rates", () => {
  const rates: Partial<DeviceLogLimits> = {
    messageRatePerDevice: { entriesPerSecondMax: 2, burstEntriesMax: 5 },
    sessionRatePerDevice: { entriesPerSecondMax: 10, burstEntriesMax: 50 },
    failureRatePerAddress: { entriesPerSecondMax: 1, burstEntriesMax: 4 },
  };
  const count = async (log: DeviceLog, query: Parameters<DeviceLog["query"]>[0]) => (await log.query({ limit: 1_000, ...query })).length;

  test("a device's messages are held back beyond its rate, others' are not, and one entry tells how many", async () => {
    const log = await make(rates);
    for (let index = 0; index < 30; index++) if (log.wants("publish", "a1", "lamp")) log.write(published());
    log.write(published("fan"));
    expect(await count(log, { deviceName: "lamp" })).toBe(5);
    expect(await count(log, { deviceName: "fan" })).toBe(1);
    expect(log.wants("connect", "a1", "lamp")).toBe(true);
    await clock.pass(1_000);
    expect(log.wants("deliver", "a1", "lamp")).toBe(true);
    log.write(published());
    log.write(published());
    log.write(published());
    await clock.pass(10_000);
    expect(await log.query({ code: "device_log.suppressed" })).toMatchObject([
      { kind: "drop", productKey: "a1", deviceName: "lamp", received: "26", reason: expect.stringContaining("26") },
    ]);
    await clock.pass(60_000);
    expect(await count(log, { code: "device_log.suppressed" })).toBe(1);
  });

  test("asking takes nothing away", async () => {
    const log = await make(rates);
    for (let index = 0; index < 100; index++) expect(log.wants("publish", "a1", "lamp")).toBe(true);
  });

  test("a loud device does not push out its connects and refusals", async () => {
    const log = await make(rates);
    for (let index = 0; index < 100; index++) log.write(published());
    log.write({ kind: "connect", code: "device.connected", isSuccess: true, productKey: "a1", deviceName: "lamp" });
    log.write(refused("lamp", "10.0.0.1"));
    expect(await count(log, { kind: "connect" })).toBe(1);
    expect(await count(log, { kind: "refuse" })).toBe(1);
  });

  test("made-up names from one address cannot fill the log, other addresses are heard", async () => {
    const log = await make(rates);
    for (let index = 0; index < 1_000; index++) log.write(refused(`made-up-${index}`, "10.6.6.6"));
    log.write(refused("honest", "10.0.0.1"));
    expect(await count(log, { kind: "refuse" })).toBe(5);
    expect(await count(log, { deviceName: "honest" })).toBe(1);
    await clock.pass(10_000);
    const summaries = await log.query({ code: "device_log.suppressed", limit: 1_000 });
    // 100 devices by name and one entry for the rest.
    expect(summaries).toHaveLength(101);
    expect(summaries.reduce((sum, entry) => sum + Number(entry.received), 0)).toBe(996);
  });

  test("all devices together have a limit too", async () => {
    const log = await make({
      messageRate: { entriesPerSecondMax: 1, burstEntriesMax: 10 },
      sessionRate: { entriesPerSecondMax: 1, burstEntriesMax: 20 },
    });
    for (let index = 0; index < 50; index++) {
      log.write(published(`device-${index}`));
      log.write({ kind: "connect", code: "device.connected", isSuccess: true, productKey: "a1", deviceName: `device-${index}` });
    }
    expect(await count(log, { kind: "publish" })).toBe(10);
    expect(await count(log, { kind: "connect" })).toBe(20);
    expect(log.wants("publish", "a1", "fresh")).toBe(false);
  });

  test("a clock set back gives nothing for free and blocks nobody for good", async () => {
    const log = await make(rates);
    for (let index = 0; index < 10; index++) log.write(published());
    clock.set(500_000);
    expect(log.wants("publish", "a1", "lamp")).toBe(false);
    clock.set(501_000);
    expect(log.wants("publish", "a1", "lamp")).toBe(true);
  });

  test("close tells what was held back", async () => {
    const log = await make(rates);
    for (let index = 0; index < 8; index++) log.write(published());
    await log.close();
    expect((await stored())[0]).toMatchObject({ code: "device_log.suppressed", received: "3" });
  });
});

describe("following", () => {
  test("hears matching entries at once, until it ends", async () => {
    const log = await make();
    const heard: LogEntry[] = [];
    const end = log.follow({ deviceName: "lamp", isSuccess: false }, (entry) => heard.push(entry));
    log.write(published());
    log.write(refused("fan", "10.0.0.1"));
    log.write(refused("lamp", "10.0.0.1"));
    expect(heard.map((entry) => entry.id)).toEqual([3]);
    end();
    log.write(refused("lamp", "10.0.0.1"));
    expect(heard).toHaveLength(1);
  });

  test("refuses too many; a listener that fails is let go and hurts nobody", async () => {
    const log = await make({ followersMax: 2 });
    let calls = 0;
    log.follow({}, () => {
      calls++;
      throw new Error("socket gone");
    });
    const heard: number[] = [];
    log.follow({}, (entry) => heard.push(entry.id));
    expect(() => log.follow({}, () => {})).toThrow(expect.objectContaining({ code: "device_log.too_many_followers" }));
    log.write(published());
    log.write(published());
    expect(calls).toBe(1);
    expect(heard).toEqual([1, 2]);
    log.follow({}, () => {});
  });
});

describe("trimming", () => {
  test("keeps the newest entries and none older than allowed", async () => {
    const log = await make({ entriesMax: 5, ageMilliseconds: 100_000 });
    for (let index = 0; index < 12; index++) log.write(published());
    await clock.pass(200);
    await clock.pass(60_000);
    expect((await stored()).map((entry) => entry.id)).toEqual([12, 11, 10, 9, 8]);
    await clock.pass(60_000);
    expect(await stored()).toEqual([]);
  });
});
