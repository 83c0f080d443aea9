/** Statements of the standard that no other test of this folder is about. */
import { expect, test } from "vitest";
import type { QoS } from "../codec/index.ts";
import { settlePromises } from "../testing/fake-clock.ts";
import { TestBroker } from "../testing/test-broker.ts";
import type { TestClient } from "../testing/test-client.ts";

const v5 = { protocolVersion: 5 as const };
const kept = { ...v5, isCleanStart: false, properties: { sessionExpiryIntervalSeconds: 600 } };

async function pair(
  options: object = {},
  readerOptions: object = v5,
): Promise<{ world: TestBroker; reader: TestClient; writer: TestClient }> {
  const world = await new TestBroker(options).start();
  const [reader, writer] = [world.open(), world.open()];
  await reader.connect("reader", readerOptions);
  await writer.connect("writer", v5);
  return { world, reader, writer };
}

const subscription = (filter: string, qos: QoS = 0) => ({
  filter,
  qos,
  isNoLocal: false,
  isRetainAsPublished: false,
  retainHandling: 0 as const,
});

test("[MQTT-2.2.1-2] [MQTT-4.3.1-1] [MQTT-3.3.1-2] a QoS 0 delivery has no identifier, no DUP and no answer", async () => {
  const { reader, writer } = await pair();
  reader.subscribe("t", 2);
  writer.publish("t", "x", 0);
  expect(reader.packets()).toEqual([
    { type: "publish", topic: "t", payload: expect.anything(), qos: 0, isDuplicate: false, isRetained: false },
  ]);
  expect(writer.packets()).toEqual([]);
});

test("[MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1] a delivery never takes an identifier that is in use, also when they wrap", async () => {
  const { reader, writer } = await pair({ behaviour: { inflightMax: 3 } });
  reader.subscribe("t", 1);
  writer.publish("t", "held", 1);
  const [held] = reader.publishes();
  expect(held?.packetId).toBe(1);
  for (let number = 0; number < 65_600; number += 1) {
    writer.publish("t", "x", 1, { packetId: 1 });
    const [publish] = reader.publishes();
    expect(publish?.packetId).not.toBe(1);
    reader.send({ type: "puback", packetId: publish?.packetId ?? 0 });
    if (number % 1000 === 0) writer.packets();
  }
});

test("[MQTT-2.2.1-5] [MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-11] PUBLISH is answered by its QoS under its identifier", async () => {
  const { writer } = await pair();
  writer.publish("t", "x", 1, { packetId: 500 });
  writer.publish("t", "x", 2, { packetId: 501 });
  writer.send({ type: "pubrel", packetId: 501 });
  expect(writer.packets()).toEqual([
    { type: "puback", packetId: 500 },
    { type: "pubrec", packetId: 501 },
    { type: "pubcomp", packetId: 501 },
  ]);
});

test("[MQTT-2.2.1-6] [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.8.4-7] [MQTT-3.9.3-1] SUBACK: identifier, order, granted QoS", async () => {
  const { reader } = await pair({ behaviour: { qosMax: 1 } });
  reader.send({
    type: "subscribe",
    packetId: 77,
    subscriptions: [subscription("a", 0), subscription("b".repeat(2000)), subscription("c", 2)],
  });
  expect(reader.packets()).toMatchObject([{ type: "suback", packetId: 77, reasonCodes: [0, 0x8f, 1] }]);
});

test("[MQTT-3.2.2-9] [MQTT-3.2.2-10] [MQTT-3.2.2-22] what the server limits is told in CONNACK, and no more", async () => {
  const world = await new TestBroker({ behaviour: { qosMax: 1 } }).start();
  const client = world.open();
  const connack = await client.connect("one", { ...v5, keepAliveSeconds: 30 });
  expect(connack.properties?.maximumQoS).toBe(1);
  expect(connack.properties).not.toHaveProperty("serverKeepAliveSeconds");
  // [MQTT-3.1.2-28] Response Information was not asked for.
  expect(connack.properties).not.toHaveProperty("responseInformation");
  expect(client.subscribe("t", 2)).toBe(1);
});

