/** Shadow, tags, configuration, files and jobs with clients that are none of ours: the vendor's SDK, MQTT.js and fetch. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { signConnect } from "@thingstead/dialects";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFixture, type Fixture } from "./support/fixture.ts";
import { type ProgramProcess, startProgram } from "./support/program-process.ts";
import { restClient } from "./support/rest-client.ts";
import { runThingstead, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";
import { callVendorApi } from "./support/vendor-api.ts";

let server: ServerProcess;
let rest: ReturnType<typeof restClient>;
const programs: ProgramProcess[] = [];
const clients: MqttClient[] = [];

beforeAll(async () => {
  server = await startServerProcess();
  rest = restClient(server);
});
afterAll(async () => {
  for (const client of clients) client.end(true);
  for (const program of programs) program.kill();
  await server.remove();
});

const placeOf = ({ productKey, deviceName }: Fixture) => `/products/${productKey}/devices/${deviceName}`;
const read = (line: string) => {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
};

interface AlinkAnswer {
  id: string;
  code: number;
  data: Record<string, unknown>;
}

interface ShadowMessage {
  method: string;
  payload: { status: string; version?: number; content?: { errorcode: string } };
}

class Device {
  readonly client: MqttClient;
  readonly received: { topic: string; body: unknown }[] = [];
  readonly #fixture: Fixture;

  constructor(client: MqttClient, fixture: Fixture) {
    this.client = client;
    this.#fixture = fixture;
    client.on("message", (topic, payload) => this.received.push({ topic, body: JSON.parse(payload.toString()) }));
  }

  topic(path: string): string {
    return `/sys/${this.#fixture.productKey}/${this.#fixture.deviceName}/${path}`;
  }

  /** The answer on `_reply` with this id. */
  async ask(path: string, id: string, payload: string | Buffer): Promise<AlinkAnswer> {
    await this.client.publishAsync(this.topic(path), payload);
    const answers = () => this.received.filter(({ topic }) => topic === `${this.topic(path)}_reply`).map(({ body }) => body as AlinkAnswer);
    return until(`answer ${id} on ${path}`, () => answers().find((answer) => answer.id === id));
  }
}

async function connect(fixture: Fixture, filters: string[]): Promise<Device> {
  const { productKey, deviceName, deviceSecret } = fixture;
  const credentials = signConnect({ productKey, deviceName, deviceSecret, secureMode: 3 });
  const client = await mqtt.connectAsync({
    host: "127.0.0.1",
    port: server.devicePort,
    protocol: "mqtt",
    clientId: credentials.clientId,
    username: credentials.userName,
    password: credentials.password,
    reconnectPeriod: 0,
  });
  clients.push(client);
  const device = new Device(client, fixture);
  await client.subscribeAsync(filters.map((path) => device.topic(path)));
  return device;
}

