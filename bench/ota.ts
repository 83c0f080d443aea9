/**
 * Firmware for a fleet: `npm run bench:ota`. An image of 10 MB goes to 200 devices at once, over HTTP and over HTTPS, from this
 * server and from nginx in turn; each server is pinned to one core and curl, the same for both, to the other. Over HTTPS nginx is
 * measured as it comes (records of 16 KB) and with the records of 4 KB that small devices need, and so are we, the other way
 * round: 4 KB is our default. nginx is skipped with the reason where it is missing (NGINX_BINARY names another).
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { restClient } from "../e2e/support/rest-client.ts";
import { type ServerProcess, startServerProcess } from "../e2e/support/server-process.ts";

const imageBytes = 10 * 1024 * 1024;
const devices = 200;
const rounds = 3;
const serverCore = "0";
const clientCore = "1";
const nginx = process.env.NGINX_BINARY ?? "nginx";
const schemes = ["http", "https"] as const;
type Scheme = (typeof schemes)[number];

interface Outcome {
  megabytesPerSecond: number;
  /** Of the server. */
  cpuSeconds: number;
  /** How much the server's memory grew at most. */
  grownMegabytes: number;
}

const folder = mkdtempSync(join(tmpdir(), "thingstead-bench-ota-"));
const image = randomBytes(imageBytes);
const residentMegabytes = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
/** User and system time, in ticks of 10 ms. [proc(5)] */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
const pin = (pid: number) => spawnSync("taskset", ["-a", "-c", "-p", serverCore, String(pid)]);
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** All devices at once; each takes the whole image and tells how many bytes came. */
async function download(url: string, pid: number, caFile: string): Promise<Outcome> {
  const list = join(folder, "urls");
  writeFileSync(list, Array.from({ length: devices }, () => `url = "${url}"\noutput = "/dev/null"\n`).join(""));
  const before = residentMegabytes(pid);
  let peak = before;
  const cpuBefore = cpuSecondsOf(pid);
  const sampling = setInterval(() => {
    peak = Math.max(peak, residentMegabytes(pid));
  }, 50);
  const from = performance.now();
  const args = ["-c", clientCore, "curl", "-sS", "-Z", "--parallel-immediate", "--parallel-max", String(devices), "--cacert", caFile];
  const client = spawn("taskset", [...args, "-w", "%{http_code} %{size_download}\\n", "-K", list]);
  let output = "";
  client.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  client.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve) => client.once("close", resolve));
  const seconds = (performance.now() - from) / 1000;
  clearInterval(sampling);
  const whole = output.split("\n").filter((line) => line === `200 ${imageBytes}`).length;
  if (code !== 0 || whole !== devices)
    throw new Error(`${whole} of ${devices} downloads are whole, curl ended with ${code}:\n${output.slice(0, 500)}`);
  const megabytesPerSecond = (devices * imageBytes) / 1024 / 1024 / seconds;
  return { megabytesPerSecond, cpuSeconds: cpuSecondsOf(pid) - cpuBefore, grownMegabytes: peak - before };
}

/** A server and what to ask it for. */
interface Contestant {
  name: string;
  url: string;
  pid: number;
  caFile: string;
}

