/** What was acknowledged is in the history, whatever happens to the server; the command line sets, asks and reads. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { signConnect } from "@thingstead/dialects";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { restClient } from "./support/rest-client.ts";
import { runThingstead, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let client: MqttClient | undefined;

beforeEach(async () => {
  server = await startServerProcess();
});
afterEach(async () => {
  client?.end(true);
  client = undefined;
  await server.remove();
});

const lamp = {
  schema: "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json",
  profile: {},
  properties: [
    {
      identifier: "Level",
      name: "level",
      accessMode: "rw",
      required: false,
      dataType: { type: "int", specs: { min: "0", max: "1000000" } },
    },
  ],
  events: [],
  services: [
    {
      identifier: "Ask",
      name: "ask",
      required: false,
      callType: "sync",
      inputData: [{ identifier: "word", name: "word", dataType: { type: "text", specs: { length: "9" } } }],
      outputData: [],
      method: "thing.service.Ask",
    },
  ],
};

const keyOf = ({ httpPort, accessKeyId, accessKeySecret }: ServerProcess) => ({
  THINGSTEAD_SERVER: `http://127.0.0.1:${httpPort}`,
  THINGSTEAD_KEY: `${accessKeyId}:${accessKeySecret}`,
});

async function createLamp() {
  const rest = restClient(server);
  const { productKey } = (await rest("POST", "/products", { name: "lamp" })).body;
  const { deviceSecret } = (await rest("POST", `/products/${productKey}/devices`, { deviceName: "lamp1" })).body;
  const file = join(server.dataDir, "lamp.json");
  writeFileSync(file, JSON.stringify(lamp));
  const imported = await runThingstead(["tsl", "import", productKey, file, "--publish", "--model-version", "1.0"], keyOf(server));
  expect(imported, imported.stderr).toMatchObject({ code: 0 });
  return { productKey: String(productKey), deviceSecret: String(deviceSecret) };
}

async function connectLamp({ productKey, deviceSecret }: { productKey: string; deviceSecret: string }): Promise<MqttClient> {
  const { clientId, userName, password } = signConnect({
    productKey,
    deviceName: "lamp1",
    deviceSecret,
    secureMode: 3,
    parameters: { _ss: "1", ext: "1" },
  });
  const connected = await mqtt.connectAsync({
    host: "127.0.0.1",
    port: server.devicePort,
    protocol: "mqtt",
    protocolVersion: 4,
    clientId,
    username: userName,
    password,
    keepalive: 60,
    reconnectPeriod: 0,
  });
  connected.on("error", () => {});
  client = connected;
  return connected;
}

test("kill -9 between posts: every acknowledged value is in the history, and none twice", async () => {
  const device = await createLamp();
  const lampClient = await connectLamp(device);
  const topic = `/sys/${device.productKey}/lamp1/thing/event/property/post`;
  const begin = Date.now();
  const acknowledged: number[] = [];
  const post = async (value: number) => {
    const params = { Level: { value, time: begin + value } };
    await lampClient.publishAsync(
      topic,
      JSON.stringify({ id: String(value), version: "1.0", params, method: "thing.event.property.post" }),
      { qos: 1 },
    );
    acknowledged.push(value);
  };
  const flood = (async () => {
    for (let value = 0; value < 100_000; value += 10) await Promise.all(Array.from({ length: 10 }, (_, index) => post(value + index)));
  })().catch(() => {});
  await until("three hundred acknowledged posts", () => acknowledged.length >= 300);
  await server.kill();
  lampClient.end(true);
  await Promise.race([flood, new Promise((resolve) => setTimeout(resolve, 500))]);
  const safe = [...acknowledged];
  server = await startServerProcess({ dataDir: server.dataDir });
  const rest = restClient(server);
  const place = `/products/${device.productKey}/devices/lamp1/properties`;
  const values: number[] = [];
  let cursor = "";
  do {
    const { body } = await rest("GET", `${place}/Level/history?order=ascending&limit=100${cursor}`);
    values.push(...body.items.map((one: { value: number }) => one.value));
    cursor = body.cursor === undefined ? "" : `&cursor=${body.cursor}`;
  } while (cursor !== "");
  expect(safe.filter((value) => !values.includes(value))).toEqual([]);
  expect(values).toEqual(values.toSorted((one, other) => one - other));
  expect(new Set(values).size).toBe(values.length);
  const current = (await rest("GET", place)).body.values.Level.value;
  expect(current).toBe(values.at(-1));
  const { body: counted } = await rest("GET", `${place}/Level/aggregates?from=${begin}&intervalSeconds=3600&function=count`);
  expect(counted.items.map((one: { count: number }) => one.count)).toEqual([values.length]);
});

test("the command line sets a property, calls a service, reads values and the model; a deleted device leaves nothing", async () => {
  const device = await createLamp();
  const { productKey } = device;
  const lampClient = await connectLamp(device);
  const seen: { topic: string; text: string }[] = [];
  lampClient.on("message", (topic, payload) => {
    seen.push({ topic, text: payload.toString() });
    const { id, params } = JSON.parse(payload.toString());
    if (topic.startsWith("/ext/rrpc/")) lampClient.publish(topic, JSON.stringify({ id, code: 200, data: { heard: params.word } }));
  });
  const run = (...args: string[]) => runThingstead(args, keyOf(server));
  const set = await run("property", "set", productKey, "lamp1", "Level=7", "--json");
  expect(set, set.stderr).toMatchObject({ code: 0 });
  const { id } = JSON.parse(set.stdout);
  await until("the device is asked", () =>
    seen.some(({ topic, text }) => topic.endsWith("/thing/service/property/set") && JSON.parse(text).id === id),
  );
  await lampClient.publishAsync(`/sys/${productKey}/lamp1/thing/service/property/set_reply`, JSON.stringify({ id, code: 200, data: {} }), {
    qos: 1,
  });
  const post = { id: "1", version: "1.0", params: { Level: 7 }, method: "thing.event.property.post" };
  await lampClient.publishAsync(`/sys/${productKey}/lamp1/thing/event/property/post`, JSON.stringify(post), { qos: 1 });

  const asked = await run("service", "call", productKey, "lamp1", "Ask", '{"word":"now"}', "--json");
  expect(asked, asked.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(asked.stdout)).toMatchObject({ code: 200, output: { heard: "now" } });
  const got = await run("property", "get", productKey, "lamp1", "--json");
  expect(JSON.parse(got.stdout)).toMatchObject({ values: { Level: { value: 7 } } });
  const refused = await run("property", "set", productKey, "lamp1", "Level=high");
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("[things.value_invalid]") });
  const exported = await run("tsl", "export", productKey, "--published");
  expect(JSON.parse(exported.stdout)).toMatchObject({ profile: { productKey }, properties: lamp.properties });

  const rest = restClient(server);
  const place = `/products/${productKey}/devices/lamp1`;
  const calls = (await rest("GET", `${place}/calls`)).body.items;
  expect(calls.map((one: { identifier: string; code: number }) => [one.identifier, one.code])).toEqual([
    ["Ask", 200],
    ["set", 200],
  ]);
  const { iotId } = (await rest("GET", place)).body;
  expect((await rest("DELETE", place)).status).toBe(204);
  // Again with the same iotId: nothing of the first one is there.
  await rest("POST", `/products/${productKey}/devices`, { deviceName: "lamp1", iotId });
  await until("no values", async () => Object.keys((await rest("GET", `${place}/properties`)).body.values).length === 0);
  expect((await rest("GET", `${place}/calls`)).body.items).toEqual([]);
});