test("shadow, tags and configuration with the vendor's SDK", async () => {
  const fixture = await createFixture(rest);
  const { productKey, deviceName, deviceSecret } = fixture;
  const program = startProgram(process.execPath, [
    "e2e/programs/vendor-services.mjs",
    `tcp://127.0.0.1:${server.devicePort}/`,
    productKey,
    deviceName,
    deviceSecret,
  ]);
  programs.push(program);
  await program.line("ready", (line) => read(line).event === "ready");
  const shadow = async (what: string, fits: (message: ShadowMessage) => boolean) =>
    read(await program.line(what, (line) => read(line).event === "shadow" && fits(read(line).message))).message;

  // 8.1: a device that asks before anything was written
  program.say("getShadow");
  await shadow("407", ({ payload }) => payload.content?.errorcode === "407");

  program.say('postShadow {"color":"red","room":{"floor":2}}');
  const done = await shadow("done", ({ payload }) => payload.status === "success");
  expect(done.payload.version).toBeGreaterThan(1_600_000_000_000);
  const stored = await rest("GET", `${placeOf(fixture)}/shadow`);
  expect(stored.body).toMatchObject({
    version: done.payload.version,
    state: { reported: { color: "red", room: { floor: 2 } }, desired: {} },
  });

  const wished = await rest("PUT", `${placeOf(fixture)}/shadow`, { desired: { color: "green" }, isDelta: true });
  expect(wished).toMatchObject({ status: 200, body: { version: done.payload.version + 1 } });
  const control = await shadow("control", ({ method }) => method === "control");
  expect(control).toMatchObject({
    version: done.payload.version + 1,
    payload: { status: "success", state: { desired: { color: "green" } } },
  });
  expect(control.payload.metadata.desired.color.timestamp).toBe(control.timestamp);

  program.say('postTags [{"attrKey":"Temperature","attrValue":"36.8"}]');
  expect(read(await program.line("tags", (line) => read(line).event === "postTags")).reply).toMatchObject({ code: 200 });
  expect((await rest("GET", `${placeOf(fixture)}/tags`)).body).toMatchObject({ tags: { Temperature: "36.8" } });

  program.say("getConfig");
  expect(read(await program.line("no config", (line) => read(line).reply?.code === 6713)).event).toBe("getConfig");
  const content = '{"interval":30}';
  expect(await rest("PUT", `/products/${productKey}/config`, { payload: content })).toMatchObject({ status: 200 });
  expect((await rest("POST", `/products/${productKey}/config/push`)).status).toBe(409);
  expect((await rest("PATCH", `/products/${productKey}/config`, { isEnabled: true })).status).toBe(204);
  program.say("getConfig");
  const { reply } = read(await program.line("config", (line) => read(line).event === "getConfig" && read(line).reply.code === 200));
  const sha256 = createHash("sha256").update(content).digest("hex");
  expect(reply.data).toMatchObject({ configSize: content.length, sign: sha256, signMethod: "Sha256", getType: "file" });

  expect((await rest("POST", `/products/${productKey}/config/push`)).status).toBe(202);
  const pushed = read(await program.line("pushed", (line) => read(line).event === "config")).message;
  expect(pushed.params).toMatchObject({ configId: reply.data.configId, sign: sha256 });
  const { pathname } = new URL(pushed.params.url);
  const at = (path: string) => fetch(`http://127.0.0.1:${server.devicePort}${path}`);
  expect(await (await at(pathname)).text()).toBe(content);
  const forged = `${pathname.slice(0, -1)}${pathname.endsWith("A") ? "B" : "A"}`;
  expect((await at(forged)).status).toBe(403);
  program.kill();
});

