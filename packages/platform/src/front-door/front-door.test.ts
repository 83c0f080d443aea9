import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import type { Broker, ConnectionFacts, Transport } from "@thingstead/mqtt";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { systemClock, systemRandom } from "../clock.ts";
import type { NewLogEntry } from "../device-log/index.ts";
import {
  type Certificates,
  createDeviceRoutes,
  defaultFrontDoorLimits,
  defaultFrontDoorTls,
  type FrontDoor,
  type FrontDoorLimits,
  type FrontDoorTls,
  openCertificates,
  openFrontDoor,
} from "./index.ts";

/** CONNECT of MQTT 3.1.1, client id "a", clean session, keep-alive 60. */
const connectPacket = Buffer.from("100d00044d51545404020 03c000161".replace(" ", ""), "hex");
const connack = Buffer.from([0x20, 2, 0, 0]);

/** TLS 1.2, AES128-SHA, no extensions: what axTLS sends. */
const clientHello = Buffer.concat([
  Buffer.from([0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3]),
  Buffer.alloc(32, 7),
  Buffer.from([0, 0, 2, 0, 0x2f, 1, 0]),
]);

/** Speaks as much MQTT as a CONNECT needs: the engine has its own tests. */
class EchoBroker implements Pick<Broker, "accept"> {
  facts: ConnectionFacts[] = [];
  received: Buffer[] = [];
  transports: Transport[] = [];
  closedCount = 0;

  accept(transport: Transport, facts: ConnectionFacts) {
    this.facts.push(facts);
    this.transports.push(transport);
    let isConnected = false;
    return {
      receive: (bytes: Uint8Array) => {
        this.received.push(Buffer.from(bytes));
        if (!isConnected) transport.write(connack);
        else if (bytes[0] === 0xe0) transport.end();
        isConnected = true;
      },
      drained: () => {},
      closed: () => void this.closedCount++,
    };
  }
}

let dataDir = "";
let certificates: Certificates;
let ca = "";
const doors: FrontDoor[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "front-door-"));
  certificates = await openCertificates({ dataDir, hosts: ["devices.example"], clock: systemClock, random: systemRandom });
  ca = await readFile(certificates.caFile, "utf8");
});
afterEach(async () => {
  for (const door of doors.splice(0)) await door.close(0);
});
afterAll(async () => {
  certificates.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function open(options: { limits?: Partial<FrontDoorLimits>; tls?: Partial<FrontDoorTls>; listen?: string[] } = {}) {
  const broker = new EchoBroker();
  const log: NewLogEntry[] = [];
  const bugs: unknown[] = [];
  const door = await openFrontDoor({
    broker,
    deviceHttp: createDeviceRoutes({
      preAuth: {
        authenticate: async ({ fields }) => {
          if (fields.deviceName === "broken") throw new Error("store is away");
          return { body: { code: 200, data: { iotId: fields.deviceName } } };
        },
      },
      routes: [{ method: "POST", path: "/echo", answer: async ({ body }) => ({ status: 200, contentType: "text/plain", body }) }],
    }),
    certificates,
    listen: options.listen ?? ["127.0.0.1:0"],
    clock: systemClock,
    deviceLog: { write: (entry) => void log.push(entry) },
    limits: { ...defaultFrontDoorLimits, ...options.limits },
    tls: { ...defaultFrontDoorTls, ...options.tls },
    onBug: (error) => void bugs.push(error),
  });
  doors.push(door);
  const port = Number(door.addresses[0]?.split(":").at(-1));
  return { door, broker, log, bugs, port };
}

/** Everything the server sends until it closes, or until `isEnough`. */
function readFrom(socket: Socket, isEnough: (bytes: Buffer) => boolean = () => false): Promise<Buffer> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (isEnough(bytes)) resolve(bytes);
    });
    socket.on("error", () => {});
    socket.once("close", () => resolve(bytes));
  });
}

async function exchange(port: number, bytes: string | Buffer): Promise<Buffer> {
  const socket = connectTcp(port, "127.0.0.1");
  socket.write(bytes);
  return readFrom(socket);
}

function secure(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: "127.0.0.1", ca, ...options }, () => resolve(socket));
    socket.once("error", reject);
  });
}

