/**
 * How long a user waits and what an idle server weighs: `npm run bench:start`.
 * Prints the first start (keys, CA and certificates are made), restarts, the resident memory when idle, and the time from an
 * empty data directory to the first message forwarded by a rule, by the commands that the README prints.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { readmeFirstMessage } from "../e2e/support/readme-script.ts";
import { repository, startServerProcess } from "../e2e/support/server-process.ts";

const restarts = 3;
const idleMilliseconds = 5_000;

function residentMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1024;
}

const seconds = (from: number) => (performance.now() - from) / 1_000;
const dataDir = mkdtempSync(join(tmpdir(), "thingstead-bench-"));
const times: number[] = [];
let firstStart = 0;
let idle = 0;
for (let run = 0; run <= restarts; run++) {
  const from = performance.now();
  const server = await startServerProcess({ dataDir });
  if (run === 0) firstStart = seconds(from);
  else times.push(seconds(from));
  if (run === restarts) {
    await new Promise((resolve) => setTimeout(resolve, idleMilliseconds));
    idle = residentMegabytes(server.pid);
  }
  await server.stop();
}
rmSync(dataDir, { recursive: true, force: true });

const from = performance.now();
const fresh = await startServerProcess();
const tour = spawnSync("bash", ["-c", readmeFirstMessage(fresh)], {
  encoding: "utf8",
  cwd: repository,
  env: { ...process.env, THINGSTEAD_DATA_DIR: fresh.dataDir },
});
const tourSeconds = seconds(from);
await fresh.remove();
if (tour.status !== 0) throw new Error(`the README's commands failed:\n${tour.stdout}${tour.stderr}`);

const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
console.log(`machine: ${cpus().length} x ${cpus()[0]?.model}, Node ${process.versions.node}, ${process.platform}-${process.arch}`);
console.log(`first start to ready: ${firstStart.toFixed(2)} s`);
console.log(`restart to ready, median of ${restarts}: ${median.toFixed(2)} s (target < 2 s)`);
console.log(`resident memory, idle: ${idle.toFixed(0)} MB (target <= 150 MB)`);
console.log(`empty data directory to first forwarded message: ${tourSeconds.toFixed(2)} s (target < 10 s)`);
