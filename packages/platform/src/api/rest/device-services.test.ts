/** Shadows, configurations, files, logs and jobs of devices over REST, on the room itself and a store in memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemRandom } from "../../clock.ts";
import { createDeviceServices, createFileFolder, type DeviceServices, defaultDeviceServicesLimits } from "../../device-services/index.ts";
import { createFakeClock } from "../../fake-clock.ts";
import { createRegistry } from "../../registry/index.ts";
import { openStore, type Store } from "../../store/index.ts";
import { createTestPorts, testKey } from "../in-memory-ports.ts";
import { buildApi } from "../server.ts";
import { createAnswerCheck } from "./answer-check.ts";

type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

let store: Store;
let deviceServices: DeviceServices;
let folder: string;
let send: (method: Method, path: string, body?: object) => Promise<{ statusCode: number; body: string; headers: object }>;
// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON the API answers
let call: (method: Method, path: string, body?: object) => Promise<{ status: number; body: any }>;

beforeEach(async () => {
  store = await openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 1) });
  folder = mkdtempSync(join(tmpdir(), "thingstead-rest-files-"));
  const clock = createFakeClock(1_700_000_000_000);
  const registry = createRegistry({ store: store.registry, clock, random: systemRandom });
  ({ deviceServices } = createDeviceServices({
    stores: store,
    folder: createFileFolder(folder),
    registry,
    downlink: { isOnline: () => false, tellShadow() {}, tellConfig() {}, tellLogSwitch() {}, tellTask: () => false },
    origin: () => "https://things.example",
    linkKey: Buffer.alloc(32, 1),
    clock,
    random: systemRandom,
    limits: defaultDeviceServicesLimits,
    onFailure(error) {
      throw error;
    },
  }));
  await deviceServices.start();
  const { app } = await buildApi({ ...createTestPorts().ports, registry, deviceServices });
  const fits = createAnswerCheck((await app.inject("/api/v1/openapi.json")).json());
  const headers = { authorization: `Bearer ${testKey.id}:${testKey.secret}` };
  send = (method, path, payload) => app.inject({ method, url: `/api/v1${path}`, headers, ...(payload === undefined ? {} : { payload }) });
  call = async (method, path, payload) => {
    const answer = await send(method, path, payload);
    const body = answer.body === "" ? undefined : JSON.parse(answer.body);
    if (body !== undefined) expect(fits(method, `/api/v1${path}`, answer.statusCode, body), `${method} ${path} as documented`).toEqual([]);
    return { status: answer.statusCode, body };
  };
  await registry.createProduct({ name: "lamps", productKey: "pk" });
  await registry.createDevice("pk", { deviceName: "lamp1" });
});

afterEach(async () => {
  await deviceServices.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

const device = "/products/pk/devices/lamp1";
const names = { productKey: "pk", deviceName: "lamp1" };

test("a shadow is empty, set, added to and cleared; what is wrong has its code", async () => {
  expect((await call("GET", `${device}/shadow`)).body).toMatchObject({ state: { reported: {}, desired: {} }, version: 0 });
  expect((await call("PUT", `${device}/shadow`, { desired: { a: 1 } })).body).toMatchObject({ state: { desired: { a: 1 } }, version: 1 });
  const delta = { desired: { b: 2 }, isDelta: true, version: 5 };
  expect((await call("PUT", `${device}/shadow`, delta)).body).toMatchObject({ state: { desired: { a: 1, b: 2 } }, version: 5 });
  for (const [body, status, code] of [
    [delta, 409, "shadow_version_conflict"],
    [{ desired: { a: "x".repeat(17_000) } }, 413, "shadow_too_large"],
    [{ desired: Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`a${i}`, 1])) }, 422, "shadow_too_many_attributes"],
    [{ desired: { a: { b: { c: { d: { e: { f: 1 } } } } } } }, 422, "shadow_too_deep"],
  ] as const) {
    expect(await call("PUT", `${device}/shadow`, body)).toMatchObject({ status, body: { error: { code: `device_services.${code}` } } });
  }
  expect((await call("PUT", `${device}/shadow`, { desired: null })).body).toMatchObject({ state: { desired: {} } });
  expect((await call("GET", "/products/pk/devices/none/shadow")).status).toBe(404);
});

test("a configuration is saved, switched on, pushed and read; one that is no JSON is refused", async () => {
  const place = "/products/pk/config";
  expect((await call("GET", place)).body).toEqual({ isEnabled: false, versions: [] });
  const { id } = (await call("PUT", place, { payload: '{"a":1}' })).body;
  expect(await call("POST", `${place}/push`)).toMatchObject({ status: 409, body: { error: { code: "device_services.config_off" } } });
  expect((await call("PATCH", place, { isEnabled: true })).status).toBe(204);
  expect(await call("POST", `${place}/push`)).toMatchObject({ status: 202, body: { id } });
  expect((await call("GET", `${place}/versions/${id}`)).body).toEqual({ id, content: '{"a":1}' });
  expect(await call("PUT", place, { payload: "{" })).toMatchObject({
    status: 422,
    body: { error: { code: "device_services.config_not_json" } },
  });
  expect((await call("GET", `${place}/versions/${id + 1}`)).status).toBe(404);
});

test("a file is listed, linked, downloaded as it came, and deleted; an unfinished one has no content", async () => {
  const bytes = Buffer.alloc(200_000, "0123456789");
  const begun = await deviceServices.files.begin(names, { name: "log", bytes: bytes.length, ifExists: "reject" });
  const uploadId = "file" in begun ? begun.file.uploadId : "";
  const place = `${device}/files/${uploadId}`;
  for (const unfinished of [place, `${place}/content`]) {
    expect(await call("GET", unfinished)).toMatchObject({ status: 409, body: { error: { code: "device_services.file_unfinished" } } });
  }
  for (let offset = 0; offset < bytes.length; offset += 100_000) {
    const block = { uploadId, offset, bytes: bytes.subarray(offset, offset + 100_000), isComplete: false, isIntact: true };
    await deviceServices.files.append(names, block);
  }
  expect((await call("GET", `${device}/files`)).body).toMatchObject({ total: 1, items: [{ uploadId, name: "log", isComplete: true }] });
  expect((await call("GET", place)).body.url).toContain("https://things.example/");
  const answer = await send("GET", `${place}/content`);
  expect(answer).toMatchObject({ statusCode: 200, headers: { "content-length": "200000", "x-content-type-options": "nosniff" } });
  expect(answer.body).toBe(bytes.toString());
  expect((await call("DELETE", place)).status).toBe(204);
  expect((await call("GET", `${place}/content`)).status).toBe(404);
  expect((await call("DELETE", place)).status).toBe(404);
});

test("a job is made, its tasks listed, cancelled and deleted; a wrong one is refused", async () => {
  const body = { name: "restart", document: { do: "it" }, devices: [names], file: { contentBase64: "eA==" } };
  const made = await call("POST", "/jobs", body);
  expect(made).toMatchObject({ status: 201, body: { name: "restart", hasFile: true, counts: { QUEUED: 1 } } });
  const place = `/jobs/${made.body.id}`;
  expect((await call("GET", "/jobs")).body).toMatchObject({ total: 1, items: [{ id: made.body.id }] });
  expect((await call("GET", `${place}/tasks?status=QUEUED`)).body).toMatchObject({ items: [{ ...names, status: "QUEUED", progress: 0 }] });
  expect((await call("POST", `${place}/cancel`)).body).toMatchObject({ isCancelled: true, counts: { CANCELLED: 1 } });
  const again = { isCancelled: false, status: "QUEUED", counts: { QUEUED: 1 } };
  expect((await call("POST", `${place}/rerun`)).body).toMatchObject(again);
  expect((await call("DELETE", place)).status).toBe(204);
  expect((await call("GET", place)).status).toBe(404);
  expect((await call("POST", "/jobs", { ...body, file: { contentBase64: "eA==", url: "http://x" } })).status).toBe(400);
  expect((await call("POST", "/jobs", { ...body, devices: [{ ...names, deviceName: "none" }] })).status).toBe(404);
});

test("lines of devices are queried, and the switch of their log is kept", async () => {
  expect((await call("PUT", `${device}/log-upload`, { isWanted: true })).body).toEqual({ isWanted: true });
  expect((await call("GET", `${device}/log-upload`)).body).toEqual({ isWanted: true });
  expect((await call("GET", "/device-lines?productKey=pk")).body).toEqual({ items: [] });
  expect((await call("GET", `${device}/diagnostics`)).body).toEqual({ items: [] });
  await deviceServices.diagnostics.take(names, { rssi: -40 });
  expect((await call("GET", `${device}/diagnostics`)).body).toMatchObject({ items: [{ report: { rssi: -40 } }] });
});
