/** Firmware with the device SDK against a real server: from the package to success, whatever happens on the way. */
import { createHash, randomBytes } from "node:crypto";
import { connect, type Device, type DeviceOptions, type UpgradeStep } from "@thingstead/device";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFixture, type Fixture } from "./support/fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let rest: ReturnType<typeof restClient>;
const devices: Device[] = [];
const image = randomBytes(300_001);
const md5 = createHash("md5").update(image).digest("hex");

beforeAll(async () => {
  server = await startServerProcess();
  rest = restClient(server);
});
afterAll(async () => {
  for (const device of devices) await device.end();
  await server.remove();
});

async function createPackage(productKey: string, version: string, more: object = {}): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${server.httpPort}/api/v1/ota/files?md5=${md5}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${server.accessKeyId}:${server.accessKeySecret}`,
      "content-type": "application/octet-stream",
    },
    body: new Uint8Array(image),
  });
  const { id } = (await answer.json()) as { id: number };
  const body = { productKey, name: `${productKey} ${version}`, version, files: [{ id }], needsVerification: false, ...more };
  const made = await rest("POST", "/ota/packages", body);
  expect(made.status).toBe(201);
  return made.body.id;
}

async function connectDevice({ productKey, deviceName, deviceSecret }: Fixture, more: Partial<DeviceOptions> = {}): Promise<Device> {
  const target = { host: "localhost", port: server.devicePort, ca: server.ca };
  const device = await connect({ productKey, deviceName, deviceSecret, ...target, ...more });
  devices.push(device);
  return device;
}

const taskOf = async (jobId: number) => (await rest("GET", `/ota/tasks?jobId=${jobId}`)).body.items[0];

/** Collects what is written, at the place where it belongs. */
function flash() {
  const bytes = Buffer.alloc(image.length);
  const sizes: number[] = [];
  return {
    bytes,
    sizes,
    write(piece: Buffer, offset: number) {
      piece.copy(bytes, offset);
      sizes.push(piece.length);
    },
  };
}

test("[seed 001] a device that follows is told, downloads in small records, reports progress, and is done with its new version", async () => {
  const fixture = await createFixture(rest);
  const device = await connectDevice(fixture, { tlsRecordBytesMax: 4096 });
  const steps: UpgradeStep[] = [];
  const memory = flash();
  await device.ota.follow({
    version: "v9",
    pieceBytesMax: 512,
    write: memory.write,
    apply: () => {},
    onStep: (step) => steps.push(step),
  });
  const packageId = await createPackage(fixture.productKey, "v10");
  const job = await rest("POST", `/ota/packages/${packageId}/verify`, { deviceNames: [fixture.deviceName] });
  await until("success", async () => (await taskOf(job.body.id)).status === "SUCCEEDED");
  expect(memory.bytes.equals(image)).toBe(true);
  expect(Math.max(...memory.sizes)).toBe(512);
  expect(steps.map(({ kind }) => kind).filter((kind) => kind !== "progress")).toEqual(["offered", "verified", "applied"]);
  expect(await taskOf(job.body.id)).toMatchObject({ sourceVersion: "v9", version: "v10", progress: 100 });
});

test("7.3 what goes wrong is told with its step; the next try succeeds", async () => {
  const fixture = await createFixture(rest);
  const device = await connectDevice(fixture);
  let isBroken = true;
  const failures: unknown[] = [];
  await device.ota.follow({
    version: "1.0",
    write: () => {
      if (isBroken) throw new Error("flash");
    },
    apply: () => {},
    onStep: (step) => {
      if (step.kind === "failed") failures.push(step.failure);
    },
  });
  const packageId = await createPackage(fixture.productKey, "2.0", { signMethod: "SHA256" });
  const first = await rest("POST", `/ota/packages/${packageId}/jobs`, {});
  await until("the failure", async () => (await taskOf(first.body.id)).status === "FAILED");
  expect(failures).toEqual(["burn"]);
  expect(await taskOf(first.body.id)).toMatchObject({ reason: "ota.burning_failed" });
  isBroken = false;
  const second = await rest("POST", `/ota/packages/${packageId}/jobs`, {});
  await until("success", async () => (await taskOf(second.body.id)).status === "SUCCEEDED");
});

test("7.5 without HTTPS: asked for, and fetched over MQTT in blocks", async () => {
  const fixture = await createFixture(rest);
  const device = await connectDevice(fixture, { mode: "tcp", limits: { downloadBlockBytes: 50_000 } });
  expect(await device.ota.ask()).toBeUndefined();
  await device.ota.inform("1.0");
  const packageId = await createPackage(fixture.productKey, "3.0");
  const job = await rest("POST", `/ota/packages/${packageId}/jobs`, { isPushed: false, protocol: "mqtt" });
  const upgrade = await until("an offer", async () => device.ota.ask());
  expect(upgrade).toMatchObject({ version: "3.0", module: "default", files: [{ bytes: image.length, digest: md5 }] });
  const progress: number[] = [];
  const bytes = await upgrade.read({ onProgress: ({ receivedBytes }) => progress.push(receivedBytes) });
  expect(bytes.equals(image)).toBe(true);
  expect(progress).toEqual([50_000, 100_000, 150_000, 200_000, 250_000, 300_000, 300_001]);
  await device.ota.inform("3.0");
  await until("success", async () => (await taskOf(job.body.id)).status === "SUCCEEDED");
});

test("a record that is larger than the device's buffer is the seed's error 0x7200", async () => {
  const fixture = await createFixture(rest);
  await expect(connectDevice(fixture, { tlsRecordBytesMax: 512 })).rejects.toMatchObject({
    code: "device.record_too_large",
    message: expect.stringContaining("-0x7200"),
  });
});