test.each([
  ["[MQTT-3.2.2-12] above the maximum QoS", { qosMax: 1 as const }, { qos: 2 as const, isRetained: false }, 0x9b],
  ["[MQTT-3.2.2-13] retained where nothing is", { retain: "refuse" as const }, { qos: 0 as const, isRetained: true }, 0x9a],
])("a will %s is refused", async (_name, behaviour, will, reasonCode) => {
  const world = await new TestBroker({ behaviour }).start();
  const wish = { will: { topic: "w", payload: Buffer.from("x"), ...will } };
  const refused = await world.open().connect("one", { ...v5, ...wish });
  expect(refused.reasonCode).toBe(reasonCode);
  // A server that ignores wills, and 3.1.1, which has no such code, let it in.
  expect((await world.open().connect("two", wish)).reasonCode).toBe(0);
  const ignoring = await new TestBroker({ behaviour: { ...behaviour, will: "ignore" } }).start();
  expect((await ignoring.open().connect("one", { ...v5, ...wish })).reasonCode).toBe(0);
});

test("[MQTT-3.2.2-14] RETAIN where nothing is retained ends the connection", async () => {
  const { writer } = await pair({ behaviour: { retain: "refuse" } });
  writer.publish("t", "x", 0, { isRetained: true });
  expect(writer.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x9a }]);
});

test("[MQTT-3.1.4-4] [MQTT-3.1.3-2] [MQTT-4.1.0-2] clean start and expiry discard what belongs to the client id", async () => {
  const { world, reader } = await pair({}, kept);
  reader.subscribe("t", 1);
  reader.drop();
  const clean = world.open();
  expect((await clean.connect("reader", v5)).isSessionPresent).toBe(false);
  expect(world.broker.subscriptionsOf("reader")).toEqual([]);
  clean.drop();
  const again = world.open();
  await again.connect("reader", kept);
  again.drop();
  world.clock.advance(601_000);
  expect((await world.open().connect("reader", kept)).isSessionPresent).toBe(false);
});

test("[MQTT-3.1.4-6] [MQTT-3.2.0-2] after a refusing CONNACK nothing is processed and nothing more is said", async () => {
  const gatekeeper = { connect: async () => ({ code: "access.no", returnCode: 5 as const, reasonCode: 0x87 }) };
  const world = await new TestBroker({ gatekeeper }).start();
  const client = world.open();
  await client.connect("one", v5);
  client.publish("t", "x", 1);
  expect(client.packets()).toEqual([]);
  expect(client.transport.writesAfterEnd).toBe(0);
});

test("[MQTT-3.1.3-5] [MQTT-3.1.3-7] short ids are taken as they are, given ones are told", async () => {
  const world = await new TestBroker().start();
  const name = "0123456789abcdefABCDEFZ";
  expect((await world.open().connect(name, v5)).properties).not.toHaveProperty("assignedClientIdentifier");
  expect(world.broker.isConnected(name)).toBe(true);
  expect((await world.open().connect("", v5)).properties?.assignedClientIdentifier).toMatch(/^auto-/);
});

test("[MQTT-3.3.1-3] the publisher's DUP is not passed on", async () => {
  const { reader, writer } = await pair();
  reader.subscribe("t", 1);
  writer.publish("t", "x", 1, { isDuplicate: true });
  expect(reader.publishes()).toMatchObject([{ isDuplicate: false }]);
});

test("[MQTT-3.3.1-7] an empty retained message is delivered and not kept", async () => {
  const { world, reader, writer } = await pair();
  reader.subscribe("t");
  writer.publish("t", "", 0, { isRetained: true });
  expect(reader.texts()).toEqual([""]);
  const late = world.open();
  await late.connect("late", v5);
  late.subscribe("t");
  expect(late.texts()).toEqual([]);
});

