import { expect, test } from "vitest";
import type { Message } from "../ports.ts";
import { settlePromises } from "../testing/fake-clock.ts";
import { RememberingJournal } from "../testing/remembering-journal.ts";
import { TestBroker } from "../testing/test-broker.ts";

test("[MQTT-4.3.2-4] QoS 1 without debt is acknowledged at once; the publisher hears itself", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one");
  client.subscribe("t", 1);
  client.publish("t", "x", 1, { packetId: 77 });
  expect(client.packets()).toMatchObject([
    { type: "publish", topic: "t", qos: 1, packetId: 1, isDuplicate: false },
    { type: "puback", packetId: 77 },
  ]);
});

test("PUBACK waits for the commit of what is owed, and keeps the order of the publishes", async () => {
  const journal = new RememberingJournal();
  const world = await new TestBroker({ journal }).start();
  const offline = world.open();
  await offline.connect("offline", { isCleanStart: false });
  offline.subscribe("owed", 1);
  offline.drop();
  journal.isQuick = false;
  const client = world.open();
  await client.connect("one");
  client.publish("owed", "x", 1, { packetId: 1 });
  client.publish("free", "x", 1, { packetId: 2 });
  client.publish("owed", "x", 2, { packetId: 3 });
  expect(client.packets()).toEqual([]);
  journal.commit();
  world.clock.endTurn();
  expect(client.packets().map((packet) => ("packetId" in packet ? packet.packetId : undefined))).toEqual([1, 2, 3]);
  client.publish("free", "x", 1, { packetId: 4 });
  expect(client.packets()).toMatchObject([{ type: "puback", packetId: 4 }]);
});

test("PUBACK waits for a tap's promise; a broken promise is never acknowledged", async () => {
  const gates: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const seen: string[] = [];
  const tap = (message: Message) => {
    seen.push(`${message.topic} ${Buffer.from(message.payload)} ${message.publisherSessionId}`);
    return new Promise<void>((resolve, reject) => gates.push({ resolve, reject }));
  };
  const world = await new TestBroker({
    admission: { rights: { publish: () => ({ topic: "mapped", isRouted: false, taps: [tap] }), subscribe: (_filter, qos) => ({ qos }) } },
  }).start();
  const client = world.open();
  await client.connect("one");
  client.subscribe("mapped");
  client.publish("t", "a", 1, { packetId: 1 });
  client.publish("t", "b", 1, { packetId: 2 });
  gates[1]?.resolve();
  await settlePromises();
  world.clock.endTurn();
  expect(client.packets()).toEqual([]);
  gates[0]?.resolve();
  await settlePromises();
  world.clock.endTurn();
  expect(client.packets()).toMatchObject([{ packetId: 1 }, { packetId: 2 }]);
  expect(seen).toEqual(["mapped a one", "mapped b one"]);
  client.publish("t", "c", 1, { packetId: 3 });
  gates[2]?.reject(new Error("disk full"));
  await settlePromises();
  expect(client.isClosed).toBe(true);
  expect(client.packets()).toEqual([]);
  expect(world.bugs).toHaveLength(1);
});

test("[MQTT-4.3.3-10] QoS 2 is routed once until it is released", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one");
  client.subscribe("t", 0);
  client.publish("t", "x", 2, { packetId: 5 });
  client.publish("t", "x", 2, { packetId: 5, isDuplicate: true });
  expect(client.packets().map((packet) => packet.type)).toEqual(["publish", "pubrec", "pubrec"]);
  client.send({ type: "pubrel", packetId: 5 });
  client.publish("t", "y", 2, { packetId: 5 });
  expect(client.packets().map((packet) => packet.type)).toEqual(["pubcomp", "publish", "pubrec"]);
});

test("[MQTT-4.3.3-2] QoS 2 to a subscriber goes PUBLISH, PUBREC, PUBREL, PUBCOMP", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one", { isCleanStart: false });
  client.subscribe("t", 2);
  world.broker.publish({ topic: "t", payload: Buffer.from("x"), qos: 2 });
  world.clock.endTurn();
  expect(client.publishes()).toMatchObject([{ qos: 2, packetId: 1 }]);
  client.send({ type: "pubrec", packetId: 1 });
  expect(client.packets()).toMatchObject([{ type: "pubrel", packetId: 1 }]);
  client.drop();
  const again = world.open();
  await again.connect("one", { isCleanStart: false });
  // [MQTT-4.4.0-1] After PUBREC only the release is repeated.
  expect(again.packets()).toMatchObject([{ type: "pubrel", packetId: 1 }]);
  again.send({ type: "pubcomp", packetId: 1 });
  again.drop();
  const last = world.open();
  await last.connect("one", { isCleanStart: false });
  expect(last.packets()).toEqual([]);
});

