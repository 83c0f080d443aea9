import { expect, test } from "vitest";
import type { NewRule, RuleEnginePorts, WebhookOutcome } from "./index.ts";
import { openRuleBench, type RuleBench } from "./testing/bench.ts";

const topic = "/pk1/dev1/data";
const url = "https://hooks.example.com/in/${device}?t=${t}";
const headers = { Authorization: "Bearer s3cret" };
const rule: NewRule = {
  name: "hook",
  sql: 'SELECT deviceName() AS device, t FROM "/pk1/+/data"',
  actions: [{ type: "webhook", url, headers }],
  isRunning: true,
};
const unavailable: WebhookOutcome = {
  isDelivered: false,
  code: "rules.webhook_status",
  reason: "The webhook answered 503.",
  isRetryable: true,
};
const refused: WebhookOutcome = { ...unavailable, reason: "The webhook answered 404.", isRetryable: false };

async function startHook(limits: RuleEnginePorts["limits"] = {}): Promise<RuleBench & { ruleId: number }> {
  const bench = openRuleBench(limits);
  await bench.rules.open();
  const { id } = await bench.rules.create(rule);
  return { ...bench, ruleId: id };
}

test("the promise of a QoS 1 message resolves after the delivery is stored, whether the webhook answered or not", async () => {
  const bench = await startHook();
  bench.answer.next = () => new Promise(() => undefined);
  const { owed } = bench.publish(topic, '{"t":"20 °C"}', { qos: 1 });
  expect(bench.store.pending.size).toBe(0);
  await bench.settle();
  await owed;
  expect(bench.store.pending.size).toBe(1);
  expect(bench.sent).toEqual([
    {
      url: "https://hooks.example.com/in/dev1?t=20%20%C2%B0C",
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Authorization: "Bearer s3cret",
        "X-Thingstead-Rule": String(bench.ruleId),
        "X-Thingstead-Message-Id": expect.stringMatching(/^[1-9]\d{18}$/),
        "X-Thingstead-Topic": topic,
      },
      body: expect.any(Uint8Array),
      timeoutMilliseconds: 5000,
    },
  ]);
  expect(Buffer.from(bench.sent[0]?.body ?? []).toString()).toBe('{"device":"dev1","t":"20 °C"}');
});

test("many messages share one transaction; success pays the debts", async () => {
  const bench = await startHook();
  for (let index = 0; index < 20; index += 1) bench.publish(topic, '{"t":1}', { qos: 1 });
  await bench.settle();
  expect(bench.store.insertedBatches).toEqual([20]);
  expect(bench.sent).toHaveLength(20);
  bench.clock.advance(50);
  await bench.settle();
  expect(bench.store.pending.size).toBe(0);
  expect((await bench.rules.get(bench.ruleId)).statistics).toMatchObject({ matched: 20, passed: 20 });
});

test("a store that fails delays the promise until it works", async () => {
  const bench = await startHook();
  bench.store.failures = 2;
  let isAcknowledged = false;
  void bench.publish(topic, '{"t":1}', { qos: 1 }).owed?.then(() => {
    isAcknowledged = true;
  });
  await bench.settle();
  bench.clock.advance(1000);
  await bench.settle();
  expect(isAcknowledged).toBe(false);
  bench.clock.advance(1000);
  await bench.settle();
  expect(isAcknowledged).toBe(true);
  expect(bench.sent).toHaveLength(1);
  expect(bench.entries.filter(({ code }) => code === "rules.store_failed")).toHaveLength(2);
});

test("a store that fails until close refuses the promise: no PUBACK for what was not kept", async () => {
  const bench = await startHook();
  bench.store.failures = 1000;
  const { owed } = bench.publish(topic, '{"t":1}', { qos: 1 });
  const outcome = expect(owed).rejects.toMatchObject({ code: "rules.store_failed" });
  await bench.settle();
  await bench.rules.close();
  await outcome;
});

test("[alibaba-server 2.8] retries after 1 s, 3 s and 10 s, then keeps a dead letter that can be sent again", async () => {
  const bench = await startHook();
  bench.answer.next = () => unavailable;
  bench.publish(topic, '{"t":1}', { qos: 1 });
  await bench.settle();
  for (const [wait, calls] of [
    [999, 1],
    [1, 2],
    [2999, 2],
    [1, 3],
    [9999, 3],
    [1, 4],
  ] as const) {
    bench.clock.advance(wait);
    await bench.settle();
    expect(bench.sent).toHaveLength(calls);
  }
  expect(bench.store.pending.size).toBe(0);
  const letters = await bench.rules.listDeadLetters(bench.ruleId, { page: 1, pageSize: 10 });
  expect(letters).toMatchObject({
    total: 1,
    items: [{ topic, tries: 4, code: "rules.webhook_status", reason: "The webhook answered 503." }],
  });
  expect((await bench.rules.get(bench.ruleId)).statistics).toMatchObject({ passed: 0, failed: 1, deadLetters: 1 });

  bench.answer.next = () => ({ isDelivered: true, status: 200 });
  await bench.rules.retryDeadLetter(letters.items[0]?.id ?? 0);
  await bench.settle();
  expect(bench.sent).toHaveLength(5);
  bench.clock.advance(50);
  await bench.settle();
  expect(bench.store.letters.size + bench.store.pending.size).toBe(0);
  await expect(bench.rules.retryDeadLetter(1)).rejects.toMatchObject({ code: "rules.dead_letter_not_found" });
});

