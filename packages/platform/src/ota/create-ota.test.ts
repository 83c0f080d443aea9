import { afterEach, beforeEach, expect, test } from "vitest";
import type { Random } from "../clock.ts";
import { createFakeClock, type FakeClock } from "../fake-clock.ts";
import { openStore, type Store } from "../store/index.ts";
import { createOta } from "./create-ota.ts";
import { grayCount } from "./job-selection.ts";
import { defaultOtaLimits } from "./limits.ts";
import type { NewUpgradeJob, Ota, OtaChange, TaskStatus, UpgradeOffer } from "./ota.ts";

const minute = 60_000;
let clock: FakeClock;
let store: Store;
let ota: Ota;
let offers: UpgradeOffer[];
let changes: OtaChange[];
let online: Set<string>;
let subscribed: Set<string>;
let group: string[];
const failures: unknown[] = [];

const random: Random = { bytes: (count) => Buffer.alloc(count, 5) };
const ref = (deviceName: string) => ({ productKey: "pk", deviceName, iotId: `iot-${deviceName}` });

function openRoom(): Ota {
  const opened = createOta({
    store: store.ota,
    firmware: {
      write: async () => ({ bytes: 9, md5: "m".repeat(32), sha256: `${clock.now()}`.padEnd(64, "0") }),
      read: async (_sha256, offset, bytes) => Buffer.alloc(bytes, offset),
      delete: async () => {},
      clean: async () => {},
    },
    registry: store.registry,
    groups: { deviceNamesOf: async () => group },
    downlink: {
      isOnline: (_productKey, deviceName) => online.has(deviceName),
      offer(offer) {
        if (!subscribed.has(offer.device.deviceName)) return false;
        offers.push(offer);
        return true;
      },
    },
    downloadOrigin: () => "https://h",
    linkKey: Buffer.alloc(32),
    clock,
    random,
    limits: { ...defaultOtaLimits, jobDevicesMax: 50 },
    onFailure: (error) => failures.push(error),
  });
  opened.ota.onChange((change) => changes.push(change));
  return opened.ota;
}

beforeEach(async () => {
  clock = createFakeClock(1_000_000);
  store = await openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 7), clock });
  const product = {
    productKey: "pk",
    productSecret: "s",
    name: "n",
    description: "",
    nodeType: "device",
    topicStyle: "user",
    dataFormat: 1,
    createdAt: 0,
  };
  await store.registry.insertProduct(product as never, []);
  offers = [];
  changes = [];
  online = new Set();
  subscribed = new Set();
  group = [];
  failures.length = 0;
  ota = openRoom();
  await ota.start();
});
afterEach(async () => {
  await ota.close();
  await store.close();
  expect(failures).toEqual([]);
});

async function addDevices(count: number, version?: string, isOnline = true): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `dev${version ?? ""}-${index}`);
  await store.registry.insertDevices(
    names.map((deviceName) => ({
      iotId: `iot-${deviceName}`,
      productKey: "pk",
      deviceName,
      deviceSecret: "s",
      nickname: "",
      isEnabled: true,
      isOnline: false,
      createdAt: 0,
      modifiedAt: 0,
    })) as never,
  );
  for (const name of names) {
    if (isOnline) online.add(name);
    if (isOnline) subscribed.add(name);
    if (version !== undefined) await ota.reportVersion(ref(name), { module: "default", version });
  }
  return names;
}

async function makePackage(version: string, extra: object = {}): Promise<number> {
  const file = await ota.files.upload((async function* () {})());
  const made = await ota.packages.create({
    productKey: "pk",
    name: `p ${version}`,
    version,
    files: [{ id: file.id }],
    needsVerification: false,
    ...extra,
  });
  return made.id;
}

async function roll(version: string, job: Partial<NewUpgradeJob> = {}, extra: object = {}) {
  const packageId = await makePackage(version, extra);
  const made = await ota.jobs.create({ packageId, selection: "static", target: { kind: "all" }, ...job });
  await clock.pass(0);
  await wait();
  return made;
}

