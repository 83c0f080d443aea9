/**
 * What one node carries: `npm run bench:scale`.
 * A storm of signed connects, many subscriptions, and a million retained topics against the named memory limit. The load
 * runs in this process, beside the server: times are those a client sees, memory is the server's.
 */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { cpus } from "node:os";
import { signConnect } from "@thingstead/dialects";
import { decodePacket, encodePacket, encodePublish, Framer, type Packet } from "@thingstead/mqtt";
import { restClient } from "../e2e/support/rest-client.ts";
import { type ServerProcess, startServerProcess } from "../e2e/support/server-process.ts";

const devices = 5_000;
const subscribers = 1_000;
const filtersEach = 50;
const retainedTopics = 1_000_000;
const window = 2_000;
const openingMax = 256;

const seconds = (from: number) => (performance.now() - from) / 1_000;
const megabytes = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

/** A client of a few lines: what it is sent goes to `onPacket`. */
class Client {
  readonly socket: Socket;
  onPacket: (packet: Packet) => void = () => {};

  constructor(port: number) {
    const framer = new Framer({ packetBytesMax: 1_000_000 });
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("error", () => {});
    this.socket.on("data", (bytes) =>
      framer.push(bytes, (firstByte, buffer, start, end) => {
        this.onPacket(decodePacket(firstByte, buffer, start, end, 4));
        return true;
      }),
    );
  }

  /** Sends one packet and waits for the answer of that type. */
  ask<T extends Packet["type"]>(packet: Packet, answer: T): Promise<Extract<Packet, { type: T }>> {
    return new Promise((resolve, reject) => {
      this.socket.once("close", () => reject(new Error(`closed while waiting for ${answer}`)));
      this.onPacket = (received) => received.type === answer && resolve(received as Extract<Packet, { type: T }>);
      this.socket.write(encodePacket(packet, 4));
    });
  }

  async connect(clientId: string, credentials: { userName?: string; password?: Uint8Array } = {}): Promise<void> {
    const answer = await this.ask(
      { type: "connect", protocolVersion: 4, clientId, isCleanStart: true, keepAliveSeconds: 600, ...credentials },
      "connack",
    );
    if (answer.reasonCode !== 0) throw new Error(`CONNACK ${answer.reasonCode}`);
  }
}

/** Runs `task` for 0 … count-1, `openingMax` at a time. */
async function forEach(count: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(openingMax, count) }, async () => {
      while (next < count) await task(next++);
    }),
  );
}

async function measureStorm(server: ServerProcess): Promise<void> {
  const rest = restClient(server);
  const { productKey } = (await rest("POST", "/products", { name: "storm" })).body;
  const batch = await rest("POST", `/products/${productKey}/device-batches`, { count: devices });
  const made: { deviceName: string; deviceSecret: string }[] = batch.body.items ?? batch.body.devices ?? batch.body;
  const signed = made.map(({ deviceName, deviceSecret }) => signConnect({ productKey, deviceName, deviceSecret, secureMode: 3 }));
  const before = megabytes(server.pid);
  const from = performance.now();
  const clients: Client[] = [];
  await forEach(devices, async (index) => {
    const credentials = signed[index];
    if (credentials === undefined) throw new Error("a device is missing");
    const client = new Client(server.devicePort);
    clients.push(client);
    await client.connect(credentials.clientId, { userName: credentials.userName, password: Buffer.from(credentials.password) });
  });
  const time = seconds(from);
  console.log(
    `${devices} signed connects at once: all admitted in ${time.toFixed(2)} s (${Math.round(devices / time)}/s), server +${(megabytes(server.pid) - before).toFixed(0)} MB`,
  );
  for (const client of clients) client.socket.destroy();
}

