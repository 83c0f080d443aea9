/** Firmware from the upload to success, with clients that are none of ours: MQTT.js and curl. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signConnect } from "@thingstead/dialects";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFixture, type Fixture } from "./support/fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { run, runThingstead, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let rest: ReturnType<typeof restClient>;
const clients: MqttClient[] = [];
const folder = mkdtempSync(join(tmpdir(), "thingstead-ota-"));
const image = randomBytes(300_001);
const digest = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest("hex");

beforeAll(async () => {
  server = await startServerProcess();
  rest = restClient(server);
});
afterAll(async () => {
  for (const client of clients) client.end(true);
  await server.remove();
  rmSync(folder, { recursive: true });
});

interface Push {
  code: string;
  id: unknown;
  message: string;
  data: {
    size: number;
    version: string;
    url: string;
    md5?: string;
    sign?: string;
    signMethod?: string;
    streamId?: number;
    streamFileId?: number;
  };
}

const authorization = () => `Bearer ${server.accessKeyId}:${server.accessKeySecret}`;

async function createPackage(productKey: string, version: string, extra: object = {}): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${server.httpPort}/api/v1/ota/files?md5=${digest("md5", image)}`, {
    method: "POST",
    headers: { authorization: authorization(), "content-type": "application/octet-stream" },
    body: new Uint8Array(image),
  });
  expect(answer.status).toBe(201);
  const { id } = (await answer.json()) as { id: number };
  const made = await rest("POST", "/ota/packages", { productKey, name: `${productKey} ${version}`, version, files: [{ id }], ...extra });
  expect(made.status).toBe(201);
  return made.body.id;
}

class Device {
  readonly client: MqttClient;
  readonly received: { topic: string; payload: Buffer }[] = [];
  readonly #fixture: Fixture;

  constructor(client: MqttClient, fixture: Fixture) {
    this.client = client;
    this.#fixture = fixture;
    client.on("message", (topic, payload) => this.received.push({ topic, payload }));
  }

  topic(kind: string): string {
    return `/ota/device/${kind}/${this.#fixture.productKey}/${this.#fixture.deviceName}`;
  }

  say(kind: "inform" | "progress", params: object): Promise<unknown> {
    return this.client.publishAsync(this.topic(kind), JSON.stringify({ id: 1, params }), { qos: 1 });
  }

  pushes(): { text: string; push: Push }[] {
    const texts = this.received.filter(({ topic }) => topic === this.topic("upgrade")).map(({ payload }) => payload.toString());
    return texts.map((text) => ({ text, push: JSON.parse(text) }));
  }

  nextPush(count = 1): Promise<{ text: string; push: Push }> {
    return until(`push ${count}`, () => this.pushes()[count - 1]);
  }
}

/** Over TLS, as seed 001 demands for firmware. */
async function connectDevice(fixture: Fixture, parameters: Record<string, string> = {}): Promise<Device> {
  const { productKey, deviceName, deviceSecret } = fixture;
  const { clientId, userName, password } = signConnect({ productKey, deviceName, deviceSecret, secureMode: 2, parameters });
  const { ca, devicePort: port } = server;
  const client = mqtt.connect({
    protocol: "mqtts",
    host: "localhost",
    port,
    ca,
    clientId,
    username: userName,
    password,
    reconnectPeriod: 0,
  });
  clients.push(client);
  const device = new Device(client, fixture);
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("error", reject);
  });
  return device;
}

async function curl(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return run("curl", ["-sS", "--cacert", server.caFile, ...args]);
}

const taskOf = async (jobId: number) => (await rest("GET", `/ota/tasks?jobId=${jobId}`)).body.items[0];

