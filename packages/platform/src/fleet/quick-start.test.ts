import { expect, test } from "vitest";
import { createQuickStart, type QuickStart } from "./index.ts";
import { pems, refusal, useBench } from "./testing/bench.ts";

const bench = useBench();
const account = { region: "us-east-2", accountId: "123456789012" };
const failures: unknown[] = [];
const quickStart = (): QuickStart => createQuickStart({ fleet: bench.fleet, account, onFailure: (error) => failures.push(error) });

async function everythingThere(): Promise<unknown[]> {
  const { things, certificates, policies } = bench.fleet;
  const lists = [await things.list({}), await certificates.list({}), await policies.list({})];
  return lists.map(({ items }) => items.length);
}

test("a thing, keys and a policy for it alone, attached to each other", async () => {
  const { thing, clientId, certificate, keys, policy } = await quickStart().start({ thingName: "lamp:1", attributes: { room: "hall" } });
  expect([thing.name, thing.attributes, clientId, certificate.status]).toEqual(["lamp:1", { room: "hall" }, "lamp:1", "ACTIVE"]);
  expect(keys).toEqual({ publicKeyPem: "public", privateKeyPem: "private" });
  expect(policy.name).toBe("lamp.1");
  expect(policy.document).toContain("arn:aws:iot:us-east-2:123456789012:topic/lamp:1/*");
  const facts = await bench.fleet.factsOf(certificate.id, "lamp:1");
  expect(facts).toMatchObject({ policies: [{ name: "lamp.1" }], thing: { name: "lamp:1", isAttached: true, isExclusive: false } });
});

test("with another client id the certificate is the thing's alone", async () => {
  const { certificate, policy } = await quickStart().start({ thingName: "lamp", clientId: "esp32", policy: { topics: ["a/b"] } });
  expect(policy.document).toContain(":client/esp32");
  expect(await bench.fleet.factsOf(certificate.id, "esp32")).toMatchObject({ thing: { name: "lamp", isExclusive: true } });
});

test("a key that the device keeps, a certificate that it has, a policy that exists", async () => {
  await bench.fleet.policies.create("shared", '{"Statement":[]}');
  const byRequest = await quickStart().start({ thingName: "a", policy: { policyName: "shared" }, credential: { csr: "a request" } });
  expect([byRequest.policy.name, byRequest.keys]).toEqual(["shared", undefined]);
  const moved = await quickStart().start({ thingName: "b", policy: { policyName: "shared" }, credential: { certificate: pems.p384 } });
  expect(moved.certificate).toMatchObject({ status: "ACTIVE", mode: "SNI_ONLY" });
});

test("everything only for those who ask", async () => {
  const { policy } = await quickStart().start({ thingName: "a", policy: { allowsEverything: true } });
  expect(JSON.parse(policy.document).Statement).toEqual([{ Effect: "Allow", Action: "iot:*", Resource: "*" }]);
});

test("what fails leaves nothing", async () => {
  await bench.fleet.policies.create("lamp", '{"Statement":"other"}');
  const before = await everythingThere();
  for (const [wish, code] of [
    [{ thingName: "lamp" }, "fleet.policy_exists"],
    [{ thingName: "a b" }, "fleet.invalid_name"],
    [{ thingName: "a", typeName: "none" }, "fleet.type_not_found"],
    [{ thingName: "a", groupNames: ["none"] }, "fleet.group_not_found"],
    [{ thingName: "a", credential: { certificate: "none" } }, "fleet.certificate_invalid"],
    [{ thingName: "a", policy: { policyName: "none" } }, "fleet.policy_not_found"],
    [{ thingName: "a", policy: { topics: ["a/#/b"] } }, "fleet.invalid_topic"],
    [{ thingName: "a", policy: { topics: ["a+"] } }, "fleet.invalid_topic"],
    [{ thingName: "a", policy: { topics: [""] } }, "fleet.invalid_topic"],
    [{ thingName: "a", policy: { topics: ["x".repeat(257)] } }, "fleet.invalid_topic"],
    [{ thingName: "a", policy: { topics: Array.from({ length: 50 }, (_, index) => `topic/number/${index}`) } }, "fleet.policy_too_long"],
    [{ thingName: "a", clientId: "a#" }, "fleet.invalid_client_id"],
  ] as const) {
    expect(await refusal(quickStart().start(wish)), JSON.stringify(wish)).toBe(code);
    expect(await everythingThere(), JSON.stringify(wish)).toEqual(before);
  }
  expect(failures).toEqual([]);
});

test("two at once: one has the name", async () => {
  const one = quickStart();
  const answers = await Promise.allSettled([one.start({ thingName: "a" }), one.start({ thingName: "a" })]);
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(await refusal(one.start({ thingName: "a" }))).toBe("fleet.thing_taken");
  expect(await everythingThere()).toEqual([1, 1, 1]);
});
