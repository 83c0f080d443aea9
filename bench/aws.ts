/**
 * The AWS dialect under load: `npm run bench:aws`. The server is pinned to one core, whoever loads it to the other.
 *
 * 1. Policies: clients with certificates publish with QoS 1 over TLS, once under one statement that allows everything and once
 *    under ten statements with wildcards, variables, a condition and denials, in turn; alone, and with a subscriber.
 * 2. Mutual TLS: full handshakes per second of this server and of mosquitto with `require_certificate true`, both with the same
 *    certificates and keys, in turn. Needs mosquitto and openssl; skipped with the reason where they are missing.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { AttachPolicyCommand, CreateCertificateFromCsrCommand } from "@aws-sdk/client-iot";
import { generate, parser } from "mqtt-packet";
import { type AwsDevice, type AwsFixture, type AwsStatement, everything, startAwsFixture } from "../e2e/support/aws-fixture.ts";
import { freePort } from "../e2e/support/free-port.ts";

const serverCore = "0";
const loadCore = "1";
const rounds = 5;
const publishers = 16;
const topicsPerPublisher = 20;
const windowMessages = 100;
const payload = Buffer.alloc(128, 0x61);
const warmUpMilliseconds = 1_500;
const measuredMilliseconds = 2_500;
const policyTarget = 0.9;

const handshakeSeconds = 3;
const handshakeClients = 4;
const handshakeTarget = 1;

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const folder = mkdtempSync(join(tmpdir(), "thingstead-bench-aws-"));
spawnSync("taskset", ["-a", "-c", "-p", loadCore, String(process.pid)]);

const fixture = await startAwsFixture();
pin(fixture.server.pid);
try {
  await measurePolicies(fixture);
  await measureHandshakes(fixture);
} finally {
  await fixture.remove();
  rmSync(folder, { recursive: true, force: true });
}

function pin(pid: number): void {
  spawnSync("taskset", ["-a", "-c", "-p", serverCore, String(pid)]);
}

/** What a careful fleet owner writes: ten statements, some of which speak of everything. */
function tenStatements({ arn }: AwsFixture): AwsStatement[] {
  const thing = "${iot:Connection.Thing.ThingName}";
  const client = "${iot:ClientId}";
  const allow = (Action: string | string[], ...resources: string[]): AwsStatement => ({
    Effect: "Allow",
    Action,
    Resource: resources.map(arn),
  });
  return [
    allow("iot:Connect", `client/${client}`),
    allow("iot:Publish", `topic/bench/${client}/*`, `topic/dt/*/${client}/data`),
    allow("iot:Receive", "topic/bench/*", `topic/cmd/${client}/*`),
    allow("iot:Subscribe", "topicfilter/bench/#", `topicfilter/cmd/${client}/#`),
    allow(["iot:Publish", "iot:Receive"], `topic/$aws/things/${thing}/shadow/*`),
    allow("iot:Subscribe", `topicfilter/$aws/things/${thing}/shadow/*`),
    allow(["iot:Publish", "iot:Receive"], `topic/$aws/things/${thing}/jobs/*`),
    { ...allow("iot:RetainPublish", "topic/state/*"), Condition: { Bool: { "iot:Connection.Thing.IsAttached": ["true"] } } },
    { Effect: "Deny", Action: ["iot:Publish", "iot:Receive"], Resource: [arn("topic/*/secret/*"), arn("topic/bench/?/admin")] },
    { Effect: "Deny", Action: "iot:*", Resource: "*", Condition: { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } } },
  ];
}

