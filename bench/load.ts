/** Runs the load generator and openssl against a running system, pinned to the core that the broker does not use. */
import { spawn, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { restClient } from "../e2e/support/rest-client.ts";
import type { RunningSystem } from "./systems.ts";
import type { Workload } from "./workloads.ts";

const generatorCore = 1;
const folder = mkdtempSync(join(tmpdir(), "mqttload-"));
const generator = join(folder, "mqttload");
/** Of Linux, in /proc/PID/stat. */
const ticksPerSecond = 100;

interface Percentiles {
  p50: number;
  p99: number;
}

/** One line of the generator, as far as it is used here. */
export interface LoadResult {
  delivered_s: number;
  acked_s: number;
  connects_s: number;
  e2e_us: Percentiles;
  ack_us: Percentiles;
  missing: number;
  reordered: number;
  duplicates: number;
  /** Answers that are no success (`-j`). */
  bad: number;
  lost_conns: number;
  gen_cpu: number;
  broker_cpu: number;
  broker_cpu_us_per_msg: number;
  rss_per_conn_kib: number;
}

export function buildGenerator(): void {
  const source = fileURLToPath(new URL("mqttload.c", import.meta.url));
  const built = spawnSync("cc", ["-O2", "-o", generator, source], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`cc cannot build ${source}: ${built.error?.message ?? built.stderr}`);
}

/** The default seconds stand in `seconds`. */
export async function runLoad(
  system: RunningSystem,
  workload: Workload,
  seconds: { warmUp: number; measured: number },
): Promise<LoadResult> {
  const identities = workload.devices === undefined ? [] : ["-k", "300", "-a", await identityFile(system, workload.devices)];
  const text = await runPinned(generator, [
    ...["-p", String(system.port), "-b", String(system.pid), "-n", system.name],
    ...["-W", String(workload.warmUpSeconds ?? seconds.warmUp), "-d", String(workload.measuredSeconds ?? seconds.measured)],
    ...workload.options,
    ...identities,
  ]);
  return JSON.parse(text);
}

/** Devices of one product, imported once per running server; signed as the Alibaba dialect asks (alibaba-device.md, 1). */
async function identityFile(system: RunningSystem, count: number): Promise<string> {
  const { rest } = system;
  if (rest === undefined) throw new Error("devices need the whole server, not the bare engine");
  const call = restClient(rest);
  const product = await call("POST", "/products", { name: `bench ${count}` });
  if (product.status !== 201) throw new Error(`no product: ${JSON.stringify(product.body)}`);
  const { productKey } = product.body;
  const batch = await call("POST", `/products/${productKey}/device-batches`, { count });
  if (batch.status !== 201) throw new Error(`no devices: ${JSON.stringify(batch.body)}`);
  const lines = batch.body.items.map(({ deviceName, deviceSecret }: { deviceName: string; deviceSecret: string }) => {
    const signed = `clientId${deviceName}deviceName${deviceName}productKey${productKey}timestamp1700000000000`;
    const password = createHmac("sha256", deviceSecret).update(signed).digest("hex");
    const clientId = `${deviceName}|securemode=3,signmethod=hmacsha256,timestamp=1700000000000|`;
    return [clientId, `${deviceName}&${productKey}`, password, `/${productKey}/${deviceName}/user/update`].join("\t");
  });
  const file = join(folder, `${productKey}.tsv`);
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}

/** KiB of resident memory that each of `count` idle TLS connections adds. */
export async function measureIdleTls(system: RunningSystem, count: number, settleSeconds: number): Promise<number> {
  if (system.tlsPorts === undefined) throw new Error(`${system.name} offers no TLS here`);
  const before = residentKib(system.pid);
  const program = fileURLToPath(new URL("idle-tls.ts", import.meta.url));
  const child = spawn("taskset", ["-c", String(generatorCore), process.execPath, program, String(system.tlsPorts.ecdsa), String(count)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await Promise.race([
    new Promise((resolve) => child.stdout.once("data", resolve)),
    ended.then(() => Promise.reject(new Error("the idle clients ended early"))),
  ]);
  await new Promise((resolve) => setTimeout(resolve, settleSeconds * 1000));
  const after = residentKib(system.pid);
  child.stdin.end();
  await ended;
  return (after - before) / count;
}

interface Handshakes {
  perSecond: number;
  cpuMicroseconds: number;
}

/** TLS 1.2, because `openssl s_time` resumes no TLS 1.3 session; the cipher chooses between the server's certificates. */
export async function measureHandshakes(
  system: RunningSystem,
  key: "ecdsa" | "rsa",
  isResumed: boolean,
  seconds: number,
): Promise<Handshakes> {
  const port = system.tlsPorts?.[key];
  if (port === undefined) throw new Error(`${system.name} offers no TLS here`);
  const before = cpuSeconds(system.pid);
  const text = await runPinned("openssl", [
    ...["s_time", "-connect", `127.0.0.1:${port}`, isResumed ? "-reuse" : "-new", "-time", String(seconds), "-tls1_2"],
    ...["-cipher", `ECDHE-${key.toUpperCase()}-AES128-GCM-SHA256`],
  ]);
  const cpu = cpuSeconds(system.pid) - before;
  const count = Number(/(\d+) connections in \d+ real seconds/.exec(text)?.[1]);
  if (!(count > 0)) throw new Error(`openssl s_time made no connection to ${system.name}:\n${text}`);
  return { perSecond: count / seconds, cpuMicroseconds: (cpu * 1e6) / count };
}

function residentKib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function runPinned(program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("taskset", ["-c", String(generatorCore), program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (output === "") reject(new Error(`${program} ended with ${code}: ${errors}`));
      else resolve(output);
    });
  });
}
