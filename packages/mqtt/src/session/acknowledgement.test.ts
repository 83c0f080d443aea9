import { expect, test } from "vitest";
import { TestBroker } from "../testing/test-broker.ts";
import type { TestClient } from "../testing/test-client.ts";

async function served(qos: 1 | 2) {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5 });
  client.subscribe("t", qos);
  world.broker.publish({ topic: "t", payload: Buffer.from("x"), qos });
  client.endTurn();
  expect(client.publishes()).toMatchObject([{ packetId: 1, qos }]);
  return { world, client };
}

const wrong: [string, 1 | 2, (client: TestClient) => void][] = [
  ["[MQTT-4.3.3-8] PUBACK for a QoS 2 message", 2, (client) => client.send({ type: "puback", packetId: 1 })],
  ["[MQTT-4.3.3-8] PUBCOMP before PUBREC", 2, (client) => client.send({ type: "pubcomp", packetId: 1 })],
  ["[MQTT-4.3.2-3] PUBREC for a QoS 1 message", 1, (client) => client.send({ type: "pubrec", packetId: 1 })],
  ["[MQTT-4.3.2-3] PUBCOMP for a QoS 1 message", 1, (client) => client.send({ type: "pubcomp", packetId: 1 })],
  [
    "[MQTT-4.3.3-8] PUBACK after PUBREC",
    2,
    (client) => {
      client.send({ type: "pubrec", packetId: 1 });
      client.packets();
      client.send({ type: "puback", packetId: 1 });
    },
  ],
];

test.each(wrong)("%s is a protocol error", async (_name, qos, answer) => {
  const { world, client } = await served(qos);
  answer(client);
  expect(client.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
  expect(client.isClosed).toBe(true);
  expect(world.events.filter(({ name }) => name === "disconnected")).toMatchObject([
    { event: { reason: "protocol_error", refusal: { code: "mqtt.acknowledgement_mismatch" } } },
  ]);
});

test("a second PUBREC is answered with PUBREL again, and late or second answers are no error", async () => {
  const { client } = await served(2);
  client.send({ type: "pubrec", packetId: 1 });
  client.send({ type: "pubrec", packetId: 1 });
  expect(client.packets()).toMatchObject([
    { type: "pubrel", packetId: 1 },
    { type: "pubrel", packetId: 1 },
  ]);
  client.send({ type: "pubcomp", packetId: 1 });
  client.send({ type: "pubcomp", packetId: 1 });
  client.send({ type: "puback", packetId: 900 });
  expect(client.packets()).toEqual([]);
  expect(client.isClosed).toBe(false);
});

async function full(protocolVersion: 4 | 5, qos: 1 | 2) {
  const world = await new TestBroker({ limits: { retainedMessagesMax: 1 } }).start();
  const client = world.open();
  await client.connect("one", { protocolVersion });
  client.subscribe("#");
  client.publish("first", "x", 1, { packetId: 1, isRetained: true });
  client.packets();
  client.publish("second", "x", qos, { packetId: 2, isRetained: true });
  const dropped = world.events.filter(({ name }) => name === "dropped").map(({ event }) => [event.topic, event.reason]);
  return { client, dropped };
}

test.each([
  [1, "puback"],
  [2, "pubrec"],
] as const)("a retained message above the limit is refused to MQTT 5 at QoS %i with 0x97, and goes to nobody", async (qos, type) => {
  const { client, dropped } = await full(5, qos);
  const packets = client.packets();
  expect(packets).toMatchObject([{ type, packetId: 2, reasonCode: 0x97 }]);
  expect(packets[0]).toMatchObject({ properties: { reasonString: expect.stringContaining("mqtt.retained_limit") } });
  expect(dropped).toEqual([["second", "retained_limit"]]);
  // What was there may be replaced and removed.
  client.publish("first", "y", 1, { packetId: 3, isRetained: true });
  client.publish("first", "", 1, { packetId: 4, isRetained: true });
  client.publish("second", "x", 1, { packetId: 5, isRetained: true });
  expect(client.packets().filter(({ type }) => type === "puback")).toEqual([3, 4, 5].map((packetId) => ({ type: "puback", packetId })));
});

test("a retained message above the limit is acknowledged and delivered to 3.1.1, and its loss is told", async () => {
  const { client, dropped } = await full(4, 1);
  expect(client.packets()).toMatchObject([
    { type: "publish", topic: "second" },
    { type: "puback", packetId: 2 },
  ]);
  expect(dropped).toEqual([["second", "retained_limit"]]);
});

test("whoever hands a message to one session may hear of its acknowledgement, once, also of one that had to wait", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5, properties: { receiveMaximum: 1 } });
  const heard: string[] = [];
  const deliver = (text: string, qos: 0 | 1 | 2) =>
    world.broker.deliver("one", { topic: "t", payload: Buffer.from(text), qos }, () => heard.push(text));
  expect([deliver("a", 1), deliver("b", 1), deliver("c", 0)]).toEqual(["delivered", "queued", "delivered"]);
  client.endTurn();
  const ids = client.publishes().map(({ packetId }) => packetId);
  expect(heard).toEqual([]);
  client.send({ type: "puback", packetId: ids[0] ?? 0 });
  client.send({ type: "puback", packetId: ids[0] ?? 0 });
  expect(heard).toEqual(["a"]);
  client.endTurn();
  const next = client.publishes().find(({ qos }) => qos === 1);
  client.send({ type: "puback", packetId: next?.packetId ?? 0 });
  expect(heard).toEqual(["a", "b"]);
  expect(world.broker.deliver("none", { topic: "t", payload: Buffer.from("d"), qos: 1 }, () => heard.push("d"))).toBe("no_session");
});
