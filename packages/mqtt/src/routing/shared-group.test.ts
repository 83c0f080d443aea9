import { expect, test } from "vitest";
import { TestBroker } from "../testing/test-broker.ts";
import type { TestClient } from "../testing/test-client.ts";

const filter = "$share/workers/jobs/#";
const kept = { protocolVersion: 5 as const, isCleanStart: false, properties: { sessionExpiryIntervalSeconds: 600 } };

async function worker(world: TestBroker, name: string, qos: 0 | 1 | 2 = 1, options: object = { protocolVersion: 5 }): Promise<TestClient> {
  const client = world.open();
  await client.connect(name, options);
  client.subscribe(filter, qos);
  return client;
}

async function boss(world: TestBroker): Promise<TestClient> {
  const client = world.open();
  await client.connect("boss");
  return client;
}

function send(client: TestClient, count: number, qos: 0 | 1 | 2 = 1): void {
  for (let number = 1; number <= count; number += 1) client.publish("jobs/x", `job ${number}`, qos);
}

test("[MQTT-4.8.2-3] members take turns, each message goes to one, at its granted QoS", async () => {
  const world = await new TestBroker().start();
  const members = [await worker(world, "one"), await worker(world, "two"), await worker(world, "three", 0)];
  send(await boss(world), 9);
  const got = members.map((member) => member.publishes());
  expect(got.map((list) => list.length)).toEqual([3, 3, 3]);
  expect(got.map((list) => list[0]?.qos)).toEqual([1, 1, 0]);
  expect(new Set(got.flat().map(({ payload }) => Buffer.from(payload).toString())).size).toBe(9);
});

test("offline members are passed over while another is there, and keep messages when nobody is", async () => {
  const world = await new TestBroker().start();
  const one = await worker(world, "one", 1, kept);
  const two = await worker(world, "two");
  const writer = await boss(world);
  one.drop();
  send(writer, 3);
  expect(two.texts()).toHaveLength(3);
  for (const packetId of [1, 2, 3]) two.send({ type: "puback", packetId });
  two.send({ type: "disconnect" });
  send(writer, 2);
  const again = world.open();
  await again.connect("one", kept);
  expect(again.texts()).toEqual(["job 1", "job 2"]);
});

test("what a member did not acknowledge goes to the others when its session ends", async () => {
  const world = await new TestBroker({ behaviour: { inflightMax: 2 } }).start();
  const one = await worker(world, "one");
  send(await boss(world), 4);
  expect(one.texts()).toEqual(["job 1", "job 2"]);
  one.send({ type: "puback", packetId: 1 });
  expect(one.texts()).toEqual(["job 3"]);
  const two = await worker(world, "two");
  one.send({ type: "disconnect" });
  const got = two.publishes();
  two.send({ type: "puback", packetId: 1 });
  const all = [...got, ...two.publishes()];
  expect(all.map(({ payload }) => Buffer.from(payload).toString())).toEqual(["job 2", "job 3", "job 4"]);
  // [MQTT-3.3.1-1] For the other member it is the first time.
  expect(all.every(({ isDuplicate }) => !isDuplicate)).toBe(true);
});

test("[MQTT-4.8.2-4] [MQTT-4.8.2-5] a QoS 2 message that was sent stays with its member, one that was not does not", async () => {
  const world = await new TestBroker({ behaviour: { inflightMax: 1 } }).start();
  const one = await worker(world, "one", 2);
  const writer = await boss(world);
  writer.publish("jobs/x", "sent", 2);
  writer.publish("jobs/x", "queued", 2);
  expect(one.texts()).toEqual(["sent"]);
  const two = await worker(world, "two", 2);
  one.drop();
  expect(two.texts()).toEqual(["queued"]);
});

test("a persistent member that goes leaves unsent messages to the others and finishes its own when it comes back", async () => {
  const world = await new TestBroker({ behaviour: { inflightMax: 1 } }).start();
  const one = await worker(world, "one", 1, kept);
  const writer = await boss(world);
  send(writer, 3);
  expect(one.texts()).toEqual(["job 1"]);
  const two = await worker(world, "two");
  one.drop();
  expect(two.texts()).toEqual(["job 2"]);
  two.send({ type: "puback", packetId: 1 });
  expect(two.texts()).toEqual(["job 3"]);
  const again = world.open();
  await again.connect("one", kept);
  expect(again.publishes()).toMatchObject([{ isDuplicate: true }]);
});

test("a member whose window is full is passed over", async () => {
  const world = await new TestBroker({ behaviour: { inflightMax: 1 } }).start();
  const slow = await worker(world, "slow");
  const quick = await worker(world, "quick", 0);
  send(await boss(world), 8);
  expect(slow.texts().length).toBeLessThanOrEqual(2);
  expect(quick.texts().length).toBeGreaterThanOrEqual(5);
});

test("[MQTT-4.8.2-6] a message that its member refuses is not offered to another", async () => {
  const world = await new TestBroker().start();
  const one = await worker(world, "one");
  send(await boss(world), 1);
  expect(one.texts()).toHaveLength(1);
  const two = await worker(world, "two");
  one.send({ type: "puback", packetId: 1, reasonCode: 0x83 });
  one.send({ type: "disconnect" });
  expect(two.texts()).toEqual([]);
});

test("[MQTT-3.8.3-4] no-local on a shared subscription is a protocol error", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5 });
  const length = 3 + 2 + filter.length + 1;
  client.sendBytes(Buffer.concat([Buffer.from([0x82, length, 0, 1, 0, 0, filter.length]), Buffer.from(filter), Buffer.from([0x05])]));
  expect(client.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
});

test("a shared subscription gets no retained messages", async () => {
  const world = await new TestBroker().start();
  const writer = await boss(world);
  writer.publish("jobs/x", "old", 1, { isRetained: true });
  expect((await worker(world, "one")).texts()).toEqual([]);
});