test.each([
  ["[MQTT-3.3.2-9] an alias above the maximum", { topicAlias: 11 }, 0x94],
  ["[MQTT-3.3.4-6] a subscription identifier", { subscriptionIdentifiers: [1] }, 0x82],
])("%s of a client ends the connection", async (_name, properties, reasonCode) => {
  const { writer } = await pair();
  writer.publish("t", "x", 0, { properties });
  expect(writer.packets()).toMatchObject([{ type: "disconnect", reasonCode }]);
});

test("[MQTT-3.3.4-10] [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-4.9.0-3] a full window holds back QoS 1 and nothing else", async () => {
  const { reader, writer } = await pair({}, { ...v5, properties: { receiveMaximum: 2 } });
  reader.subscribe("t", 1);
  for (const text of ["1", "2", "3"]) writer.publish("t", text, 1);
  expect(reader.texts()).toEqual(["1", "2"]);
  writer.publish("t", "zero", 0);
  reader.send({ type: "pingreq" });
  // [MQTT-3.12.4-1]
  expect(reader.packets().map(({ type }) => type)).toEqual(["publish", "pingresp"]);
  reader.send({ type: "puback", packetId: 1 });
  expect(reader.texts()).toEqual(["3"]);
});

test("[MQTT-3.10.4-2] [MQTT-3.10.4-3] [MQTT-3.10.4-5] [MQTT-3.10.4-6] UNSUBSCRIBE stops what is new and completes what was begun", async () => {
  const { reader, writer } = await pair({ behaviour: { inflightMax: 1 } }, kept);
  reader.subscribe("t", 2);
  reader.subscribe("u", 0);
  writer.publish("t", "begun", 2);
  const [begun] = reader.publishes();
  reader.send({ type: "unsubscribe", packetId: 9, filters: ["t", "u", "never"] });
  expect(reader.packets()).toEqual([{ type: "unsuback", packetId: 9, reasonCodes: [0, 0, 0x11] }]);
  writer.publish("t", "new", 2);
  writer.publish("u", "new", 0);
  reader.send({ type: "pubrec", packetId: begun?.packetId ?? 0 });
  expect(reader.packets()).toEqual([{ type: "pubrel", packetId: begun?.packetId }]);
});

test("[MQTT-3.14.0-1] before CONNACK there is no DISCONNECT; [MQTT-3.14.4-1] after it nothing", async () => {
  const world = await new TestBroker().start();
  const early = world.open();
  early.send({ type: "connect", ...v5, clientId: "one", isCleanStart: true, keepAliveSeconds: 0 });
  await world.broker.close();
  await settlePromises();
  early.endTurn();
  expect(early.packets()).toEqual([]);
  const other = await new TestBroker().start();
  const client = other.open();
  await client.connect("one", v5);
  other.broker.kick("one", "kicked");
  client.publish("t", "x", 1);
  expect(client.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x98 }]);
});

test("[MQTT-4.3.2-2] [MQTT-4.3.2-3] [MQTT-4.3.2-5] QoS 1 is owed until PUBACK, then its identifier is free", async () => {
  const { world, reader, writer } = await pair({}, kept);
  reader.subscribe("t", 1);
  writer.publish("t", "x", 1);
  expect(reader.publishes()).toMatchObject([{ isDuplicate: false }]);
  reader.drop();
  const second = world.open();
  await second.connect("reader", kept);
  expect(second.publishes()).toMatchObject([{ isDuplicate: true }]);
  second.send({ type: "puback", packetId: 1 });
  second.drop();
  const third = world.open();
  await third.connect("reader", kept);
  expect(third.publishes()).toEqual([]);
});

