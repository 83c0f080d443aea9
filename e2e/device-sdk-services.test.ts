/** Shadow, time, remote configuration, log lines, jobs and files with the device SDK against a real server. */
import { randomBytes } from "node:crypto";
import { connect, type Device, type Job, type RemoteConfig } from "@thingstead/device";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLamp, type LampDevice } from "./support/lamp-fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let rest: ReturnType<typeof restClient>;
const devices: Device[] = [];

beforeAll(async () => {
  server = await startServerProcess();
  rest = restClient(server);
});
afterAll(async () => {
  for (const device of devices) await device.end();
  await server.remove();
});

async function connectLamp(more: object = {}): Promise<{ lamp: LampDevice; device: Device; path: string }> {
  const lamp = await createLamp(rest);
  const { productKey, deviceName, deviceSecret } = lamp;
  const target = { host: "localhost", port: server.devicePort, ca: server.ca };
  const device = await connect({ productKey, deviceName, deviceSecret, ...target, ...more });
  devices.push(device);
  return { lamp, device, path: `/products/${productKey}/devices/${deviceName}` };
}

test("8.1 shadow: reports, obeys, clears, deletes; a version that is behind is mended", async () => {
  const { device, path } = await connectLamp();
  expect(await device.shadow.get()).toEqual({ reported: {}, desired: {}, version: 0 });
  await device.shadow.report({ color: "GREEN", place: { floor: 1 } });
  const desired: unknown[] = [];
  await device.shadow.onChange((document) => desired.push(document.desired));
  const put = await rest("PUT", `${path}/shadow`, { desired: { color: "RED" } });
  expect(put).toMatchObject({ status: 200 });
  await until("the change", () => desired.length === 1);
  expect(desired).toEqual([{ color: "RED" }]);
  await device.shadow.report({ color: "RED" }, { clearsDesired: true });
  expect(await device.shadow.get()).toMatchObject({ reported: { color: "RED", place: { floor: 1 } }, desired: {} });
  // A program counts the version far up while the device does not look.
  await rest("PUT", `${path}/shadow`, { desired: { color: "BLUE" }, version: 9_000_000_000_000 });
  await Promise.all([device.shadow.report({ a: 1 }), device.shadow.report({ b: 2 })]);
  await device.shadow.remove(["place"]);
  await device.shadow.clearDesired();
  expect((await rest("GET", `${path}/shadow`)).body.state).toEqual({ reported: { color: "RED", a: 1, b: 2 }, desired: {} });
  await device.shadow.remove();
  expect((await device.shadow.get()).reported).toEqual({});
});

test("8.3 the cloud's time", async () => {
  const { device } = await connectLamp();
  const answers = await Promise.all([device.time.get(), device.time.get()]);
  for (const { time, roundTripMilliseconds } of answers) {
    expect(Math.abs(time - Date.now())).toBeLessThan(2_000);
    expect(roundTripMilliseconds).toBeGreaterThanOrEqual(0);
  }
});

test("8.6 remote configuration: asked for, fetched over HTTPS, and pushed", async () => {
  const { device, lamp } = await connectLamp();
  const place = `/products/${lamp.productKey}/config`;
  await expect(device.config.get()).rejects.toMatchObject({ code: "device.reply_refused" });
  expect(await rest("PUT", place, { payload: '{"interval":5}' })).toMatchObject({ status: 200 });
  await rest("PATCH", place, { isEnabled: true });
  const config = await device.config.get();
  expect((await config.fetch()).toString()).toBe('{"interval":5}');
  const pushed: RemoteConfig[] = [];
  await device.config.onPush((one) => void pushed.push(one));
  await rest("PUT", place, { payload: '{"interval":6}' });
  await rest("POST", `${place}/push`, {});
  const [one] = await until("the push", () => (pushed.length > 0 ? pushed : undefined));
  expect((await one?.fetch())?.toString()).toBe('{"interval":6}');
});

test("8.7 log lines, once they are wanted", async () => {
  const { device, path, lamp } = await connectLamp();
  expect(await device.log.isWanted()).toBe(false);
  const wanted: boolean[] = [];
  await device.log.onWanted((isWanted) => wanted.push(isWanted));
  expect((await rest("PUT", `${path}/log-upload`, { isWanted: true })).status).toBeLessThan(300);
  await until("told", () => wanted.length === 1);
  expect(wanted).toEqual([true]);
  expect(await device.log.isWanted()).toBe(true);
  await device.log.post(
    Array.from({ length: 45 }, (_, index) => ({ level: "WARN" as const, module: "pump", code: "4103", text: `line ${index}` })),
  );
  await until("all lines", async () => {
    const { body } = await rest("GET", `/device-lines?productKey=${lamp.productKey}&limit=100`);
    return body.items?.length === 45;
  });
});

test("8.11 jobs: told, listed, done", async () => {
  const { device, lamp } = await connectLamp();
  const jobs: Job[] = [];
  await device.jobs.onJob((job) => jobs.push(job));
  expect(await device.jobs.next()).toBeUndefined();
  const { productKey, deviceName } = lamp;
  const document = { action: "clean" };
  const made = await rest("POST", "/jobs", { name: "clean", document, devices: [{ productKey, deviceName }] });
  expect(made.status).toBe(201);
  const job = await until("the job", () => jobs[0]);
  expect(job.document).toEqual(document);
  expect(await device.jobs.get(job.id)).toMatchObject({ id: job.id, document });
  expect((await device.jobs.list()).map(({ id }) => id)).toEqual([job.id]);
  await device.jobs.update(job.id, "IN_PROGRESS", { progress: 50 });
  await device.jobs.update(job.id, "SUCCEEDED", { progress: 100, details: { cleaned: 3 } });
  const { body } = await rest("GET", `/jobs/${made.body.id}/tasks`);
  expect(body.items).toMatchObject([{ status: "SUCCEEDED", details: { cleaned: 3 } }]);
  expect(await device.jobs.list()).toEqual([]);
});

test("8.9 files: uploaded in blocks, refused with a code, cancelled", async () => {
  const { device, path } = await connectLamp({ limits: { uploadBlockBytes: 1024 } });
  const bytes = randomBytes(5_000);
  const progress: number[] = [];
  const abort = new AbortController();
  await device.files.upload("log.bin", bytes, { onProgress: ({ sentBytes }) => progress.push(sentBytes) });
  expect(progress).toEqual([1024, 2048, 3072, 4096, 5000]);
  await expect(device.files.upload("log.bin", bytes, { ifExists: "reject" })).rejects.toMatchObject({ details: { cloudCode: 78123 } });
  const cut = device.files.upload("other.bin", bytes, { signal: abort.signal, onProgress: () => abort.abort(new Error("enough")) });
  await expect(cut).rejects.toThrow("enough");
  const { body } = await rest("GET", `${path}/files`);
  expect(body.items.map(({ name }: { name: string }) => name)).toEqual(["log.bin"]);
});