const isConnack = (bytes: Buffer): boolean => bytes.length >= connack.length;
const until = async (condition: () => boolean): Promise<void> => {
  await expect.poll(condition, { interval: 5, timeout: 2000 }).toBe(true);
};
const form = "productKey=pk&deviceName=dn";
const post = (body: string, more = ""): string =>
  `POST /auth/devicename HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;

test("hands plain MQTT to the engine, first bytes included, however they are cut", async () => {
  const { broker, port } = await open();
  const socket = connectTcp({ port, host: "127.0.0.1", noDelay: true });
  socket.write(connectPacket.subarray(0, 1));
  expect(await readFrom(socket, isConnack)).toEqual(connack);
  socket.write(connectPacket.subarray(1));
  await until(() => Buffer.concat(broker.received).length === connectPacket.length);
  expect(Buffer.concat(broker.received)).toEqual(connectPacket);
  expect(broker.facts[0]).toMatchObject({ remoteAddress: "127.0.0.1", localPort: port, carrier: "tcp" });
  expect(broker.facts[0]?.tls).toBeUndefined();
  socket.destroy();
  await until(() => broker.closedCount === 1);
});

test("[Alibaba 1.3] the same port takes TLS: with and without SNI, TLS 1.2 and 1.3", async () => {
  const { broker, door, port } = await open();
  const cases: ConnectionOptions[] = [
    { servername: "localhost" },
    { servername: "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com" },
    { servername: "", checkServerIdentity: () => undefined },
    { maxVersion: "TLSv1.2", servername: "devices.example" },
  ];
  for (const options of cases) {
    const socket = await secure(port, options);
    expect(socket.authorized).toBe(true);
    socket.write(connectPacket);
    expect(await readFrom(socket, isConnack)).toEqual(connack);
    socket.destroy();
  }
  expect(broker.facts.map((facts) => [facts.tls?.version, facts.tls?.serverName])).toEqual([
    ["TLSv1.3", "localhost"],
    ["TLSv1.3", "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com"],
    ["TLSv1.3", undefined],
    ["TLSv1.2", "devices.example"],
  ]);
  await until(() => door.statistics().connections === 0);
  expect(door.statistics()).toMatchObject({ accepted: 4, tlsPending: 0, refused: {} });
});

const oldSuites = ["AES256-SHA256", "AES128-SHA256", "AES256-SHA", "AES128-SHA", "ECDHE-RSA-AES128-SHA"];
test.each(oldSuites.flatMap((suite) => ["", "localhost"].map((servername) => ({ suite, servername }))))(
  "[field notes] an old stack gets in with $suite, server name '$servername'",
  async ({ suite, servername }) => {
    const { broker, port } = await open();
    const socket = await secure(port, {
      maxVersion: "TLSv1.2",
      ciphers: `${suite}:@SECLEVEL=0`,
      servername,
      ...(servername === "" && { checkServerIdentity: () => undefined }),
    });
    socket.write(connectPacket);
    expect(await readFrom(socket, isConnack)).toEqual(connack);
    expect(broker.facts[0]?.tls?.cipher).toBe(suite);
    socket.destroy();
  },
);

test("[RFC 5246 7.4.1.4.1] a TLS 1.2 client that knows SHA-1 signatures only gets in, unless legacy clients are shut out", async () => {
  const old: ConnectionOptions = {
    maxVersion: "TLSv1.2",
    ciphers: "ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
    sigalgs: "RSA+SHA1",
    servername: "localhost",
  };
  const lenient = await open();
  (await secure(lenient.port, old)).destroy();
  const strict = await open({ tls: { acceptsLegacyClients: false } });
  await expect(secure(strict.port, old)).rejects.toThrow(/handshake failure/);
  (await secure(strict.port, { servername: "localhost" })).destroy();
});

test("a TLS client without a common version or suite is refused and the log shows what it offered", async () => {
  const { log, port } = await open();
  await expect(secure(port, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" })).rejects.toThrow();
  await until(() => log.length === 1);
  expect(log[0]).toMatchObject({ kind: "refuse", code: "front_door.tls_handshake_failed", isSuccess: false });
  expect(log[0]?.received).toMatch(/^TLS 1\.1, suites /);
});

test("tls.minVersion opens the door to TLS 1.0", async () => {
  const { broker, port } = await open({ tls: { minVersion: "TLSv1" } });
  const socket = await secure(port, {
    minVersion: "TLSv1",
    maxVersion: "TLSv1",
    ciphers: "AES128-SHA:@SECLEVEL=0",
    servername: "localhost",
  });
  socket.write(connectPacket);
  expect(await readFrom(socket, isConnack)).toEqual(connack);
  expect(broker.facts[0]?.tls?.version).toBe("TLSv1");
  socket.destroy();
});

test("a client that does not trust the CA says so in an alert, and the log repeats it", async () => {
  const { door, log, port } = await open();
  const socket = connectTcp(port, "127.0.0.1");
  socket.write(clientHello);
  await new Promise((resolve) => socket.once("data", resolve));
  // RFC 5246 7.2: fatal, unknown_ca.
  socket.write(Buffer.from([0x15, 3, 3, 0, 2, 2, 48]));
  await readFrom(socket);
  expect(log.map((entry) => entry.reason)).toEqual([expect.stringContaining("alert unknown ca")]);
  await until(() => door.statistics().connections === 0);
});

test("session tickets outlive a restart of the front door", async () => {
  const first = await open();
  const socket = await secure(first.port, { servername: "localhost", maxVersion: "TLSv1.2" });
  const session = socket.getSession();
  socket.destroy();
  const second = await open();
  const resumed = await secure(second.port, { servername: "localhost", maxVersion: "TLSv1.2", ...(session && { session }) });
  expect(resumed.isSessionReused()).toBe(true);
  resumed.destroy();
});

test("[AWS protocols] ALPN names are answered, and one that nobody knows is refused", async () => {
  const { port } = await open();
  for (const [offered, chosen] of [
    [["x-amzn-mqtt-ca"], "x-amzn-mqtt-ca"],
    [["mqtt"], "mqtt"],
    [["h2", "http/1.1"], "http/1.1"],
  ] as const) {
    const socket = await secure(port, { ALPNProtocols: [...offered], servername: "localhost" });
    expect(socket.alpnProtocol).toBe(chosen);
    socket.destroy();
  }
  await expect(secure(port, { ALPNProtocols: ["h2"], servername: "localhost" })).rejects.toThrow(/no application protocol/);
});

test("a client certificate is asked for only where wanted, and then in the facts", async () => {
  const { broker, port } = await open({ tls: { requestClientCertificate: (hello) => hello.alpn.includes("x-amzn-mqtt-ca") } });
  const identity = certificates.identityFor("localhost");
  const credentials = { cert: identity.certificates[0] ?? "", key: identity.keys[0] ?? "", servername: "localhost" };
  for (const ALPNProtocols of [["x-amzn-mqtt-ca"], ["mqtt"]]) {
    const socket = await secure(port, { ...credentials, ALPNProtocols });
    socket.write(connectPacket);
    await readFrom(socket, isConnack);
    socket.destroy();
  }
  expect(broker.facts[0]?.tls?.clientCertificate?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(broker.facts[0]?.tls?.clientCertificate?.isAuthorized).toBe(false);
  expect(broker.facts[1]?.tls?.clientCertificate).toBeUndefined();
});

test("garbage is cut with one entry that shows the bytes", async () => {
  const { log, port } = await open();
  expect(await exchange(port, Buffer.from([0, 1, 2, 0xff]))).toEqual(Buffer.alloc(0));
  expect(await exchange(port, "get / http/1.1\r\n\r\n")).toEqual(Buffer.alloc(0));
  expect(log).toHaveLength(2);
  expect(log[0]).toMatchObject({
    kind: "refuse",
    code: "front_door.unknown_protocol",
    received: "00 01 02 ff",
    remoteAddress: "127.0.0.1",
  });
  expect(log[0]?.expected).toContain("0x10 (MQTT CONNECT)");
});

test("garbage inside TLS, and TLS inside TLS, are cut too", async () => {
  const { log, port } = await open();
  const tlsHello = Buffer.concat([Buffer.from([0x16, 3, 1, 0, 4]), Buffer.alloc(4)]);
  for (const bytes of [Buffer.from("ÿÿÿ", "latin1"), tlsHello]) {
    const socket = await secure(port, { servername: "localhost" });
    socket.write(bytes);
    await readFrom(socket);
  }
  expect(log.map((entry) => entry.code)).toEqual(["front_door.unknown_protocol", "front_door.unknown_protocol"]);
});

test("a client that says nothing, or half a hello, is cut after firstByteMilliseconds", async () => {
  const { door, log, port } = await open({ limits: { firstByteMilliseconds: 30 } });
  await Promise.all([exchange(port, ""), exchange(port, Buffer.from([0x16, 3, 1, 2, 0, 1])), exchange(port, "POS")]);
  expect(log.map((entry) => [entry.code, entry.received]).sort()).toEqual([
    ["front_door.first_byte_timeout", "16 03 01 02 00 01"],
    ["front_door.first_byte_timeout", "50 4f 53"],
    ["front_door.first_byte_timeout", "nothing"],
  ]);
  await until(() => door.statistics().connections === 0);
});

test("a TLS handshake that stops is cut after handshakeMilliseconds", async () => {
  const { door, log, port } = await open({ limits: { handshakeMilliseconds: 60 } });
  const socket = connectTcp(port, "127.0.0.1");
  // The server has answered the hello and waits.
  socket.write(clientHello);
  await readFrom(socket);
  expect(log.map((entry) => entry.code)).toEqual(["front_door.tls_handshake_timeout"]);
  await until(() => door.statistics().connections === 0);
  expect(door.statistics().tlsPending).toBe(0);
});

test("a half-open client (FIN after CONNECT) is closed and reported once", async () => {
  const { broker, door, port } = await open();
  const socket = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(connectPacket);
  await readFrom(socket);
  await until(() => broker.closedCount === 1 && door.statistics().connections === 0);
});

test("connection limits close the surplus with their own codes", async () => {
  const byAddress = await open({ limits: { connectionsPerAddressMax: 1 } });
  const inTotal = await open({ limits: { connectionsMax: 1 } });
  for (const { port, log, code } of [
    { ...byAddress, code: "front_door.too_many_connections_of_address" },
    { ...inTotal, code: "front_door.too_many_connections" },
  ]) {
    const first = connectTcp(port, "127.0.0.1");
    first.write(connectPacket);
    await readFrom(first, isConnack);
    expect(await exchange(port, connectPacket)).toEqual(Buffer.alloc(0));
    expect(log.map((entry) => entry.code)).toEqual([code]);
    first.destroy();
    await until(() => doors.every((door) => door.statistics().connections <= 1));
  }
});

test("an engine that throws costs one connection, not the process", async () => {
  const { bugs, broker, port } = await open();
  broker.accept = () => {
    throw new Error("bug");
  };
  expect(await exchange(port, connectPacket)).toEqual(Buffer.alloc(0));
  expect(bugs).toHaveLength(1);
});

test("port in use, and no such address, name the address and the setting", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const address = taken.address();
  const port = typeof address === "object" ? address?.port : undefined;
  await expect(open({ listen: ["127.0.0.1:0", `127.0.0.1:${port}`] })).rejects.toMatchObject({
    code: "front_door.address_in_use",
    details: { address: `127.0.0.1:${port}`, setting: "listen.device" },
  });
  taken.close();
  await expect(open({ listen: ["192.0.2.1:0"] })).rejects.toMatchObject({ code: "front_door.address_not_available" });
  await expect(open({ listen: [] })).rejects.toMatchObject({ code: "front_door.no_listen_address" });
});

test("[Alibaba 2.4] the pre-auth answer has canonical header names, a length and nothing more", async () => {
  const { port } = await open();
  const answer = (await exchange(port, post(form, "Connection: close\r\n"))).toString();
  const body = '{"code":200,"data":{"iotId":"dn"}}';
  expect(answer.replace(/Date: [^\r]+/, "Date: D")).toBe(
    `HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: application/json;charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
});

