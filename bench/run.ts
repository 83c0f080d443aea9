/**
 * The public benchmark: `npm run bench`. Starts us, mosquitto and aedes in turn for each workload, every broker alone on one
 * core and the load on the other, and prints ratios (median over the rounds). Needs Linux, two cores, cc, mosquitto, openssl.
 *
 * Options: --quick (one short round)  --rounds N  --only a,d  --bare (our engine without the platform)  --no-write
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildGenerator, measureHandshakes, measureIdleTls, runLoad } from "./load.ts";
import { describeMachine, formatTable, type Sample, summarise } from "./report.ts";
import { type RunningSystem, type SystemName, startSystem, systemNames } from "./systems.ts";
import { type Workload, workloads } from "./workloads.ts";

const idleTlsConnections = 10_000;
const idleTlsSettleSeconds = 10;
const handshakeSeconds = 2;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string" },
    bare: { type: "boolean", default: false },
    "no-write": { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
const seconds = options.quick ? { warmUp: 0.5, measured: 1 } : { warmUp: 1, measured: 1.5 };
const chosen = options.only?.split(",");
const isChosen = (key: string) => chosen === undefined || chosen.includes(key);

const samples: Sample[] = [];

function note(sample: Sample): void {
  samples.push(sample);
  const { workload, system, round, value, cpuMicroseconds, generatorShare, broken } = sample;
  const cpu = cpuMicroseconds === undefined ? "" : `, ${cpuMicroseconds.toFixed(2)} us CPU each`;
  const load = generatorShare === undefined ? "" : `, generator ${Math.round(generatorShare * 100)} % busy`;
  const faults = broken === undefined ? "" : `, NOT CLEAN: ${broken}`;
  console.log(`${workload.padEnd(14)} round ${round} ${system.padEnd(10)} ${value.toFixed(value < 1000 ? 2 : 0)}${cpu}${load}${faults}`);
}

async function withSystem(name: SystemName, measure: (system: RunningSystem) => Promise<void>): Promise<void> {
  const system = await startSystem(name, { isBare: options.bare });
  try {
    await measure(system);
  } finally {
    await system.stop();
  }
}

async function measureLoad(workload: Workload, system: RunningSystem, round: number): Promise<void> {
  const result = await runLoad(system, workload, seconds);
  const { acked_s, delivered_s, missing, reordered, duplicates, lost_conns } = result;
  const faults = Object.entries({ missing, reordered, duplicates, lost_conns }).filter(([, count]) => count > 0);
  const values = {
    rate: Math.max(acked_s, delivered_s),
    cpu: result.broker_cpu_us_per_msg,
    memory: result.rss_per_conn_kib,
    latency: result.e2e_us.p50,
  };
  note({
    workload: workload.key,
    system: system.name,
    round,
    value: values[workload.figure],
    ...(workload.figure === "latency" ? { p99: result.e2e_us.p99 } : {}),
    ...(workload.figure === "memory" ? {} : { cpuMicroseconds: result.broker_cpu_us_per_msg, generatorShare: result.gen_cpu }),
    ...(faults.length === 0 ? {} : { broken: faults.map(([name, count]) => `${name} ${count}`).join(", ") }),
    detail: result,
  });
}

async function measureTls(): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    for (const name of ["thingstead", "mosquitto"] as const) {
      await withSystem(name, async (system) => {
        for (const key of ["ecdsa", "rsa"] as const) {
          for (const kind of ["full", "resumed"] as const) {
            if (!isChosen("h")) continue;
            const { cpuMicroseconds, perSecond } = await measureHandshakes(system, key, kind === "resumed", handshakeSeconds);
            note({ workload: `h-${key}-${kind}`, system: name, round, value: cpuMicroseconds, detail: { perSecond } });
          }
        }
      });
      if (!isChosen("f-tls") || round > 1) continue;
      await withSystem(name, async (system) => {
        const value = await measureIdleTls(system, idleTlsConnections, idleTlsSettleSeconds);
        note({ workload: "f-tls", system: name, round, value });
      });
    }
  }
}

buildGenerator();
const machine = describeMachine();
console.log(machine.join("\n"));
for (const workload of workloads) {
  const takesPart = (name: SystemName) => workload.systems === undefined || workload.systems.includes(name);
  const isPossible = !options.bare || workload.devices === undefined;
  if (!isChosen(workload.key) || !isPossible) continue;
  // Memory hardly varies and takes long.
  const roundsOfIt = workload.figure === "memory" ? 1 : rounds;
  for (let round = 1; round <= roundsOfIt; round++) {
    for (const name of systemNames.filter(takesPart)) await withSystem(name, (system) => measureLoad(workload, system, round));
  }
}
if (!options.bare && (isChosen("h") || isChosen("f-tls"))) await measureTls();

const rows = summarise(samples);
const table = formatTable(rows, machine, { rounds, isBare: options.bare });
console.log(`\n${table}`);
if (!options["no-write"]) {
  const results = fileURLToPath(new URL("results/", import.meta.url));
  mkdirSync(results, { recursive: true });
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(`${results}${day}.json`, `${JSON.stringify({ machine, rounds, isBare: options.bare, rows, samples }, null, 1)}\n`);
  const isWhole = chosen === undefined && !options.quick && !options.bare;
  if (isWhole) writeFileSync(fileURLToPath(new URL("../docs/reference/benchmark.md", import.meta.url)), table);
}
