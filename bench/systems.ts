/** The brokers of the benchmark: each is started fresh, pinned to one core, and stopped. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startServerProcess, testAccessKey } from "../e2e/support/server-process.ts";

export const systemNames = ["thingstead", "mosquitto", "aedes"] as const;
export type SystemName = (typeof systemNames)[number];

export interface RunningSystem {
  name: SystemName;
  port: number;
  /** TLS with an ECDSA and with an RSA certificate: one port that has both, or one each. Absent: not offered. */
  tlsPorts?: { ecdsa: number; rsa: number };
  pid: number;
  /** REST API of ours. */
  rest?: { httpPort: number; accessKeyId: string; accessKeySecret: string };
  stop(): Promise<void>;
}

const brokerCore = 0;
const startMilliseconds = 10_000;

/** A user's queue limits, raised so that a benchmark that fills a queue without a reader measures the queue, not its overflow. */
const ourLimits = {
  plainSession: { queueMessagesMax: 10_000_000, queueBytesMax: 8 * 1024 ** 3 },
  frontDoor: { connectionsPerAddressMax: 100_000 },
};

export function startSystem(name: SystemName, { isBare }: { isBare: boolean }): Promise<RunningSystem> {
  if (name === "mosquitto") return startMosquitto();
  if (name === "aedes") return startProgram("aedes", "aedes-broker.ts");
  return isBare ? startProgram("thingstead", "bare-broker.ts") : startOurs();
}

async function startOurs(): Promise<RunningSystem> {
  const dataDir = mkdtempSync(join(tmpdir(), "thingstead-bench-"));
  const configFile = join(dataDir, "bench.json");
  writeFileSync(configFile, JSON.stringify({ plain: "anonymous", log: { level: "error" }, limits: ourLimits }));
  const server = await startServerProcess({ dataDir, flags: ["--config", configFile] });
  pin(server.pid);
  return {
    name: "thingstead",
    port: server.devicePort,
    tlsPorts: { ecdsa: server.devicePort, rsa: server.devicePort },
    pid: server.pid,
    rest: { httpPort: server.httpPort, accessKeyId: testAccessKey.id, accessKeySecret: testAccessKey.secret },
    stop: () => server.remove(),
  };
}

async function startMosquitto(): Promise<RunningSystem> {
  const folder = mkdtempSync(join(tmpdir(), "mosquitto-bench-"));
  const [port, ecdsa, rsa] = await freePorts(3);
  const keyOptions = { ecdsa: ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], rsa: ["rsa:2048"] };
  for (const [kind, options] of Object.entries(keyOptions)) {
    const request = ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-newkey", ...options];
    const made = spawnSync("openssl", [...request, "-keyout", join(folder, `${kind}.key`), "-out", join(folder, `${kind}.crt`)]);
    if (made.status !== 0) throw new Error(`openssl cannot make a certificate: ${made.stderr}`);
  }
  const tlsListener = (tlsPort: number, kind: string) =>
    [
      `listener ${tlsPort} 127.0.0.1`,
      `certfile ${join(folder, `${kind}.crt`)}`,
      `keyfile ${join(folder, `${kind}.key`)}`,
      `cafile ${join(folder, `${kind}.crt`)}`,
    ].join("\n");
  const lines = [
    // A child that drops its rights could not read the keys.
    "user root",
    "allow_anonymous true",
    "set_tcp_nodelay true",
    `listener ${port} 127.0.0.1`,
    tlsListener(ecdsa, "ecdsa"),
    tlsListener(rsa, "rsa"),
  ];
  const file = join(folder, "mosquitto.conf");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const child = spawn("mosquitto", ["-c", file], { stdio: "ignore" });
  const running = await whenListening("mosquitto", child, port);
  return {
    ...running,
    tlsPorts: { ecdsa, rsa },
    async stop() {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startProgram(name: SystemName, file: string): Promise<RunningSystem> {
  const [port] = await freePorts(1);
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), String(port)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return whenListening(name, child, port);
}

async function whenListening(name: SystemName, child: ChildProcess, port: number): Promise<RunningSystem> {
  const deadline = performance.now() + startMilliseconds;
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`${name} does not listen on port ${port}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const pid = child.pid ?? 0;
  pin(pid);
  return {
    name,
    port,
    pid,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("close", resolve));
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function freePorts<const N extends number>(count: N): Promise<N extends 1 ? [number] : [number, number, number]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  for (const server of servers) server.close();
  return ports as N extends 1 ? [number] : [number, number, number];
}

/** All threads of the process. */
function pin(pid: number): void {
  const pinned = spawnSync("taskset", ["-acp", String(brokerCore), String(pid)]);
  if (pinned.status !== 0) throw new Error(`taskset cannot pin process ${pid}: ${pinned.error?.message ?? pinned.stderr}`);
}