async function openOurs(server: ServerProcess, name: string): Promise<(scheme: Scheme) => Contestant> {
  pin(server.pid);
  const url = `http://127.0.0.1:${server.httpPort}/api/v1/ota/files`;
  const headers = { authorization: `Bearer ${server.accessKeyId}:${server.accessKeySecret}`, "content-type": "application/octet-stream" };
  const uploaded = await fetch(url, { method: "POST", headers, body: new Uint8Array(image) });
  const { id } = (await uploaded.json()) as { id: number };
  const { body } = await restClient(server)("GET", `/ota/files/${id}`);
  return (scheme) => ({ name, url: body.url.replace(/^https:/, `${scheme}:`), pid: server.pid, caFile: server.caFile });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function waitForPort(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on ${port}`);
}

/** One worker with the same certificate; everything else as nginx comes. */
async function openNginx(server: ServerProcess): Promise<{ child: ChildProcess; of(scheme: Scheme): Contestant[] }> {
  const ports = { http: await freePort(), https: await freePort(), small: await freePort() };
  mkdirSync(join(folder, "html"));
  writeFileSync(join(folder, "html/image"), image);
  const certificate = `ssl_certificate ${server.dataDir}/tls/host-ecdsa.crt; ssl_certificate_key ${server.dataDir}/tls/host-ecdsa.key;`;
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
    events { worker_connections 1024; }
    http { access_log off; sendfile on; tcp_nopush on; root ${folder}/html; ${certificate}
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      server { listen 127.0.0.1:${ports.http}; listen 127.0.0.1:${ports.https} ssl; }
      server { listen 127.0.0.1:${ports.small} ssl; ssl_buffer_size 4k; } }`,
  );
  const args = ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")];
  const child = spawn(nginx, args, { stdio: "inherit" });
  await waitForPort(ports.http);
  const pid = child.pid ?? 0;
  const { caFile } = server;
  pin(pid);
  return {
    child,
    of(scheme) {
      const asItComes = { name: "nginx", url: `${scheme}://localhost:${ports[scheme]}/image`, pid, caFile };
      return scheme === "http"
        ? [asItComes]
        : [asItComes, { name: "nginx, 4 KB records", url: `https://localhost:${ports.small}/image`, pid, caFile }];
    },
  };
}

console.log(
  `machine: ${cpus().length} x ${cpus()[0]?.model}, Node ${process.versions.node}; ${imageBytes / 1024 / 1024} MB to ${devices} devices at once, medians of ${rounds} rounds`,
);
const server = await startServerProcess();
/** As set for fleets without small buffers. */
const large = await startServerProcess({ flags: ["--set", "limits.ota.downloadRecordBytesMax=16384"] });
let other: Awaited<ReturnType<typeof openNginx>> | undefined;
try {
  const hasNginx = spawnSync(nginx, ["-v"]).status === 0;
  if (hasNginx) other = await openNginx(server);
  else console.log(`nginx: skipped, ${nginx} is not installed`);
  const ours = await openOurs(server, "thingstead");
  const oursLarge = await openOurs(large, "thingstead, records of 16 KB");
  for (const scheme of schemes) {
    const contestants = [ours(scheme), ...(scheme === "https" ? [oursLarge(scheme)] : []), ...(other?.of(scheme) ?? [])];
    const outcomes = contestants.map((): Outcome[] => []);
    // In turn: what else the machine does falls on all of them.
    for (let round = 0; round < rounds; round++) {
      for (const [index, { url, pid, caFile }] of contestants.entries()) outcomes[index]?.push(await download(url, pid, caFile));
    }
    const [mine = []] = outcomes;
    for (const [index, { name }] of contestants.entries()) {
      const all = outcomes[index] ?? [];
      const rate = median(all.map(({ megabytesPerSecond }) => megabytesPerSecond));
      const cpu = median(all.map(({ cpuSeconds }) => cpuSeconds));
      const grown = Math.max(...all.map(({ grownMegabytes }) => grownMegabytes));
      const ratio = median(all.map(({ megabytesPerSecond }, round) => (mine[round]?.megabytesPerSecond ?? 0) / megabytesPerSecond));
      const verdict = index === 0 ? "" : `; ours is ${ratio.toFixed(2)} of it (target >= 0.60)`;
      console.log(
        `${scheme}, ${name}: ${rate.toFixed(0)} MB/s, ${cpu.toFixed(2)} s of CPU, memory grew by ${grown.toFixed(0)} MB${verdict}`,
      );
    }
  }
} finally {
  other?.child.kill();
  await server.remove();
  await large.remove();
  rmSync(folder, { recursive: true, force: true });
}
