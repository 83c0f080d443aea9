/** What of AWS IoT this server has: the vendor's operations and reserved topics beside the tests that name them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { reservedRequestTopics } from "../../packages/dialects/src/index.ts";
import { vendorOperations } from "../../packages/platform/src/api/aws/vendor-operations.ts";
import { type Clients, countRows, formatRows, operationRows, type SourceFile, type TopicRow, topicRows } from "./parity.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const awsDocumentPath = join(root, "docs/reference/parity-aws.md");

const operationPattern = /^packages\/platform\/src\/api\/aws\/operations\/(?!.*\.test\.ts$)[\w/-]+\.ts$/;
const operationTests = /^(e2e\/aws-[\w-]+\.test\.ts|packages\/platform\/src\/api\/aws\/.*\.test\.ts)$/;
const topicTests =
  /^(e2e\/aws-[\w-]+\.test\.ts|e2e\/programs\/aws-[\w-]+\.mjs|packages\/platform\/src\/(bindings\/aws|device-services)\/.*\.test\.ts)$/;
const handlerPattern = /^packages\/(platform\/src\/bindings\/aws|dialects\/src\/aws)\/(?!.*\.test\.ts$).*\.ts$/;

/** Told by the server; `{name}` stands for one level (AWS reference, reserved topics). */
const toldTopics: readonly string[] = [
  ..."get/accepted get/rejected update/accepted update/rejected update/delta update/documents delete/accepted delete/rejected"
    .split(" ")
    .flatMap((tail) => [`$aws/things/{thingName}/shadow/${tail}`, `$aws/things/{thingName}/shadow/name/{shadowName}/${tail}`]),
  ..."get/accepted get/rejected start-next/accepted start-next/rejected {jobId}/get/accepted {jobId}/get/rejected {jobId}/update/accepted"
    .concat(" {jobId}/update/rejected notify notify-next")
    .split(" ")
    .map((tail) => `$aws/things/{thingName}/jobs/${tail}`),
  ..."connected disconnected connect_failed".split(" ").map((kind) => `$aws/events/presence/${kind}/{clientId}`),
  ..."subscribed unsubscribed".split(" ").map((kind) => `$aws/events/subscriptions/${kind}/{clientId}`),
  ..."created updated deleted"
    .split(" ")
    .flatMap((kind) => ["thing", "thingType", "thingGroup"].map((what) => `$aws/events/${what}/{name}/${kind}`)),
  "$aws/events/thingTypeAssociation/thing/{thingName}/thingType/{typeName}/added",
  "$aws/events/thingTypeAssociation/thing/{thingName}/thingType/{typeName}/removed",
  "$aws/events/thingGroupMembership/thingGroup/{groupName}/thing/{thingName}/added",
  "$aws/events/thingGroupMembership/thingGroup/{groupName}/thing/{thingName}/removed",
  "$aws/events/thingGroupHierarchy/thingGroup/{groupName}/childThingGroup/{childName}/added",
  "$aws/events/thingGroupHierarchy/thingGroup/{groupName}/childThingGroup/{childName}/removed",
  ..."completed canceled deleted cancellation_in_progress deletion_in_progress".split(" ").map((kind) => `$aws/events/job/{jobId}/${kind}`),
  ..."succeeded failed rejected canceled timed_out removed deleted".split(" ").map((kind) => `$aws/events/jobExecution/{jobId}/${kind}`),
  "$aws/events/certificates/registered/{caCertificateId}",
  ..."accepted rejected"
    .split(" ")
    .flatMap((answer) => [
      `$aws/certificates/create/{format}/${answer}`,
      `$aws/certificates/create-from-csr/{format}/${answer}`,
      `$aws/provisioning-templates/{templateName}/provision/{format}/${answer}`,
    ]),
];

/** Reserved trees of the vendor that are not served: a publish closes the connection, a SUBSCRIBE is refused or stays silent. */
const lackingTrees = ["$aws/things/{thingName}/tunnels/notify", "$aws/things/{thingName}/streams/{id}/…", "$aws/sitewise/…"];

const service = { iot: "control plane", iotdata: "data plane", "iot-jobs-data": "jobs data plane" } as const;

const shadow = "$aws/things/{thingName}/shadow";
const namedShadow = `${shadow}/name/{shadowName}`;
const jobs = "$aws/things/{thingName}/jobs";
const certificates = "$aws/certificates";
const provision = "$aws/provisioning-templates/{templateName}/provision/{format}";
const asked = (topic: string) => [topic, `${topic}/accepted`];