test("[seed 001] verify firmware: subscribe and inform in one breath, push, HTTPS download, progress, the new version, success", async (context) => {
  needProgram(context, "curl");
  const fixture = await createFixture(rest);
  const device = await connectDevice(fixture);
  const packageId = await createPackage(fixture.productKey, "v10");
  // The inform is sent before the SUBSCRIBE, as its PUBACK comes before the SUBACK in the seed.
  const informed = device.say("inform", { version: "v9" });
  await device.client.subscribeAsync(device.topic("upgrade"), { qos: 1 });
  await informed;
  const verification = await rest("POST", `/ota/packages/${packageId}/verify`, { deviceNames: [fixture.deviceName] });
  expect(verification.body).toMatchObject({ kind: "verify", tasks: { total: 1 } });
  const { text, push } = await device.nextPush();
  expect(Buffer.byteLength(text) + Buffer.byteLength(device.topic("upgrade"))).toBeLessThanOrEqual(1024);
  const md5 = digest("md5", image);
  expect(push).toMatchObject({ code: "1000", message: "success", id: expect.any(Number) });
  expect(push.data).toMatchObject({ size: image.length, version: "v10", md5, sign: md5, signMethod: "Md5" });
  expect(push.data.url).toMatch(/^https:\/\/localhost:\d+\/ota\//);

  const file = join(folder, "image");
  const downloaded = await curl("-D", "-", "-o", file, push.data.url);
  expect(downloaded).toMatchObject({ code: 0, stderr: "" });
  expect(downloaded.stdout).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(downloaded.stdout).toContain(`\r\nContent-Length: ${image.length}\r\n`);
  expect(downloaded.stdout).not.toMatch(/transfer-encoding/i);
  expect(readFileSync(file).equals(image)).toBe(true);

  for (const step of ["10", "100"]) await device.say("progress", { step, desc: "" });
  expect(await taskOf(verification.body.id)).toMatchObject({ status: "IN_PROGRESS", progress: 100, sourceVersion: "v9" });
  await device.say("inform", { version: "v10" });
  expect(await taskOf(verification.body.id)).toMatchObject({ status: "SUCCEEDED", progress: 100, version: "v10" });
  await until("verified", async () => (await rest("GET", `/ota/packages/${packageId}`)).body.status === "verified");
  await until("completed", async () => (await rest("GET", `/ota/jobs/${verification.body.id}`)).body.status === "COMPLETED");
  const { body } = await rest("GET", `/products/${fixture.productKey}/ota/versions`);
  expect(body.items).toEqual([{ version: "v10", deviceCount: 1 }]);
});

test("ranges, HEAD, If-Range and links that are changed, over HTTP and HTTPS", async (context) => {
  needProgram(context, "curl");
  const fixture = await createFixture(rest);
  await createPackage(fixture.productKey, "1.0");
  const { body: pack } = await rest("GET", `/ota/packages?productKey=${fixture.productKey}`);
  const { body } = await rest("GET", `/ota/files/${pack.items[0].files[0].id}`);
  const urls = [body.url, body.url.replace("https:", "http:")];
  const cases: [string[], string, Buffer][] = [
    [["-r", "0-0"], `bytes 0-0/${image.length}`, image.subarray(0, 1)],
    [["-r", "65530-131080"], `bytes 65530-131080/${image.length}`, image.subarray(65_530, 131_081)],
    [["-r", "299990-"], `bytes 299990-300000/${image.length}`, image.subarray(299_990)],
    [["-r", "-7"], `bytes 299994-300000/${image.length}`, image.subarray(-7)],
    [["-r", "10-99999999"], `bytes 10-300000/${image.length}`, image.subarray(10)],
  ];
  for (const url of urls) {
    for (const [args, range, bytes] of cases) {
      const file = join(folder, "part");
      const { stdout } = await curl(...args, "-D", "-", "-o", file, url);
      expect(stdout).toMatch(/^HTTP\/1.1 206 /);
      expect(stdout).toContain(`\r\nContent-Range: ${range}\r\n`);
      expect(readFileSync(file).equals(bytes)).toBe(true);
    }
    const head = await curl("-I", url);
    expect(head.stdout).toContain(`Content-Length: ${image.length}\r\n`);
    expect(Buffer.byteLength(head.stdout)).toBeLessThan(400);
    const tag = /ETag: (\S+)/.exec(head.stdout)?.[1] ?? "";
    const resumed = await curl("-D", "-", "-o", "/dev/null", "-r", "5-", "-H", `If-Range: ${tag}`, url);
    expect(resumed.stdout).toMatch(/^HTTP\/1.1 206 /);
    const changed = await curl("-D", "-", "-o", "/dev/null", "-r", "5-", "-H", 'If-Range: "other"', url);
    expect(changed.stdout).toMatch(/^HTTP\/1.1 200 /);
    const behind = await curl("-D", "-", "-r", "300001-", url);
    expect(behind.stdout).toContain(`Content-Range: bytes */${image.length}`);
    expect(behind.stdout).toMatch(/^HTTP\/1.1 416 /);
    const forged = await curl("-D", "-", `${url.slice(0, -1)}${url.endsWith("A") ? "B" : "A"}`);
    expect(forged.stdout).toMatch(/^HTTP\/1.1 403 /);
    expect(forged.stdout).toContain("ota.download_link_invalid");
  }
  const { body: log } = await rest("GET", "/device-log?code=ota.download_link_invalid");
  expect(log.items.length).toBeGreaterThan(0);
});

test("a download sends TLS records of at most 4 KiB: the seed's error 0x7200", async (context) => {
  needProgram(context, "openssl");
  const fixture = await createFixture(rest);
  await createPackage(fixture.productKey, "1.0");
  const { body: pack } = await rest("GET", `/ota/packages?productKey=${fixture.productKey}`);
  const { body } = await rest("GET", `/ota/files/${pack.items[0].files[0].id}`);
  const request = `GET ${new URL(body.url).pathname} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  const args = [
    "s_client",
    "-connect",
    `localhost:${server.devicePort}`,
    "-CAfile",
    server.caFile,
    "-tls1_2",
    "-quiet",
    "-msg",
    "-ign_eof",
  ];
  const { stdout } = await run("openssl", args, {}, request);
  // Of application data only the records' headers are shown: 17 03 03 and the length.
  const lengths = [...stdout.matchAll(/17 03 03 ([0-9a-f]{2}) ([0-9a-f]{2})\n/g)].map(([, high, low]) =>
    Number.parseInt(`${high}${low}`, 16),
  );
  expect(lengths.length).toBeGreaterThan(70);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(4096);
});

test("an upgrade that was running when the server was killed goes on; a device with _ss=1 is told without a SUBSCRIBE", async () => {
  const fixture = await createFixture(rest);
  const packageId = await createPackage(fixture.productKey, "2.0", { needsVerification: false, signMethod: "SHA256" });
  const first = await connectDevice(fixture, { _ss: "1" });
  await first.say("inform", { version: "1.0" });
  const job = await rest("POST", `/ota/packages/${packageId}/jobs`, { sourceVersions: ["1.0"], retryCount: 1, timeoutMinutes: 60 });
  expect(job.status).toBe(201);
  const { push } = await first.nextPush();
  expect(push.data).toMatchObject({ sign: digest("sha256", image), signMethod: "SHA256" });
  expect(push.data).not.toHaveProperty("md5");
  await first.say("progress", { step: "30", desc: "downloading" });
  await server.kill();

  const { dataDir, devicePort } = server;
  server = await startServerProcess({ dataDir, environment: { THINGSTEAD_LISTEN_DEVICE: `127.0.0.1:${devicePort}` } });
  rest = restClient(server);
  expect(await taskOf(job.body.id)).toMatchObject({ status: "IN_PROGRESS", progress: 30, timeoutAt: expect.any(String) });
  // Links stay good over the restart.
  const part = await fetch(push.data.url.replace("https:", "http:"), { headers: { range: "bytes=100-199" } });
  expect(Buffer.from(await part.arrayBuffer()).equals(image.subarray(100, 200))).toBe(true);
  const second = await connectDevice(fixture, { _ss: "1" });
  await second.say("progress", { step: "-2", desc: "flash" });
  // A further try, at once: the state shown stays.
  await second.nextPush();
  expect(await taskOf(job.body.id)).toMatchObject({ status: "IN_PROGRESS", reason: "ota.download_failed" });
  await second.say("progress", { step: "100", desc: "" });
  await second.say("inform", { version: "2.0" });
  expect(await taskOf(job.body.id)).toMatchObject({ status: "SUCCEEDED" });
  await until("completed", async () => (await rest("GET", `/ota/jobs/${job.body.id}`)).body.status === "COMPLETED");
});

test("a device asks with firmware/get and fetches the file over MQTT in blocks", async () => {
  const fixture = await createFixture(rest);
  const packageId = await createPackage(fixture.productKey, "3.0", { needsVerification: false });
  const device = await connectDevice(fixture);
  const sys = `/sys/${fixture.productKey}/${fixture.deviceName}/thing`;
  await device.client.subscribeAsync([`${sys}/ota/firmware/get_reply`, `${sys}/file/download_reply`], { qos: 0 });
  const ask = (id: string) =>
    device.client.publishAsync(
      `${sys}/ota/firmware/get`,
      JSON.stringify({ id, version: "1.0", params: {}, method: "thing.ota.firmware.get" }),
    );
  await ask("1");
  const nothing = await until("an empty answer", () => device.received[0]);
  expect(JSON.parse(nothing.payload.toString())).toEqual({ id: "1", code: 200, data: {} });
  await rest("POST", `/ota/packages/${packageId}/jobs`, { isPushed: false, protocol: "mqtt" });
  await ask("2");
  const offer = await until("an offer", () => device.received[1]);
  const { data } = JSON.parse(offer.payload.toString()) as Push;
  expect(data).toMatchObject({ dProtocol: "mqtt", streamFileId: 1, size: image.length });
  expect(data).not.toHaveProperty("url");
  const blocks: Buffer[] = [];
  for (let offset = 0; offset < image.length; offset += 100_000) {
    // With the stray comma of Link SDK 4.
    const request = `{"id":"${offset}","version":"1.0","params":{"fileInfo":{"streamId":${data.streamId},"fileId":${data.streamFileId},},"fileBlock":{"size":100000,"offset":${offset}}}}`;
    const count = device.received.length;
    await device.client.publishAsync(`${sys}/file/download`, request, { qos: 0 });
    const { payload } = await until("a block", () => device.received[count]);
    const bodyAt = 2 + payload.readUInt16BE(0);
    const header = JSON.parse(payload.subarray(2, bodyAt).toString());
    expect(header).toMatchObject({ id: String(offset), code: 200, data: { fileLength: image.length, bOffset: offset } });
    blocks.push(payload.subarray(bodyAt, bodyAt + header.data.bSize));
    expect(payload.length).toBe(bodyAt + header.data.bSize + 2);
  }
  expect(Buffer.concat(blocks).equals(image)).toBe(true);
});

test("a form takes an upload too, and what is not what was announced is refused", async (context) => {
  needProgram(context, "curl");
  const url = `http://127.0.0.1:${server.httpPort}/api/v1/ota/files`;
  const asked = ["-sS", "-H", `Authorization: ${authorization()}`];
  const { stdout } = await run("curl", [...asked, "-F", `file=@${server.caFile}`, url]);
  expect(JSON.parse(stdout)).toMatchObject({ sha256: digest("sha256", server.ca), bytes: server.ca.length });
  const wrong = await run("curl", [
    ...asked,
    "-H",
    "Content-Type: application/octet-stream",
    "--data-binary",
    "abc",
    `${url}?md5=${"0".repeat(32)}`,
  ]);
  expect(JSON.parse(wrong.stdout).error).toMatchObject({ code: "ota.file_mismatch" });
  const empty = await run("curl", [...asked, "-H", "Content-Type: application/octet-stream", "--data-binary", "", url]);
  expect(JSON.parse(empty.stdout).error.code).toBe("ota.file_empty");
  const json = await run("curl", [...asked, "-H", "Content-Type: application/json", "--data-binary", "{}", url]);
  expect(JSON.parse(json.stdout).error).toMatchObject({ code: "ota.upload_type_unsupported" });
});

test("`thingstead ota`: upload, batch create, watch to the end", async () => {
  const fixture = await createFixture(rest);
  const device = await connectDevice(fixture, { _ss: "1" });
  await device.say("inform", { version: "1" });
  const file = join(folder, "cli.bin");
  writeFileSync(file, image);
  const environment = { THINGSTEAD_DATA_DIR: server.dataDir };
  const ota = async (...args: string[]) => {
    const done = await runThingstead(["ota", ...args], environment);
    expect(done).toMatchObject({ code: 0 });
    return done.stdout;
  };
  const args = ["upload", file, "--product", fixture.productKey, "--firmware-version", "2", "--no-verification", "--json"];
  const pack = JSON.parse(await ota(...args));
  expect(pack).toMatchObject({ status: "exempt", files: [{ name: "cli.bin", sha256: digest("sha256", image) }] });
  const watching = ota("batch", "create", String(pack.id), "--from", "1", "--rate", "60", "--watch");
  await device.nextPush();
  await device.say("progress", { step: "40", desc: "" });
  await device.say("inform", { version: "2" });
  const watched = await watching;
  expect(watched).toContain(`${fixture.deviceName}  SUCCEEDED  100 %`);
  expect(watched).toContain("COMPLETED");
  expect(await ota("versions", fixture.productKey)).toMatch(/2 +│ 1/);
  const refused = await runThingstead(["ota", "batch", "create", "999999"], environment);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("[ota.package_not_found]") });
  const unknown = await runThingstead(["ota", "watch", "999999"], environment);
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("[ota.job_not_found]") });
  const unreadable = await runThingstead(
    ["ota", "upload", folder, "--product", fixture.productKey, "--firmware-version", "3"],
    environment,
  );
  expect(unreadable).toMatchObject({ code: 1, stderr: expect.stringContaining("[cli.file_unreadable]") });
});
