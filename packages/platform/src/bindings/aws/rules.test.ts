import type { CloudMessage, Message } from "@thingstead/mqtt";
import { expect, test } from "vitest";
import type { NewLogEntry } from "../../device-log/index.ts";
import type { RuleEngine } from "../../rules/index.ts";
import { createAwsAnswers } from "./answers.ts";
import { createBasicIngestHandlers } from "./basic-ingest.ts";
import { createAwsRouter } from "./router.ts";
import { createRuleContext, type ShadowSource } from "./rule-context.ts";
import { createRuleTrail } from "./rule-trail.ts";

const message = (topic: string, hops = 0): Message => ({
  topic,
  payload: Buffer.from("x"),
  qos: 1,
  isRetained: false,
  receivedAt: 5,
  hops,
  publisherSessionId: "client-1",
});

test("what a handler answers to a message from a rule has been through as many rules, however long it waits", async () => {
  const trail = createRuleTrail();
  const router = createAwsRouter({ trail, onFailure: () => {} });
  const published: CloudMessage[] = [];
  const seen: Message[] = [];
  const answers = createAwsAnswers({
    broker: () => ({
      publish(sent) {
        published.push(sent);
        return { delivered: 0, queued: 0 };
      },
      deliver: () => "delivered" as never,
    }),
    rules: {
      offer(offered) {
        seen.push(offered);
        return undefined;
      },
    },
    trail,
    clock: { now: () => 1 },
    onFailure: () => {},
  });
  router.add({
    async "shadow/update"({ topic }) {
      await new Promise((resolve) => setImmediate(resolve));
      answers.publish(`${topic}/accepted`, Buffer.from("{}"));
    },
  });
  await Promise.all([router.offer(message("$aws/things/a/shadow/update", 3)), router.offer(message("$aws/things/b/shadow/update"))]);
  expect(seen.map(({ topic, hops }) => [topic, hops])).toEqual([
    ["$aws/things/a/shadow/update/accepted", 3],
    ["$aws/things/b/shadow/update/accepted", 0],
  ]);
  expect(published.map(({ hops }) => hops)).toEqual([3, 0]);
});

function openIngest(outcome: ReturnType<RuleEngine["ingest"]>) {
  const entries: NewLogEntry[] = [];
  const asked: [string, Message][] = [];
  const trail = createRuleTrail();
  const router = createAwsRouter({ trail, onFailure: () => {} });
  router.add(
    createBasicIngestHandlers({
      rules: {
        ingest(name, offered) {
          asked.push([name, offered]);
          return outcome;
        },
      },
      context: { publisherOf: (clientId) => ({ clientId, device: { productKey: "aws", deviceName: "thing1" } }) },
      deviceLog: { write: (entry) => entries.push(entry), wants: () => true },
      trail,
    }),
  );
  return { router, entries, asked };
}

test.each([
  ["$aws/rules/Rule1/Buildings/5", "Buildings/5"],
  ["$aws/rules/Rule1", ""],
])("[AWS 14.6] %s is a message on %j for its rule, and the PUBACK waits", async (topic, rest) => {
  const owed = Promise.resolve();
  const { router, asked, entries } = openIngest({ outcome: "taken", owed });
  const wait = router.offer(message(topic, 2));
  expect(wait).toBeInstanceOf(Promise);
  await wait;
  expect(asked).toMatchObject([["Rule1", { topic: rest, hops: 2, publisherSessionId: "client-1", qos: 1 }]]);
  expect(entries).toEqual([]);
});

test.each(["unknown", "stopped"] as const)("[AWS 14.6] a rule that is %s is told in the device log only", async (outcome) => {
  const { router, entries } = openIngest({ outcome });
  expect(router.offer(message("$aws/rules/Rule1/a"))).toBeUndefined();
  expect(entries).toMatchObject([
    {
      kind: "forward",
      code: `rules.ingest_${outcome}`,
      isSuccess: false,
      deviceName: "thing1",
      clientId: "client-1",
      topic: "$aws/rules/Rule1/a",
    },
  ]);
});

test("[AWS 14.3] who published, of either cloud; shadows read as they are kept", async () => {
  const subjects: Record<string, unknown> = {
    c1: {
      kind: "thing-client",
      dialect: "aws",
      clientId: "c1",
      principal: { kind: "certificate", id: "f0" },
      device: { productKey: "aws", deviceName: "t1", iotId: "i", isExclusive: false },
      connectionId: "u",
      remoteAddress: "127.0.0.1",
    },
    "pk/dn": { kind: "device", dialect: "alibaba", productKey: "pk", deviceName: "dn", iotId: "i" },
    "plain/u/c": { kind: "client", dialect: "plain", clientId: "c", userName: "u" },
  };
  const failure = new Error("disk");
  const get: ShadowSource["get"] = async ({ thingName }) => {
    if (thingName === "t1") return { kind: "done", payload: Buffer.from('{"state":{"reported":{"a":1}},"version":2}') };
    return thingName === "broken" ? { kind: "failed", error: failure } : { kind: "refused" };
  };
  const context = createRuleContext({ broker: () => ({ subjectOf: (id) => subjects[id] }), thingShadows: () => ({ get }) });
  expect(context.publisherOf("c1")).toEqual({ clientId: "c1", principal: "f0", device: { productKey: "aws", deviceName: "t1" } });
  expect(context.publisherOf("pk/dn")).toEqual({ clientId: "pk/dn", device: { productKey: "pk", deviceName: "dn" } });
  expect(context.publisherOf("plain/u/c")).toEqual({ clientId: "c", principal: "u" });
  expect(context.publisherOf("gone")).toBeUndefined();
  expect(await context.readShadow("t1", undefined)).toEqual({ state: { reported: { a: 1 } }, version: 2 });
  expect(await context.readShadow("t2", "named")).toBeUndefined();
  await expect(context.readShadow("broken", undefined)).rejects.toBe(failure);
});
