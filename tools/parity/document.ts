/** Reads the repository's tables and tests and renders the parity document. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { alibabaSystemTopics } from "../../packages/dialects/src/alibaba/system-topics.ts";
import { vendorOperations } from "../../packages/platform/src/api/alibaba/vendor-operations.ts";
import { type Clients, countRows, formatRows, operationRows, operationsIn, type SourceFile, topicRows } from "./parity.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const documentPath = join(root, "docs/reference/parity-alibaba.md");

const operationPattern = /^packages\/platform\/src\/api\/alibaba\/operations\/[\w-]+-operations\.ts$/;
const operationTests = /^(e2e\/(?!aws-)[\w-]+\.test\.ts|packages\/platform\/src\/api\/alibaba\/.*\.test\.ts)$/;
const topicTests =
  /^(e2e\/(?!aws-)[\w-]+\.test\.ts|e2e\/programs\/(?!aws-)[\w-]+\.mjs|packages\/platform\/src\/(bindings\/alibaba|device-services|access|messages|ota)\/.*\.test\.ts)$/;
const handlerPattern = /^packages\/platform\/src\/(bindings\/alibaba|access|messages)\/.*(?<!\.test)\.ts$/;

export function renderDocument(): string {
  const paths = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).split("\n").sort();
  const read = (pattern: RegExp): SourceFile[] =>
    paths.filter((path) => pattern.test(path)).map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
  const clients: Clients = JSON.parse(readFileSync(join(root, "conformance/alibaba/clients.json"), "utf8"));
  const have = operationsIn(read(operationPattern));
  const names = [...new Set([...vendorOperations, ...have])].sort();
  const operations = operationRows(names, have, read(operationTests), clients);
  const topics = topicRows(alibabaSystemTopics, { tests: read(topicTests), handlers: read(handlerPattern) }, clients);
  const isHere = ({ state }: { state: string }) => state !== "refused";
  const refused = operations.filter((row) => !isHere(row)).map(({ name }) => name);
  return `# Parity with Alibaba Cloud IoT Platform

Made by \`node tools/parity/main.ts\` from the server's own tables of operations and system topics and from the tests that name them;
\`conformance/alibaba/clients.json\` tells which client a test drives. "works" means that this client, unmodified, did it in that test.

## Operations of the OpenAPI 2018-01-20

${countRows(operations)}

${formatRows("operation", operations.filter(isHere))}

Every other operation of the vendor answers \`UnsupportedOperation\`: ${refused.join(", ")}.

## System topics

Topics that devices publish on and subscribe to, as in \`packages/dialects/src/alibaba/system-topics.ts\`. ${countRows(topics)}

${formatRows(
  "topic",
  topics.map((row) => ({ ...row, name: `${row.name}\` ${arrows[row.direction]}\`` })),
).replaceAll("``", "")}

Custom topics of a product (\`/\${productKey}/\${deviceName}/…\`) work as its topic classes say: mosquitto_pub, MQTT.js and both of the vendor's device SDKs
in \`e2e/mosquitto-clients.test.ts\` and \`e2e/vendor-devices.test.ts\`.
`;
}

const arrows = { up: "↑", down: "↓", both: "↑↓" } as const;
