/** From samples to ratios, and the table for the documentation. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { type SystemName, systemNames } from "./systems.ts";
import { type Figure, type Target, workloads } from "./workloads.ts";

export interface Sample {
  workload: string;
  system: SystemName;
  round: number;
  value: number;
  p99?: number;
  cpuMicroseconds?: number;
  /** Near 1 the load generator is the limit: compare CPU then. */
  generatorShare?: number;
  /** Lost, doubled or reordered messages and lost connections. */
  broken?: string;
  detail?: unknown;
}

export interface Row {
  key: string;
  title: string;
  figure: Figure;
  target: Target;
  /** Medians. */
  values: Partial<Record<SystemName, number>>;
  p99: Partial<Record<SystemName, number>>;
  cpuMicroseconds: Partial<Record<SystemName, number>>;
  /** Ours divided by theirs: the median of the rounds' ratios. */
  ratios: Partial<Record<SystemName, number>>;
  p99Ratios: Partial<Record<SystemName, number>>;
  cpuRatios: Partial<Record<SystemName, number>>;
}

interface Definition {
  key: string;
  title: string;
  figure: Figure;
  target: Target;
  comparedWith?: string;
}

const tlsDefinitions: readonly Definition[] = [
  { key: "f-tls", title: "memory per idle connection, 10,000 TLS", figure: "memory", target: { own: 60 } },
  { key: "h-ecdsa-full", title: "full TLS handshake, ECDSA P-256", figure: "cpu", target: { mosquitto: 1.3 } },
  { key: "h-ecdsa-resumed", title: "resumed TLS handshake, ECDSA", figure: "cpu", target: { mosquitto: 1.3 } },
  { key: "h-rsa-full", title: "full TLS handshake, RSA-2048", figure: "cpu", target: { mosquitto: 1.3 } },
  { key: "h-rsa-resumed", title: "resumed TLS handshake, RSA", figure: "cpu", target: { mosquitto: 1.3 } },
];

const others = ["mosquitto", "aedes"] as const;

export function summarise(samples: readonly Sample[]): Row[] {
  const definitions: readonly Definition[] = [...workloads, ...tlsDefinitions];
  return definitions
    .filter(({ key }) => samples.some((sample) => sample.workload === key))
    .map((definition) => {
      const { key, title, figure, target, comparedWith } = definition;
      const row: Row = { key, title, figure, target, values: {}, p99: {}, cpuMicroseconds: {}, ratios: {}, p99Ratios: {}, cpuRatios: {} };
      const ours = samples.filter((sample) => sample.workload === key && sample.system === "thingstead");
      fill(row, "thingstead", ours);
      for (const name of others) {
        const theirs = samples.filter((sample) => sample.workload === (comparedWith ?? key) && sample.system === name);
        if (theirs.length === 0) continue;
        fill(row, name, theirs);
        row.ratios[name] = medianRatio(ours, theirs, (sample) => sample.value);
        if (figure === "latency") row.p99Ratios[name] = medianRatio(ours, theirs, (sample) => sample.p99);
        if (ours.some((sample) => sample.cpuMicroseconds !== undefined)) {
          row.cpuRatios[name] = medianRatio(ours, theirs, (sample) => sample.cpuMicroseconds);
        }
      }
      return row;
    });
}

function fill(row: Row, name: SystemName, samples: readonly Sample[]): void {
  row.values[name] = median(samples.map(({ value }) => value));
  const p99 = samples.flatMap((sample) => (sample.p99 === undefined ? [] : [sample.p99]));
  if (p99.length > 0) row.p99[name] = median(p99);
  const cpu = samples.flatMap(({ cpuMicroseconds }) => (cpuMicroseconds === undefined ? [] : [cpuMicroseconds]));
  if (cpu.length > 0) row.cpuMicroseconds[name] = median(cpu);
}

/** Round by round: what disturbs the machine disturbs both. */
function medianRatio(ours: readonly Sample[], theirs: readonly Sample[], of: (sample: Sample) => number | undefined): number {
  return median(
    ours.flatMap((sample) => {
      const other = theirs.find(({ round }) => round === sample.round);
      const [mine, their] = [of(sample), other === undefined ? undefined : of(other)];
      return mine === undefined || their === undefined || their === 0 ? [] : [mine / their];
    }),
  );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  if (high === undefined) return Number.NaN;
  return sorted.length % 2 === 0 && low !== undefined ? (low + high) / 2 : high;
}