/** Statements of the store take turns of the real loop. */
const wait = () => new Promise<void>((resolve) => setTimeout(resolve, 30));
const pass = async (milliseconds: number) => {
  await clock.pass(milliseconds);
  await wait();
  await clock.pass(60);
  await wait();
};
const statusOf = async (jobId: number): Promise<Record<string, TaskStatus>> => {
  const { items } = await ota.tasks.list({ page: 1, pageSize: 100 }, { jobId });
  return Object.fromEntries(items.map(({ deviceName, status }) => [deviceName, status]));
};
const progress = (name: string, step: number) => ota.reportProgress(ref(name), { step, description: "" });

test("7.3: online devices are told, offline ones when they come, and success is the target version alone", async () => {
  await addDevices(2, "1.0");
  const [away = ""] = await addDevices(1, "0.9", false);
  const job = await roll("2.0");
  expect(await statusOf(job.id)).toEqual({ "dev1.0-0": "NOTIFIED", "dev1.0-1": "NOTIFIED", [away]: "QUEUED" });
  online.add(away);
  ota.connected("pk", away);
  await wait();
  // Connected and not subscribed: nobody took it.
  expect((await statusOf(job.id))[away]).toBe("QUEUED");
  subscribed.add(away);
  ota.reachable("pk", away);
  await wait();
  expect((await statusOf(job.id))[away]).toBe("NOTIFIED");
  for (const name of ["dev1.0-0", "dev1.0-1", away]) {
    expect(await progress(name, 100)).toBe(true);
    await ota.reportVersion(ref(name), { module: "default", version: "2.0" });
  }
  await pass(100);
  expect((await ota.jobs.get(job.id)).status).toBe("COMPLETED");
  expect(await ota.versions.distribution("pk")).toEqual([{ version: "2.0", deviceCount: 3 }]);
  expect(await progress("dev1.0-0", 5)).toBe(false);
});

test("7.3: a device that has taken its push is not told twice in a breath, but after it connects anew", async () => {
  const [name = ""] = await addDevices(1, "1.0");
  await roll("2.0");
  expect(offers).toHaveLength(1);
  await ota.reportVersion(ref(name), { module: "default", version: "1.0" });
  expect(offers).toHaveLength(1);
  ota.connected("pk", name);
  await wait();
  expect(offers).toHaveLength(2);
  await clock.pass(4_000);
  await ota.reportVersion(ref(name), { module: "default", version: "1.0" });
  expect(offers).toHaveLength(3);
});

test("7.3: who runs the target version is not selected, and a device without a version only where none is asked for", async () => {
  await addDevices(1, "2.0");
  await addDevices(1, "1.0");
  await addDevices(1);
  expect(Object.keys(await statusOf((await roll("2.0")).id)).toSorted()).toEqual(["dev-0", "dev1.0-0"]);
  const only = await roll("2.1", { sourceVersions: ["1.0"], isOverwriting: true });
  expect(await statusOf(only.id)).toEqual({ "dev1.0-0": "NOTIFIED" });
  const diff = { kind: "differential", sourceVersion: "2.0" } as const;
  expect(await statusOf((await roll("3.0", {}, diff)).id)).toEqual({ "dev2.0-0": "NOTIFIED" });
  await expect(roll("4.0", { sourceVersions: ["7.0"] })).rejects.toMatchObject({ code: "ota.no_device_matches" });
  await expect(roll("5.0", { sourceVersions: ["1.0"] }, diff)).rejects.toMatchObject({ code: "ota.value_invalid" });
});