test("a refused publish is told, not routed, and acknowledged or the end, by behaviour", async () => {
  const rights = { publish: () => ({ code: "access.topic_denied", received: "t" }), subscribe: () => ({ qos: 0 as const }) };
  for (const protocolVersion of [4, 5] as const) {
    const world = await new TestBroker({ admission: { rights } }).start();
    const client = world.open();
    await client.connect("one", { protocolVersion });
    client.publish("t", "x", 1, { packetId: 1 });
    expect(client.packets()).toMatchObject([
      protocolVersion === 5 ? { type: "puback", packetId: 1, reasonCode: 0x87 } : { type: "puback", packetId: 1 },
    ]);
    expect(world.named("publishRefused")).toEqual([
      { sessionId: "one", subject: "one", topic: "t", qos: 1, refusal: { code: "access.topic_denied", received: "t" } },
    ]);
    const strict = await new TestBroker({ admission: { rights }, behaviour: { onPublishRefused: "disconnect" } }).start();
    const closed = strict.open();
    await closed.connect("one", { protocolVersion });
    closed.publish("t", "x", 1, { packetId: 1 });
    expect(closed.isClosed).toBe(true);
    expect(closed.packets().map((packet) => packet.type)).toEqual(protocolVersion === 5 ? ["puback", "disconnect"] : []);
    expect(strict.named("disconnected")).toMatchObject([{ reason: "refused", refusal: { code: "access.topic_denied" } }]);
  }
});

test("[MQTT-3.2.2-11] a QoS above the maximum disconnects or is dropped, by behaviour", async () => {
  const strict = await new TestBroker({ behaviour: { qosMax: 1 } }).start();
  const client = strict.open();
  await client.connect("one", { protocolVersion: 5 });
  client.publish("t", "x", 2);
  expect(client.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x9b }]);
  const mild = await new TestBroker({ behaviour: { qosMax: 1, onQosAboveMax: "drop" } }).start();
  const other = mild.open();
  await other.connect("one");
  other.publish("t", "x", 2);
  expect([other.isClosed, other.packets()]).toEqual([false, []]);
  expect(mild.named("publishRefused")).toMatchObject([{ refusal: { code: "mqtt.qos_not_supported" } }]);
});

test("delivery QoS: the minimum by the standard, the publisher's by a dialect's wish", async () => {
  for (const [deliveryQos, expected] of [
    ["minimum", [0, 0]],
    ["publisher", [0, 1]],
  ] as const) {
    const world = await new TestBroker({ behaviour: { deliveryQos } }).start();
    const client = world.open();
    await client.connect("one");
    client.subscribe("t", 0);
    world.broker.publish({ topic: "t", payload: Buffer.from("x"), qos: 0 });
    world.broker.publish({ topic: "t", payload: Buffer.from("x"), qos: 1 });
    world.clock.endTurn();
    expect(client.publishes().map((packet) => packet.qos)).toEqual(expected);
  }
});

test("[MQTT-3.3.2-7] topic aliases: set, used, replaced, unknown and out of range", async () => {
  const world = await new TestBroker({ behaviour: { topicAliasMax: 2 } }).start();
  const client = world.open();
  const listener = world.open();
  await listener.connect("listener", { protocolVersion: 5 });
  listener.subscribe("#");
  await client.connect("one", { protocolVersion: 5 });
  client.publish("a", "1", 0, { properties: { topicAlias: 1 } });
  client.publish("", "2", 0, { properties: { topicAlias: 1 } });
  client.publish("b", "3", 0, { properties: { topicAlias: 1 } });
  client.publish("", "4", 0, { properties: { topicAlias: 1, contentType: "text" } });
  expect(listener.publishes().map((packet) => [packet.topic, packet.properties])).toEqual([
    ["a", undefined],
    ["a", undefined],
    ["b", undefined],
    ["b", { contentType: "text" }],
  ]);
  client.publish("", "5", 0, { properties: { topicAlias: 2 } });
  expect(client.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
  const other = world.open();
  await other.connect("two", { protocolVersion: 5 });
  other.publish("a", "x", 0, { properties: { topicAlias: 3 } });
  expect(other.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x94 }]);
});