async function measureSubscriptions(server: ServerProcess): Promise<void> {
  const before = megabytes(server.pid);
  const from = performance.now();
  const clients: Client[] = [];
  await forEach(subscribers, async (index) => {
    const client = new Client(server.devicePort);
    clients.push(client);
    await client.connect(`subscriber-${index}`);
    const subscriptions = Array.from({ length: filtersEach }, (_, filter) => ({
      filter: filter === 0 ? "all/+/state" : `room/${index}/sensor/${filter}/#`,
      qos: 0 as const,
      isNoLocal: false,
      isRetainAsPublished: false,
      retainHandling: 0 as const,
    }));
    const { reasonCodes } = await client.ask({ type: "subscribe", packetId: 1, subscriptions }, "suback");
    if (reasonCodes.some((code) => code >= 0x80)) throw new Error(`SUBACK ${reasonCodes}`);
  });
  const total = subscribers * filtersEach;
  console.log(`${total} subscriptions: made in ${seconds(from).toFixed(2)} s, server +${(megabytes(server.pid) - before).toFixed(0)} MB`);

  const publisher = new Client(server.devicePort);
  await publisher.connect("publisher");
  const one = performance.now();
  const heard = new Promise<void>((resolve) => {
    const client = clients[500];
    if (client !== undefined) client.onPacket = (packet) => packet.type === "publish" && resolve();
  });
  publisher.socket.write(encodePublish("room/500/sensor/7/temperature", Buffer.from("21"), 0, false, false, 0, undefined, 4));
  await heard;
  console.log(`  one of them hears a new topic after ${((performance.now() - one) * 1_000).toFixed(0)} us`);
  const fanOut = performance.now();
  let left = subscribers;
  const all = new Promise<void>((resolve) => {
    for (const client of clients) {
      client.onPacket = (packet) => {
        if (packet.type !== "publish") return;
        left -= 1;
        if (left === 0) resolve();
      };
    }
  });
  publisher.socket.write(encodePublish("all/house/state", Buffer.from("on"), 0, false, false, 0, undefined, 4));
  await all;
  console.log(`  all ${subscribers} hear one message within ${(seconds(fanOut) * 1_000).toFixed(1)} ms`);
  for (const client of [...clients, publisher]) client.socket.destroy();
}

/** Publishes retained topics with QoS 1, a window at a time; tells how many were taken and how many refused. */
async function measureRetained(server: ServerProcess, limitMegabytes: number): Promise<void> {
  const before = megabytes(server.pid);
  const client = new Client(server.devicePort);
  await client.connect("keeper");
  const payload = Buffer.alloc(64, "x");
  const from = performance.now();
  let sent = 0;
  let acknowledged = 0;
  await new Promise<void>((resolve, reject) => {
    client.socket.once("close", () => reject(new Error(`closed after ${acknowledged} retained topics`)));
    const more = () => {
      const packets: Buffer[] = [];
      while (sent < retainedTopics && sent - acknowledged < window) {
        packets.push(
          encodePublish(`fleet/${sent % 1_000}/device/${sent}/state`, payload, 1, false, true, (sent % 60_000) + 1, undefined, 4),
        );
        sent += 1;
      }
      if (packets.length > 0) client.socket.write(Buffer.concat(packets));
    };
    client.onPacket = (packet) => {
      if (packet.type !== "puback") return;
      acknowledged += 1;
      if (acknowledged === retainedTopics) resolve();
      else if (sent - acknowledged <= window / 2) more();
    };
    more();
  });
  const time = seconds(from);
  const counter = new Client(server.devicePort);
  await counter.connect("counter");
  const kept = new Promise<string>((resolve) => {
    counter.onPacket = (packet) => packet.type === "publish" && resolve(Buffer.from(packet.payload).toString());
  });
  const subscription = {
    filter: "$SYS/broker/retained messages/count",
    qos: 0 as const,
    isNoLocal: false,
    isRetainAsPublished: false,
    retainHandling: 0 as const,
  };
  counter.socket.write(encodePacket({ type: "subscribe", packetId: 1, subscriptions: [subscription] }, 4));
  console.log(
    `${retainedTopics} retained topics of ${payload.length} B, limit ${limitMegabytes} MiB: ${time.toFixed(1)} s (${Math.round(retainedTopics / time)}/s, each safe on disk), kept ${await kept}, server +${(megabytes(server.pid) - before).toFixed(0)} MB`,
  );
  client.socket.destroy();
  counter.socket.destroy();
}

async function withServer(environment: Record<string, string>, task: (server: ServerProcess) => Promise<void>): Promise<void> {
  const server = await startServerProcess({
    environment: { THINGSTEAD_PLAIN: "anonymous", THINGSTEAD_LOG_LEVEL: "error", ...environment },
  });
  try {
    await task(server);
  } finally {
    await server.remove();
  }
}

console.log(`machine: ${cpus().length} x ${cpus()[0]?.model}, Node ${process.versions.node}`);
await withServer({}, measureStorm);
await withServer({}, measureSubscriptions);
for (const limitMegabytes of [1_024, 256]) {
  const environment = { THINGSTEAD_LIMITS_MQTT_RETAINED_BYTES_MAX: String(limitMegabytes * 1024 * 1024) };
  await withServer(environment, (server) => measureRetained(server, limitMegabytes));
}
process.exit(0);
