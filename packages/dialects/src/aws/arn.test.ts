import { expect, test } from "vitest";
import { resourceOf } from "./arn.ts";
import { compilePolicies } from "./policy-compile.ts";
import { readPolicy } from "./policy-document.ts";

const own = { region: "us-east-1", accountId: "000000000000" };
const open = { ...own, acceptsForeignArns: true };

test.each([
  ["arn:aws:iot:us-east-1:000000000000:thing/a", "thing/a", "thing/a"],
  ["arn:aws:iot:eu-west-1:123456789012:thing/a", undefined, "thing/a"],
  ["arn:aws-cn:iot:cn-north-1:123456789012:topic/a:b/c", undefined, "topic/a:b/c"],
  ["arn:aws:sns:us-east-1:000000000000:topic", undefined, undefined],
  ["arn:aws:iot:us-east-1:000000000000:", "", undefined],
  ["thing/a", undefined, undefined],
])("%s names %s of our own, and %s where every account is ours", (arn, ofOwn, ofAny) => {
  expect(resourceOf(own, arn)).toBe(ofOwn);
  expect(resourceOf(open, arn)).toBe(ofAny);
});

test.each([
  ["arn:aws:iot:eu-west-1:123456789012:topic/a", "allowed"],
  ["arn:aws-cn:iot:cn-north-1:*:topic/a", "allowed"],
  ["arn:aws:s3:eu-west-1:123456789012:topic/a", "implicit-deny"],
  ["arn:aws:iot:eu-west-1:123456789012:topic/b", "implicit-deny"],
] as const)("a policy that a fleet brings along: %s is %s", (Resource, decision) => {
  const Statement = [{ Effect: "Allow", Action: "iot:Publish", Resource }];
  const reading = readPolicy(JSON.stringify({ Version: "2012-10-17", Statement }));
  if (reading.kind !== "policy") throw new Error(reading.path);
  const decide = (account: typeof own) =>
    compilePolicies([{ name: "p", policy: reading.policy }], { account, sourceIp: "192.0.2.1", now: 0 }).decide("iot:Publish", "topic/a")
      .kind;
  expect(decide(open)).toBe(decision);
  expect(decide(own)).toBe("implicit-deny");
});