async function measurePolicies(aws: AwsFixture): Promise<void> {
  const devices = {
    one: await aws.createDevice({ statements: everything }),
    ten: await aws.createDevice({ statements: tenStatements(aws) }),
  };
  for (const hasSubscriber of [false, true]) {
    const rates: Record<keyof typeof devices, number[]> = { one: [], ten: [] };
    for (let round = 0; round < rounds; round++) {
      // Who goes first changes, so that a server that grows warmer favours nobody.
      const order = round % 2 === 0 ? (["one", "ten"] as const) : (["ten", "one"] as const);
      for (const name of order) rates[name].push(await publishRate(aws, devices[name], hasSubscriber));
    }
    const ratio = median(rates.one.map((rate, round) => (rates.ten[round] ?? 0) / rate));
    const figures = Object.entries(rates).map(([name, values]) => `${name} ${Math.round(median(values))}/s`);
    const verdict = ratio >= policyTarget ? "reached" : "missed";
    const what = hasSubscriber ? "publish to one subscriber" : "publish";
    console.log(`policies, ${what}: ${figures.join(", ")}; ten statements / one: ${ratio.toFixed(3)} (target ${policyTarget}: ${verdict})`);
  }
}

/** Acknowledged messages per second of all publishers together. */
async function publishRate(aws: AwsFixture, device: AwsDevice, hasSubscriber: boolean): Promise<number> {
  const subscriber = hasSubscriber ? await openClient(aws, device, "reader") : undefined;
  if (subscriber !== undefined) {
    subscriber.write(generate({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "bench/#", qos: 0 }] }));
    await new Promise((resolve) => subscriber.once("data", resolve));
    subscriber.resume();
  }
  const clients = await Promise.all(
    Array.from({ length: publishers }, async (_, index) => {
      const clientId = `publisher-${index}`;
      return { socket: await openClient(aws, device, clientId), window: windowOf(clientId) };
    }),
  );
  let acknowledged = 0;
  for (const { socket, window } of clients) {
    let bytes = 0;
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      // A PUBACK has 4 bytes.
      if (bytes < windowMessages * 4) return;
      bytes -= windowMessages * 4;
      acknowledged += windowMessages;
      socket.write(window);
    });
    socket.write(window);
  }
  await pause(warmUpMilliseconds);
  const before = acknowledged;
  const from = performance.now();
  await pause(measuredMilliseconds);
  const rate = (acknowledged - before) / ((performance.now() - from) / 1000);
  if (!(rate > 0)) throw new Error("nothing was acknowledged");
  for (const { socket } of clients) socket.destroy();
  subscriber?.destroy();
  return rate;
}

function windowOf(clientId: string): Buffer {
  const packets = Array.from({ length: windowMessages }, (_, index) =>
    generate({
      cmd: "publish",
      topic: `bench/${clientId}/${index % topicsPerPublisher}`,
      payload,
      qos: 1,
      messageId: index + 1,
      dup: false,
      retain: false,
    }),
  );
  return Buffer.concat(packets);
}

async function openClient({ server }: AwsFixture, device: AwsDevice, clientId: string): Promise<TLSSocket> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: server.devicePort,
    servername: "localhost",
    ca: server.ca,
    cert: device.certificatePem,
    key: device.privateKeyPem,
  });
  socket.setNoDelay(true);
  const reader = parser();
  const admitted = new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    reader.on("packet", (packet) => {
      if (packet.cmd === "connack" && packet.returnCode === 0) resolve();
      else reject(new Error(`instead of an admission: ${JSON.stringify(packet)}`));
    });
  });
  const read = (chunk: Buffer) => void reader.parse(chunk);
  socket.on("data", read);
  socket.write(generate({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, clientId, keepalive: 600 }));
  await admitted;
  socket.off("data", read);
  return socket;
}

