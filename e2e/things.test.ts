/** Thing models end to end: what devices report and what they are asked to do, with clients that are not ours. */
import { createHmac } from "node:crypto";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lampModel } from "./support/lamp-fixture.ts";
import { type ProgramProcess, startProgram } from "./support/program-process.ts";
import { restClient } from "./support/rest-client.ts";
import { type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let rest: ReturnType<typeof restClient>;
const programs: ProgramProcess[] = [];
const clients: MqttClient[] = [];
let counter = 0;

beforeAll(async () => {
  server = await startServerProcess();
  rest = restClient(server);
});
afterAll(async () => {
  for (const program of programs) program.kill();
  for (const client of clients) client.end(true);
  await server.remove();
});

async function created(path: string, body: object): Promise<Record<string, string>> {
  const answer = await rest("POST", path, body);
  if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer.body;
}

async function createLamp(options: { dataFormat?: 0 | 1; hasModel?: boolean } = {}) {
  counter += 1;
  const { hasModel = true, dataFormat = 1 } = options;
  const { productKey = "" } = await created("/products", { name: `lamp ${counter}`, dataFormat });
  if (hasModel) {
    const model = await rest("PUT", `/products/${productKey}/thing-model`, { ...lampModel, profile: { version: "1.0", productKey } });
    if (model.status !== 204) throw new Error(JSON.stringify(model));
    await created(`/products/${productKey}/thing-model/publish`, {});
  }
  const { deviceName = "", deviceSecret = "", iotId = "" } = await created(`/products/${productKey}/devices`, { deviceName: "lamp1" });
  return { productKey, deviceName, deviceSecret, iotId, sys: `/sys/${productKey}/${deviceName}/` };
}

type Lamp = Awaited<ReturnType<typeof createLamp>>;

/** A device of MQTT.js, which subscribes to nothing. */
async function connect({ productKey, deviceName, deviceSecret }: Lamp, extension: string) {
  const password = createHmac("sha1", deviceSecret).update(`clientIdcdeviceName${deviceName}productKey${productKey}`).digest("hex");
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.devicePort}`, {
    clientId: `c|securemode=3,signmethod=hmacsha1${extension}|`,
    username: `${deviceName}&${productKey}`,
    password,
    reconnectPeriod: 0,
  });
  clients.push(client);
  const received: { topic: string; payload: string; bytes: Buffer }[] = [];
  client.on("message", (topic, bytes) => received.push({ topic, payload: bytes.toString(), bytes }));
  const message = (what: string, topic: string) =>
    until(what, async () =>
      received.find((each) => each.topic === topic || (topic.endsWith("*") && each.topic.startsWith(topic.slice(0, -1)))),
    );
  return { client, received, message };
}

/** Republishes what a rule sees to a topic of the device itself, where the test hears it. */
async function mirror({ productKey, deviceName }: Lamp, from: string, select = "*"): Promise<void> {
  counter += 1;
  await created("/rules", {
    name: `mirror ${counter}`,
    sql: `SELECT ${select} FROM "${from}"`,
    actions: [{ type: "republish", topic: `/${productKey}/${deviceName}/user/get` }],
    isRunning: true,
  });
}

test("the vendor's SDK posts properties and events, obeys settings, and answers services of both kinds", async () => {
  const device = await createLamp();
  const { productKey, deviceName, deviceSecret } = device;
  const path = `/products/${productKey}/devices/${deviceName}`;
  const program = startProgram(process.execPath, [
    "e2e/programs/vendor-thing.mjs",
    `tcp://localhost:${server.devicePort}/`,
    productKey,
    deviceName,
    deviceSecret,
  ]);
  programs.push(program);
  const event = async (name: string) => JSON.parse(await program.line(name, (line) => line.startsWith(`{"event":"${name}"`)));
  expect((await event("properties")).reply).toMatchObject({ code: 200, data: {}, message: "success" });
  expect((await event("alarm")).reply).toMatchObject({ code: 200 });
  const properties = await rest("GET", `${path}/properties`);
  expect(JSON.stringify(properties.body)).toContain('"value":30');

  const set = await rest("POST", `${path}/properties`, { values: { LightSwitch: 0 } });
  expect(set.status).toBe(202);
  expect((await event("set")).params).toEqual({ LightSwitch: 0 });
  expect((await event("posted")).reply).toMatchObject({ code: 200 });

  const measured = await rest("POST", `${path}/services/measure/calls`, { input: {} });
  expect(measured).toMatchObject({ status: 200, body: { code: 200, output: { result: 42 } } });
  const blinked = await rest("POST", `${path}/services/blink/calls`, { input: { seconds: 5 } });
  expect(blinked.status).toBe(200);
  expect((await event("blink")).params).toEqual({ seconds: 5 });
  await until("the answer of blink", async () => {
    const { body } = await rest("GET", `${path}/calls?identifier=blink`);
    return JSON.stringify(body).includes('"times":3') ? body : undefined;
  });
  await program.end();
});