/** Topics on which the vendor's SDKs speak when a test calls this; a test waits for what it calls. */
const spokenBy: readonly (readonly [call: RegExp, topics: readonly string[]])[] = [
  [/\bthingShadow\(/, [...asked(`${shadow}/get`), ...asked(`${shadow}/update`), ...asked(`${shadow}/delete`), `${shadow}/update/delta`]],
  [/\bgetShadow\(/, asked(`${shadow}/get`)],
  [/\bupdateShadow\(/, asked(`${shadow}/update`)],
  [/\bdeleteShadow\(/, asked(`${shadow}/delete`)],
  [/\bgetNamedShadow\(/, asked(`${namedShadow}/get`)],
  [/\bupdateNamedShadow\(/, asked(`${namedShadow}/update`)],
  [/\bdeleteNamedShadow\(/, asked(`${namedShadow}/delete`)],
  [/\bcreateNamedShadowDeltaUpdatedStream\(/, [`${namedShadow}/update/delta`]],
  [/\bsubscribeToShadowUpdatedEvents\(/, [`${shadow}/update/documents`]],
  [/\bsubscribeToUpdateShadowRejected\(/, [`${shadow}/update/rejected`]],
  [/\bgetPendingJobExecutions\(/, asked(`${jobs}/get`)],
  [/\bstartNextPendingJobExecution\(/, asked(`${jobs}/start-next`)],
  [/\bdescribeJobExecution\(/, asked(`${jobs}/{jobId}/get`)],
  [/\bupdateJobExecution\(/, asked(`${jobs}/{jobId}/update`)],
  [/"VersionMismatch"/, [`${jobs}/{jobId}/update/rejected`]],
  [/"TerminalStateReached"/, [`${jobs}/{jobId}/get/rejected`]],
  [/\bcreateJobExecutionsChangedStream\(/, [`${jobs}/notify`]],
  [/\bcreateNextJobExecutionChangedStream\(/, [`${jobs}/notify-next`]],
  [/\bcreateKeysAndCertificate\(/, asked(`${certificates}/create/{format}`)],
  [/\bpublishCreateCertificateFromCsr\(/, asked(`${certificates}/create-from-csr/{format}`)],
  [/\bregisterThing\(/, asked(provision)],
];

/** With the topics that its calls speak on, so that they are found like those that it writes out. */
function withSpokenTopics({ path, text }: SourceFile): SourceFile {
  const topics = spokenBy.flatMap(([call, each]) => (call.test(text) ? each : []));
  return { path, text: [text, ...topics.map(tagOf)].join("\n") };
}

/** A binding that has the row answers on its topics; what it tells unasked is named by its last level. */
function withHandledTopics({ path, text }: SourceFile): SourceFile {
  const rows = Object.entries(reservedRequestTopics).filter(([row]) => text.includes(`"${row}"`) && !path.endsWith("router.ts"));
  const topics = rows.flatMap(([, topic]) => [topic, `${topic}/accepted`, `${topic}/rejected`]);
  const ofUpdates = [`${shadow}/update`, `${namedShadow}/update`].flatMap((topic) =>
    ["documents", "delta"].filter((last) => text.includes(`/${last}\``)).map((last) => `${topic}/${last}`),
  );
  const ofJobs = ["notify", "notify-next"].filter((last) => text.includes(`"${last}"`)).map((last) => `${jobs}/${last}`);
  return { path, text: [text, ...[...topics, ...ofUpdates, ...ofJobs].map(tagOf)].join("\n") };
}

const tagOf = (topic: string) => `[topic ${topic.replace(/\{(\w+)\}/g, "${$1}")}]`;

/** Every `name: "CreateThing"` of a row, and those of `iotOperation("CreateThing", …)` and its like. */
export function awsOperationsIn(files: readonly SourceFile[]): Set<string> {
  return new Set(
    files.flatMap(({ text }) => [...text.matchAll(/(?:\bname: |\b\w*[oO]peration\(\s*)"([A-Z]\w+)"/g)].map(([, name = ""]) => name)),
  );
}

export function renderAwsDocument(): string {
  const paths = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).split("\n").sort();
  const read = (pattern: RegExp): SourceFile[] =>
    paths.filter((path) => pattern.test(path)).map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
  const clients: Clients = JSON.parse(readFileSync(join(root, "conformance/aws/clients.json"), "utf8"));
  const have = awsOperationsIn(read(operationPattern));
  const tests = read(operationTests);
  const planes = (["iot", "iotdata", "iot-jobs-data"] as const).map((plane) => {
    const rows = operationRows(vendorOperations[plane].map(({ name }) => name).sort(), have, tests, clients);
    const isHere = ({ state }: { state: string }) => state !== "refused";
    const refused = rows.filter((row) => !isHere(row)).map(({ name }) => name);
    const rest = refused.length === 0 ? "" : `\n\nNot built, answered with an error that names the operation: ${refused.join(", ")}.`;
    return `### ${service[plane]} (\`${plane}\`)\n\n${countRows(rows)}\n\n${formatRows("operation", rows.filter(isHere))}${rest}`;
  });
  const rowsOf = (templates: readonly string[], direction: TopicRow["direction"]) =>
    topicRows(
      templates.map((template) => ({ template: template.replace(/\{(\w+)\}/g, "${$1}"), direction })),
      { tests: read(topicTests).map(withSpokenTopics), handlers: read(handlerPattern).map(withHandledTopics) },
      clients,
    );
  const topics = [...rowsOf(Object.values(reservedRequestTopics), "up"), ...rowsOf(toldTopics, "down")];
  return `# Parity with AWS IoT Core

Made by \`node tools/parity/main.ts\` from the vendor's list of operations, the server's own rows and the tests that name them;
\`conformance/aws/clients.json\` tells which client a test drives. "works" means that this client, unmodified, did it in that test.

## Operations

${planes.join("\n\n")}

## Reserved topics

${countRows(topics)}

${formatRows(
  "topic",
  topics.map((row) => ({ ...row, name: `${row.name.replace(/\$\{(\w+)\}/g, "{$1}")}\` ${row.direction === "up" ? "↑" : "↓"}\`` })),
).replaceAll("``", "")}

Not served: ${lackingTrees.map((tree) => `\`${tree}\``).join(", ")}.
`;
}
