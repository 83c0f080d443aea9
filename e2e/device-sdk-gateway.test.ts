/** Devices that fetch their credentials, and a gateway with sub-devices, with the device SDK against a real server. */
import { randomBytes } from "node:crypto";
import { connect, type Device, register, registerOverMqtt, registerUnknown } from "@thingstead/device";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Lamp } from "./support/lamp.ts";
import { createLamp } from "./support/lamp-fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let rest: ReturnType<typeof restClient>;
let counter = 0;
const devices: Device[] = [];

beforeAll(async () => {
  server = await startServerProcess();
  rest = restClient(server);
});
afterAll(async () => {
  for (const device of devices) await device.end();
  await server.remove();
});

const target = () => ({ host: "localhost", port: server.devicePort, preAuthPort: server.devicePort, ca: server.ca });

async function product(options: object = {}): Promise<{ productKey: string; productSecret: string }> {
  counter += 1;
  const { status, body } = await rest("POST", "/products", { name: `p${process.pid}-${counter}`, ...options });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body;
}

async function device(productKey: string, deviceName: string): Promise<{ productKey: string; deviceName: string; deviceSecret: string }> {
  const { status, body } = await rest("POST", `/products/${productKey}/devices`, { deviceName });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return { productKey, deviceName, deviceSecret: body.deviceSecret };
}

test("2.5, 2.6 registers over HTTPS and over MQTT and connects with what it got; refusals have their codes", async () => {
  const { productKey, productSecret } = await product({ isRegistrationOpen: true });
  const { deviceName } = await device(productKey, "dev1");
  const settings = { productKey, productSecret, deviceName, ...target() };
  const first = await register(settings);
  const second = await registerOverMqtt(settings);
  expect(second.deviceSecret).toMatch(/^\w{32}$/);
  await expect(register({ ...settings, productSecret: "wrong" })).rejects.toMatchObject({
    code: "device.registration_refused",
    details: { cloudCode: 6600 },
  });
  await expect(registerOverMqtt({ ...settings, productSecret: "wrong" })).rejects.toMatchObject({
    code: "device.registration_refused",
    details: { cloudCode: 4 },
  });
  await expect(register({ ...settings, preAuthPort: 1 })).rejects.toMatchObject({ code: "device.registration_unreachable" });
  // Only the secret that came last is good, and after a connection nothing is handed out any more.
  await expect(connect({ ...first, ...target(), reconnect: false })).rejects.toMatchObject({ code: "device.connection_refused" });
  devices.push(await connect({ ...second, ...target() }));
  await expect(register(settings)).rejects.toMatchObject({ details: { cloudCode: 6289 } });
});

test("2.6 a device that nobody knew gets a token and connects with it", async () => {
  const { productKey, productSecret } = await product({ isSelfRegistrationOpen: true });
  const registered = await registerUnknown({ productKey, productSecret, deviceName: "brandnew", ...target() });
  const connected = await connect({ ...registered, ...target() });
  devices.push(connected);
  expect(connected.isOnline).toBe(true);
  await expect(connect({ ...registered, deviceToken: "0", ...target(), reconnect: false })).rejects.toMatchObject({
    code: "device.connection_refused",
  });
});

