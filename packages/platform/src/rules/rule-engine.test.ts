import { expect, test } from "vitest";
import type { NewRule, RuleAction } from "./index.ts";
import { openRuleBench, type RuleBench } from "./testing/bench.ts";

const topic = "/pk1/dev1/data";
const republish: RuleAction = { type: "republish", topic: "/pk1/dev2/relay" };
const relay: NewRule = { name: "relay", sql: 'SELECT * FROM "/pk1/+/data"', actions: [republish], isRunning: true };

async function startRelay(limits = {}): Promise<RuleBench> {
  const bench = openRuleBench(limits);
  await bench.rules.open();
  await bench.rules.create(relay);
  return bench;
}

test("[seed 000] republishes the compact payload with the publisher's QoS and one hop more", async () => {
  const bench = await startRelay();
  expect(bench.publish(topic, '{"attr_name":"temperature", "attr_value":"0"}', { qos: 1, hops: 2 }).owed).toBeInstanceOf(Promise);
  expect(bench.republished).toEqual([]);
  await bench.settle();
  expect(bench.republished).toEqual([{ topic: "/pk1/dev2/relay", payload: expect.any(Uint8Array), qos: 1, hops: 3 }]);
  expect(Buffer.from(bench.republished[0]?.payload ?? []).toString()).toBe('{"attr_name":"temperature","attr_value":"0"}');
  expect(bench.entries).toMatchObject([
    { kind: "forward", code: "rules.forwarded", isSuccess: true, topic, productKey: "pk1", deviceName: "dev1" },
  ]);
});

test("a QoS 0 message owes no promise and survives the reuse of its buffer", async () => {
  const bench = await startRelay();
  const buffer = Buffer.from('{"a":1}');
  expect(bench.publish(topic, buffer).owed).toBeUndefined();
  buffer.fill(0);
  await bench.settle();
  expect(Buffer.from(bench.republished[0]?.payload ?? []).toString()).toBe('{"a":1}');
});

test("a payload that is no JSON is skipped, counted and logged", async () => {
  const bench = await startRelay();
  bench.publish(topic, "message: hello! start!");
  await bench.settle();
  expect(bench.republished).toEqual([]);
  expect(bench.entries).toMatchObject([{ code: "rules.payload_not_json", isSuccess: false }]);
  expect((await bench.rules.list({ page: 1, pageSize: 10 })).items[0]?.statistics).toMatchObject({ matched: 0, failed: 1 });
});

test("fills placeholders; a missing or dangerous value fails that action only", async () => {
  const bench = openRuleBench();
  await bench.rules.create({
    name: "targets",
    sql: 'SELECT to AS target, a.b AS "x.y" FROM "/pk1/+/data"',
    actions: [
      { type: "republish", topic: "/pk1/${target}/get" },
      { type: "republish", topic: "/pk1/fixed/${x.y}", qos: 0 },
    ],
    isRunning: true,
  });
  bench.publish(topic, '{"to":"dev7","a":{"b":5}}', { qos: 1 });
  bench.publish(topic, '{"a":{"b":6}}');
  bench.publish(topic, '{"to":"dev8/user/+","a":{"b":7}}');
  await bench.settle();
  expect(bench.republished.map(({ topic: to, qos }) => [to, qos])).toEqual([
    ["/pk1/dev7/get", 1],
    ["/pk1/fixed/5", 0],
    ["/pk1/fixed/6", 0],
    ["/pk1/fixed/7", 0],
  ]);
  expect(bench.entries.filter(({ isSuccess }) => !isSuccess).map(({ code }) => code)).toEqual([
    "rules.placeholder_missing",
    "rules.placeholder_invalid",
  ]);
});

test("[alibaba-server 2.8] a loop is cut at hopsMax and logged", async () => {
  const bench = await startRelay({ hopsMax: 3 });
  bench.publish(topic, "{}", { hops: 2 });
  bench.publish(topic, "{}", { hops: 3 });
  await bench.settle();
  expect(bench.republished.map(({ hops }) => hops)).toEqual([3]);
  expect(bench.entries.map(({ code }) => code)).toContain("rules.loop_cut");
});