test("[field notes] a NUL after the body, inside or beyond its length, does not cost the answer", async () => {
  const { port } = await open();
  expect((await exchange(port, `${post(form)}\0`)).toString()).toContain('{"code":200,"data":{"iotId":"dn"}}');
  expect((await exchange(port, post(`${form}\0`, "Connection: close\r\n"))).toString()).toContain('"iotId":"dn"');
});

test("HTTP/1.0 without Host, and keep-alive with two requests, are served", async () => {
  const { port } = await open();
  const old = await exchange(port, `POST /auth/devicename HTTP/1.0\r\nContent-Length: ${form.length}\r\n\r\n${form}`);
  expect(old.toString()).toContain("Connection: close\r\n\r\n{");
  const two = await exchange(port, post(form) + post(form, "Connection: close\r\n"));
  expect(two.toString().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  expect(two.toString()).toContain("Connection: keep-alive\r\n\r\n{");
  const upgrade = await exchange(port, post(form, "Connection: Upgrade, close\r\nUpgrade: h2c\r\n"));
  expect(upgrade.toString()).toContain("HTTP/1.1 200 OK");
});

test.each([
  ["wrong method", "GET /auth/devicename HTTP/1.1\r\nConnection: close\r\n\r\n", 405, "front_door.http_method_not_allowed"],
  ["unknown path", "GET /nowhere?x=1 HTTP/1.1\r\nConnection: close\r\n\r\n", 404, "front_door.http_not_found"],
  ["large body", "POST /auth/devicename HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 413, "front_door.http_body_too_large"],
  ["bad length", "POST /auth/devicename HTTP/1.1\r\nContent-Length: nonsense\r\n\r\n", 400, "front_door.http_malformed"],
  ["large headers", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431, "front_door.http_headers_too_large"],
  [
    "failing handler",
    "POST /auth/devicename HTTP/1.1\r\nConnection: close\r\nContent-Length: 17\r\n\r\ndeviceName=broken",
    500,
    "front_door.http_failed",
  ],
])("HTTP: %s is answered", async (_name, request, status, error) => {
  const { port } = await open();
  const answer = (await exchange(port, request)).toString();
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  expect(JSON.parse(body)).toMatchObject({ code: status, error });
  expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
  expect(head.length).toBeLessThan(1024);
});

test("a request that trickles in is answered 408", async () => {
  const { log, port } = await open({ limits: { httpRequestMilliseconds: 40 } });
  expect((await exchange(port, "GET / HTTP/1.1\r\nX: ")).toString()).toMatch(/^HTTP\/1\.1 408 /);
  expect((await exchange(port, "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")).toString()).toMatch(/^HTTP\/1\.1 408 /);
  expect(log.map((entry) => entry.code)).toEqual(["front_door.http_request_timeout", "front_door.http_request_timeout"]);
});

test("an answer that nobody reads does not hold its connection for ever", async () => {
  const { door, port } = await open({ limits: { httpAnswerMilliseconds: 50, httpBodyBytesMax: 40_000_000 } });
  const large = `x=${"y".repeat(20_000_000)}`;
  const socket = connectTcp(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.pause();
  socket.write(`POST /echo HTTP/1.1\r\nContent-Length: ${large.length}\r\n\r\n${large}`);
  await until(() => door.statistics().connections === 1);
  await until(() => door.statistics().connections === 0);
  socket.destroy();
});

test("an idle keep-alive connection ends in silence", async () => {
  const { log, port } = await open({ limits: { httpIdleMilliseconds: 30 } });
  expect((await exchange(port, post(form))).toString()).toContain("200 OK");
  expect(log).toEqual([]);
});

test("HTTPS is served on the same port", async () => {
  const { port } = await open();
  const status = await new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        port,
        host: "127.0.0.1",
        servername: "iot-auth.cn-shanghai.aliyuncs.com",
        ca,
        method: "POST",
        path: "/auth/devicename",
        agent: false,
      },
      (response) => resolve(response.resume().statusCode),
    );
    request.on("error", reject).end(form);
  });
  expect(status).toBe(200);
});

