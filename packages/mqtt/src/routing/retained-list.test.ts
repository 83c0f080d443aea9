/** Pages of retained messages, and what the cloud retains. */
import { expect, test } from "vitest";
import { TestBroker } from "../testing/test-broker.ts";

function retain(world: TestBroker, topic: string, text: string, expirySeconds?: number) {
  const properties = expirySeconds === undefined ? {} : { properties: { messageExpiryIntervalSeconds: expirySeconds } };
  return world.broker.publish({ topic, payload: Buffer.from(text), qos: 1, isRetained: true, ...properties });
}

function allTopics(world: TestBroker, pageSize: number): string[] {
  const topics: string[] = [];
  for (let after: string | undefined; ; after = topics.at(-1)) {
    const page = world.broker.listRetained(after, pageSize);
    topics.push(...page.map(({ topic }) => topic));
    if (page.length < pageSize) return topics;
  }
}

test("every page size lists every retained message once and in the same order", async () => {
  const world = await new TestBroker().start();
  const topics = ["a", "a/b", "a/b/c", "a-b", "a/", "/", "/a", "b/x/y", "b", "a/b/", "$x/y", "é/ü", "a/c/d/e"];
  for (const topic of topics) retain(world, topic, topic);
  const whole = world.broker.listRetained(undefined, 100).map(({ topic }) => topic);
  expect([...whole].sort()).toEqual([...topics].sort());
  for (const pageSize of [1, 2, 3, 5, 12, 13]) expect(allTopics(world, pageSize)).toEqual(whole);
  // From behind a topic that is not there (any more).
  expect(world.broker.listRetained("a/b/b", 1).map(({ topic }) => topic)).toEqual(["a/b/c"]);
});

test("[MQTT-3.3.2-5] what has expired is in no page and does not end the list", async () => {
  const world = await new TestBroker().start();
  for (const topic of ["a", "b", "c"]) retain(world, topic, topic, 10);
  retain(world, "d", "d");
  world.clock.advance(400);
  expect(world.broker.retainedMessage("a")?.payload.toString()).toBe("a");
  world.clock.advance(10_000);
  expect(world.broker.retainedMessage("a")).toBeUndefined();
  expect(allTopics(world, 2)).toEqual(["d"]);
});

test("[MQTT-3.3.1-6] what the cloud retains is owed to the journal, is sent to later subscribers, and an empty one removes it", async () => {
  const world = await new TestBroker().start();
  expect(retain(world, "t", "kept")).toEqual({ delivered: 0, queued: 0, isOwed: true });
  const client = world.open();
  await client.connect("one");
  client.subscribe("t", 1);
  expect(client.publishes()).toMatchObject([{ topic: "t", isRetained: true, qos: 1 }]);
  expect(retain(world, "t", "")).toMatchObject({ delivered: 1 });
  expect(world.broker.listRetained(undefined, 10)).toEqual([]);
});

test("a retained message over the limit is routed and said not to be kept", async () => {
  const world = await new TestBroker({ limits: { retainedMessagesMax: 1 } }).start();
  retain(world, "a", "1");
  expect(retain(world, "b", "2")).toEqual({ delivered: 0, queued: 0, isNotRetained: true });
  expect(world.broker.retainedMessage("b")).toBeUndefined();
});
