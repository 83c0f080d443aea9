import fc from "fast-check";
import { expect, test } from "vitest";
import { RememberingJournal } from "../testing/remembering-journal.ts";
import { TestBroker } from "../testing/test-broker.ts";
import type { TestClient } from "../testing/test-client.ts";

const kept = { isCleanStart: false };

function publishFromCloud(world: TestBroker, topic: string, ...texts: string[]): void {
  for (const text of texts) world.broker.publish({ topic, payload: Buffer.from(text), qos: 1 });
  world.clock.endTurn();
}

async function offlineSession(world: TestBroker, name = "one"): Promise<void> {
  const client = world.open();
  await client.connect(name, kept);
  client.subscribe("t", 1);
  client.drop();
}

test("[MQTT-3.1.2-5] a kept session gets what it was owed, in order, at QoS 1 and above only", async () => {
  const world = await new TestBroker().start();
  await offlineSession(world);
  publishFromCloud(world, "t", "a", "b");
  world.broker.publish({ topic: "t", payload: Buffer.from("zero"), qos: 0 });
  publishFromCloud(world, "t", "c");
  const client = world.open();
  expect((await client.connect("one", kept)).isSessionPresent).toBe(true);
  expect(client.texts()).toEqual(["a", "b", "c"]);
});

test("[MQTT-3.1.2-6] a clean start forgets the session; [MQTT-3.2.2-2] no session is present then", async () => {
  const world = await new TestBroker().start();
  await offlineSession(world);
  publishFromCloud(world, "t", "a");
  const client = world.open();
  expect((await client.connect("one")).isSessionPresent).toBe(false);
  expect(client.packets()).toEqual([]);
  expect(world.broker.subscriptionsOf("one")).toEqual([]);
});

test("[MQTT-4.4.0-1] unanswered deliveries are repeated with DUP and their identifier, before what is new", async () => {
  const world = await new TestBroker({ behaviour: { inflightMax: 2 } }).start();
  const client = world.open();
  await client.connect("one", kept);
  client.subscribe("t", 1);
  publishFromCloud(world, "t", "a", "b", "c", "d");
  expect(client.publishes().map((packet) => packet.packetId)).toEqual([1, 2]);
  client.send({ type: "puback", packetId: 1 });
  expect(client.texts()).toEqual(["c"]);
  client.drop();
  const again = world.open();
  await again.connect("one", kept);
  expect(again.publishes().map((packet) => [Buffer.from(packet.payload).toString(), packet.packetId, packet.isDuplicate])).toEqual([
    ["b", 2, true],
    ["c", 3, true],
  ]);
  again.send({ type: "puback", packetId: 2 });
  expect(again.publishes().map((packet) => [Buffer.from(packet.payload).toString(), packet.isDuplicate])).toEqual([["d", false]]);
});

test("[MQTT-3.3.4-9] the client's Receive Maximum bounds what is on its way, also after it shrank", async () => {
  const world = await new TestBroker().start();
  const options = (receiveMaximum: number) =>
    ({ protocolVersion: 5, ...kept, properties: { sessionExpiryIntervalSeconds: 60, receiveMaximum } }) as const;
  const client = world.open();
  await client.connect("one", options(3));
  client.subscribe("t", 1);
  publishFromCloud(world, "t", "a", "b", "c", "d");
  expect(client.texts()).toEqual(["a", "b", "c"]);
  client.drop();
  const again = world.open();
  await again.connect("one", options(1));
  // [MQTT-4.4.0-1] Each repeated under its own identifier, whenever its turn comes.
  expect(again.texts()).toEqual(["a"]);
  for (const [packetId, next] of [
    [1, "b"],
    [2, "c"],
    [3, "d"],
  ] as const) {
    again.send({ type: "puback", packetId });
    expect(again.texts()).toEqual([next]);
  }
});

test("queue limits drop the oldest and tell: count, bytes, age, message expiry", async () => {
  const world = await new TestBroker({ behaviour: { queueMessagesMax: 3, queueBytesMax: 20, queueAgeSecondsMax: 100 } }).start();
  await offlineSession(world);
  publishFromCloud(world, "t", "a", "b", "c", "d");
  publishFromCloud(world, "t", "x".repeat(15));
  expect(world.named("dropped").map((event) => event.reason)).toEqual(["queue_full", "queue_full"]);
  world.clock.advance(101_000);
  expect(world.named("dropped").map((event) => event.reason)).toEqual(["queue_full", "queue_full", "expired", "expired", "expired"]);
  world.broker.publish({ topic: "t", payload: Buffer.from("short"), qos: 1, properties: { messageExpiryIntervalSeconds: 10 } });
  world.broker.publish({ topic: "t", payload: Buffer.from("long"), qos: 1, properties: { messageExpiryIntervalSeconds: 50 } });
  world.clock.advance(20_100);
  const client = world.open();
  await client.connect("one", { protocolVersion: 5, ...kept, properties: { sessionExpiryIntervalSeconds: 60 } });
  // [MQTT-3.3.2-6] The expiry sent on is what remains.
  expect(client.publishes().map((packet) => packet.properties?.messageExpiryIntervalSeconds)).toEqual([30]);
  expect(world.broker.statistics().messagesDropped).toBe(6);
});