test("a loop that branches ends at republishedPerMessageMax, and its message is acknowledged", async () => {
  const bench = openRuleBench({ republishedPerMessageMax: 50 });
  const branches = Array.from({ length: 10 }, (): RuleAction => ({ type: "republish", topic }));
  await bench.rules.create({ name: "bomb", sql: `SELECT * FROM "${topic}"`, actions: branches, isRunning: true });
  const { owed } = bench.publish(topic, "{}", { qos: 1 });
  await bench.settle();
  await owed;
  expect(bench.republished).toHaveLength(50);
  expect(bench.entries.map(({ code }) => code)).toContain("rules.fan_out_cut");
  // The next message begins anew.
  bench.publish(topic, "{}");
  await bench.settle();
  expect(bench.republished).toHaveLength(100);
});

test("what a rule republishes is read by other rules and by itself, up to hopsMax", async () => {
  const bench = openRuleBench({ hopsMax: 3 });
  await bench.rules.create({ ...relay, name: "echo", actions: [{ type: "republish", topic }] });
  const { owed } = bench.publish(topic, "{}", { qos: 1 });
  await bench.settle();
  await owed;
  expect(bench.republished.map(({ hops }) => hops)).toEqual([1, 2, 3]);
  expect(bench.entries.filter(({ isSuccess }) => !isSuccess)).toMatchObject([{ code: "rules.loop_cut" }]);
});

test("the promise waits for the webhook of a rule further along the chain", async () => {
  const bench = await startRelay();
  const webhook = { type: "webhook", url: "https://hooks.example.com/" } as const;
  await bench.rules.create({ name: "hook", sql: 'SELECT * FROM "/pk1/dev2/relay"', actions: [webhook], isRunning: true });
  bench.store.failures = 1;
  let isAcknowledged = false;
  void bench.publish(topic, "{}", { qos: 1 }).owed?.then(() => {
    isAcknowledged = true;
  });
  await bench.settle();
  expect([bench.republished.length, bench.store.pending.size, isAcknowledged]).toEqual([1, 0, false]);
  bench.clock.advance(1000);
  await bench.settle();
  expect([bench.sent.length, isAcknowledged]).toEqual([1, true]);
});

test("a refused republish is a failure of that action, with the refusal's code", async () => {
  const bench = await startRelay();
  await bench.rules.create({ ...relay, name: "other" });
  bench.rules.onChange(() => undefined);
  const { PlatformError } = await import("../errors/index.ts");
  const original = bench.republished.push.bind(bench.republished);
  bench.republished.push = (...messages) => {
    if (bench.republished.length === 0) {
      original(...messages);
      throw new PlatformError("rules.not_found", { id: 99 });
    }
    return original(...messages);
  };
  const { owed } = bench.publish(topic, "{}", { qos: 1 });
  await bench.settle();
  await expect(owed).resolves.toBeUndefined();
  expect(bench.republished).toHaveLength(2);
  expect(bench.entries.filter(({ isSuccess }) => !isSuccess)).toMatchObject([{ code: "rules.not_found" }]);
});

test("one tap serves all rules of a topic; the answer is kept until rules change", async () => {
  const bench = await startRelay();
  const { id } = await bench.rules.create({ ...relay, name: "second", sql: 'SELECT 1 AS one FROM "/pk1/dev1/#"' });
  let changes = 0;
  bench.rules.onChange(() => {
    changes += 1;
  });
  expect(bench.rules.tapsFor(topic)).toHaveLength(1);
  expect(bench.rules.tapsFor(topic)).toBe(bench.rules.tapsFor(topic));
  expect(bench.rules.tapsFor("/pk2/dev1/data")).toEqual([]);
  bench.publish(topic, "{}");
  await bench.settle();
  expect(bench.republished).toHaveLength(2);
  await bench.rules.stop(id);
  expect(changes).toBe(1);
  bench.publish(topic, "{}");
  await bench.settle();
  expect(bench.republished).toHaveLength(3);
});

test("offer takes a message that came through no session", async () => {
  const bench = await startRelay();
  const message = { topic, payload: Buffer.from("{}"), qos: 1, isRetained: false, receivedAt: 1, hops: 1 } as const;
  const owed = bench.rules.offer(message);
  await bench.settle();
  await owed;
  expect(bench.republished).toMatchObject([{ hops: 2 }]);
  expect(bench.rules.offer({ ...message, topic: "/elsewhere" })).toBeUndefined();
});

