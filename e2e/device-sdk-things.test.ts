/** The device SDK's services against a real server. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type Device, ThingFault } from "@thingstead/device";
import { parseThingModel, typesOf } from "@thingstead/thing-model";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Lamp } from "./support/lamp.ts";
import { createLamp as createLampWith, type LampDevice, lampModel } from "./support/lamp-fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { repository, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";
import { callVendorApi } from "./support/vendor-api.ts";

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

const createLamp = () => createLampWith(rest);

async function connectLamp({ productKey, deviceName, deviceSecret }: LampDevice, more: object = {}): Promise<Device> {
  const target = { host: "localhost", port: server.devicePort, ca: server.ca };
  const device = await connect({ productKey, deviceName, deviceSecret, ...target, ...more });
  devices.push(device);
  return device;
}

const pathOf = ({ productKey, deviceName }: LampDevice) => `/products/${productKey}/devices/${deviceName}`;

test("the types of these tests are those of their model", () => {
  const withoutLayout = (text: string) => text.replace(/\s+/g, " ").trim();
  const types = typesOf(parseThingModel(lampModel), { name: "Lamp" });
  expect(withoutLayout(readFileSync(join(repository, "e2e/support/lamp.ts"), "utf8"))).toBe(withoutLayout(types));
});

test("reports, remarks, events, batches; settings and services of both kinds", async () => {
  const lamp = await createLamp();
  const device = await connectLamp(lamp);
  const troubles: unknown[] = [];
  device.on("trouble", (error) => troubles.push(error));
  const thing = device.thing<Lamp>();
  expect(await thing.report({ LightSwitch: 1, Level: 30 })).toEqual({});
  expect(await device.thing().report({ Level: 31, Colour: 1 })).toEqual({ Colour: expect.stringContaining("not exist") });
  await thing.tell("alarm", { code: 7 });
  await expect(device.thing().tell("unheard", {})).rejects.toMatchObject({
    code: "device.reply_refused",
    details: { cloudCode: 5160 },
  });
  await thing.reportBatch({ properties: { Level: [{ value: 40, time: Date.now() }] } });
  const { body } = await rest("GET", `${pathOf(lamp)}/properties`);
  expect(JSON.stringify(body)).toContain('"value":40');

  const set: object[] = [];
  await thing.onPropertySet((values) => void set.push(values), { reportsBack: true });
  await rest("POST", `${pathOf(lamp)}/properties`, { values: { Level: 55 } });
  await until("the setting", () => set.length === 1);
  expect(set).toEqual([{ Level: 55 }]);
  await until("its report", async () => JSON.stringify((await rest("GET", `${pathOf(lamp)}/properties`)).body).includes('"value":55'));

  await thing.onService("measure", () => ({ result: 42 }));
  const stop = await thing.onService("blink", ({ seconds }) => {
    if (seconds > 50) throw new ThingFault(100_003, "too long");
    return { times: seconds * 2 };
  });
  const measured = await rest("POST", `${pathOf(lamp)}/services/measure/calls`, { input: {} });
  expect(measured).toMatchObject({ status: 200, body: { code: 200, output: { result: 42 } } });
  for (const seconds of [5, 60]) await rest("POST", `${pathOf(lamp)}/services/blink/calls`, { input: { seconds } });
  await until("both answers", async () => {
    const text = JSON.stringify((await rest("GET", `${pathOf(lamp)}/calls?identifier=blink`)).body);
    return text.includes('"times":10') && text.includes("100003");
  });
  await stop();
  const deaf = await rest("POST", `${pathOf(lamp)}/services/blink/calls`, { input: { seconds: 1 } });
  expect(deaf.body).toMatchObject({ error: { code: "bindings.not_listening" } });
  expect(troubles).toEqual([]);
});

test("tags, and desired values that were set while the device was away", async () => {
  const lamp = await createLamp();
  const early = await connectLamp(lamp);
  await early.tags.set({ room: "kitchen", floor: "2" });
  await early.tags.remove(["floor", "never_there"]);
  expect((await rest("GET", `${pathOf(lamp)}/tags`)).body.tags).toEqual({ room: "kitchen" });
  await expect(early.tags.set({ "not a key": "x" })).rejects.toMatchObject({ details: { cloudCode: 460 } });
  await early.end();

  await rest("PATCH", `${pathOf(lamp)}/desired`, { values: { Level: 20, LightSwitch: 1 } });
  const thing = (await connectLamp(lamp)).thing<Lamp>();
  const desired = await thing.desired(["Level", "LightSwitch", "Hours"]);
  expect(desired).toEqual({ Level: { value: 20, version: 1 }, LightSwitch: { value: 1, version: 1 } });
  await thing.report({ Level: 20 });
  // A version that is not the current one clears nothing.
  await thing.clearDesired({ Level: desired.Level?.version, LightSwitch: 7 });
  expect(await thing.desired(["Level", "LightSwitch"])).toEqual({ LightSwitch: { value: 1, version: 1 } });
  expect(await thing.model()).toMatchObject({ properties: expect.arrayContaining([expect.objectContaining({ identifier: "Level" })]) });
});

test.each([false, true])("8.4, 8.5 RRPC and broadcasts; with ext bit 0: %s", async (acceptsCustomRrpc) => {
  const lamp = await createLamp();
  const { productKey, deviceName } = lamp;
  const device = await connectLamp(lamp, { acceptsCustomRrpc });
  const troubles: string[] = [];
  device.on("trouble", ({ code }) => troubles.push(code));
  await device.rrpc.onRequest(({ payload }) => {
    if (payload.toString() === "fail") throw new Error("no");
    return `re:${payload.toString()}`;
  });
  await device.thing<Lamp>().onService("measure", () => ({ result: 7 }));
  const ask = async (text: string, topic?: string) => {
    const answer = await callVendorApi(server, "rRpc", {
      productKey,
      deviceName,
      requestBase64Byte: Buffer.from(text).toString("base64"),
      timeout: 2_000,
      ...(topic === undefined ? {} : { topic }),
    });
    return answer.rrpcCode === "SUCCESS" ? Buffer.from(answer.payloadBase64Byte, "base64").toString() : answer.rrpcCode;
  };
  expect(await ask("how are you")).toBe("re:how are you");
  const measured = await rest("POST", `${pathOf(lamp)}/services/measure/calls`, { input: {} });
  expect(measured.body).toMatchObject({ code: 200, output: { result: 7 } });
  const custom = device.topic("user/get");
  if (acceptsCustomRrpc) {
    await device.rrpc.onCustomRequest(custom, ({ topic, payload }) => `${topic} ${payload.toString()}`);
    expect(await ask("x", custom)).toBe(`${custom} x`);
  } else {
    await expect(device.rrpc.onCustomRequest(custom, () => "")).rejects.toMatchObject({ code: "device.option_missing" });
  }
  expect(await ask("fail")).toBe("TIMEOUT");
  expect(troubles).toEqual(["device.handler_failed"]);

  const heard: string[] = [];
  device.broadcasts.onAll(({ payload }) => heard.push(`all ${payload.toString()}`));
  await device.broadcasts.subscribe("news", ({ payload }) => heard.push(`news ${payload.toString()}`));
  const messageContent = Buffer.from("hello").toString("base64");
  await callVendorApi(server, "pubBroadcast", { productKey, messageContent });
  await callVendorApi(server, "pubBroadcast", { productKey, messageContent, topicFullName: `/broadcast/${productKey}/news` });
  await until("both broadcasts", () => heard.length === 2);
  expect(heard.sort()).toEqual(["all hello", "news hello"]);
});
