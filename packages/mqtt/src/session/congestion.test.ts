import { expect, test } from "vitest";
import { encodePacket } from "../codec/index.ts";
import { TestBroker } from "../testing/test-broker.ts";

const limits = {
  outgoingBytesSoftMax: 10_000,
  outgoingBytesHardMax: 50_000,
  pauseMilliseconds: 2_000,
  slowReaderMilliseconds: 10_000,
  sweepMilliseconds: 500,
};
const text = "x".repeat(4_000);

async function stalledWorld(qos: 0 | 1 = 0) {
  const world = await new TestBroker({ limits, behaviour: { inflightMax: 5, queueMessagesMax: 20 } }).start();
  const [slow, quick, publisher] = [world.open(), world.open(), world.open()];
  await slow.connect("slow");
  await quick.connect("quick");
  await publisher.connect("publisher");
  slow.subscribe("t", qos);
  quick.subscribe("t", qos);
  quick.subscribe("other", qos);
  slow.transport.isReading = false;
  return { world, slow, quick, publisher };
}

test("a publisher is not read while its subscriber is behind, and is read again when that has caught up", async () => {
  const { world, slow, quick, publisher } = await stalledWorld();
  for (let index = 0; index < 4; index += 1) publisher.publish("t", text);
  expect(publisher.transport.isPaused).toBe(true);
  slow.transport.read();
  slow.connection.drained();
  expect(publisher.transport.isPaused).toBe(false);
  expect([slow.publishes().length, quick.publishes().length]).toEqual([4, 4]);
  expect(world.named("dropped")).toEqual([]);
});

test("a held publisher is not taken for silent", async () => {
  const { world, publisher } = await stalledWorld();
  const device = world.open();
  await device.connect("device", { keepAliveSeconds: 1 });
  for (let index = 0; index < 4; index += 1) device.publish("t", text);
  expect(device.transport.isPaused).toBe(true);
  world.clock.advance(1_900);
  expect([device.isClosed, publisher.isClosed]).toEqual([false, false]);
});

test("a held publisher that is closed is read again, so that its stream can end", async () => {
  const { world, publisher } = await stalledWorld();
  for (let index = 0; index < 4; index += 1) publisher.publish("t", text);
  expect(publisher.transport.isPaused).toBe(true);
  world.broker.kick("publisher", "kicked");
  expect([publisher.transport.isPaused, publisher.isClosed]).toEqual([false, true]);
});

test("after the deadline the publisher goes on, the slow reader loses QoS 0 only, and is closed in the end", async () => {
  const { world, slow, quick, publisher } = await stalledWorld();
  for (let index = 0; index < 4; index += 1) publisher.publish("t", text);
  world.clock.advance(2_600);
  expect(publisher.transport.isPaused).toBe(false);
  publisher.publish("t", text);
  expect(publisher.transport.isPaused).toBe(false);
  expect(world.named("dropped")).toEqual([{ sessionId: "slow", topic: "t", qos: 0, reason: "slow_reader" }]);
  expect(quick.publishes()).toHaveLength(5);
  world.clock.advance(10_500);
  expect(slow.transport.isDestroyed).toBe(true);
  expect(world.named("disconnected")).toMatchObject([
    { sessionId: "slow", reason: "quota_exceeded", refusal: { code: "mqtt.slow_reader" } },
  ]);
  expect(publisher.isClosed).toBe(false);
});

test("a slow reader that catches up gets its queued QoS 1 messages in order", async () => {
  const { world, slow, publisher } = await stalledWorld(1);
  const wide = world.open();
  await wide.connect("wide", { isCleanStart: false });
  for (let index = 0; index < 8; index += 1) publisher.publish("t", `${index}${text}`, 1);
  world.clock.advance(2_600);
  slow.transport.read();
  slow.connection.drained();
  world.clock.endTurn();
  const seen: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    for (const packet of slow.publishes()) {
      seen.push(Buffer.from(packet.payload).toString().charAt(0));
      slow.send({ type: "puback", packetId: packet.packetId ?? 0 });
    }
  }
  expect(seen.join("")).toBe("01234567");
  expect(world.named("dropped")).toEqual([]);
});

test("a client that reads but does not acknowledge holds its publishers for the deadline only; its bounded queue drops the oldest", async () => {
  const { world, slow, quick, publisher } = await stalledWorld(1);
  slow.transport.isReading = true;
  const small = (count: number): void => {
    for (let index = 0; index < count; index += 1) publisher.publish("t", "x", 1);
    for (const packet of quick.publishes()) quick.send({ type: "puback", packetId: packet.packetId ?? 0 });
  };
  for (let round = 0; round < 4; round += 1) small(4);
  expect(publisher.transport.isPaused).toBe(true);
  world.clock.advance(2_600);
  expect(publisher.transport.isPaused).toBe(false);
  for (let round = 0; round < 4; round += 1) small(4);
  expect(publisher.transport.isPaused).toBe(false);
  expect(world.named("dropped").map((event) => [event.sessionId, event.reason])).toEqual(
    Array.from({ length: 7 }, () => ["slow", "queue_full"]),
  );
  expect(slow.isClosed).toBe(false);
});