test("8.9 a file goes up in blocks, over a lost connection and a restart of the server; damaged blocks come again", async () => {
  const fixture = await createFixture(rest);
  const filters = ["init", "send", "cancel"].map((step) => `thing/file/upload/mqtt/${step}_reply`);
  let device = await connect(fixture, filters);
  const bytes = randomBytes(5_000);
  const init = (id: string, more: object = {}) =>
    device.ask("thing/file/upload/mqtt/init", id, JSON.stringify({ id, params: { fileName: "a.bin", fileSize: bytes.length, ...more } }));
  const send = (id: string, uploadId: string, offset: number, block: Buffer, isDamaged = false) => {
    const header = Buffer.from(JSON.stringify({ id, params: { uploadId, offset, bSize: block.length, isComplete: false } }));
    const frame = Buffer.alloc(2 + header.length + block.length + 2);
    frame.writeUInt16BE(header.length, 0);
    header.copy(frame, 2);
    block.copy(frame, 2 + header.length);
    frame.writeUInt16LE(crcArc(block) ^ (isDamaged ? 1 : 0), frame.length - 2);
    return device.ask("thing/file/upload/mqtt/send", id, frame);
  };
  const begun = await init("1");
  expect(begun).toMatchObject({ code: 200, message: "success", data: { fileName: "a.bin", offset: 0, fileSize: 5_000 } });
  const { uploadId } = begun.data as { uploadId: string };
  expect(await send("2", uploadId, 0, bytes.subarray(0, 2_000), true)).toMatchObject({ code: 78121 });
  expect(await send("3", uploadId, 0, bytes.subarray(0, 2_000))).toMatchObject({ code: 200, data: { uploadId, offset: 0, bSize: 2_000 } });
  expect(await send("4", uploadId, 0, bytes.subarray(0, 2_000))).toMatchObject({ code: 78119 });
  expect(await send("5", uploadId, 2_000, bytes.subarray(2_000, 2_100))).toMatchObject({ code: 78120 });
  expect(await send("6", "none", 0, bytes.subarray(0, 500))).toMatchObject({ code: 78122 });

  device.client.end(true);
  const { dataDir } = server;
  await server.kill();
  server = await startServerProcess({ dataDir });
  rest = restClient(server);
  device = await connect(fixture, filters);
  expect(await init("7", { conflictStrategy: "append" })).toMatchObject({ code: 200, data: { uploadId, offset: 2_000 } });
  expect(await send("8", uploadId, 2_000, bytes.subarray(2_000))).toMatchObject({ code: 200, data: { bSize: 3_000, complete: true } });
  expect(await send("9", uploadId, 5_000, bytes.subarray(0, 300))).toMatchObject({ code: 78124 });
  expect(await init("10", { conflictStrategy: "reject" })).toMatchObject({ code: 78123 });
  expect(await init("11", { fileName: "b.bin", fileSize: 17 * 1024 * 1024 })).toMatchObject({ code: 78117 });

  const listed = await rest("GET", `${placeOf(fixture)}/files`);
  expect(listed.body).toMatchObject({ total: 1, items: [{ uploadId, name: "a.bin", bytes: 5_000, isComplete: true }] });
  const { url } = (await rest("GET", `${placeOf(fixture)}/files/${uploadId}`)).body;
  const answer = await fetch(`http://127.0.0.1:${server.devicePort}${new URL(url).pathname}`);
  expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
  const environment = {
    THINGSTEAD_SERVER: `http://127.0.0.1:${server.httpPort}`,
    THINGSTEAD_KEY: `${server.accessKeyId}:${server.accessKeySecret}`,
  };
  const saved = join(server.dataDir, "saved.bin");
  const download = ["files", "download", fixture.productKey, fixture.deviceName, uploadId, "--output", saved];
  expect(await runThingstead(download, environment)).toMatchObject({ code: 0 });
  expect(readFileSync(saved).equals(bytes)).toBe(true);
  expect(await runThingstead(download, environment)).toMatchObject({ code: 1 });
  expect(readFileSync(saved).equals(bytes)).toBe(true);
  expect((await rest("DELETE", `${placeOf(fixture)}/files/${uploadId}`)).status).toBe(204);
  expect((await fetch(`http://127.0.0.1:${server.devicePort}${new URL(url).pathname}`)).status).toBe(404);
});