async function measureHandshakes(aws: AwsFixture): Promise<void> {
  const lacking = ["mosquitto", "openssl"].filter((program) => spawnSync("which", [program]).status !== 0);
  if (lacking.length > 0) {
    console.log(`mutual TLS: skipped, ${lacking.join(" and ")} not found`);
    return;
  }
  const certificate = await createEllipticCertificate(aws);
  const mosquitto = await startMosquitto(aws);
  try {
    for (const kind of ["ecdsa", "rsa"] as const) {
      const rates = { thingstead: [] as number[], mosquitto: [] as number[] };
      for (let round = 0; round < rounds; round++) {
        rates.thingstead.push(await handshakesPerSecond(aws.server.devicePort, kind, certificate));
        rates.mosquitto.push(await handshakesPerSecond(mosquitto.ports[kind], kind, certificate));
      }
      const ratio = median(rates.thingstead.map((rate, round) => rate / (rates.mosquitto[round] ?? 1)));
      const figures = Object.entries(rates).map(([name, values]) => `${name} ${Math.round(median(values))}/s`);
      const verdict = ratio >= handshakeTarget ? "reached" : "missed";
      console.log(
        `mutual TLS 1.2, server key ${kind}: ${figures.join(", ")}; ratio ${ratio.toFixed(2)} (target ${handshakeTarget}: ${verdict})`,
      );
    }
  } finally {
    mosquitto.child.kill();
  }
}

/** A key that costs the load little, so that the server is what is measured. */
async function createEllipticCertificate(aws: AwsFixture): Promise<{ certificateFile: string; keyFile: string }> {
  const files = { certificateFile: join(folder, "client.crt"), keyFile: join(folder, "client.key") };
  const request = ["req", "-new", "-nodes", "-subj", "/CN=bench", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const { stdout, status } = spawnSync("openssl", [...request, "-keyout", files.keyFile], { encoding: "utf8" });
  if (status !== 0) throw new Error("openssl cannot make a request for a certificate");
  const created = await aws.iot.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest: stdout, setAsActive: true }));
  const policyName = await aws.createPolicy(everything);
  await aws.iot.send(new AttachPolicyCommand({ policyName, target: created.certificateArn }));
  writeFileSync(files.certificateFile, created.certificatePem ?? "");
  return files;
}

/** With the server's own certificates and its CA as the one that clients need. */
async function startMosquitto({ server }: AwsFixture): Promise<{ child: ChildProcess; ports: { ecdsa: number; rsa: number } }> {
  const ports = { ecdsa: await freePort(), rsa: await freePort() };
  const listeners = Object.entries(ports).map(
    ([kind, port]) =>
      `listener ${port} 127.0.0.1\ncertfile ${server.dataDir}/tls/all-${kind}.crt\nkeyfile ${server.dataDir}/tls/all-${kind}.key\n` +
      `cafile ${server.caFile}\nrequire_certificate true\n`,
  );
  const file = join(folder, "mosquitto.conf");
  writeFileSync(file, `user root\nallow_anonymous true\n${listeners.join("")}`);
  const child = spawn("mosquitto", ["-c", file], { stdio: "ignore" });
  for (let tries = 0; tries < 100 && !(await isOpen(ports.rsa)); tries++) await pause(50);
  pin(child.pid ?? 0);
  return { child, ports };
}

/** Full handshakes one after the other, by several clients at once. */
async function handshakesPerSecond(
  port: number,
  kind: "ecdsa" | "rsa",
  { certificateFile, keyFile }: { certificateFile: string; keyFile: string },
): Promise<number> {
  const args = ["s_time", "-connect", `127.0.0.1:${port}`, "-new", "-time", String(handshakeSeconds), "-tls1_2"];
  const cipher = ["-cipher", `ECDHE-${kind.toUpperCase()}-AES128-GCM-SHA256`, "-cert", certificateFile, "-key", keyFile];
  const from = performance.now();
  const counts = await Promise.all(
    Array.from({ length: handshakeClients }, async () => {
      const text = await outputOf("taskset", ["-c", loadCore, "openssl", ...args, ...cipher]);
      return Number(/(\d+) connections in \d+ real seconds/.exec(text)?.[1] ?? 0);
    }),
  );
  const seconds = (performance.now() - from) / 1000;
  if (counts.some((count) => count === 0)) throw new Error("openssl s_time made no connection");
  return counts.reduce((sum, count) => sum + count, 0) / seconds;
}

function outputOf(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.once("error", reject);
    child.once("close", () => resolve(output));
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
