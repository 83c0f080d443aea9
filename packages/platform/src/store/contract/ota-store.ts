/** What every OtaStore must do, whatever database is behind it; the room's own tests run over the real one, too. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NewTask, OtaJob, OtaPackage, TaskRow } from "../../ota/index.ts";
import type { Store } from "../store.ts";

export function describeOtaStore(name: string, open: () => Promise<Store>): void {
  let store: Store;
  let jobs = 0;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.close());

  async function insertFile(sha256: string, createdAt = 10) {
    return store.ota.insertFile({ bytes: 5, md5: "m", sha256, createdAt });
  }

  async function insertPackage(version = "1"): Promise<OtaPackage> {
    const file = await insertFile(`sha-${version}`);
    const inserted = await store.ota.insertPackage({ ...pack(version), files: [{ ...file, name: "b" }] });
    if (typeof inserted === "string") throw new Error(inserted);
    return inserted;
  }

  async function insertJob(tasks: NewTask[]): Promise<{ job: OtaJob; rows: TaskRow[] }> {
    const { id } = await insertPackage(`of-job-${++jobs}`);
    const made = await store.ota.insertJob({ ...job, packageId: id }, tasks, "over", "unfinished");
    return { job: made.job, rows: await store.ota.tasksOfJob(made.job.id, ["QUEUED", "FAILED", "NOTIFIED", "IN_PROGRESS"], 0, 100) };
  }

  describe(`${name} as OtaStore`, () => {
    test("keeps a file once, and forgets what no package holds", async () => {
      const one = await insertFile("one");
      expect(await insertFile("one", 20)).toEqual({ ...one, createdAt: 20 });
      const { id } = await insertPackage("2");
      expect(await store.ota.deleteUnusedFiles(20)).toEqual([]);
      expect(await store.ota.deleteUnusedFiles(21)).toMatchObject([{ sha256: "one" }]);
      expect(await store.ota.deletePackage(id)).toBe("ok");
      expect(await store.ota.deleteUnusedFiles(21)).toMatchObject([{ sha256: "sha-2" }]);
    });

    test("names packages once in all and versions once for the same devices", async () => {
      const first = await insertPackage("1");
      expect(await store.ota.findPackage(first.id)).toEqual(first);
      const { files } = first;
      expect(await store.ota.insertPackage({ ...pack("1"), files })).toBe("duplicate_name");
      expect(await store.ota.insertPackage({ ...pack("1"), name: "other", files })).toBe("duplicate_version");
      const differential = { ...pack("1"), name: "diff", kind: "differential", sourceVersion: "0", files } as const;
      expect(await store.ota.insertPackage(differential)).toMatchObject({ sourceVersion: "0" });
      expect(await store.ota.updatePackage(first.id, { name: "diff", modifiedAt: 3 })).toBe("duplicate_name");
      expect(await store.ota.updatePackage(first.id, { status: "verified", modifiedAt: 3 })).toBe("ok");
      expect(await store.ota.listPackages({ page: 1, pageSize: 1 }, { productKey: "pk" })).toMatchObject({
        total: 2,
        rows: [{ name: "diff" }],
      });
    });

    test("gives jobs and tasks back as they were put in", async () => {
      const { job: made, rows } = await insertJob([task("a"), { ...task("b"), sourceVersion: "0", retryAt: 9, isOwed: true }]);
      expect(await store.ota.findJob(made.id)).toEqual(made);
      expect(rows.map(({ deviceName }) => deviceName)).toEqual(["a", "b"]);
      expect(rows[1]).toMatchObject({ sourceVersion: "0", retryAt: 9, isOwed: true, revision: 0 });
      const ended: OtaJob = { ...made, status: "COMPLETED", endedAt: 5, reason: "r" };
      expect(await store.ota.loadUnfinishedJobs()).toEqual([made]);
      await store.ota.updateJob(ended);
      expect(await store.ota.findJob(made.id)).toEqual(ended);
      expect(await store.ota.loadUnfinishedJobs()).toEqual([]);
      expect((await store.ota.listJobs({ page: 1, pageSize: 9 }, { deviceName: "b" })).rows).toEqual([ended]);
      expect((await store.ota.listJobs({ page: 1, pageSize: 9 }, { deviceName: "c" })).total).toBe(0);
    });

    test("saves a task for the writer who saw it last, and tells the other", async () => {
      const { rows } = await insertJob([task("a"), task("b")]);
      const [a, b] = rows as [TaskRow, TaskRow];
      const next: TaskRow = { ...a, status: "IN_PROGRESS", progress: 5, timeoutAt: 70 };
      expect(await store.ota.saveTasks([next, { ...b, revision: 9 }])).toEqual([true, false]);
      expect(await store.ota.findTask(a.id)).toEqual({ ...next, revision: 1 });
      expect(await store.ota.findTask(b.id)).toEqual(b);
      expect(await store.ota.saveTasks([next])).toEqual([false]);
    });

    test("knows what is due next by either time", async () => {
      const { rows } = await insertJob([
        { ...task("a"), timeoutAt: 50 },
        { ...task("b"), retryAt: 20 },
        { ...task("c"), timeoutAt: 30, retryAt: 90 },
        task("d"),
      ]);
      expect(rows).toHaveLength(4);
      expect(await store.ota.nextDueAt()).toBe(20);
      expect((await store.ota.dueTasks(30, 9)).map(({ deviceName }) => deviceName)).toEqual(["b", "c"]);
      expect(await store.ota.dueTasks(19, 9)).toEqual([]);
    });

    test("a new job overwrites what has not begun and fails beside what has", async () => {
      const { rows } = await insertJob([task("a"), task("b")]);
      const [a, b] = rows as [TaskRow, TaskRow];
      await store.ota.saveTasks([{ ...b, status: "IN_PROGRESS" }]);
      const { id } = await insertPackage("next");
      const tasks = [
        { ...task("a"), overwrites: [a.id] },
        { ...task("b"), overwrites: [b.id] },
      ];
      const made = await store.ota.insertJob({ ...job, packageId: id }, tasks, "over", "unfinished");
      expect(made.overwritten).toMatchObject([{ id: a.id, status: "CANCELED", reason: "over", revision: 1 }]);
      expect(made.failed).toMatchObject([{ deviceName: "b", reason: "unfinished" }]);
      expect(await store.ota.countTasks(made.job.id)).toEqual(
        new Map([
          ["QUEUED", 1],
          ["FAILED", 1],
        ]),
      );
      expect((await store.ota.openTasksOf("pk", ["a", "b"])).map(({ jobId, deviceName }) => [jobId === made.job.id, deviceName])).toEqual([
        [false, "b"],
        [true, "a"],
      ]);
      expect(await store.ota.insertTask(made.job.id, task("a"))).toBeUndefined();
    });

    test("versions are the newest told, and counted", async () => {
      const version = { productKey: "pk", deviceName: "a", iotId: "i", module: "default", version: "1", reportedAt: 1 };
      await store.ota.saveVersions([version, { ...version, deviceName: "b" }, { ...version, module: "MCU", version: "7" }]);
      await store.ota.saveVersions([{ ...version, version: "2", reportedAt: 2 }]);
      expect(await store.ota.findVersion("pk", "a", "default")).toBe("2");
      expect(await store.ota.distribution("pk", "default")).toEqual([
        { version: "1", deviceCount: 1 },
        { version: "2", deviceCount: 1 },
      ]);
      expect((await store.ota.versionsOf("pk", "a")).map(({ module }) => module)).toEqual(["MCU", "default"]);
      await store.ota.deleteVersionsOf("pk", "a");
      expect(await store.ota.versionsOf("pk", "a")).toEqual([]);
    });
  });
}

function pack(version: string): Omit<OtaPackage, "id" | "files"> {
  return {
    productKey: "pk",
    name: `p-${version}`,
    description: "",
    module: "default",
    kind: "full",
    version,
    signMethod: "MD5",
    status: "unverified",
    createdAt: 1,
    modifiedAt: 2,
  };
}

const job: Omit<OtaJob, "id" | "packageId"> = {
  productKey: "pk",
  module: "default",
  version: "1",
  kind: "upgrade",
  selection: "static",
  target: { kind: "specific", deviceNames: ["a"] },
  isNewOnly: false,
  isSelecting: false,
  status: "IN_PROGRESS",
  createdAt: 1,
  modifiedAt: 1,
  sourceVersions: ["0"],
  pushesPerMinuteMax: 3,
  timeoutMinutes: 4,
  retryCount: 1,
  retryIntervalMinutes: 10,
  isOverwriting: true,
  needsConfirm: false,
  isPushed: true,
  isMultiModule: false,
  protocol: "https",
  tags: { k: "v" },
  failureStop: { failedPercent: 50, endedCountMin: 2 },
};

function task(deviceName: string): NewTask {
  return {
    packageId: 1,
    productKey: "pk",
    deviceName,
    iotId: `iot-${deviceName}`,
    module: "default",
    version: "1",
    status: "QUEUED",
    progress: 0,
    description: "",
    createdAt: 1,
    modifiedAt: 1,
    retriesLeft: 1,
    isOwed: false,
    overwrites: [],
  };
}
