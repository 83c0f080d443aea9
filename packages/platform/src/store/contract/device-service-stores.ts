/** What stores of shadows, configurations, logs, reports, files and jobs must do, whatever database is behind them. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeviceFile, JobRow, TaskRow } from "../../device-services/index.ts";
import type { DeviceRow } from "../../registry/index.ts";
import type { Store } from "../index.ts";

export function describeDeviceServiceStores(name: string, open: () => Promise<Store>): void {
  describe(`${name} as store of device services`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
      await store.registry.insertProduct(product, []);
      await store.registry.insertDevices([deviceRow("a"), deviceRow("b")]);
    });
    afterEach(() => store.close());

    test("8.1 a shadow is kept as it is, 64-bit version and odd names included; an unknown device has none", async () => {
      const document = {
        reported: JSON.parse('{"__proto__":{"x":1},"color":"red"}'),
        desired: {},
        reportedTimes: { color: { timestamp: 5 } },
        desiredTimes: { timestamp: 6 },
        version: 1_700_000_000_123,
        modifiedAt: 7,
      };
      await store.shadows.save(a, document);
      await store.shadows.save(a, { ...document, version: document.version + 1 });
      await store.shadows.save(unknown, document);
      expect(JSON.stringify(await store.shadows.load(a))).toBe(JSON.stringify({ ...document, version: document.version + 1 }));
      expect(await store.shadows.load(b)).toBeUndefined();
      expect(await store.shadows.load(unknown)).toBeUndefined();
    });

    test("8.6 the newest versions of a configuration are kept, and a switch that is off at first", async () => {
      const { configs } = store;
      expect(await configs.isEnabled("pk")).toBe(false);
      await configs.setEnabled("pk", true);
      expect(await configs.isEnabled("pk")).toBe(true);
      const insert = (text: string) =>
        configs.insert("pk", { content: Buffer.from(text), bytes: text.length, sha256: text, createdAt: 1 }, 2);
      const first = await insert("one");
      const [second, third] = [await insert("two"), await insert("three")];
      expect(await configs.versions("pk")).toEqual([third, second]);
      expect(await configs.content(first.id)).toBeUndefined();
      expect(await configs.content(third.id)).toEqual({ productKey: "pk", content: Buffer.from("three") });
    });

    test("8.7 lines are found by what they say, and go by age and by number", async () => {
      const { deviceLines } = store;
      const line = { level: "ERROR", module: "m", code: "1", content: "x" };
      const lines = ["100% full", "1000 full", "a_b"].map((content, index) => ({ ...a, ...line, content, receivedAt: 10 + index }));
      await deviceLines.insert([...lines, { ...unknown, ...line, receivedAt: 13 }, { ...b, ...line, receivedAt: 14, traceContext: "t" }]);
      const contents = async (query: object) => (await deviceLines.query({ limit: 10, ...query })).map(({ content }) => content);
      expect(await contents({})).toEqual(["x", "a_b", "1000 full", "100% full"]);
      expect(await contents({ ...a, text: "0% f" })).toEqual(["100% full"]);
      expect(await contents({ text: "a_b" })).toEqual(["a_b"]);
      expect(await contents({ since: 11, until: 12 })).toEqual(["a_b", "1000 full"]);
      expect(await contents({ level: "INFO" })).toEqual([]);
      expect(await deviceLines.query({ ...b, limit: 1 })).toMatchObject([{ ...b, traceContext: "t", receivedAt: 14 }]);
      await deviceLines.trim(11, 2);
      expect(await contents({})).toEqual(["x", "a_b"]);
      expect(await deviceLines.isWanted(a)).toBe(false);
      await deviceLines.setWanted(a, true);
      await deviceLines.setWanted(a, true);
      expect([await deviceLines.isWanted(a), await deviceLines.isWanted(b)]).toEqual([true, false]);
      await deviceLines.setWanted(a, false);
      expect(await deviceLines.isWanted(a)).toBe(false);
    });

    test("8.8 the latest reports of each device are kept", async () => {
      const { diagnostics } = store;
      for (const receivedAt of [1, 2, 3]) await diagnostics.insert(a, { receivedAt, report: { receivedAt } }, 2);
      await diagnostics.insert(b, { receivedAt: 9, report: [] }, 2);
      await diagnostics.insert(unknown, { receivedAt: 9, report: [] }, 2);
      expect((await diagnostics.list(a, 10)).map(({ receivedAt }) => receivedAt)).toEqual([3, 2]);
      expect(await diagnostics.list(b, 10)).toEqual([{ receivedAt: 9, report: [] }]);
    });

    test("8.9 files are found by device, name and id; what nobody goes on with is found, too", async () => {
      const { deviceFiles } = store;
      const file = (uploadId: string, more: Partial<DeviceFile> = {}): DeviceFile => ({
        ...a,
        uploadId,
        name: "n",
        bytes: 10,
        storedBytes: 0,
        isComplete: false,
        createdAt: 1,
        modifiedAt: 1,
        ...more,
      });
      await deviceFiles.insert(file("one"));
      await deviceFiles.insert(file("two", { bytes: -1, storedBytes: 4 }));
      expect(await deviceFiles.findByName(a, "n")).toMatchObject({ uploadId: "two" });
      expect(await deviceFiles.find(b, "one")).toBeUndefined();
      expect(await deviceFiles.othersOfName(a, "n", "two")).toEqual([file("one")]);
      expect(await deviceFiles.totalBytes()).toBe(14);
      await deviceFiles.update("one", { storedBytes: 10, isComplete: true, bytes: 10, modifiedAt: 5 });
      expect(await deviceFiles.findByUploadId("one")).toEqual(file("one", { storedBytes: 10, isComplete: true, modifiedAt: 5 }));
      expect((await deviceFiles.stale(2)).map(({ uploadId }) => uploadId)).toEqual(["two"]);
      expect(await deviceFiles.list(a, { page: 1, pageSize: 1 })).toMatchObject({ rows: [{ uploadId: "two" }], total: 2 });
      await deviceFiles.delete("two");
      expect((await deviceFiles.list(a, { page: 1, pageSize: 9 })).total).toBe(1);
    });

    test("8.11 tasks wait, are sent once, run out of time, and are cancelled where they are not over", async () => {
      const { jobs } = store;
      await jobs.insert(job, [task("ta", a), task("tb", b)]);
      expect(await jobs.load("j")).toEqual(job);
      expect(await jobs.queuedProducts()).toEqual(["pk"]);
      await jobs.markSent("ta", 5);
      expect(await jobs.findTask(a, "ta")).toMatchObject({ ...task("ta", a), status: "SENT", modifiedAt: 5 });
      expect(await jobs.findTask(b, "ta")).toBeUndefined();
      await jobs.updateTask("ta", { status: "IN_PROGRESS", progress: 30, details: { step: 1 }, modifiedAt: 6, deadlineAt: 10 });
      await jobs.markSent("ta", 7);
      expect(await jobs.pending(a, 9)).toMatchObject([{ status: "IN_PROGRESS", progress: 30, details: { step: 1 }, deadlineAt: 10 }]);
      expect(await jobs.timeOut(9)).toBe(0);
      expect(await jobs.timeOut(10)).toBe(1);
      expect(await jobs.pending(a, 9)).toEqual([]);
      expect((await jobs.unfinished("j")).map(({ taskId }) => taskId)).toEqual(["tb"]);
      await jobs.cancel("j", 11);
      expect(await jobs.find("j")).toMatchObject({ isCancelled: true, hasFile: true, counts: { TIMED_OUT: 1, CANCELLED: 1 } });
      expect(await jobs.tasks("j", { page: 1, pageSize: 9, status: "CANCELLED" })).toMatchObject({ rows: [{ taskId: "tb" }], total: 1 });
      expect(await jobs.list({ page: 1, pageSize: 9 })).toMatchObject({ rows: [{ id: "j" }], total: 1 });
      await jobs.delete("j");
      expect(await jobs.findTask(a, "ta")).toBeUndefined();
    });

    test("a job stands where its slowest task stands, is changed, and what did not end well is queued again", async () => {
      const { jobs } = store;
      const ended = { progress: 100, details: { step: 1 }, modifiedAt: 3, deadlineAt: null };
      await jobs.insert(job, [task("ta", a), task("tb", b)]);
      await jobs.insert({ ...job, id: "k" }, []);
      expect((await jobs.find("j"))?.status).toBe("QUEUED");
      await jobs.updateTask("ta", { ...ended, status: "SUCCEEDED" });
      await jobs.updateTask("tb", { ...ended, status: "REJECTED" });
      expect((await jobs.find("j"))?.status).toBe("REJECTED");
      expect(await jobs.list({ page: 1, pageSize: 9, status: "REJECTED" })).toMatchObject({ rows: [{ id: "j" }], total: 1 });
      expect(await jobs.list({ page: 1, pageSize: 9, status: "SUCCEEDED" })).toMatchObject({ rows: [{ id: "k" }], total: 1 });
      await jobs.cancel("j", 4);
      expect(await jobs.find("j")).toMatchObject({ status: "CANCELLED", modifiedAt: 4 });
      expect(await jobs.requeue("j", 5)).toMatchObject([{ taskId: "tb", status: "QUEUED", progress: 0, details: {} }]);
      expect(await jobs.findTaskById("tb")).toMatchObject({ ...task("tb", b), queuedAt: 5, modifiedAt: 5 });
      expect(await jobs.find("j")).toMatchObject({ status: "QUEUED", isCancelled: false, modifiedAt: 5, notes: { from: "a program" } });
      await jobs.change("j", { description: "new", rollout: { perMinuteMax: 50 }, modifiedAt: 6 });
      expect(await jobs.find("j")).toMatchObject({ description: "new", timeoutMinutes: 1, rollout: { perMinuteMax: 50 }, modifiedAt: 6 });
      const [first] = await jobs.findTasks({ jobId: "j", limit: 1 });
      expect(first).toMatchObject({ taskId: "ta" });
      expect(await jobs.findTasks({ jobId: "j", afterId: first?.id ?? 0, limit: 9 })).toMatchObject([{ taskId: "tb" }]);
      expect(await jobs.findTasks({ device: a, limit: 9 })).toMatchObject([{ taskId: "ta" }]);
      expect(await jobs.findTasks({ device: a, status: "QUEUED", limit: 9 })).toEqual([]);
    });

    test("everything of a device goes with it, everything of a product with it", async () => {
      const document = { reported: {}, desired: {}, reportedTimes: {}, desiredTimes: {}, version: 1, modifiedAt: 1 };
      await store.shadows.save(a, document);
      await store.jobs.insert(job, [task("ta", a)]);
      await store.deviceLines.insert([{ ...a, receivedAt: 1, level: "INFO", module: "", code: "", content: "" }]);
      await store.configs.insert("pk", { content: Buffer.from("1"), bytes: 1, sha256: "s", createdAt: 1 }, 9);
      for (const each of ["a", "b"]) await store.registry.deleteDevice("pk", each);
      await store.registry.insertDevices([deviceRow("a")]);
      expect(await store.shadows.load(a)).toBeUndefined();
      expect(await store.jobs.pending(a, 9)).toEqual([]);
      expect(await store.deviceLines.query({ limit: 9 })).toEqual([]);
      await store.registry.deleteDevice("pk", "a");
      await store.registry.deleteProduct("pk");
      expect(await store.configs.versions("pk")).toEqual([]);
    });
  });
}

const a = { productKey: "pk", deviceName: "a" };
const b = { productKey: "pk", deviceName: "b" };
const unknown = { productKey: "pk", deviceName: "unknown" };

const product = {
  productKey: "pk",
  productSecret: "s",
  name: "n",
  description: "",
  nodeType: "device",
  topicStyle: "none",
  dataFormat: 1,
  authType: "secret",
  isRegistrationOpen: false,
  isSelfRegistrationOpen: false,
  createdAt: 1,
} as const;

const job: JobRow = {
  id: "j",
  name: "restart",
  description: "",
  document: { do: "it" },
  content: { bytes: Buffer.from("x"), sha256: "s" },
  timeoutMinutes: 1,
  rollout: { qos: 0 },
  notes: { from: "a program" },
  isCancelled: false,
  createdAt: 1,
  modifiedAt: 1,
};

function task(taskId: string, device: { productKey: string; deviceName: string }): TaskRow {
  return { ...device, taskId, jobId: "j", status: "QUEUED", progress: 0, details: {}, queuedAt: 1, modifiedAt: 1 };
}

function deviceRow(deviceName: string): DeviceRow {
  return {
    productKey: "pk",
    deviceName,
    iotId: `iot-${deviceName}`,
    deviceSecret: "s",
    nickname: "",
    isEnabled: true,
    isOnline: false,
    createdAt: 1,
    modifiedAt: 1,
  };
}
