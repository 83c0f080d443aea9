/** RT-Thread's samples against a real server: what the board printed in the seed must come true, for both platforms. */
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ProgramProcess, startProgram } from "./support/program-process.ts";
import { restClient } from "./support/rest-client.ts";
import { runNode, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let rest: ReturnType<typeof restClient>;
let counter = 0;
const programs: ProgramProcess[] = [];
const image = randomBytes(100_000);
const md5 = createHash("md5").update(image).digest("hex");

beforeAll(async () => {
  server = await startServerProcess();
  rest = restClient(server);
});
afterAll(async () => {
  for (const program of programs) program.kill();
  await server.remove();
});

const byte = (identifier: string) => ({ identifier, name: identifier, dataType: { type: "int", specs: { min: "0", max: "255" } } });
const ledProperties = [
  {
    identifier: "LightSwitch",
    name: "switch",
    accessMode: "rw",
    required: false,
    dataType: { type: "bool", specs: { "0": "off", "1": "on" } },
  },
  {
    identifier: "RGBColor",
    name: "color",
    accessMode: "rw",
    required: false,
    dataType: { type: "struct", specs: ["Red", "Green", "Blue"].map(byte) },
  },
];

/** A board of the seed: LinkDevelop has a thing model, LinkPlatform a topic `data`. */
async function createBoard(platform: "LinkDevelop" | "LinkPlatform") {
  counter += 1;
  const { body: product } = await rest("POST", "/products", { name: `RGB-LED ${process.pid}-${counter}`, topicStyle: "legacy" });
  const productKey: string = product.productKey;
  if (platform === "LinkDevelop") {
    const model = { profile: { version: "1.0", productKey }, properties: ledProperties, events: [], services: [] };
    expect(await rest("PUT", `/products/${productKey}/thing-model`, model)).toMatchObject({ status: 204 });
    await rest("POST", `/products/${productKey}/thing-model/publish`, {});
  } else await rest("POST", `/products/${productKey}/topics`, { topic: "data", operation: "ALL" });
  const deviceName = "RGB-LED-DEV-1";
  const { body: device } = await rest("POST", `/products/${productKey}/devices`, { deviceName });
  const path = `/products/${productKey}/devices/${deviceName}`;
  const credentials = ["--product-key", productKey, "--device-name", deviceName, "--device-secret", device.deviceSecret];
  const place = ["--host", "localhost", "--port", String(server.devicePort), "--ca", server.caFile];
  return { productKey, deviceName, path, args: ["--platform", platform, ...credentials, ...place] };
}

const program = "examples/rt-thread-ali-iotkit/main.ts";

function shell(args: string[]): ProgramProcess {
  const started = startProgram(process.execPath, [program, ...args]);
  programs.push(started);
  return started;
}

async function offer(productKey: string, deviceName: string, version: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${server.httpPort}/api/v1/ota/files?md5=${md5}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${server.accessKeyId}:${server.accessKeySecret}`,
      "content-type": "application/octet-stream",
    },
    body: new Uint8Array(image),
  });
  const { id } = (await answer.json()) as { id: number };
  const made = await rest("POST", "/ota/packages", { productKey, name: `${productKey} ${version}`, version, files: [{ id }] });
  expect(made).toMatchObject({ status: 201 });
  const job = await rest("POST", `/ota/packages/${made.body.id}/verify`, { deviceNames: [deviceName] });
  expect(job.body).toMatchObject({ tasks: { total: 1 } });
  return job.body.id;
}

const taskOf = async (jobId: number) => (await rest("GET", `/ota/tasks?jobId=${jobId}`)).body.items[0];

test("[seed 001] LinkDevelop: reports by the thing model, is set by the cloud, upgrades and tells the version after the next start", async () => {
  const { productKey, deviceName, path, args } = await createBoard("LinkDevelop");
  const board = shell(args);
  const sys = `/sys/${productKey}/${deviceName}`;
  board.say("ali_mqtt_test start");
  await board.line("connected", (line) => line.endsWith("mqtt connect success!"));
  for (const topic of [`${sys}/thing/service/property/set`, `${sys}/thing/event/property/post_reply`]) {
    await board.line(topic, (line) => line.endsWith(`mqtt subscribe success,topic = ${topic}!`));
  }
  board.say("ali_mqtt_test pub open");
  await board.line("the report's answer", (line) => line === "event_handle :: publish success, code = 200");
  const { body } = await rest("GET", `${path}/properties`);
  expect(JSON.stringify(body)).toContain('{"Red":247,"Green":60,"Blue":74}');

  await rest("POST", `${path}/properties`, { values: { LightSwitch: 0 } });
  // As in the seed, byte for byte but the id: 100 bytes with an id of eight digits.
  const set = await board.line("the setting", (line) => line.includes('"method":"thing.service.property.set"'));
  expect(set).toMatch(/Payload: '\{"method":"thing.service.property.set","id":"\d+","params":\{"LightSwitch":0\},"version":"1.0.0"\}'/);
  await board.line("the LED", (line) => line === "RGB LED is off");
  board.say("ali_mqtt_test stop");
  await board.line("unsubscribed", (line) => line.endsWith(`mqtt unsubscribe success,topic = ${sys}/thing/service/property/set!`));
  await board.line("out", (line) => line.endsWith("mqtt_client :: out of sample!"));

  board.say("ali_ota_test start");
  await board.line("waiting", (line) => line === "mqtt_client :: wait ota upgrade command....");
  const jobId = await offer(productKey, deviceName, "v10");
  await board.line("writing", (line) => line === "mqtt_client :: Here write OTA data to file....");
  await board.line("digest", (line) => line === `[dbg] IOT_OTA_Ioctl: origin=${md5}, now=${md5}`);
  await board.line("valid", (line) => line === "mqtt_client :: The firmware is valid! Download firmware successfully.");
  await board.line("version", (line) => line === "mqtt_client :: OTA FW version: v10");
  await until("the sample's own end", () => board.lines.filter((line) => line.endsWith("out of sample!")).length === 2);
  // 100 percent are no success yet.
  expect(await taskOf(jobId)).toMatchObject({ status: "IN_PROGRESS", progress: 100 });
  board.say("ali_ota_test start");
  await until("success", async () => (await taskOf(jobId)).status === "SUCCEEDED");
  expect(await board.end()).toBe(0);
});

test("[seed 001] LinkPlatform, as a script: hears its own `data`; an upgrade tells its version at once", async () => {
  const { productKey, deviceName, path, args } = await createBoard("LinkPlatform");
  const { code, stdout } = await runNode([program, ...args, "ali_mqtt_test start", "ali_mqtt_test pub open", "ali_mqtt_test stop"]);
  const topic = `/${productKey}/${deviceName}/data`;
  const payload =
    '{"id" : "1","version":"1.0","params" : {"RGBColor" : {"Red":247,"Green":60,"Blue":74},"LightSwitch" : 1},"method":"thing.event.property.post"}';
  expect(stdout).toContain(`mqtt subscribe success,topic = ${topic}!`);
  expect(stdout).toContain(`_demo_message_arrive :: Topic: '${topic}' (Length: 31)`);
  expect(stdout).toContain(`_demo_message_arrive :: Payload: '${payload}' (Length: 142)`);
  expect(code).toBe(0);

  const board = shell(args);
  board.say("ali_mqtt_test start");
  await board.line("subscribed", (line) => line.endsWith(`topic = ${topic}!`));
  await rest("POST", `${path}/messages`, { topic, payload: "This message comes from the cloud", qos: 0 });
  await board.line("message", (line) => line.endsWith("Payload: 'This message comes from the cloud' (Length: 33)"));
  board.say("ali_ota_test start");
  await board.line("refusal", (line) => line === "a device has one connection: first stop the other sample");
  board.say("ali_mqtt_test stop");
  board.say("ali_ota_test start");
  await board.line("waiting", (line) => line === "mqtt_client :: wait ota upgrade command....");
  const jobId = await offer(productKey, deviceName, "v10");
  await until("success", async () => (await taskOf(jobId)).status === "SUCCEEDED");
  expect(await board.end()).toBe(0);
});

test("[seed 001] a TLS frame that is too small is error 0x7200, and an unknown command is told", async () => {
  const { args } = await createBoard("LinkPlatform");
  const small = await runNode([program, ...args, "--frame-bytes", "512", "ali_ota_test start"]);
  expect(small.stdout).toContain("-0x7200");
  expect(small.code).toBe(1);
  const unknown = await runNode([program, ...args, "ali_coap_test"]);
  expect(unknown.stdout).toContain("ali_coap_test: command not found");
});
