import { type CompiledPolicies, compilePolicies, readPolicy } from "@thingstead/dialects";
import type { Message } from "@thingstead/mqtt";
import { expect, test } from "vitest";
import { defaultAwsAccessLimits as limits } from "./limits.ts";
import { createOpenTopics } from "./open-topics.ts";
import { everythingAllowed } from "./policies.ts";
import { AwsRights } from "./rights.ts";
import { createAwsTaps } from "./taps.ts";

const account = { region: "us-east-2", accountId: "123456789012" };
const arn = (resource: string) => `arn:aws:iot:us-east-2:123456789012:${resource}`;

function policiesOf(...statements: object[]): CompiledPolicies {
  const reading = readPolicy(JSON.stringify({ Version: "2012-10-17", Statement: statements }));
  if (reading.kind !== "policy") throw new Error(reading.path);
  return compilePolicies([{ name: "p", policy: reading.policy }], { account, clientId: "c", sourceIp: "192.0.2.1", now: 0 });
}

function rightsOf(policies: CompiledPolicies, subscribeQos2: "grant-1" | "refuse" = "grant-1"): AwsRights {
  return new AwsRights({ listeners: { tapsFor: () => [] }, limits, subscribeQos2 }, policies);
}

const rows = policiesOf(
  { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: arn("topic/own/*") },
  { Effect: "Allow", Action: "iot:RetainPublish", Resource: arn("topic/own/kept") },
  { Sid: "noSecrets", Effect: "Deny", Action: "iot:Receive", Resource: arn("topic/own/secret") },
  {
    Effect: "Allow",
    Action: "iot:Subscribe",
    Resource: [arn("topicfilter/own/*"), arn("topicfilter/literal/+"), arn("topicfilter/$share/g/only/*")],
  },
);

test("[AWS 5.2] publish, and retain besides", () => {
  const rights = rightsOf(rows);
  expect(rights.publish("own/kept")).toEqual({ isRouted: true, taps: [] });
  expect(rights.publish("own/x")).toMatchObject({ isRouted: true, retainRefusal: { code: "access.policy_denied" } });
  expect(rights.publish("others/x")).toMatchObject({
    code: "access.policy_denied",
    received: "iot:Publish on topic/others/x",
    reasonCode: 0x87,
  });
});

test("[AWS 5.2, 5.3] filters are judged as they are written, shared ones with their name", () => {
  const rights = rightsOf(rows);
  expect(rights.subscribe("own/#", 1)).toEqual({ qos: 1 });
  expect(rights.subscribe("literal/+", 0)).toEqual({ qos: 0 });
  expect(rights.subscribe("only/x", 1, "g")).toEqual({ qos: 1 });
  for (const [filter, share] of [["literal/x"], ["only/x"], ["only/x", "h"], ["#"]] as const) {
    expect(rights.subscribe(filter, 1, share)).toMatchObject({ code: "access.policy_denied", reasonCode: 0x87 });
  }
});

test("[AWS 5.3] what may not be received is told by its statement only to the log", () => {
  const rights = rightsOf(rows);
  expect(["own/x", "own/secret", "others/x"].map((topic) => rights.receive(topic))).toEqual([true, false, false]);
});

test("[AWS 6.1, 8, 9] whatever policies allow, some topics do not exist", () => {
  const rights = rightsOf(everythingAllowed);
  for (const [topic, code] of [
    ["$SYS/x", "access.topic_reserved"],
    ["$aws/things/t/shadow/update/accepted", "access.topic_reserved"],
    ["/sys/pk/dn/thing/service/property/set", "access.topic_reserved"],
    ["1/2/3/4/5/6/7/8/9", "access.topic_too_long"],
  ] as const) {
    expect(rights.publish(topic)).toMatchObject({ code });
  }
  expect(rights.subscribe("$aws/rules/r", 1)).toMatchObject({ code: "access.topic_reserved", reasonCode: 0x8f });
  expect(rights.publish("/pk/dn/user/get")).toMatchObject({ isRouted: true });
  expect(rights.publish("$aws/things/t/shadow/get")).toMatchObject({ isRouted: true, retainRefusal: { code: "access.retain_reserved" } });
  expect(rights.publish("$aws/rules/r/x")).toMatchObject({ isRouted: false });
});

test("[AWS 6.1] a subscription with QoS 2 by setting", () => {
  expect(rightsOf(everythingAllowed).subscribe("a", 2)).toEqual({ qos: 2 });
  expect(rightsOf(everythingAllowed, "refuse").subscribe("a", 2)).toMatchObject({ code: "access.qos_refused" });
});

test("[AWS 14.6] basic ingest is for its handler alone; a reserved request for rules and its handler", () => {
  const [rule, handler] = [() => undefined, () => undefined];
  const taps = createAwsTaps({ tapsFor: () => [rule] }, { tapsFor: (topic) => (topic.startsWith("$aws/") ? [handler] : []) });
  expect(taps.tapsFor("$aws/rules/r")).toEqual([handler]);
  expect(taps.tapsFor("$aws/things/t/shadow/get")).toEqual([rule, handler]);
  expect(taps.tapsFor("a")).toEqual([rule]);
});

test("topics that rules and programs may publish to", () => {
  const offered: string[] = [];
  const offer = ({ topic }: Message) => void offered.push(topic);
  const topics = createOpenTopics({ router: { offer: (message) => void offer(message) }, limits });
  expect(topics.check("alerts/x")).toEqual({ isRouted: true });
  expect(topics.check("$aws/rules/r/x")).toEqual({ isRouted: false });
  expect(topics.check("$SYS/x")).toMatchObject({ fault: { received: "$SYS/x" } });
  expect(topics.check("/pk/dn/user/get")).toBeUndefined();
  void topics.offer({ topic: "alerts/x", payload: Buffer.alloc(0), qos: 0, isRetained: false, receivedAt: 0, hops: 0 });
  expect(offered).toEqual(["alerts/x"]);
});