test("[MQTT-3.3.4-7] more unanswered publishes than Receive Maximum end an MQTT 5 client; a 3.x client is not read", async () => {
  const journal = new RememberingJournal();
  const world = await new TestBroker({ journal, behaviour: { receiveMaximum: 2 } }).start();
  const offline = world.open();
  await offline.connect("offline", { isCleanStart: false });
  offline.subscribe("owed", 1);
  offline.drop();
  journal.isQuick = false;
  const five = world.open();
  await five.connect("five", { protocolVersion: 5 });
  for (let index = 0; index < 3; index += 1) five.publish("owed", "x", 1);
  expect(five.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x93 }]);
  const four = world.open();
  await four.connect("four");
  for (let index = 0; index < 2; index += 1) four.publish("owed", "x", 1);
  expect(four.transport.isPaused).toBe(true);
  journal.commit();
  world.clock.endTurn();
  expect(four.transport.isPaused).toBe(false);
  expect(four.packets()).toHaveLength(2);
});

test("payload and topic limits refuse the publish with what came and what was expected", async () => {
  const world = await new TestBroker({ behaviour: { payloadBytesMax: 3, topicBytesMax: 5 } }).start();
  const client = world.open();
  await client.connect("one");
  client.subscribe("#");
  client.publish("t", "1234");
  client.publish("toolong", "1");
  client.publish("fits!", "123");
  expect(client.texts()).toEqual(["123"]);
  expect(world.named("publishRefused").map((event) => event.refusal)).toEqual([
    { code: "mqtt.payload_too_large", received: "4 bytes", expected: "at most 3 bytes" },
    { code: "mqtt.topic_too_long", received: "7 bytes", expected: "at most 5 bytes" },
  ]);
});

test("3.1.1 and 5.0 clients exchange messages, and one read buffer may be reused at once", async () => {
  const world = await new TestBroker().start();
  const [four, five] = [world.open(), world.open()];
  await four.connect("four", { isCleanStart: false });
  await five.connect("five", { protocolVersion: 5 });
  four.subscribe("t", 1);
  five.subscribe("t", 1);
  const bytes = Buffer.from([0x30, 6, 0, 1, 0x74, 0x61, 0x62, 0x63, 0x32, 6, 0, 1, 0x74, 0, 9, 0x64]);
  four.connection.receive(bytes);
  bytes.fill(0xff);
  world.clock.endTurn();
  expect(five.texts()).toEqual(["abc", "d"]);
  expect(four.texts()).toEqual(["abc", "d"]);
  four.drop();
  const again = world.open();
  await again.connect("four", { isCleanStart: false });
  expect(again.publishes().map((packet) => [packet.isDuplicate, Buffer.from(packet.payload).toString()])).toEqual([[true, "d"]]);
});

test("a tap that throws closes the session that hit it, tells once, and others go on", async () => {
  const world = await new TestBroker({
    admission: {
      rights: {
        publish: (topic) => ({
          isRouted: true,
          taps: [
            () => {
              if (topic === "bad") throw new Error("bug");
              return undefined;
            },
          ],
        }),
        subscribe: (_filter, qos) => ({ qos }),
      },
    },
  }).start();
  const [victim, other] = [world.open(), world.open()];
  await victim.connect("victim", { protocolVersion: 5 });
  await other.connect("other");
  other.subscribe("good");
  victim.publish("bad", "x", 1);
  expect(victim.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x83 }]);
  expect(world.bugs).toHaveLength(1);
  other.publish("good", "x");
  expect(other.texts()).toEqual(["x"]);
});

test("a tap may close its own publisher: nothing is written behind the end", async () => {
  let world: TestBroker | undefined;
  world = await new TestBroker({
    admission: {
      rights: {
        publish: () => ({
          isRouted: true,
          taps: [
            () => {
              world?.broker.kick("one", "kicked");
              return undefined;
            },
          ],
        }),
        subscribe: (_filter, qos) => ({ qos }),
      },
    },
  }).start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5 });
  client.packets();
  const { transport } = client;
  client.publish("t", "x", 1);
  const { writes } = transport;
  world.clock.endTurn();
  expect(client.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x98 }]);
  expect(transport.writes).toBe(writes);
  expect(transport.writesAfterEnd).toBe(0);
  expect(world.bugs).toEqual([]);
});