export function describeMachine(): string[] {
  const memory = Number(/MemTotal:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) / 1024 ** 2;
  const mosquitto = /version (\S+)/.exec(spawnSync("mosquitto", ["-h"], { encoding: "utf8" }).stdout)?.[1];
  const aedes = JSON.parse(readFileSync(new URL("../node_modules/aedes/package.json", import.meta.url), "utf8")).version;
  return [
    `machine: ${cpus().length} x ${cpus()[0]?.model}, ${memory.toFixed(0)} GiB, Linux ${release()}, Node ${process.versions.node}`,
    `load average before the run: ${loadavg()[0]?.toFixed(1)} (other work above 0.5 disturbs rates and latency; compare CPU then)`,
    `mosquitto ${mosquitto}: default settings, set_tcp_nodelay true, allow_anonymous true`,
    `aedes ${aedes}: default settings, concurrency 10000, noDelay`,
    "thingstead: default settings, plain: anonymous, with access control, sessions and the device log on",
  ];
}

const units: Readonly<Record<Figure, string>> = { rate: "msg/s", cpu: "us CPU", memory: "KiB", latency: "us p50 / p99" };

export function formatTable(rows: readonly Row[], machine: readonly string[], run: { rounds: number; isBare: boolean }): string {
  const lines = rows.map((row) => {
    const name = `**${row.key}** ${row.title}`;
    const cells = [name, units[row.figure], figureOf(row, "thingstead"), figureOf(row, "mosquitto"), figureOf(row, "aedes")];
    return `| ${[...cells, comparison(row, "mosquitto"), comparison(row, "aedes"), cpuFigures(row), cpuComparison(row)].join(" | ")} |`;
  });
  return `${[
    "# Benchmark",
    "",
    "Written by `npm run bench`; workloads are defined in `bench/workloads.ts`, the load generator is `bench/mqttload.c`. Every broker runs",
    `alone on one core, the load on another; the brokers take turns, and a figure is the median of ${run.rounds} round${run.rounds === 1 ? "" : "s"}. Ratios are ours`,
    "divided by theirs: of message rates more is better, of CPU, memory and latency less. The target stands in parentheses. Absolute numbers",
    "are this machine's; ratios travel. a1 and d are the honest ones: in a, b and c many packets share a system call.",
    "",
    ...machine.map((line) => `- ${line}`),
    ...(run.isBare ? ["- measured on the bare engine, without the platform"] : []),
    "",
    "| workload | figure | thingstead | mosquitto | aedes | ratio to mosquitto | ratio to aedes | us CPU per message: ours, mosquitto, aedes | ratio of CPU to mosquitto / aedes |",
    "|---|---|---|---|---|---|---|---|---|",
    ...lines,
  ].join("\n")}\n`;
}

function figureOf(row: Row, name: SystemName): string {
  const value = row.values[name];
  if (value === undefined) return "";
  const p99 = row.p99[name];
  const target = name === "thingstead" && row.target.own !== undefined ? ` (<= ${row.target.own})` : "";
  return `${value.toFixed(value < 100 ? 1 : 0)}${p99 === undefined ? "" : ` / ${p99.toFixed(0)}`}${target}`;
}

function comparison(row: Row, name: "mosquitto" | "aedes"): string {
  const ratio = row.ratios[name];
  if (ratio === undefined) return "";
  const sign = row.figure === "rate" ? ">=" : "<=";
  const target = row.target[name];
  const p99 = row.p99Ratios[name];
  const p99Target = name === "mosquitto" ? row.target.mosquittoP99 : undefined;
  const wanted = target === undefined ? "" : ` (${sign} ${target}${p99Target === undefined ? "" : ` / ${p99Target}`})`;
  return `${ratio.toFixed(2)}${p99 === undefined ? "" : ` / ${p99.toFixed(2)}`}${wanted}`;
}

/** Where the figure is not CPU itself: rates suffer from other work on the machine, the CPU of a message hardly does. */
function cpuFigures(row: Row): string {
  if (row.figure === "cpu") return "";
  return systemNames.flatMap((name) => row.cpuMicroseconds[name]?.toFixed(2) ?? []).join(", ");
}

function cpuComparison(row: Row): string {
  if (row.figure === "cpu") return "";
  return others.flatMap((name) => row.cpuRatios[name]?.toFixed(2) ?? []).join(" / ");
}