test("[MQTT-3.1.2-23] a session ends when its expiry passed, not before", async () => {
  const world = await new TestBroker({ behaviour: { sessionExpirySecondsMax: 100 } }).start();
  await offlineSession(world);
  world.clock.advance(99_000);
  expect(world.broker.statistics().sessions).toBe(1);
  world.clock.advance(2_000);
  expect(world.broker.statistics()).toMatchObject({ sessions: 0, subscriptions: 0 });
});

test("[MQTT-3.14.2-2] DISCONNECT may change the expiry, but not prolong a session that was to end", async () => {
  const world = await new TestBroker().start();
  const one = world.open();
  await one.connect("one", { protocolVersion: 5, properties: { sessionExpiryIntervalSeconds: 60 } });
  one.send({ type: "disconnect", properties: { sessionExpiryIntervalSeconds: 0 } });
  expect(world.broker.statistics().sessions).toBe(0);
  const two = world.open();
  await two.connect("two", { protocolVersion: 5 });
  two.send({ type: "disconnect", properties: { sessionExpiryIntervalSeconds: 60 } });
  expect(two.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
});

test("[MQTT-3.1.2-22] silence of one and a half keep-alives ends the connection; any packet prolongs it", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one", { keepAliveSeconds: 10 });
  world.clock.advance(14_000);
  client.send({ type: "pingreq" });
  expect(client.packets()).toEqual([{ type: "pingresp" }]);
  world.clock.advance(14_900);
  expect(client.isClosed).toBe(false);
  world.clock.advance(800);
  expect(client.isClosed).toBe(true);
  expect(world.named("disconnected")).toMatchObject([{ reason: "keep_alive_timeout", refusal: { code: "mqtt.keep_alive_timeout" } }]);
});

test("[MQTT-3.1.2-8] a will is published when the stream breaks, [MQTT-3.14.4-3] not after DISCONNECT, and may be ignored", async () => {
  for (const [will, isPolite, expected] of [
    ["publish", false, ["gone"]],
    ["publish", true, []],
    ["ignore", false, []],
  ] as const) {
    const world = await new TestBroker({ behaviour: { will } }).start();
    const listener = world.open();
    await listener.connect("listener");
    listener.subscribe("w");
    const client = world.open();
    await client.connect("one", { will: { topic: "w", payload: Buffer.from("gone"), qos: 0, isRetained: false } });
    if (isPolite) client.send({ type: "disconnect" });
    client.drop();
    expect(listener.texts()).toEqual(expected);
  }
});

test("[MQTT-3.1.3-9] a delayed will waits, is withdrawn by a return, and comes with the session's end", async () => {
  const world = await new TestBroker().start();
  const listener = world.open();
  await listener.connect("listener");
  listener.subscribe("w");
  const will = {
    topic: "w",
    payload: Buffer.from("gone"),
    qos: 0 as const,
    isRetained: false,
    properties: { willDelayIntervalSeconds: 10 },
  };
  const options = { protocolVersion: 5, ...kept, will, properties: { sessionExpiryIntervalSeconds: 60 } } as const;
  const client = world.open();
  await client.connect("one", options);
  client.drop();
  world.clock.advance(9_000);
  const back = world.open();
  await back.connect("one", options);
  world.clock.advance(9_000);
  expect(listener.texts()).toEqual([]);
  back.drop();
  world.clock.advance(11_000);
  expect(listener.texts()).toEqual(["gone"]);
  const last = world.open();
  await last.connect("one", options);
  last.drop();
  world.broker.endSession("one", "kicked");
  world.clock.endTurn();
  expect(listener.texts()).toEqual(["gone"]);
});