test("7.3: an unfinished task makes the new one fail at once and silently, unless it may be overwritten and has not begun", async () => {
  await addDevices(2, "1.0");
  const first = await roll("2.0");
  await progress("dev1.0-0", 10);
  changes.length = 0;
  const second = await roll("2.1");
  expect(await statusOf(second.id)).toEqual({ "dev1.0-0": "FAILED", "dev1.0-1": "FAILED" });
  expect(changes.filter((change) => change.kind === "task" && change.isSilent !== true)).toEqual([]);
  const third = await roll("2.2", { isOverwriting: true });
  expect(await statusOf(third.id)).toEqual({ "dev1.0-0": "FAILED", "dev1.0-1": "NOTIFIED" });
  expect(await statusOf(first.id)).toEqual({ "dev1.0-0": "IN_PROGRESS", "dev1.0-1": "CANCELED" });
});

test("pushes per minute: the rest has its turn in the next minutes", async () => {
  await addDevices(7, "1.0");
  await roll("2.0", { pushesPerMinuteMax: 3 });
  expect(offers).toHaveLength(3);
  await pass(30_000);
  expect(offers).toHaveLength(3);
  await pass(30_000);
  expect(offers).toHaveLength(6);
  await pass(minute);
  expect(offers).toHaveLength(7);
});

test("a planned job begins and ends at its times; what has begun goes on", async () => {
  await addDevices(2, "1.0");
  const job = await roll("2.0", { scheduledAt: clock.now() + 10 * minute, scheduledEndAt: clock.now() + 30 * minute });
  expect(job.status).toBe("PLANNED");
  expect(offers).toHaveLength(0);
  await pass(10 * minute);
  expect((await ota.jobs.get(job.id)).status).toBe("IN_PROGRESS");
  expect(offers).toHaveLength(2);
  await progress("dev1.0-0", 1);
  await pass(20 * minute);
  expect(await statusOf(job.id)).toEqual({ "dev1.0-0": "IN_PROGRESS", "dev1.0-1": "CANCELED" });
});

test("7.3: time-out and retry by stored times, also over a restart", async () => {
  const [one = "", two = ""] = await addDevices(2, "1.0");
  const job = await roll("2.0", { sourceVersions: ["1.0"], retryCount: 1, retryIntervalMinutes: 10, timeoutMinutes: 30 });
  await progress(one, 1);
  await progress(two, 1);
  await progress(two, -2);
  await ota.close();
  ota = openRoom();
  await ota.start();
  expect(offers).toHaveLength(2);
  await pass(10 * minute);
  expect(offers).toHaveLength(3);
  expect(offers[2]?.device.deviceName).toBe(two);
  await pass(20 * minute);
  expect(await statusOf(job.id)).toEqual({ [one]: "FAILED", [two]: "IN_PROGRESS" });
  const { items } = await ota.tasks.list({ page: 1, pageSize: 9 }, { deviceName: one });
  expect(items[0]).toMatchObject({ reason: "ota.task_timeout" });
});

test("verification: all must succeed, and before that nothing is rolled out", async () => {
  const [one = "", two = ""] = await addDevices(2, "1.0");
  const packageId = await makePackage("2.0", { needsVerification: true });
  const upgrade = { packageId, selection: "static", target: { kind: "all" } } as const;
  await expect(ota.jobs.create(upgrade)).rejects.toMatchObject({ code: "ota.package_not_verified" });
  await ota.jobs.verify({ packageId, deviceNames: [one, two] });
  await expect(ota.jobs.verify({ packageId, deviceNames: [one] })).rejects.toMatchObject({ code: "ota.verification_running" });
  await wait();
  await ota.reportVersion(ref(one), { module: "default", version: "2.0" });
  await progress(two, -1);
  await pass(100);
  expect((await ota.packages.get(packageId)).status).toBe("failed");
  await ota.jobs.verify({ packageId, deviceNames: [two] });
  await pass(5_000);
  await ota.reportVersion(ref(two), { module: "default", version: "2.0" });
  await pass(100);
  expect((await ota.packages.get(packageId)).status).toBe("verified");
  await expect(ota.jobs.verify({ packageId, deviceNames: ["nobody"] })).rejects.toMatchObject({ code: "ota.device_unknown" });
});