test("8.11 a job waits for its device, is done, and is over; 8.7 and 8.8 logs and network reports", async () => {
  const fixture = await createFixture(rest);
  const { productKey, deviceName } = fixture;
  const made = await rest("POST", "/jobs", {
    name: "restart",
    document: { action: "restart" },
    file: { contentBase64: Buffer.from("script").toString("base64") },
    devices: [{ productKey, deviceName }],
  });
  expect(made).toMatchObject({ status: 201, body: { counts: { QUEUED: 1 } } });
  const device = await connect(fixture, [
    "thing/job/notify",
    "thing/job/get_reply",
    "thing/job/update_reply",
    "thing/log/post_reply",
    "thing/config/log/push",
    "thing/config/log/get_reply",
    "_thing/diag/post_reply",
  ]);
  const arrived = await until("job", () => device.received.find(({ topic }) => topic === device.topic("thing/job/notify")));
  const { task } = (arrived.body as { params: { task: { taskId: string; jobFile: { fileUrl: string; sign: string } } } }).params;
  expect(task).toMatchObject({ status: "SENT", jobDocument: { action: "restart" }, jobFile: { signMethod: "Sha256" } });
  const file = await fetch(`http://127.0.0.1:${server.devicePort}${new URL(task.jobFile.fileUrl).pathname}`);
  expect(await file.text()).toBe("script");
  const say = (path: string, id: string, params: unknown) => device.ask(path, id, JSON.stringify({ id, version: "1.0.0", params }));
  expect(await say("thing/job/get", "1", { taskId: "$list" })).toMatchObject({
    data: { taskId: "$list", tasks: [{ taskId: task.taskId, status: "SENT" }] },
  });
  const progress = { taskId: task.taskId, status: "IN_PROGRESS", progress: 30, statusDetails: { step: "stop" } };
  expect(await say("thing/job/update", "2", progress)).toMatchObject({ code: 200, data: { taskId: task.taskId } });
  expect(await say("thing/job/get", "3", { taskId: "$next" })).toMatchObject({ data: { task: { status: "IN_PROGRESS" } } });
  expect(await say("thing/job/update", "4", { taskId: task.taskId, status: "SUCCEEDED" })).toMatchObject({ code: 200 });
  expect(await say("thing/job/update", "5", { taskId: task.taskId, status: "FAILED" })).toMatchObject({ code: 460 });
  const tasks = await rest("GET", `/jobs/${made.body.id}/tasks`);
  expect(tasks.body.items).toMatchObject([{ deviceName, status: "SUCCEEDED", progress: 100, details: { step: "stop" } }]);

  expect(await say("thing/config/log/get", "6", { configScope: "device", getType: "content" })).toMatchObject({
    data: { content: { mode: 0 } },
  });
  expect((await rest("PUT", `${placeOf(fixture)}/log-upload`, { isWanted: true })).status).toBe(200);
  const wanted = await until("log switch", () => device.received.find(({ topic }) => topic === device.topic("thing/config/log/push")));
  expect(wanted.body).toMatchObject({ params: { getType: "content", content: { mode: 1 } } });
  const line = { utcTime: "2020-03-06T15:15:27.464+0800", logLevel: "ERROR", module: "ModuleA", code: "4103", logContent: "100% broken" };
  expect(await say("thing/log/post", "7", [line])).toMatchObject({ code: 200 });
  const found = await rest("GET", `/device-lines?productKey=${productKey}&deviceName=${deviceName}&text=${encodeURIComponent("0%")}`);
  expect(found.body.items).toMatchObject([{ level: "ERROR", module: "ModuleA", code: "4103", content: "100% broken" }]);
  const environment = {
    THINGSTEAD_SERVER: `http://127.0.0.1:${server.httpPort}`,
    THINGSTEAD_KEY: `${server.accessKeyId}:${server.accessKeySecret}`,
  };
  const shown = await runThingstead(["job", "show", made.body.id, "--json"], environment);
  expect(read(shown.stdout.replaceAll("\n", ""))).toMatchObject({ counts: { SUCCEEDED: 1 }, tasks: { items: [{ deviceName }] } });
  const lines = await runThingstead(["device-log", "show", productKey, deviceName, "--level", "ERROR"], environment);
  expect(lines.stdout).toContain("ModuleA  4103  100% broken");
  const report = { p: { wifi: { rssi: -50 }, _time: 1 }, model: "format=simple|quantity=single|time=now" };
  expect(await say("_thing/diag/post", "8", report)).toMatchObject({ code: 200 });
  expect((await rest("GET", `${placeOf(fixture)}/diagnostics`)).body.items).toMatchObject([{ report }]);
});