test("flood: memory of one stalled reader stays below its hard limit whatever arrives", async () => {
  const { world, slow, publisher } = await stalledWorld();
  const packet = encodePacket(
    { type: "publish", topic: "t", payload: Buffer.alloc(1_000), qos: 0, isDuplicate: false, isRetained: false },
    4,
  );
  const burst = Buffer.concat(Array.from({ length: 60 }, () => packet));
  let largest = 0;
  for (let round = 0; round < 100; round += 1) {
    // A front door that cannot pause in time: the engine must bear what still comes.
    publisher.sendBytes(burst);
    largest = Math.max(largest, slow.transport.bufferedBytes);
  }
  expect(largest).toBeGreaterThan(limits.outgoingBytesSoftMax);
  expect(largest).toBeLessThan(limits.outgoingBytesHardMax + 2 * packet.length);
  const { messagesDropped } = world.broker.statistics();
  expect(messagesDropped).toBeGreaterThan(5_000);
  expect(world.named("dropped").every((event) => event.sessionId === "slow" && event.reason === "slow_reader")).toBe(true);
});

test("one write per connection and turn, however many packets", async () => {
  const world = await new TestBroker().start();
  const [client, publisher] = [world.open(), world.open()];
  await client.connect("client");
  await publisher.connect("publisher");
  client.subscribe("t");
  const packet = encodePacket({ type: "publish", topic: "t", payload: Buffer.alloc(20), qos: 0, isDuplicate: false, isRetained: false }, 4);
  const writes = client.transport.writes;
  publisher.sendBytes(Buffer.concat(Array.from({ length: 50 }, () => packet)));
  expect(client.publishes()).toHaveLength(50);
  expect(client.transport.writes).toBe(writes + 1);
});

test("payloads of every size around the slab borders arrive whole", async () => {
  const world = await new TestBroker().start();
  const [client, publisher] = [world.open(), world.open()];
  await client.connect("client");
  await publisher.connect("publisher");
  client.subscribe("#", 1);
  const sizes = [0, 1, 120, 128, 2_000, 2_045, 2_050, 16_370, 16_384, 16_390, 65_500, 65_540, 200_000];
  for (const qos of [0, 1] as const) {
    for (const size of sizes) publisher.publish("t", "y".repeat(size), qos);
    const publishes = client.publishes();
    expect(publishes.map((packet) => packet.payload.length)).toEqual(sizes);
    expect(publishes.every((packet) => packet.payload.every((byte) => byte === 0x79))).toBe(true);
    for (const { packetId } of publishes) if (packetId !== undefined) client.send({ type: "puback", packetId });
  }
});

test("slow readers together stay within the broker's memory, whoever publishes; a client that reads is not touched", async () => {
  const world = await new TestBroker({ limits: { ...limits, outgoingBytesTotalMax: 60_000 } }).start();
  const readers = ["a", "b", "c", "d"].map((id) => ({ id, client: world.open() }));
  const quick = world.open();
  await quick.connect("quick");
  quick.subscribe("t", 0);
  for (const { id, client } of readers) {
    await client.connect(id);
    client.subscribe("t", 0);
    client.transport.isReading = false;
  }
  const payload = Buffer.from(text);
  for (let index = 0; index < 20; index += 1) {
    // Nobody is held: messages of the cloud have no publisher that could wait.
    world.broker.publish({ topic: "t", payload, qos: 0 });
    world.clock.endTurn();
  }
  const waiting = readers.reduce((sum, { client }) => sum + client.transport.bufferedBytes, 0);
  // What comes in the turn that fills it, and one message more for each.
  expect(waiting).toBeLessThan(60_000 + 2 * readers.length * (text.length + 10));
  expect(quick.publishes()).toHaveLength(20);
  expect(world.named("dropped").length).toBeGreaterThan(20);

  // Their memory is given back when they go: the next one has room.
  for (const { client } of readers) client.connection.closed();
  const late = world.open();
  await late.connect("late");
  late.subscribe("t", 0);
  late.transport.isReading = false;
  const droppedBefore = world.named("dropped").length;
  for (let index = 0; index < 10; index += 1) {
    world.broker.publish({ topic: "t", payload, qos: 0 });
    world.clock.endTurn();
  }
  expect(late.transport.bufferedBytes).toBeGreaterThan(40_000);
  expect(world.named("dropped")).toHaveLength(droppedBefore);
});
