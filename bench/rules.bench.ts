/**
 * What a message costs in the two rule SQLs: `node bench/rules.bench.ts`. Pairs of statements that do the same, each run on a fresh message;
 * prints runs per second of both and their ratio (AWS to Alibaba). It measures, it asserts nothing.
 */
import { type CompileOptions, compileSql, RuleMessage } from "../packages/platform/src/rules/compile/index.ts";
import { defaultRuleLimits } from "../packages/platform/src/rules/index.ts";

const rounds = 15;
const warmRounds = 5;
const runsPerRound = 20_000;
const topic = "/pk1/dev1/user/update";
const payload = Buffer.from(
  JSON.stringify({ device: "dev1", temp: 23.5, unit: "C", state: { on: true, readings: [1, 2, 3, 4] }, text: "x".repeat(60) }),
);

const pairs: readonly [name: string, alibaba: string, aws: string][] = [
  ["SELECT *", `SELECT * FROM "${topic}"`, `SELECT * FROM '${topic}'`],
  ["a field, WHERE false", `SELECT temp FROM "${topic}" WHERE temp > 50`, `SELECT temp FROM '${topic}' WHERE temp > 50`],
  [
    "fields, paths and arithmetic",
    `SELECT temp, state.readings[2] AS third, temp * 9 / 5 + 32 AS fahrenheit FROM "${topic}" WHERE unit = 'C' AND state.on = true`,
    `SELECT temp, state.readings[2] AS third, temp * 9 / 5 + 32 AS fahrenheit FROM '${topic}' WHERE unit = 'C' AND state.on = true`,
  ],
  [
    "text functions and CASE",
    `SELECT upper(unit) AS u, concat(device, '-', unit) AS id, CASE unit WHEN 'C' THEN 1 ELSE 2 END AS kind FROM "${topic}"`,
    `SELECT upper(unit) AS u, concat(device, '-', unit) AS id, CASE unit WHEN 'C' THEN 1 ELSE 2 END AS kind FROM '${topic}'`,
  ],
];

const random = { bytes: (count: number) => Buffer.alloc(count, 7) };

function compile(sql: string, options: Pick<CompileOptions, "language" | "sqlVersion">) {
  const { rule, problems } = compileSql(sql, { ...options, limits: defaultRuleLimits, settings: { offsetMinutes: 0 } });
  if (rule === undefined) throw new Error(JSON.stringify(problems));
  return rule;
}

function round(rule: ReturnType<typeof compile>): number {
  const start = process.hrtime.bigint();
  for (let run = 0; run < runsPerRound; run += 1) {
    rule.run(new RuleMessage({ topic, bytes: payload, device: { productKey: "pk1", deviceName: "dev1" }, time: 1, random }));
  }
  return (runsPerRound * 1e9) / Number(process.hrtime.bigint() - start);
}

function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const shown = (perSecond: number): string => Math.round(perSecond).toLocaleString("en").padStart(10);
process.stdout.write(`${"".padEnd(32)} ${"Alibaba/s".padStart(10)} ${"AWS/s".padStart(10)}  ratio\n`);
for (const [name, alibabaSql, awsSql] of pairs) {
  const alibaba = compile(alibabaSql, { language: "alibaba" });
  const aws = compile(awsSql, { language: "aws", sqlVersion: "2016-03-23" });
  const samples: { alibaba: number; aws: number }[] = [];
  // One after the other, so that both see the same machine.
  for (let turn = 0; turn < rounds; turn += 1) samples.push({ alibaba: round(alibaba), aws: round(aws) });
  const warm = samples.slice(warmRounds);
  const [first, second] = [median(warm.map((sample) => sample.alibaba)), median(warm.map((sample) => sample.aws))];
  process.stdout.write(`${name.padEnd(32)} ${shown(first)} ${shown(second)}  ${(second / first).toFixed(2)}\n`);
}