test("a dynamic job takes devices that begin to match, one such job a package, until it is told to stop", async () => {
  await addDevices(1, "1.0");
  const packageId = await makePackage("2.0");
  const job = await ota.jobs.create({ packageId, selection: "dynamic", target: { kind: "all" }, sourceVersions: ["1.0", "1.1"] });
  const again = ota.jobs.create({ packageId, selection: "dynamic", target: { kind: "all" }, sourceVersions: ["1.0"] });
  await expect(again).rejects.toMatchObject({ code: "ota.dynamic_job_exists" });
  await addDevices(1, "1.1");
  await addDevices(1, "0.5");
  await wait();
  expect(await statusOf(job.id)).toEqual({ "dev1.0-0": "NOTIFIED", "dev1.1-0": "NOTIFIED" });
  for (const name of ["dev1.0-0", "dev1.1-0"]) await ota.reportVersion(ref(name), { module: "default", version: "2.0" });
  await pass(100);
  expect((await ota.jobs.get(job.id)).status).toBe("IN_PROGRESS");
  await ota.jobs.stopSelecting(job.id);
  await pass(100);
  expect((await ota.jobs.get(job.id)).status).toBe("COMPLETED");
});

test("too many failures stop the job: what has not begun is canceled", async () => {
  const names = await addDevices(6, "1.0");
  const job = await roll("2.0", { failureStop: { failedPercent: 50, endedCountMin: 3 } });
  await progress(names[0] ?? "", -1);
  await progress(names[1] ?? "", -4);
  await progress(names[2] ?? "", 5);
  await pass(100);
  expect((await ota.jobs.get(job.id)).status).toBe("IN_PROGRESS");
  await ota.reportVersion(ref(names[3] ?? ""), { module: "default", version: "2.0" });
  await pass(100);
  expect(await ota.jobs.get(job.id)).toMatchObject({ status: "CANCELED", reason: "ota.job_stopped" });
  expect(Object.values(await statusOf(job.id)).toSorted()).toEqual([
    "CANCELED",
    "CANCELED",
    "FAILED",
    "FAILED",
    "IN_PROGRESS",
    "SUCCEEDED",
  ]);
});

test("confirm, cancel and once more", async () => {
  await addDevices(2, "1.0");
  const job = await roll("2.0", { needsConfirm: true });
  expect(Object.values(await statusOf(job.id))).toEqual(["CONFIRM", "CONFIRM"]);
  const { items } = await ota.tasks.list({ page: 1, pageSize: 9 }, { jobId: job.id });
  const [one, two] = items.map(({ id }) => id);
  await ota.tasks.confirm([one ?? 0]);
  expect(offers).toHaveLength(1);
  await expect(ota.tasks.confirm([one ?? 0, two ?? 0])).rejects.toMatchObject({ code: "ota.task_state_wrong" });
  await ota.jobs.cancel(job.id);
  expect(Object.values(await statusOf(job.id))).toEqual(["CANCELED", "CANCELED"]);
  await expect(ota.jobs.cancel(job.id)).rejects.toMatchObject({ code: "ota.job_ended" });
  await ota.tasks.upgradeAgain(job.id, [two ?? 0]);
  expect((await ota.jobs.get(job.id)).status).toBe("IN_PROGRESS");
  expect(offers).toHaveLength(2);
});