test.each(["ws", "wss"] as const)("MQTT.js connects over %s on any path", async (protocol) => {
  const { broker, door, port } = await open();
  const client = await mqtt.connectAsync(`${protocol}://localhost:${port}/any/path`, { ca, reconnectPeriod: 0, protocolVersion: 4 });
  expect(broker.facts[0]?.carrier).toBe("websocket");
  expect(broker.facts[0]?.tls === undefined).toBe(protocol === "ws");
  client.end();
  await until(() => broker.closedCount === 1 && door.statistics().connections === 0);
});

test("[MQTT-6.0.0-1] a text frame closes the WebSocket; [MQTT-6.0.0-3] a foreign sub-protocol is refused", async () => {
  const { log, port } = await open();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ["mqtt"]);
  socket.on("open", () => socket.send("text"));
  expect(await new Promise((resolve) => socket.on("close", resolve))).toBe(1003);
  const foreign = new WebSocket(`ws://127.0.0.1:${port}/`, ["soap"]);
  expect(await new Promise((resolve) => foreign.on("error", (error) => resolve(error.message)))).toContain("400");
  expect(log.map((entry) => entry.code)).toEqual(["front_door.websocket_text_frame", "front_door.websocket_protocol_unknown"]);
});

test("close() ends the silent at once and the rest after the drain time", async () => {
  const { broker, door, port } = await open();
  const silent = connectTcp(port, "127.0.0.1");
  const speaking = connectTcp(port, "127.0.0.1");
  speaking.write(connectPacket);
  await readFrom(speaking, isConnack);
  await until(() => door.statistics().connections === 2);
  const ended = readFrom(silent);
  const closing = door.close(5_000);
  await ended;
  expect(door.statistics().connections).toBe(1);
  broker.transports[0]?.end();
  await closing;
  await expect(secure(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});