test("[alibaba-device 4.4] with _ss=1 answers come without a SUBSCRIBE, and end with an UNSUBSCRIBE", async () => {
  const device = await createLamp();
  const { client, received, message } = await connect(device, ",_ss=1");
  const topic = `${device.sys}thing/event/property/post`;
  await client.publishAsync(topic, '{"id":"1","version":"1.0","params":{"Level":20,"Colour":1},"method":"thing.event.property.post"}', {
    qos: 1,
  });
  expect(JSON.parse((await message("post_reply", `${topic}_reply`)).payload)).toEqual({
    code: 200,
    data: { Colour: "tsl parse: params not exist" },
    id: "1",
    message: "success",
    method: "thing.event.property.post",
    version: "1.0",
  });
  await client.subscribeAsync(`${topic}_reply`, { qos: 1 });
  await client.publishAsync(topic, '{"id":2,"params":"{}"}', { qos: 1 });
  await until("one answer for each", async () => (received.length === 2 ? true : undefined));
  expect(JSON.parse(received[1]?.payload ?? "")).toMatchObject({ id: 2, code: 200 });
  await client.unsubscribeAsync(`${topic}_reply`);
  await client.publishAsync(topic, '{"id":"3","params":{"Level":21}}', { qos: 1 });
  // A setting still comes: the automatic subscription of its topic was not cancelled.
  await rest("POST", `/products/${device.productKey}/devices/${device.deviceName}/properties`, { values: { Level: 5 } });
  await message("set", `${device.sys}thing/service/property/set`);
  expect(received.filter((each) => each.topic.endsWith("post_reply"))).toHaveLength(2);
});

test("without _ss and without SUBSCRIBE nothing comes, and the report is stored all the same", async () => {
  const device = await createLamp();
  const { client, received } = await connect(device, "");
  await client.publishAsync(`${device.sys}thing/event/property/post`, '{"id":"1","params":{"Level":20}}', { qos: 1 });
  const { body } = await rest("GET", `/products/${device.productKey}/devices/${device.deviceName}/properties`);
  expect(JSON.stringify(body)).toContain('"value":20');
  expect(received).toEqual([]);
  const refused = await rest("POST", `/products/${device.productKey}/devices/${device.deviceName}/properties`, { values: { Level: 5 } });
  expect(refused).toMatchObject({ status: 409, body: { error: { code: "bindings.not_listening" } } });
});

test("bad messages are answered with the vendor's codes and told in the device log", async () => {
  const device = await createLamp();
  const { client, message } = await connect(device, ",_ss=1");
  await client.publishAsync(`${device.sys}thing/event/property/post`, "not json", { qos: 1 });
  expect(JSON.parse((await message("refusal", `${device.sys}thing/event/property/post_reply`)).payload)).toMatchObject({
    code: 6207,
    id: "",
  });
  await client.publishAsync(`${device.sys}thing/event/unheard/post`, '{"id":"2","params":{}}', { qos: 1 });
  expect(JSON.parse((await message("refusal", `${device.sys}thing/event/unheard/post_reply`)).payload)).toMatchObject({
    code: 5160,
    id: "2",
  });
  await until("the log tells both", async () => {
    const { body } = await rest("GET", `/device-log?productKey=${device.productKey}&isSuccess=false`);
    const text = JSON.stringify(body);
    return text.includes("bindings.message_malformed") && text.includes("thing_model.event_unknown") ? true : undefined;
  });
});