test("a device asks: only its own module, only when it is its turn", async () => {
  const [name = ""] = await addDevices(1, "1.0");
  await ota.modules.create({ productKey: "pk", name: "MCU" });
  const job = await roll("7", { isPushed: false, protocol: "mqtt" }, { module: "MCU" });
  expect(offers).toHaveLength(0);
  expect(await ota.pull(ref(name), "default")).toBeUndefined();
  const offer = await ota.pull(ref(name), "MCU");
  expect(offer).toMatchObject({ module: "MCU", version: "7", protocol: "mqtt", files: [{ bytes: 9 }] });
  expect(await statusOf(job.id)).toEqual({ [name]: "NOTIFIED" });
  const request = { taskId: offer?.taskId ?? 0, index: 0, offset: 4, bytes: 100 };
  expect(await ota.readBlock(ref(name), request)).toEqual({ fileBytes: 9, block: Buffer.alloc(5, 4) });
  await expect(ota.readBlock(ref(name), { ...request, offset: 9 })).rejects.toMatchObject({ code: "ota.download_offset_invalid" });
  await expect(ota.readBlock(ref("other"), request)).rejects.toMatchObject({ code: "ota.download_not_offered" });
  // One that names no module means the only one that is being upgraded.
  expect(await ota.reportProgress(ref(name), { step: 5, description: "" })).toBe(true);
});

test("gray: rounded down, at least one, exactly so many", async () => {
  expect([grayCount(10, 33.33), grayCount(3, 1), grayCount(0, 50), grayCount(10_000, 33.33), grayCount(7, 100)]).toEqual([
    3, 1, 0, 3_333, 7,
  ]);
  await addDevices(10, "1.0");
  expect(Object.keys(await statusOf((await roll("2.0", { target: { kind: "gray", percent: 39 } })).id))).toHaveLength(3);
  group = ["dev1.0-4", "dev1.0-5"];
  const job = await roll("3.0", { target: { kind: "group", groupId: "g" }, isOverwriting: true });
  expect(Object.keys(await statusOf(job.id)).toSorted()).toEqual(group);
});

test("a job takes no more devices than allowed, a deleted device leaves its tasks canceled", async () => {
  await addDevices(51, "1.0", false);
  await expect(roll("2.0")).rejects.toMatchObject({ code: "ota.too_many_devices" });
  const job = await roll("3.0", { target: { kind: "specific", deviceNames: ["dev1.0-7"] } });
  await ota.deviceDeleted("pk", "dev1.0-7");
  expect(await statusOf(job.id)).toEqual({ "dev1.0-7": "CANCELED" });
  expect(await ota.versions.ofDevice("pk", "dev1.0-7")).toEqual([]);
});

test("names, versions and packages in use are guarded", async () => {
  await addDevices(1, "1.0");
  const job = await roll("2.0");
  const file = await ota.files.upload((async function* () {})());
  const base = { productKey: "pk", name: "x", version: "9", files: [{ id: file.id }] };
  const refused: [object, string][] = [
    [{ name: "p 2.0" }, "ota.package_name_taken"],
    [{ version: "2.0" }, "ota.package_version_taken"],
    [{ version: "a b" }, "ota.value_invalid"],
    [{ kind: "differential" }, "ota.source_version_missing"],
    [{ kind: "differential", sourceVersion: "9" }, "ota.versions_equal"],
    [{ module: "none" }, "ota.module_not_found"],
    [{ productKey: "other" }, "registry.product_not_found"],
    [{ files: [] }, "ota.value_invalid"],
    [{ files: [{ id: 999 }] }, "ota.file_not_found"],
    [{ files: [{ id: file.id, expectedSign: "0".repeat(32) }] }, "ota.file_mismatch"],
  ];
  for (const [change, code] of refused) await expect(ota.packages.create({ ...base, ...change })).rejects.toMatchObject({ code });
  await expect(ota.packages.delete(job.packageId)).rejects.toMatchObject({ code: "ota.package_in_use" });
  await ota.modules.create({ productKey: "pk", name: "MCU" });
  await expect(ota.modules.create({ productKey: "pk", name: "mcu" })).rejects.toMatchObject({ code: "ota.module_exists" });
  await expect(ota.modules.create({ productKey: "pk", name: "default" })).rejects.toMatchObject({ code: "ota.module_reserved" });
});
