import { expect, test } from "vitest";
import { leastPolicy } from "./least-policy.ts";
import { compilePolicies } from "./policy-compile.ts";
import { readPolicy } from "./policy-document.ts";

const account = { region: "us-east-2", accountId: "123456789012" };

function decide(text: string, action: string, resource: string): string {
  const reading = readPolicy(text);
  if (reading.kind !== "policy") throw new Error(JSON.stringify(reading));
  const compiled = compilePolicies([{ name: "p", policy: reading.policy }], {
    account,
    clientId: "esp32",
    sourceIp: "192.0.2.1",
    now: 0,
  });
  return compiled.decide(action, resource).kind;
}

test("[AWS 5] connects under its id, speaks below its filters, and has its thing's reserved topics", () => {
  const text = leastPolicy(account, { clientId: "esp32", thingName: "esp32", filters: ["topic/esp32at", "room/+/state/#"] });
  for (const [action, resource, kind] of [
    ["iot:Connect", "client/esp32", "allowed"],
    ["iot:Connect", "client/esp33", "implicit-deny"],
    ["iot:Publish", "topic/topic/esp32at", "allowed"],
    ["iot:Receive", "topic/topic/esp32at", "allowed"],
    ["iot:Subscribe", "topicfilter/topic/esp32at", "allowed"],
    ["iot:Subscribe", "topicfilter/room/+/state/#", "allowed"],
    ["iot:Publish", "topic/room/1/state/x", "allowed"],
    ["iot:Publish", "topic/room", "implicit-deny"],
    ["iot:Publish", "topic/topic/other", "implicit-deny"],
    ["iot:RetainPublish", "topic/topic/esp32at", "implicit-deny"],
    ["iot:Publish", "topic/$aws/things/esp32/shadow/update", "allowed"],
    ["iot:Subscribe", "topicfilter/$aws/things/esp32/jobs/#", "allowed"],
    ["iot:Publish", "topic/$aws/things/esp33/shadow/update", "implicit-deny"],
    ["iot:Subscribe", "topicfilter/#", "implicit-deny"],
  ] as const) {
    expect(decide(text, action, resource), `${action} ${resource}`).toBe(kind);
  }
});

test("what a policy would read as a wildcard or a variable is meant as it stands", () => {
  const text = leastPolicy(account, { clientId: "a*${x}", filters: ["b?/${iot:ClientId}"] });
  expect(decide(text, "iot:Connect", "client/a*${x}")).toBe("allowed");
  expect(decide(text, "iot:Connect", "client/abc")).toBe("implicit-deny");
  expect(decide(text, "iot:Publish", "topic/b?/${iot:ClientId}")).toBe("allowed");
  expect(decide(text, "iot:Publish", "topic/bc/esp32")).toBe("implicit-deny");
});

test("without topics it may connect, and nothing else", () => {
  const text = leastPolicy(account, { clientId: "esp32", filters: [] });
  expect(decide(text, "iot:Connect", "client/esp32")).toBe("allowed");
  expect(JSON.parse(text).Statement).toHaveLength(1);
});
