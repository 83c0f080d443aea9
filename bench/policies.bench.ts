/**
 * What AWS policies cost: `node bench/policies.bench.ts`. Decisions per second with ten statements, and compilations of the same
 * (one per connection). Prints the median of several rounds; it measures, it asserts nothing.
 */
import { compilePolicies, type PolicyContext, readPolicy } from "../packages/dialects/src/aws/index.ts";

const rounds = 15;
const decisionsPerRound = 200_000;
const compilationsPerRound = 2_000;

function measure(name: string, count: number, work: () => void): void {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let done = 0; done < count; done++) work();
    samples.push((count * 1e9) / Number(process.hrtime.bigint() - start));
  }
  // The first rounds are the compiler's.
  const warm = samples.slice(5).sort((a, b) => a - b);
  const median = warm[Math.floor(warm.length / 2)] ?? Number.NaN;
  process.stdout.write(`${name.padEnd(44)} ${Math.round(median).toLocaleString("en").padStart(12)}/s\n`);
}

const arn = (resource: string) => `arn:aws:iot:us-east-2:123456789012:${resource}`;
const own = "topic/fleet/${iot:Connection.Thing.ThingName}";
const statements = [
  { Effect: "Allow", Action: "iot:Connect", Resource: arn("client/${iot:ClientId}") },
  { Effect: "Allow", Action: "iot:Publish", Resource: [arn(`${own}/state`), arn(`${own}/events/*`)] },
  { Effect: "Allow", Action: "iot:Receive", Resource: arn(`${own}/commands/*`) },
  { Effect: "Allow", Action: "iot:Subscribe", Resource: arn("topicfilter/fleet/*/commands/#") },
  { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: arn("topic/$aws/things/${iot:ClientId}/shadow/*") },
  { Effect: "Allow", Action: "iot:Subscribe", Resource: arn("topicfilter/$aws/things/${iot:ClientId}/*") },
  { Effect: "Allow", Action: "iot:Publish", Resource: arn("topic/a/*/b/?/c"), Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } },
  { Effect: "Allow", Action: "iot:RetainPublish", Resource: arn(`${own}/state`) },
  { Effect: "Deny", Action: "iot:*", Resource: arn("topic/secret/*") },
  {
    Effect: "Deny",
    Action: "iot:Connect",
    Resource: "*",
    Condition: { "ForAnyValue:StringEquals": { "iot:ConnectAttributes": "LastWill" } },
  },
];
const reading = readPolicy(JSON.stringify({ Version: "2012-10-17", Statement: statements }));
if (reading.kind !== "policy") throw new Error(JSON.stringify(reading));
const policies = [{ name: "fleet", policy: reading.policy }];
const context: PolicyContext = {
  account: { region: "us-east-2", accountId: "123456789012" },
  clientId: "lamp-000123",
  sourceIp: "10.1.2.3",
  thing: { name: "lamp-000123", attributes: {}, isAttached: true },
  connectAttributes: [],
  now: 1_700_000_000_000,
};
const compiled = compilePolicies(policies, context);
for (const [action, resource] of [
  ["iot:Publish", "topic/fleet/lamp-000123/state"],
  ["iot:Publish", "topic/fleet/lamp-000123/events/button/pressed"],
  ["iot:Publish", "topic/a/x/y/b/z/c"],
  ["iot:Publish", "topic/secret/x"],
  ["iot:Publish", "topic/none/of/these"],
  ["iot:Subscribe", "topicfilter/fleet/lamp-000123/commands/#"],
] as const) {
  measure(
    `${compiled.decide(action, resource).kind} ${resource.slice(0, 24)}`,
    decisionsPerRound,
    () => void compiled.decide(action, resource),
  );
}
measure("compile (per connection)", compilationsPerRound, () => void compilePolicies(policies, context));