test("what will not change is not tried again", async () => {
  const bench = await startHook();
  bench.answer.next = () => refused;
  bench.publish(topic, '{"t":1}');
  await bench.settle();
  bench.clock.advance(60_000);
  await bench.settle();
  expect(bench.sent).toHaveLength(1);
  expect(bench.store.letters.size).toBe(1);
  await bench.rules.deleteDeadLetter([...bench.store.letters.keys()][0] ?? 0);
  expect(bench.store.letters.size).toBe(0);
});

test("keeps at most deadLettersPerRuleMax and counts what went", async () => {
  const bench = await startHook({ deadLettersPerRuleMax: 2 });
  bench.answer.next = () => refused;
  for (let index = 0; index < 3; index += 1) {
    bench.publish(topic, `{"t":${index}}`);
    await bench.settle();
  }
  expect(bench.store.letters.size).toBe(2);
  expect((await bench.rules.get(bench.ruleId)).statistics).toMatchObject({ deadLetters: 3, dropped: 1 });
});

test("a full webhook queue: QoS 0 is dropped and counted, QoS 1 becomes a dead letter before its promise resolves", async () => {
  const bench = await startHook({ pendingPerRuleMax: 1 });
  bench.answer.next = () => new Promise(() => undefined);
  bench.publish(topic, '{"t":1}');
  bench.publish(topic, '{"t":2}');
  const { owed } = bench.publish(topic, '{"t":3}', { qos: 1 });
  await bench.settle();
  await owed;
  expect(bench.store.pending.size).toBe(1);
  expect([...bench.store.letters.values()].map(({ payload, code }) => [Buffer.from(payload).toString(), code])).toEqual([
    ['{"device":"dev1","t":3}', "rules.queue_full"],
  ]);
  expect((await bench.rules.get(bench.ruleId)).statistics).toMatchObject({ dropped: 1, deadLetters: 1 });
});

test("calls under way are bounded per rule and per host, and a busy rule does not starve another", async () => {
  const bench = await startHook({ concurrencyPerRuleMax: 2, concurrencyPerHostMax: 3 });
  await bench.rules.create({ ...rule, name: "second" });
  const answers: ((outcome: WebhookOutcome) => void)[] = [];
  bench.answer.next = () => new Promise((resolve) => answers.push(resolve));
  for (let index = 0; index < 5; index += 1) bench.publish(topic, '{"t":1}');
  await bench.settle();
  expect(bench.sent).toHaveLength(3);
  expect(new Set(bench.sent.map(({ headers: sentHeaders }) => sentHeaders["X-Thingstead-Rule"])).size).toBe(2);
  while (answers.length > 0) {
    answers.shift()?.({ isDelivered: true, status: 200 });
    await bench.settle();
  }
  expect(bench.sent).toHaveLength(10);
});

test("pending deliveries survive a restart with their number of tries", async () => {
  const first = await startHook();
  first.answer.next = () => unavailable;
  first.publish(topic, '{"t":1}', { qos: 1 });
  await first.settle();
  await first.rules.close();
  expect([...first.store.pending.values()]).toMatchObject([{ tries: 1, nextTryAt: first.clock.now() + 1000 }]);

  const second = openRuleBench({}, first.store);
  await second.rules.open();
  expect(second.sent).toHaveLength(0);
  second.clock.advance(1000);
  await second.settle();
  expect(second.sent).toHaveLength(1);
  expect(first.store.pending.size).toBe(0);
});

test("close deletes what was delivered just before it", async () => {
  const bench = await startHook();
  for (let index = 0; index < 5; index += 1) bench.publish(topic, '{"t":1}');
  await bench.settle();
  expect(bench.store.pending.size).toBe(4);
  await bench.rules.close();
  expect(bench.store.pending.size).toBe(0);
});

test("deleting a rule forgets what it owed", async () => {
  const bench = await startHook();
  bench.answer.next = () => unavailable;
  bench.publish(topic, '{"t":1}');
  await bench.settle();
  await bench.rules.stop(bench.ruleId);
  await bench.rules.delete(bench.ruleId);
  bench.clock.advance(60_000);
  await bench.settle();
  expect(bench.sent).toHaveLength(1);
});

test("a binary rule sends the raw bytes", async () => {
  const bench = openRuleBench();
  await bench.rules.create({
    name: "raw",
    sql: 'SELECT * FROM "/pk1/+/data"',
    dataType: "binary",
    actions: [{ type: "webhook", url: "https://hooks.example.com/", method: "PUT" }],
    isRunning: true,
  });
  bench.publish(topic, Uint8Array.of(0, 255, 10));
  await bench.settle();
  expect(bench.sent).toMatchObject([{ method: "PUT", headers: { "Content-Type": "application/octet-stream" } }]);
  expect([...(bench.sent[0]?.body ?? [])]).toEqual([0, 255, 10]);
});

test("a content type given with the action, in any case, is the only one", async () => {
  const bench = openRuleBench();
  const action = { type: "webhook", url: "https://hooks.example.com/", headers: { "content-type": "application/vnd.x+json" } } as const;
  await bench.rules.create({ ...rule, actions: [action] });
  bench.publish(topic, "{}");
  await bench.settle();
  const names = Object.keys(bench.sent[0]?.headers ?? {}).filter((name) => name.toLowerCase() === "content-type");
  expect(names).toEqual(["content-type"]);
});

test("secrets of headers and queries never reach the log", async () => {
  const bench = await startHook();
  bench.answer.next = () => refused;
  bench.publish(topic, '{"t":"qu3ry"}');
  await bench.settle();
  expect(bench.entries).not.toEqual([]);
  expect(JSON.stringify(bench.entries)).not.toMatch(/s3cret|qu3ry/);
});