test("[MQTT-4.3.3-3] [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.3.3-9] [MQTT-4.4.0-2] QoS 2 towards a client, step by step and refused", async () => {
  const { world, reader, writer } = await pair({}, kept);
  reader.subscribe("t", 2);
  writer.publish("t", "one", 2);
  writer.publish("t", "two", 2);
  expect(reader.publishes()).toHaveLength(2);
  reader.send({ type: "pubrec", packetId: 1 });
  expect(reader.packets()).toEqual([{ type: "pubrel", packetId: 1 }]);
  reader.send({ type: "pubrec", packetId: 2, reasonCode: 0x83 });
  expect(reader.packets()).toEqual([]);
  reader.drop();
  const again = world.open();
  await again.connect("reader", kept);
  expect(again.packets()).toEqual([{ type: "pubrel", packetId: 1 }]);
  again.send({ type: "pubcomp", packetId: 1 });
  again.drop();
  const last = world.open();
  await last.connect("reader", kept);
  expect(last.packets()).toEqual([]);
});

test("[MQTT-4.3.3-7] [MQTT-4.3.3-13] a delivery that was begun does not expire", async () => {
  const { world, reader, writer } = await pair({}, kept);
  reader.subscribe("t", 2);
  writer.publish("t", "x", 2, { properties: { messageExpiryIntervalSeconds: 5 } });
  expect(reader.publishes()).toHaveLength(1);
  reader.drop();
  world.clock.advance(60_000);
  const again = world.open();
  await again.connect("reader", kept);
  expect(again.publishes()).toMatchObject([{ isDuplicate: true, properties: { messageExpiryIntervalSeconds: 0 } }]);
});

test("[MQTT-4.5.0-1] [MQTT-3.3.2-3] every session that matches gets the message under its topic", async () => {
  const world = await new TestBroker().start();
  const filters = ["a/b", "a/+", "#", "+/b", "a/#", "b/#"];
  const readers: TestClient[] = [];
  for (const filter of filters) {
    const reader = world.open();
    await reader.connect(`reader ${filter}`);
    reader.subscribe(filter);
    readers.push(reader);
  }
  readers[0]?.publish("a/b", "x");
  expect(readers.map((reader) => reader.publishes().map(({ topic }) => topic))).toEqual([["a/b"], ["a/b"], ["a/b"], ["a/b"], ["a/b"], []]);
});

test("[MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4] [MQTT-4.6.0-5] [MQTT-4.6.0-6] answers and deliveries keep their order", async () => {
  const { reader, writer } = await pair();
  reader.subscribe("t", 2);
  for (let packetId = 1; packetId <= 6; packetId += 1) writer.publish("t", String(packetId), packetId % 2 === 0 ? 1 : 2, { packetId });
  expect(writer.packets().map((packet) => `${packet.type} ${"packetId" in packet ? packet.packetId : ""}`)).toEqual([
    "pubrec 1",
    "puback 2",
    "pubrec 3",
    "puback 4",
    "pubrec 5",
    "puback 6",
  ]);
  const got = reader.publishes();
  expect(got.map(({ payload }) => Buffer.from(payload).toString())).toEqual(["1", "2", "3", "4", "5", "6"]);
  const second = got.filter(({ qos }) => qos === 2).map(({ packetId }) => packetId ?? 0);
  for (const packetId of second) reader.send({ type: "pubrec", packetId });
  expect(reader.packets()).toEqual(second.map((packetId) => ({ type: "pubrel", packetId })));
});

test("[MQTT-4.7.3-4] topics are compared byte by byte, without normalisation", async () => {
  const { reader, writer } = await pair();
  reader.subscribe("caf\u00e9");
  reader.subscribe("CASE");
  for (const topic of ["cafe\u0301", "case", "caf\u00e9"]) writer.publish(topic, topic);
  expect(reader.texts()).toEqual(["caf\u00e9"]);
});

test("[MQTT-4.12.0-6] a client without a method never gets AUTH", async () => {
  const { reader } = await pair();
  reader.send({ type: "pingreq" });
  expect(reader.packets()).toEqual([{ type: "pingresp" }]);
});
