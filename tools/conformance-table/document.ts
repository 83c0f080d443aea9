/** Reads clauses, tests and vectors of the repository and renders the document. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clause, collectEvidence, formatTable } from "./conformance-table.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const documentPath = join(root, "docs/reference/mqtt-conformance.md");

const evidencePatterns = [
  /^packages\/mqtt\/src\/.*\.test\.ts$/,
  /^packages\/platform\/src\/front-door\/websocket-door\.test\.ts$/,
  /^e2e\/.*\.test\.ts$/,
  /^e2e\/support\/mqtt-(edge-)?scenarios\.ts$/,
  /^conformance\/mqtt\/[\w-]+\.json$/,
];

function clausesOf(version: string): Clause[] {
  return JSON.parse(readFileSync(join(root, `conformance/mqtt/behaviour/clauses-${version}.json`), "utf8"));
}

export function renderDocument(): string {
  const paths = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" })
    .split("\n")
    .filter((path) => evidencePatterns.some((pattern) => pattern.test(path)))
    .sort();
  const evidence = collectEvidence(paths.map((path) => ({ path, text: readFileSync(join(root, path), "utf8") })));
  return `# MQTT conformance

Made by \`node tools/conformance-table/main.ts\` from the statements in \`conformance/mqtt/behaviour/\` that concern a server, and the tests and vectors
that name them. Paths are below \`packages/mqtt/src/\` where no other folder is named. A dash means that no test names the statement, not that it is broken.
How clients see this server beside mosquitto is in \`conformance/mqtt/behaviour/differences.json\`, checked by \`e2e/mqtt-differential.test.ts\`.

${["3.1.1", "5.0"].map((version) => formatTable(version, clausesOf(version), evidence)).join("\n\n")}
`;
}
