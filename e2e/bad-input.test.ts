/** What must not work: each is told with a code, disturbs nobody else, and loses nothing. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signConnect } from "@thingstead/dialects";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFixture, type Fixture } from "./support/fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { runThingstead, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "thingstead-bad-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a server that can't start says why and exits 1", () => {
  const start = (environment: Record<string, string>, ...flags: string[]) =>
    runThingstead(["start", ...flags], {
      THINGSTEAD_DATA_DIR: join(folder, `d${Math.random()}`),
      THINGSTEAD_LISTEN_DEVICE: "127.0.0.1:0",
      THINGSTEAD_LISTEN_HTTP: "127.0.0.1:0",
      ...environment,
    });

  test("port in use", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => holder.once("listening", resolve));
    const { port } = holder.address() as AddressInfo;
    const { code, stderr } = await start({ THINGSTEAD_LISTEN_DEVICE: `127.0.0.1:${port}` });
    holder.close();
    expect(code).toBe(1);
    expect(stderr).toContain("front_door.");
    expect(stderr).toContain(String(port));
  });

  test("unwritable data directory", async () => {
    const file = join(folder, "a-file");
    writeFileSync(file, "");
    const { code, stderr } = await start({ THINGSTEAD_DATA_DIR: join(file, "data") });
    expect(code).toBe(1);
    expect(stderr).toContain("start.data_dir_unwritable");
  });

  test.runIf(existsSync("/proc/self"))("a data directory where no folder can be made", async () => {
    const { code, stderr } = await start({ THINGSTEAD_DATA_DIR: "/proc/thingstead/data" });
    expect(code).toBe(1);
    expect(stderr).toContain("start.data_dir_unwritable");
  });

  test("damaged configuration", async () => {
    const file = join(folder, "broken.yaml");
    writeFileSync(file, "listen: [1,");
    const { code, stderr } = await start({}, "--config", file);
    expect(code).toBe(1);
    expect(stderr).toContain("start.config_damaged");
  });

  test("a second server on the same data directory", async () => {
    const first = await startServerProcess();
    const { code, stderr } = await start({ THINGSTEAD_DATA_DIR: first.dataDir });
    expect(code).toBe(1);
    expect(stderr).toContain("store.locked");
    expect(await first.stop()).toBe(0);
    await first.remove();
  });

  test("damaged database", async () => {
    const server = await startServerProcess();
    await server.stop();
    writeFileSync(join(server.dataDir, "thingstead.db"), "this is no database at all, not even nearly".repeat(100));
    const { code, stderr } = await start({ THINGSTEAD_DATA_DIR: server.dataDir });
    expect(code).toBe(1);
    expect(stderr).toContain("store.damaged");
    await server.remove();
  });
});

describe("a running server", () => {
  let server: ServerProcess;
  let rest: ReturnType<typeof restClient>;
  let fixture: Fixture;
  let witness: MqttClient;

  beforeAll(async () => {
    server = await startServerProcess();
    rest = restClient(server);
    fixture = await createFixture(rest);
    const { clientId, userName, password } = signConnect({ ...fixture, secureMode: 3 });
    witness = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.devicePort}`, {
      clientId,
      username: userName,
      password,
      reconnectPeriod: 0,
    });
  });
  afterAll(async () => {
    witness.end(true);
    await server.remove();
  });

  /** Sends bytes; resolves with what came back when the server closed the connection. */
  function send(bytes: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket = connectTcp({ host: "127.0.0.1", port: server.devicePort });
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("close", () => resolve(Buffer.concat(chunks)));
      socket.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" ? undefined : reject(error)));
      socket.write(bytes);
    });
  }

  function connectBytes(clientId: string, userName: string, password: string, keepAliveSeconds = 60): Buffer {
    const text = (value: string) => Buffer.concat([Buffer.from([value.length >> 8, value.length & 255]), Buffer.from(value)]);
    const body = Buffer.concat([
      text("MQTT"),
      Buffer.from([4, 0xc2, keepAliveSeconds >> 8, keepAliveSeconds & 255]),
      text(clientId),
      text(userName),
      text(password),
    ]);
    return Buffer.concat([Buffer.from([0x10, (body.length & 127) | 128, body.length >> 7]), body]);
  }

  const signed = (overrides: { deviceSecret?: string; deviceName?: string } = {}) => {
    const { clientId, userName, password } = signConnect({ ...fixture, ...overrides, secureMode: 3, signMethod: "hmacsha1" });
    return { clientId, userName, password };
  };

  test.each([
    ["an unknown device", 5, () => connectBytes(signed().clientId, `nobody&${fixture.productKey}`, "00".repeat(20))],
    ["a wrong signature", 5, () => connectBytes(signed().clientId, signed().userName, "00".repeat(20))],
    ["a malformed user name", 4, () => connectBytes(signed().clientId, "no separator in this name", signed().password)],
    [
      "a client id mark that is too long",
      2,
      () => connectBytes(`${"x".repeat(65)}|securemode=3,signmethod=hmacsha1|`, signed().userName, signed().password),
    ],
    ["a bad token", 3, () => connectBytes("x|securemode=-1|", "42Ze0mk3556498a1AlTP", "0d7fdeb9dc1f4344a2cc0d45edcb0bcb")],
    ["keep-alive 0", 3, () => connectBytes(signed().clientId, signed().userName, signed().password, 0)],
    ["keep-alive 10", 3, () => connectBytes(signed().clientId, signed().userName, signed().password, 10)],
  ])("%s gets CONNACK %i", async (_what, returnCode, bytes) => {
    expect([...(await send(bytes()))]).toEqual([0x20, 2, 0, returnCode]);
  });

  test.each([
    ["text", Buffer.from("hello there\n")],
    ["zeros", Buffer.alloc(64)],
    ["an over-long packet", Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f])],
    ["a malformed length", Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ["PUBLISH before CONNECT", Buffer.from([0x30, 5, 0, 1, 97, 98, 99])],
    ["a TLS hello cut short by garbage", Buffer.concat([Buffer.from([0x16, 3, 1, 0, 5]), Buffer.from("xxxxx")])],
    ["half an HTTP request with garbage", Buffer.from("GET / HTP\r\n\r\n")],
  ])("%s closes only that connection", async (_what, bytes) => {
    await send(bytes);
    const echo = new Promise<string>((resolve) => witness.once("message", (_topic, payload) => resolve(payload.toString())));
    await witness.subscribeAsync(fixture.topic("data"), { qos: 1 });
    await witness.publishAsync(fixture.topic("data"), "still here", { qos: 1 });
    expect(await echo).toBe("still here");
  });

  test("topics of others are refused without losing the connection", async () => {
    await expect(witness.subscribeAsync(`/${fixture.productKey}/someone_else/get`, { qos: 1 })).rejects.toThrow();
    await witness.publishAsync(`/${fixture.productKey}/someone_else/data`, "x", { qos: 1 });
    await witness.publishAsync(fixture.topic("relay"), "x", { qos: 1 });
    expect(witness.connected).toBe(true);
    const entries = await until("two refusals in the log", async () => {
      const { body } = await rest("GET", `/device-log?productKey=${fixture.productKey}&kind=publish&isSuccess=false`);
      return body.items.length >= 2 && body.items;
    });
    for (const entry of entries) expect(entry).toMatchObject({ code: expect.stringMatching(/^access\./), expected: expect.any(String) });
  });

  test("an oversize payload is refused with a code in the log", async () => {
    const other = await createFixture(rest);
    const { clientId, userName, password } = signConnect({ ...other, secureMode: 3 });
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.devicePort}`, {
      clientId,
      username: userName,
      password,
      reconnectPeriod: 0,
    });
    client.on("error", () => {});
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    client.publish(other.topic("data"), "x".repeat(400_000), { qos: 1 });
    await closed;
    await until("the reason in the log", async () => {
      const { body } = await rest("GET", `/device-log?productKey=${other.productKey}&isSuccess=false`);
      return body.items.some((entry: { code: string }) => entry.code.includes("too_large"));
    });
  });

  test("REST refuses with one shape", async () => {
    const cases: [string, string, unknown, number, string][] = [
      ["GET", "/products/none", undefined, 404, "registry.product_not_found"],
      ["GET", "/nowhere", undefined, 404, "api.route_not_found"],
      ["POST", "/products", { name: 5 }, 400, "api.request_invalid"],
      ["POST", "/rules", { name: "x", sql: "SELECT FROM", actions: [] }, 400, "rules.sql_invalid"],
    ];
    for (const [method, path, body, status, code] of cases) {
      expect(await rest(method, path, body)).toMatchObject({
        status,
        body: { error: { code, message: expect.any(String), requestId: expect.any(String) } },
      });
    }
    const anonymous = await fetch(`http://127.0.0.1:${server.httpPort}/api/v1/products`);
    expect(anonymous.status).toBe(401);
  });
});
