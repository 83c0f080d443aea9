/** The room over the real store in memory and a real folder; time passes when the test says so. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createFakeClock } from "../fake-clock.ts";
import { createRegistry } from "../registry/index.ts";
import { openStore } from "../store/index.ts";
import { createDeviceServices } from "./create-device-services.ts";
import { createFileFolder } from "./file-folder.ts";
import { type DeviceServicesLimits, defaultDeviceServicesLimits } from "./limits.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const minute = 60_000;
const hour = 60 * minute;

async function open(limits: Partial<DeviceServicesLimits> = {}) {
  const folderPath = mkdtempSync(join(tmpdir(), "thingstead-device-services-"));
  const clock = createFakeClock(1_700_000_000_000);
  let drawn = 0;
  const random = { bytes: (count: number) => Buffer.alloc(count, ++drawn) };
  const store = await openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 7) });
  const registry = createRegistry({ store: store.registry, clock, random: { bytes: (count) => random.bytes(count) } });
  const { productKey } = await registry.createProduct({ name: "lamps" });
  const names = ["lamp1", "lamp2", "lamp3"];
  await registry.createDevices(productKey, { devices: names.map((deviceName) => ({ deviceName })) });
  const online = new Set<string>();
  const told: { deviceName: string; status: string }[] = [];
  const configured: string[] = [];
  const folder = createFileFolder(folderPath);
  const { deviceServices, linkedFiles } = createDeviceServices({
    stores: store,
    folder,
    registry,
    downlink: {
      isOnline: (_productKey, deviceName) => online.has(deviceName),
      tellShadow: () => {},
      tellConfig: ({ deviceName }) => void configured.push(deviceName),
      tellLogSwitch: () => {},
      tellTask({ deviceName }, { status }) {
        if (!online.has(deviceName)) return false;
        told.push({ deviceName, status });
        return true;
      },
    },
    origin: () => "https://things.example",
    linkKey: Buffer.alloc(32, 1),
    clock,
    random,
    limits: { ...defaultDeviceServicesLimits, ...limits },
    onFailure(error) {
      throw error;
    },
  });
  await deviceServices.start();
  closers.push(
    () => rmSync(folderPath, { recursive: true }),
    () => store.close(),
    () => registry.close(),
    () => deviceServices.close(),
  );
  const device = (deviceName: string) => ({ productKey, deviceName });
  return { ...deviceServices, linkedFiles, folder, registry, clock, online, told, configured, device, productKey };
}

/** Lets what was begun and not awaited come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

test("8.11 a job is told at once to who is there, later to who comes, once to each", async () => {
  const { jobs, online, told, device } = await open();
  online.add("lamp1");
  const job = await jobs.create({ name: "j", document: { do: "it" }, devices: ["lamp1", "lamp2", "lamp1"].map(device) });
  await settle();
  expect(told).toEqual([{ deviceName: "lamp1", status: "SENT" }]);
  expect((await jobs.get(job.id)).counts).toEqual({ SENT: 1, QUEUED: 1 });
  online.add("lamp2");
  jobs.reachable(device("lamp2"));
  jobs.reachable(device("lamp1"));
  await settle();
  expect(told.map(({ deviceName }) => deviceName)).toEqual(["lamp1", "lamp2"]);
});

test("8.11 no more devices are told in a minute than the job allows, and none once it is cancelled", async () => {
  const { jobs, clock, online, told, device } = await open();
  online.add("lamp1").add("lamp2").add("lamp3");
  const names = ["lamp1", "lamp2", "lamp3"];
  const job = await jobs.create({ name: "j", document: {}, devices: names.map(device), rollout: { perMinuteMax: 1 } });
  await expect.poll(() => told.length).toBe(1);
  await clock.pass(minute - 1);
  await settle();
  expect(told).toHaveLength(1);
  await clock.pass(1);
  await expect.poll(() => told.map(({ deviceName }) => deviceName)).toEqual(["lamp1", "lamp2"]);
  await jobs.cancel(job.id);
  await clock.pass(minute);
  await settle();
  expect(told.filter(({ deviceName }) => deviceName === "lamp3")).toEqual([]);
  await jobs.rerun(job.id);
  await expect.poll(() => told.at(-1)).toEqual({ deviceName: "lamp1", status: "SENT" });
  await expect(jobs.change(job.id, { rollout: { perMinuteMax: 0 } })).rejects.toMatchObject({ code: "device_services.job_invalid" });
});

test("8.11 a task in progress for too long has failed; a device cannot wake it up; the rest can be cancelled", async () => {
  const { jobs, clock, online, told, device } = await open();
  online.add("lamp1").add("lamp2");
  const job = await jobs.create({ name: "j", document: {}, devices: [device("lamp1"), device("lamp2")], timeoutMinutes: 5 });
  await settle();
  const { items } = await jobs.tasks(job.id, { page: 1, pageSize: 9 });
  const first = items[0]?.taskId ?? "";
  expect(await jobs.update(device("lamp1"), { taskId: first, status: "IN_PROGRESS", progress: 10 })).toBe("done");
  await clock.pass(4 * minute);
  // Saying more does not give it more time.
  expect(await jobs.update(device("lamp1"), { taskId: first, status: "IN_PROGRESS", progress: 20 })).toBe("done");
  await clock.pass(1 * minute);
  await clock.pass(1 * minute);
  await settle();
  expect((await jobs.get(job.id)).counts).toEqual({ TIMED_OUT: 1, SENT: 1 });
  expect(await jobs.update(device("lamp1"), { taskId: first, status: "SUCCEEDED" })).toBe("over");
  expect(await jobs.update(device("lamp2"), { taskId: first, status: "SUCCEEDED" })).toBe("unknown");
  for (const report of [{ status: "QUEUED" }, { status: "toString" }, { status: "FAILED", progress: 101 }]) {
    expect(await jobs.update(device("lamp1"), { taskId: first, ...report })).toBe("invalid");
  }
  expect((await jobs.cancel(job.id)).counts).toEqual({ TIMED_OUT: 1, CANCELLED: 1 });
  expect(told.at(-1)).toEqual({ deviceName: "lamp2", status: "CANCELLED" });
  await expect(jobs.get("none")).rejects.toMatchObject({ code: "device_services.job_not_found" });
});

test.each([
  [{ name: "" }, "name"],
  [{ document: { text: "x".repeat(65 * 1024) } }, "document"],
  [{ devices: [] }, "devices"],
  [{ file: { content: Buffer.alloc(1024 * 1024 + 1) } }, "file"],
])("a job is refused for its limits: %#", async (more, what) => {
  const { jobs, device } = await open();
  const create = jobs.create({ name: "j", document: {}, devices: [device("lamp1")], ...more });
  await expect(create).rejects.toMatchObject({ code: "device_services.job_invalid", details: { what } });
  expect((await jobs.list({ page: 1, pageSize: 9 })).total).toBe(0);
});

test("8.9 a new file takes the place of the old one when it is complete, not before", async () => {
  const { files, device, folder } = await open();
  const lamp = device("lamp1");
  const upload = async (bytes: number) => {
    const begun = await files.begin(lamp, { name: "a", bytes, ifExists: "overwrite" });
    if (!("file" in begun)) throw new Error(begun.reason);
    return begun.file.uploadId;
  };
  const block = (uploadId: string, bytes: number, offset = 0) =>
    files.append(lamp, { uploadId, offset, bytes: Buffer.alloc(bytes, 7), isComplete: false, isIntact: true });
  const first = await upload(300);
  expect(await block(first, 300)).toMatchObject({ file: { isComplete: true } });
  const second = await upload(600);
  await block(second, 300);
  expect((await files.list(lamp, { page: 1, pageSize: 9 })).items.map(({ uploadId }) => uploadId)).toEqual([second, first]);
  await block(second, 300, 300);
  expect((await files.list(lamp, { page: 1, pageSize: 9 })).items.map(({ uploadId }) => uploadId)).toEqual([second]);
  expect(await folder.list()).toEqual([second]);
});

test("8.9 a stream of unknown length ends when it says so; limits hold for it, too", async () => {
  const { files, device } = await open({ fileBytesMax: 1_000 });
  const lamp = device("lamp1");
  const begun = await files.begin(lamp, { name: "s", bytes: -1, ifExists: "overwrite" });
  const uploadId = "file" in begun ? begun.file.uploadId : "";
  const append = (offset: number, bytes: number, isComplete: boolean) =>
    files.append(lamp, { uploadId, offset, bytes: Buffer.alloc(bytes), isComplete, isIntact: true });
  expect(await append(0, 600, false)).toMatchObject({ file: { bytes: -1, storedBytes: 600 } });
  expect(await append(600, 500, false)).toMatchObject({ refused: "file_too_large" });
  expect(await append(600, 1, true)).toMatchObject({ file: { bytes: 601, isComplete: true } });
  expect(await files.begin(lamp, { name: "t", bytes: 1_001, ifExists: "overwrite" })).toMatchObject({ refused: "file_too_large" });
  expect(await files.begin(lamp, { name: "line\nbreak", bytes: 5, ifExists: "overwrite" })).toMatchObject({ refused: "invalid" });
});

test("8.9 what nobody goes on with for a day is deleted, and so are bytes whose device is gone", async () => {
  const { files, device, folder, clock, registry, productKey } = await open();
  const begin = async (deviceName: string) => {
    const begun = await files.begin(device(deviceName), { name: "a", bytes: 600, ifExists: "append" });
    const uploadId = "file" in begun ? begun.file.uploadId : "";
    const bytes = Buffer.alloc(300);
    await files.append(device(deviceName), { uploadId, offset: 0, bytes, isComplete: false, isIntact: true });
    return uploadId;
  };
  const kept = await begin("lamp1");
  await begin("lamp2");
  await registry.deleteDevice(productKey, "lamp2");
  await clock.pass(hour);
  await settle();
  await expect.poll(() => folder.list()).toEqual([kept]);
  expect(await files.begin(device("lamp1"), { name: "a", bytes: 600, ifExists: "append" })).toMatchObject({ file: { uploadId: kept } });
  await clock.pass(24 * hour);
  // The cleaning waits for the disk before it is due again.
  const later = async () => {
    await clock.pass(hour);
    return folder.list();
  };
  await expect.poll(later).toEqual([]);
});

test("8.6 a configuration is JSON of at most 64 KB; a link to it is signed, ends, and gives ranges", async () => {
  const { configs, linkedFiles, productKey, clock } = await open();
  await expect(configs.save(productKey, Buffer.from("{"))).rejects.toMatchObject({ code: "device_services.config_not_json" });
  await expect(configs.save(productKey, Buffer.alloc(65_537, "1"))).rejects.toMatchObject({ code: "device_services.config_too_large" });
  expect(await configs.offer(productKey)).toBe("off");
  await configs.setEnabled(productKey, true);
  expect(await configs.offer(productKey)).toBe("none");
  await configs.save(productKey, Buffer.from('{"a":1}'));
  const offer = await configs.offer(productKey);
  if (typeof offer === "string") throw new Error(offer);
  const path = new URL(offer.url).pathname;
  const whole = await linkedFiles.answer({ path, range: undefined });
  expect(whole).toMatchObject({ kind: "file", status: 200, bytes: 7 });
  const part = await linkedFiles.answer({ path, range: "bytes=1-3" });
  expect(part).toMatchObject({ status: 206, bytes: 3, headers: { "Content-Range": "bytes 1-3/7" } });
  expect(part.kind === "file" && Buffer.from(await part.read(0, 3)).toString()).toBe('"a"');
  expect(await linkedFiles.answer({ path, range: "bytes=7-" })).toMatchObject({ code: "device_services.range_unsatisfiable" });
  const other = path.replace("/files/c.1.", "/files/c.2.");
  expect(await linkedFiles.answer({ path: other, range: undefined })).toMatchObject({ code: "device_services.link_invalid" });
  await clock.pass(25 * hour);
  expect(await linkedFiles.answer({ path, range: undefined })).toMatchObject({ code: "device_services.link_expired" });
});

test("8.6 a push goes to all who are connected, some at a time", async () => {
  const { configs, registry, productKey, configured, clock } = await open({ pushDevicesPerTurn: 2 });
  for (const deviceName of ["lamp1", "lamp2", "lamp3"]) registry.markOnline(productKey, deviceName, clock.now(), "127.0.0.1:1");
  await configs.setEnabled(productKey, true);
  await configs.save(productKey, Buffer.from("1"));
  await configs.push(productKey);
  await expect.poll(() => configured.length).toBe(2);
  await clock.pass(100);
  await expect.poll(() => configured.toSorted()).toEqual(["lamp1", "lamp2", "lamp3"]);
});

test("8.7 lines are taken at once and written together; a full memory refuses and loses nothing", async () => {
  const { lines, device, clock } = await open({ logLinesWaitingMax: 3 });
  const line = { level: "INFO", module: "m", code: "0", content: "x" };
  expect(lines.take(device("lamp1"), [line, line])).toBe(true);
  expect(lines.take(device("lamp1"), [line, line])).toBe(false);
  await clock.pass(500);
  await settle();
  expect(lines.take(device("lamp2"), [{ ...line, content: "y".repeat(9_000) }])).toBe(true);
  const stored = await lines.query({ limit: 9 });
  expect(stored.map(({ deviceName }) => deviceName)).toEqual(["lamp2", "lamp1", "lamp1"]);
  expect(stored[0]?.content).toHaveLength(4_096);
});