test("full queues: QoS 0 is dropped and counted, QoS 1 is not acknowledged", async () => {
  const bench = await startRelay({ queueMessagesMax: 1, unacknowledgedMessagesMax: 1 });
  bench.publish(topic, "{}");
  bench.publish(topic, "{}");
  const { owed: taken } = bench.publish(topic, "{}", { qos: 1 });
  await expect(bench.publish(topic, "{}", { qos: 1 }).owed).rejects.toMatchObject({ code: "rules.queue_full" });
  await bench.settle();
  await taken;
  expect(bench.republished).toHaveLength(2);
  const [rule] = (await bench.rules.list({ page: 1, pageSize: 1 })).items;
  expect(rule?.statistics).toEqual({ matched: 2, passed: 2, failed: 0, deadLetters: 0, dropped: 1 });
});

test.each<[string, NewRule, string]>([
  ["empty name", { name: " " }, "rules.field_invalid"],
  ["bad SQL", { name: "r", sql: "SELECT" }, "rules.sql_invalid"],
  ["running without SQL", { name: "r", actions: [republish], isRunning: true }, "rules.sql_missing"],
  ["running without action", { ...relay, actions: [] }, "rules.no_action"],
  ["eleven actions", { name: "r", actions: Array(11).fill(republish) }, "rules.too_many_actions"],
  ["wildcard target", { name: "r", actions: [{ type: "republish", topic: "/a/+/b" }] }, "rules.action_invalid"],
  ["not HTTP", { name: "r", actions: [{ type: "webhook", url: "ftp://x/" }] }, "rules.action_invalid"],
  ["filled host", { name: "r", actions: [{ type: "webhook", url: "http://${host}/" }] }, "rules.action_invalid"],
  ["filled host after a user name", { name: "r", actions: [{ type: "webhook", url: "http:\\\\a.${host}/" }] }, "rules.action_invalid"],
  ["password in the address", { name: "r", actions: [{ type: "webhook", url: "http://a:b@example.com/" }] }, "rules.action_invalid"],
  ["a name with a control character", { name: "a\u0007" }, "rules.field_invalid"],
  ["a name with half a character", { name: "a\ud800" }, "rules.field_invalid"],
  ["loopback", { name: "r", actions: [{ type: "webhook", url: "http://127.0.0.1/" }] }, "rules.address_refused"],
  ["metadata", { name: "r", actions: [{ type: "webhook", url: "http://169.254.169.254/" }] }, "rules.address_refused"],
  [
    "reserved header",
    { name: "r", actions: [{ type: "webhook", url: "http://e.com/", headers: { "content-length": "1" } }] },
    "rules.action_invalid",
  ],
  [
    "header with a line break",
    { name: "r", actions: [{ type: "webhook", url: "http://e.com/", headers: { A: "x\r\nB: y" } }] },
    "rules.action_invalid",
  ],
])("refuses a rule: %s", async (_what, rule, code) => {
  const bench = openRuleBench();
  await expect(bench.rules.create(rule)).rejects.toMatchObject({ code });
  expect(bench.store.rules.size).toBe(0);
});

test("a bad SQL names line, column and what was expected", async () => {
  const bench = openRuleBench();
  const refusal = bench.rules.create({ name: "r", sql: "SELECT a\nFROM x" });
  await expect(refusal).rejects.toMatchObject({
    details: { problems: 1, line: 2, column: 6, problem: expect.stringContaining("unexpected x") },
  });
});

test("made in steps: start names what is missing until nothing is", async () => {
  const { rules } = openRuleBench();
  const { id } = await rules.create({ name: "steps" });
  await expect(rules.start(id)).rejects.toMatchObject({ code: "rules.sql_missing" });
  await rules.update(id, { sql: 'SELECT a FROM "/pk1/+/data"' });
  await expect(rules.start(id)).rejects.toMatchObject({ code: "rules.no_action" });
  const action = await rules.addAction(id, republish);
  expect(await rules.start(id)).toMatchObject({ isRunning: true, actions: [action] });
  await expect(rules.start(id)).rejects.toMatchObject({ code: "rules.already_running" });
  await expect(rules.removeAction(action.id)).rejects.toMatchObject({ code: "rules.no_action" });
  await expect(rules.delete(id)).rejects.toMatchObject({ code: "rules.running" });
  await expect(rules.update(id, { sql: "" })).rejects.toMatchObject({ code: "rules.sql_missing" });
  await expect(rules.update(id, { sql: "SELECT" })).rejects.toMatchObject({ code: "rules.sql_invalid" });
  expect(rules.tapsFor(topic)).toHaveLength(1);
  const other = { type: "republish", topic: "/pk1/other/get" } as const;
  expect(await rules.updateAction(action.id, other)).toEqual({ ...action, action: other });
  expect((await rules.get(id)).actions).toEqual([{ ...action, action: other }]);
  await expect(rules.updateAction(action.id, { type: "republish", topic: "" })).rejects.toMatchObject({
    code: expect.stringMatching(/^rules\./),
  });
  await expect(rules.updateAction(99, other)).rejects.toMatchObject({ code: "rules.action_not_found" });
  await rules.stop(id);
  expect(rules.tapsFor(topic)).toEqual([]);
  await rules.removeAction(action.id);
  await rules.delete(id);
  await expect(rules.get(id)).rejects.toMatchObject({ code: "rules.not_found" });
});