test("[alibaba-server 2.5, 2.6] rules read properties under either spelling, and the device status", async () => {
  const device = await createLamp();
  const { productKey, deviceName } = device;
  const own = `/${productKey}/${deviceName}`;
  await mirror(device, `/sys${own}/thing/event/property/post`, "items.Level.value AS level, deviceName() AS device, requestId");
  const { client, message, received } = await connect(device, ",_ss=1");
  await client.subscribeAsync(`${own}/user/get`);
  await client.publishAsync(`${device.sys}thing/event/property/post`, '{"id":"77","params":{"Level":33}}', { qos: 1 });
  expect(JSON.parse((await message("what the rule made", `${own}/user/get`)).payload)).toEqual({
    level: 33,
    device: deviceName,
    requestId: "77",
  });
  await mirror(device, `/as/mqtt/status/${productKey}/+`, "status, iotId, lastTime, utcTime");
  received.length = 0;
  const { deviceName: second = "", deviceSecret = "", iotId } = await created(`/products/${productKey}/devices`, { deviceName: "lamp2" });
  const other = await connect({ ...device, deviceName: second, deviceSecret }, "");
  await other.client.endAsync();
  const told = await until("online and offline", async () => {
    const messages = received.filter(({ topic }) => topic === `${own}/user/get`);
    return messages.length === 2 ? messages.map(({ payload }) => JSON.parse(payload)) : undefined;
  });
  expect(told.map(({ status }) => status)).toEqual(["online", "offline"]);
  expect(told[0]).toMatchObject({ iotId, lastTime: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/) });
});

test("[alibaba-device 5.7] a raw product's script reads its bytes and writes its answers and calls", async () => {
  const device = await createLamp({ dataFormat: 0 });
  const script = `
    function rawDataToProtocol(bytes) {
      if (bytes[0] === 9) return { id: String(bytes[1]), code: 200, data: { result: bytes[2] } };
      return { method: "thing.event.property.post", id: "5", version: "1.0", params: { Level: bytes[1] } };
    }
    function protocolToRawData(json) {
      if (json.method === "thing.service.property.set") return [2, json.params.Level];
      return [1, json.code & 0xff];
    }`;
  const saved = await rest("PUT", `/products/${device.productKey}/script`, { code: script });
  expect(saved.status).toBe(200);
  const { client, message } = await connect(device, ",_ss=1");
  await client.publishAsync(`${device.sys}thing/model/up_raw`, Buffer.from([1, 44]), { qos: 1 });
  expect([...(await message("up_raw_reply", `${device.sys}thing/model/up_raw_reply`)).bytes]).toEqual([1, 200]);
  const path = `/products/${device.productKey}/devices/${device.deviceName}/properties`;
  expect(JSON.stringify((await rest("GET", path)).body)).toContain('"value":44');
  await rest("POST", path, { values: { Level: 17 } });
  expect([...(await message("down_raw", `${device.sys}thing/model/down_raw`)).bytes]).toEqual([2, 17]);
});

test("a product without a model: its reports are answered and nothing is stored", async () => {
  const device = await createLamp({ hasModel: false });
  const { client, message } = await connect(device, ",_ss=1");
  await client.publishAsync(`${device.sys}thing/event/property/post`, '{"id":"1","params":{"Level":20}}', { qos: 1 });
  expect(JSON.parse((await message("reply", `${device.sys}thing/event/property/post_reply`)).payload)).toMatchObject({ code: 200 });
});

test("[alibaba-device 5.6, 8.4] with ext bit 0 a synchronous service comes under its own topic, and the answer is not echoed", async () => {
  const device = await createLamp();
  const { client, received, message } = await connect(device, ",_ss=1,ext=1");
  const call = rest("POST", `/products/${device.productKey}/devices/${device.deviceName}/services/measure/calls`, { input: {} });
  const request = await message("the call", `/ext/rrpc/*`);
  expect(request.topic).toMatch(new RegExp(`^/ext/rrpc/\\d+${device.sys}thing/service/measure$`));
  const { id, method, params, version } = JSON.parse(request.payload);
  expect([method, params, version]).toEqual(["thing.service.measure", {}, "1.0.0"]);
  await client.publishAsync(request.topic, JSON.stringify({ id, code: 200, data: { result: 9 } }));
  expect(await call).toMatchObject({ status: 200, body: { code: 200, output: { result: 9 } } });
  expect(received).toHaveLength(1);
});