test("6 registers, adds and logs in sub-devices, which are devices like any other, also after a break", async () => {
  const gatewayProduct = await product({ nodeType: "gateway" });
  const gateway = await connect({
    ...(await device(gatewayProduct.productKey, "gateway1")),
    ...target(),
    reconnect: { baseMilliseconds: 50, maximumMilliseconds: 400 },
  });
  devices.push(gateway);
  const lamp = await createLamp(rest, { isRegistrationOpen: true });
  const names = { productKey: lamp.productKey, deviceName: lamp.deviceName };
  const [triple] = await gateway.gateway.register([names]);
  if (triple === undefined) throw new Error("no secret came");
  await expect(gateway.gateway.login(triple)).rejects.toMatchObject({ details: { cloudCode: 6401 } });
  await gateway.gateway.add([triple]);
  expect(await gateway.gateway.topology()).toEqual([names]);
  await expect(gateway.gateway.add([{ ...triple, deviceSecret: "wrong" }])).rejects.toMatchObject({ code: "device.reply_refused" });

  const sub = await gateway.gateway.login(triple);
  const happened: string[] = [];
  sub.on("offline", (reason) => happened.push(`offline ${reason}`)).on("online", () => happened.push("online"));
  const thing = sub.thing<Lamp>();
  await thing.report({ Level: 12 });
  await sub.tags.set({ room: "12" });
  const set: object[] = [];
  await thing.onPropertySet((values) => void set.push(values));
  const path = `/products/${lamp.productKey}/devices/${lamp.deviceName}`;
  await rest("POST", `${path}/properties`, { values: { Level: 1 } });
  await until("the setting", () => set.length === 1);
  expect((await rest("GET", path)).body.status).toBe("ONLINE");
  expect((await rest("GET", `${path}/tags`)).body.tags).toEqual({ room: "12" });

  await server.kill();
  await until("both offline", () => !gateway.isOnline && !sub.isOnline);
  await expect(thing.report({ Level: 13 }, { timeoutMilliseconds: 50 })).rejects.toMatchObject({ code: "device.reply_timeout" });
  const { dataDir, devicePort } = server;
  server = await startServerProcess({ dataDir, environment: { THINGSTEAD_LISTEN_DEVICE: `127.0.0.1:${devicePort}` } });
  rest = restClient(server);
  // Asked while away: sent when the session stands again.
  await thing.report({ Level: 14 }, { timeoutMilliseconds: 20_000 });
  expect(happened).toEqual(["offline gateway", "online"]);
  await rest("POST", `${path}/properties`, { values: { Level: 2 } });
  await until("a setting after the break", () => set.length === 2);

  // 6.7: another login takes the session over.
  const rival = await connect({ ...triple, ...target() });
  devices.push(rival);
  await until("kicked", () => happened.includes("offline refused"));
  await rival.end();
  const again = await gateway.gateway.login(triple);
  await again.logout();
  await until("OFFLINE", async () => (await rest("GET", path)).body.status === "OFFLINE");
  await expect(again.publish(again.topic("user/update"), "x")).rejects.toMatchObject({ code: "device.ended" });
  await gateway.gateway.remove([names]);
  expect(await gateway.gateway.topology()).toEqual([]);
});

test("6.8 firmware of a sub-device comes over its gateway, and what the cloud does with it is told", async () => {
  const gatewayProduct = await product({ nodeType: "gateway" });
  const gateway = await connect({ ...(await device(gatewayProduct.productKey, "gateway1")), ...target() });
  devices.push(gateway);
  const { productKey } = await product();
  const triple = await device(productKey, "sub1");
  const changes: unknown[] = [];
  await gateway.gateway.onTopologyChange((change) => changes.push(change));
  await gateway.gateway.add([triple]);
  const sub = await gateway.gateway.login(triple);
  const lifecycle: string[] = [];
  await sub.onLifecycle((change) => lifecycle.push(change));
  const image = randomBytes(20_000);
  const written: Buffer[] = [];
  await sub.ota.follow({ version: "1.0", write: (piece) => void written.push(Buffer.from(piece)), apply: () => {} });
  const uploaded = await fetch(`http://127.0.0.1:${server.httpPort}/api/v1/ota/files`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${server.accessKeyId}:${server.accessKeySecret}`,
      "content-type": "application/octet-stream",
    },
    body: new Uint8Array(image),
  });
  const { id } = (await uploaded.json()) as { id: number };
  const made = await rest("POST", "/ota/packages", { productKey, name: `${productKey} 2`, version: "2.0", files: [{ id }] });
  const job = await rest("POST", `/ota/packages/${made.body.id}/verify`, { deviceNames: ["sub1"] });
  const status = async () => (await rest("GET", `/ota/tasks?jobId=${job.body.id}`)).body.items[0]?.status;
  await until("success", async () => (await status()) === "SUCCEEDED");
  expect(Buffer.concat(written).equals(image)).toBe(true);

  const offline: string[] = [];
  sub.on("offline", (reason) => offline.push(reason));
  expect((await rest("POST", `/products/${productKey}/devices/sub1/disable`)).status).toBe(200);
  await until("disabled, kicked and told", () => lifecycle.length + offline.length + changes.length >= 3);
  const names = { productKey, deviceName: "sub1" };
  expect({ lifecycle, offline, changes }).toEqual({
    lifecycle: ["disabled"],
    offline: ["refused"],
    changes: [{ kind: "disabled", devices: [names] }],
  });
  await expect(gateway.gateway.login(triple)).rejects.toMatchObject({ details: { cloudCode: 522 } });
  await rest("POST", `/products/${productKey}/devices/sub1/enable`);
  await until("enabled", () => changes.length === 2);
  // The same object again, with the subscriptions that it had.
  expect(await gateway.gateway.login(triple)).toBe(sub);
  await rest("POST", `/products/${productKey}/devices/sub1/disable`);
  await until("disabled again", () => lifecycle.length === 2);
});