/** CRC-16/ARC, bit by bit, written from its definition. */
function crcArc(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

test("8.12 a connected device is told that it was disabled or deleted before it is cut, where that is switched on", async () => {
  const told = await startServerProcess({ flags: ["--set", "alibaba.lifecycleNotices=true"] });
  try {
    for (const [at, expected] of [
      [told, { disable: ["disable"], delete: ["delete"] }],
      [server, { disable: [], delete: [] }],
    ] as const) {
      const call = restClient(at);
      const { productKey, deviceName, deviceSecret } = await createFixture(call);
      const credentials = signConnect({ productKey, deviceName, deviceSecret, secureMode: 3 });
      for (const verb of ["disable", "delete"] as const) {
        const client = await mqtt.connectAsync({
          host: "127.0.0.1",
          port: at.devicePort,
          protocol: "mqtt",
          clientId: credentials.clientId,
          username: credentials.userName,
          password: credentials.password,
          reconnectPeriod: 0,
        });
        clients.push(client);
        const heard: string[] = [];
        client.on("message", (topic) => heard.push(topic));
        const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
        const place = `/products/${productKey}/devices/${deviceName}`;
        if (verb === "delete") await call("DELETE", place);
        else await call("POST", `${place}/disable`);
        await closed;
        expect(heard).toEqual(expected[verb].map((each) => `/sys/${productKey}/${deviceName}/thing/${each}`));
        if (verb === "disable") await call("POST", `${place}/enable`);
      }
    }
  } finally {
    await told.remove();
  }
});

test("[op GenerateFileUploadURL] [op CreateJob] [op QueryJob] [op QueryJobStatistics] [op ListTask] a job with a file, made with the vendor's SDK, reaches its device and is counted", async () => {
  const fixture = await createFixture(rest);
  const { productKey, deviceName } = fixture;
  const succeed = async (name: string, parameters: object) => {
    const answer = await callVendorApi(server, name, parameters);
    expect({ name, success: answer.success, code: answer.code }).toEqual({ name, success: true, code: undefined });
    return answer;
  };
  const { data: form } = await succeed("generateFileUploadURL", { bizCode: "DEVICE_JOB_FILE", fileSuffix: "bin" });
  const content = randomBytes(200_000);
  const body = new FormData();
  for (const [name, value] of [
    ["key", form.key],
    ["policy", form.policy],
    ["OSSAccessKeyId", form.ossAccessKeyId],
    ["signature", form.signature],
    ["success_action_status", "200"],
  ])
    body.append(name, value);
  body.append("file", new Blob([content]), "job.bin");
  expect((await fetch(form.host, { method: "POST", body })).status).toBe(200);
  const sign = createHash("md5").update(content).digest("hex");
  const device = await connect(fixture, ["thing/job/notify", "thing/job/update_reply"]);
  const { jobId } = await succeed("createJob", {
    type: "CUSTOM_JOB",
    jobName: "restart",
    jobDocument: '{"do":"restart"}',
    jobFile: { fileKey: form.key, signMethod: "Md5", sign },
    targetConfig: { targetType: "PRODUCT_KEY", targetProduct: productKey },
    rolloutConfig: { maximumPerMinute: 1000, messageQoS: "QoS0" },
    timeoutConfig: { inProgressTimeoutInMinutes: 5 },
  });
  const notified = await until("the job", () => device.received.find(({ topic }) => topic === device.topic("thing/job/notify")));
  const { task } = (notified.body as { params: { task: { taskId: string; jobDocument: object; jobFile: Record<string, string> } } }).params;
  expect(task).toMatchObject({ jobDocument: { do: "restart" }, jobFile: { signMethod: "Md5", sign } });
  const link = new URL(String(task.jobFile.fileUrl));
  const file = await fetch(`http://127.0.0.1:${server.devicePort}${link.pathname}`);
  expect(Buffer.from(await file.arrayBuffer()).equals(content)).toBe(true);
  const params = { taskId: task.taskId, status: "SUCCEEDED", progress: 100 };
  expect(await device.ask("thing/job/update", "9", JSON.stringify({ id: "9", version: "1.0", params }))).toMatchObject({ code: 200 });
  expect((await succeed("queryJobStatistics", { jobId })).data).toMatchObject({ succeeded: 1, total: 1 });
  expect((await succeed("queryJob", { jobId })).data).toMatchObject({ status: "SUCCEEDED", targetConfig: { targetProduct: productKey } });
  const named = { ProductKey: productKey, DeviceName: deviceName };
  expect((await succeed("listTask", { device: named, limit: 5 })).data.data).toMatchObject([{ jobId, status: "SUCCEEDED" }]);
});