test("[alibaba-device 4.2] a topic with ?_sn=default reaches rules as the script's JSON, and is routed without it", async () => {
  const device = await createLamp();
  const { productKey, deviceName } = device;
  const own = `/${productKey}/${deviceName}`;
  await created(`/products/${productKey}/topics`, { topic: "data", operation: "ALL" });
  const code = "function transformPayload(topic, bytes) { return { topic: topic, first: bytes[0], size: bytes.length }; }";
  expect((await rest("PUT", `/products/${productKey}/script`, { code })).status).toBe(200);
  await mirror(device, `${own}/data`);
  const { client, message } = await connect(device, "");
  await client.subscribeAsync([`${own}/user/get`, `${own}/data`]);
  await client.publishAsync(`${own}/data?_sn=default`, Buffer.from([200, 1, 2]), { qos: 1 });
  expect(JSON.parse((await message("what the rule saw", `${own}/user/get`)).payload)).toEqual({
    topic: `${own}/data`,
    first: 200,
    size: 3,
  });
  expect([...(await message("the bytes themselves", `${own}/data`)).bytes]).toEqual([200, 1, 2]);
});

test("a script without an end fails with 26002, is suspended, and nobody else waits for it", async () => {
  const device = await createLamp({ dataFormat: 0 });
  const code = "function rawDataToProtocol(bytes) { for (;;); }";
  expect((await rest("PUT", `/products/${device.productKey}/script`, { code })).status).toBe(200);
  const { client, received } = await connect(device, ",_ss=1");
  for (let count = 0; count < 5; count += 1) await client.publishAsync(`${device.sys}thing/model/up_raw`, Buffer.from([count]));
  let slowest = 0;
  const answered = until("five answers", () => (received.length === 5 ? true : undefined));
  for (let count = 0; count < 20; count += 1) {
    const began = performance.now();
    await rest("GET", `/products/${device.productKey}`);
    slowest = Math.max(slowest, performance.now() - began);
  }
  await answered;
  expect(slowest).toBeLessThan(400);
  expect(received.map(({ payload }) => JSON.parse(payload).code)).toEqual([26002, 26002, 26002, 26010, 26010]);
});

test("[alibaba-device 9.2] rules read the life of devices and their answers to calls", async () => {
  const device = await createLamp();
  const { productKey, deviceName } = device;
  const own = `/${productKey}/${deviceName}`;
  await mirror(device, `/${productKey}/+/thing/lifecycle`, "action, deviceName, deviceSecret");
  await mirror(device, `${own}/thing/downlink/reply/message`, "code, topic, deviceName");
  const { client, received, message } = await connect(device, ",_ss=1");
  await client.subscribeAsync(`${own}/user/get`);
  const { deviceSecret } = await created(`/products/${productKey}/devices`, { deviceName: "second" });
  await rest("DELETE", `/products/${productKey}/devices/second`);
  const told = await until("both", () => {
    const messages = received.filter(({ topic }) => topic === `${own}/user/get`);
    return messages.length === 2 ? messages.map(({ payload }) => JSON.parse(payload)) : undefined;
  });
  expect(told).toMatchObject([
    { action: "create", deviceName: "second", deviceSecret },
    { action: "delete", deviceName: "second" },
  ]);
  received.length = 0;
  await rest("POST", `/products/${productKey}/devices/${deviceName}/properties`, { values: { Level: 5 } });
  const set = await message("the setting", `${device.sys}thing/service/property/set`);
  await client.publishAsync(`${set.topic}_reply`, JSON.stringify({ id: JSON.parse(set.payload).id, code: 200, data: {} }), { qos: 1 });
  expect(JSON.parse((await message("its answer", `${own}/user/get`)).payload)).toEqual({ code: 200, topic: set.topic, deviceName });
});

test("[alibaba-device 9.2, 9.3] what a device's connections do is told in order, takeovers included", async () => {
  const listener = await createLamp();
  const device = await createLamp();
  await mirror(listener, `/as/mqtt/status/${device.productKey}/${device.deviceName}`, "status, lastTime, time");
  const { client, received } = await connect(listener, "");
  await client.subscribeAsync(`/${listener.productKey}/${listener.deviceName}/user/get`, { qos: 1 });
  const rounds = 15;
  for (let round = 0; round < rounds; round += 1) {
    const first = await connect(device, "");
    // The same device again: the first connection is closed.
    const second = await connect(device, "");
    await second.client.endAsync();
    first.client.end(true);
  }
  const statuses = await until("all of them", () =>
    received.length === rounds * 4 ? received.map(({ payload }) => JSON.parse(payload).status) : undefined,
  );
  expect(statuses).toEqual(Array.from({ length: rounds * 4 }, (_each, index) => (index % 2 === 0 ? "online" : "offline")));
});