test("kick, endSession, deliver and close do what their names say", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5, properties: { sessionExpiryIntervalSeconds: 60 } });
  expect(world.broker.deliver("one", { topic: "t", payload: Buffer.from("x"), qos: 0 })).toBe("delivered");
  expect(world.broker.deliver("nobody", { topic: "t", payload: Buffer.from("x"), qos: 1 })).toBe("no_session");
  expect(world.broker.kick("one", "kicked", { code: "registry.device_disabled" })).toBe(true);
  expect(client.packets()).toMatchObject([{ type: "publish" }, { type: "disconnect", reasonCode: 0x98 }]);
  expect(world.broker.kick("one", "kicked")).toBe(false);
  expect(world.broker.deliver("one", { topic: "t", payload: Buffer.from("x"), qos: 1 })).toBe("queued");
  world.broker.endSession("one", "kicked");
  expect(world.broker.statistics().sessions).toBe(0);
  const last = world.open();
  await last.connect("two", { protocolVersion: 5 });
  await world.broker.close();
  expect(last.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x8b }]);
  expect(world.named("disconnected").map((event) => event.reason)).toEqual(["kicked", "server_shutdown"]);
});

test("[MQTT-3.1.2-24] a message larger than the client takes is not sent to it", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5, properties: { maximumPacketSizeBytes: 30 } });
  client.subscribe("t", 1);
  publishFromCloud(world, "t", "x".repeat(40), "small");
  world.broker.publish({ topic: "t", payload: Buffer.alloc(40), qos: 0 });
  expect(client.texts()).toEqual(["small"]);
  expect(world.named("dropped").map((event) => event.reason)).toEqual(["too_large", "too_large"]);
});

test("what the journal kept comes back after a restart: subscriptions, and messages queued or on their way", async () => {
  const journal = new RememberingJournal();
  const before = await new TestBroker({ journal, behaviour: { inflightMax: 1 } }).start();
  const client = before.open();
  await client.connect("one", kept);
  client.subscribe("t", 1);
  publishFromCloud(before, "t", "a", "b", "c");
  client.send({ type: "puback", packetId: 1 });
  expect(journal.owed).toBe(2);
  const after = await new TestBroker({ journal }).start();
  publishFromCloud(after, "t", "d");
  const again = after.open();
  expect((await again.connect("one", kept)).isSessionPresent).toBe(true);
  const publishes = again.publishes();
  expect(publishes.map((packet) => Buffer.from(packet.payload).toString())).toEqual(["b", "c", "d"]);
  for (const { packetId } of publishes) again.send({ type: "puback", packetId: packetId ?? 0 });
  expect(journal.owed).toBe(0);
});

test("an observer that throws in the sweep closes that client only, and the sweep goes on", async () => {
  const world = await new TestBroker().start();
  const [one, two] = [world.open(), world.open()];
  await one.connect("one", { keepAliveSeconds: 10 });
  await two.connect("two", { keepAliveSeconds: 20 });
  world.failNext("disconnected");
  world.clock.advance(16_000);
  expect(world.bugs).toHaveLength(1);
  world.clock.advance(15_000);
  expect([one.isClosed, two.isClosed]).toEqual([true, true]);
  expect(world.broker.statistics()).toMatchObject({ connections: 0, sessions: 0 });
});

type Step = "publish" | "acknowledge" | "drop" | "connect";

test("model: whatever the client does, each owed message arrives in order and nothing acknowledged comes again", async () => {
  const step = fc.constantFrom<Step>("publish", "publish", "acknowledge", "drop", "connect");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), async (steps, inflightMax) => {
      const world = await new TestBroker({ behaviour: { inflightMax } }).start();
      await offlineSession(world);
      let client: TestClient | undefined;
      /** The model: what is owed, oldest first. */
      const owed: string[] = [];
      let onTheWay: { text: string; packetId: number }[] = [];
      let published = 0;
      const read = (): void => {
        for (const packet of client?.publishes() ?? []) {
          onTheWay.push({ text: Buffer.from(packet.payload).toString(), packetId: packet.packetId ?? 0 });
        }
        expect(onTheWay.map((delivery) => delivery.text)).toEqual(client === undefined ? [] : owed.slice(0, inflightMax));
      };
      const connect = async (): Promise<void> => {
        client = world.open();
        onTheWay = [];
        await client.connect("one", kept);
      };
      for (const next of steps) {
        if (next === "publish") {
          published += 1;
          owed.push(String(published));
          publishFromCloud(world, "t", String(published));
        } else if (next === "connect" && client === undefined) await connect();
        else if (next === "drop" && client !== undefined) {
          client.drop();
          client = undefined;
          onTheWay = [];
        } else if (next === "acknowledge" && client !== undefined) {
          const oldest = onTheWay.shift();
          if (oldest !== undefined) {
            owed.shift();
            client.send({ type: "puback", packetId: oldest.packetId });
          }
        }
        read();
      }
    }),
    { numRuns: 100 },
  );
});
