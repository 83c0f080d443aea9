/** The long crash test: `npm run crash`, or `node e2e/crash/main.ts --rounds 50 --seed 1`. */
import { parseArgs } from "node:util";
import { runCrashes } from "./run.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "50" }, seed: { type: "string" } } });
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
console.log(`seed ${seed}`);
const { violations, ...figures } = await runCrashes({ rounds: Number(values.rounds), seed, log: (line) => console.log(line) });
console.log(JSON.stringify(figures));
for (const { kind, text } of violations.slice(0, 50)) console.log(`${kind}: ${text}`);
console.log(violations.length === 0 ? "no violation" : `${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