test("names are unique, rules and pages are bounded", async () => {
  const { rules } = openRuleBench({ rulesMax: 2 });
  await rules.create({ name: "a" });
  await expect(rules.create({ name: "a" })).rejects.toMatchObject({ code: "rules.name_taken" });
  const { id } = await rules.create({ name: "b" });
  await expect(rules.update(id, { name: "a" })).rejects.toMatchObject({ code: "rules.name_taken" });
  await expect(rules.create({ name: "c" })).rejects.toMatchObject({ code: "rules.too_many" });
  expect(await rules.list({ page: 2, pageSize: 1 })).toMatchObject({ page: 2, pageSize: 1, total: 2, items: [{ name: "b" }] });
  await expect(rules.list({ page: 0, pageSize: 1 })).rejects.toMatchObject({ code: "rules.field_invalid" });
});

test("after a restart running rules run; one that no longer compiles is stopped and logged", async () => {
  const first = await startRelay();
  await first.rules.create({ ...relay, name: "wide", sql: 'SELECT a, b, c FROM "/pk1/+/data"' });
  await first.rules.close();
  const second = openRuleBench({ fieldsMax: 2 }, first.store);
  await second.rules.open();
  expect((await second.rules.list({ page: 1, pageSize: 10 })).items.map(({ name, isRunning }) => [name, isRunning])).toEqual([
    ["relay", true],
    ["wide", false],
  ]);
  expect(second.entries).toMatchObject([{ code: "rules.sql_invalid", isSuccess: false }]);
});

test("check parses, matches and evaluates without sending", async () => {
  const { rules, republished } = openRuleBench();
  const sql = 'SELECT a AS x, deviceName() AS d FROM "/pk1/+/data" WHERE a > 1';
  const payload = Buffer.from('{"a":2}');
  expect(rules.check(sql)).toEqual({ problems: [] });
  expect(rules.check(sql, { topic, payload })).toEqual({ problems: [], isMatch: true, result: { x: 2, d: "dev1" } });
  expect(rules.check(sql, { topic, payload, deviceName: "other" })).toMatchObject({ result: { d: "other" } });
  expect(rules.check(sql, { topic: "/x", payload })).toEqual({ problems: [], isMatch: false });
  expect(rules.check(sql, { topic, payload: Buffer.from("no") })).toMatchObject({ isMatch: false, problems: [{ line: 1, column: 1 }] });
  expect(rules.check("SELECT nope() FROM x").problems).toMatchObject([{ line: 1, column: 20 }]);
  expect(republished).toEqual([]);
});

test("a payload nested beyond any stack fails its run only", async () => {
  const bench = openRuleBench();
  await bench.rules.create({ ...relay, name: "deep", sql: 'SELECT a FROM "/pk1/+/data"' });
  const depth = 100_000;
  bench.publish(topic, `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`);
  bench.publish(topic, '{"a":1}');
  await bench.settle();
  expect(bench.entries.map(({ code }) => code)).toEqual(["rules.evaluation_failed", "rules.forwarded"]);
});

test("texts and results are bounded before they are made", async () => {
  const bench = openRuleBench({ resultBytesMax: 80, textCharactersMax: 50 });
  await bench.rules.create({ ...relay, name: "long", sql: `SELECT concat(a, a) AS c, replace(a, 'x', '12345') AS r FROM "/pk1/+/data"` });
  for (const a of ["x", "x".repeat(12), "y".repeat(26), "y".repeat(25)]) bench.publish(topic, JSON.stringify({ a }));
  await bench.settle();
  const tooLarge = "rules.result_too_large";
  expect(bench.entries.map(({ code }) => code)).toEqual([tooLarge, tooLarge, tooLarge, "rules.forwarded"]);
  expect(bench.republished).toHaveLength(1);
});
