import { expect, test } from "vitest";
import { encodePacket, type Packet } from "../codec/index.ts";
import type { Gatekeeper } from "../ports.ts";
import { settlePromises } from "../testing/fake-clock.ts";
import { TestBroker, testBehaviour } from "../testing/test-broker.ts";

test("[MQTT-3.1.0-1] the first packet must be CONNECT", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  client.sendBytes(Buffer.from([0xc0, 0]));
  expect(client.isClosed).toBe(true);
  expect(world.named("refused")[0]?.refusal).toEqual({
    code: "mqtt.connect_expected",
    received: "first byte 0xc0",
    expected: "[MQTT-3.1.0-1] CONNECT (0x10)",
  });
});

test("[MQTT-3.1.0-2] a second CONNECT ends the connection and nobody else's", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  const other = world.open();
  await client.connect("one", { protocolVersion: 5 });
  await other.connect("two");
  client.send({ type: "connect", protocolVersion: 5, clientId: "one", isCleanStart: true, keepAliveSeconds: 0 });
  expect(client.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
  expect(client.isClosed).toBe(true);
  expect(other.isClosed).toBe(false);
  expect(world.named("disconnected")[0]).toMatchObject({
    sessionId: "one",
    reason: "protocol_error",
    refusal: { code: "mqtt.second_connect" },
  });
});

test("[MQTT-3.2.2-7] a refusing CONNACK carries the version's code and closes", async () => {
  const gatekeeper: Gatekeeper = { connect: async () => ({ code: "access.bad", received: "x", returnCode: 4, reasonCode: 0x86 }) };
  for (const [protocolVersion, reasonCode] of [
    [3, 4],
    [4, 4],
    [5, 0x86],
  ] as const) {
    const world = await new TestBroker({ gatekeeper }).start();
    const client = world.open();
    expect(await client.connect("one", { protocolVersion, userName: "u" })).toMatchObject({ reasonCode, isSessionPresent: false });
    expect(client.isClosed).toBe(true);
    expect(world.named("refused")).toMatchObject([{ clientId: "one", userName: "u", refusal: { code: "access.bad", received: "x" } }]);
    expect(world.broker.statistics()).toMatchObject({ sessions: 0, connections: 0 });
  }
});

test("[MQTT-3.1.2-2] an unknown version is answered with return code 1", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  const bytes = encodePacket({ type: "connect", protocolVersion: 4, clientId: "one", isCleanStart: true, keepAliveSeconds: 0 }, 4);
  bytes[8] = 9;
  client.sendBytes(bytes);
  expect(client.isClosed).toBe(true);
  expect(Buffer.concat(client.transport.received).subarray(0, 2)).toEqual(Buffer.from([0x20, 2]));
  expect(world.named("refused")).toMatchObject([{ refusal: { code: "mqtt.unsupported_version" } }]);
});

test("[MQTT-3.1.3-8] 3.1.1 without identifier needs a clean session; [MQTT-3.1.3-6] an identifier is assigned", async () => {
  const world = await new TestBroker().start();
  expect((await world.open().connect("", { isCleanStart: false })).reasonCode).toBe(2);
  expect((await world.open().connect("", {})).reasonCode).toBe(0);
  const connack = await world.open().connect("", { protocolVersion: 5 });
  expect(connack.properties?.assignedClientIdentifier).toBe(`auto-${"07".repeat(12)}`);
});

test("[MQTT-3.2.2.3] an MQTT 5 client is told what differs from its assumptions", async () => {
  const world = await new TestBroker({
    behaviour: {
      qosMax: 1,
      retain: "deliver",
      wildcards: false,
      sharedSubscriptions: false,
      topicAliasMax: 7,
      receiveMaximum: 33,
      sessionExpirySecondsMax: 60,
    },
    admission: { keepAliveSeconds: 30 },
    limits: { packetBytesMax: 1000 },
  }).start();
  const properties = { sessionExpiryIntervalSeconds: 100 };
  expect((await world.open().connect("one", { protocolVersion: 5, keepAliveSeconds: 10, properties })).properties).toEqual({
    maximumPacketSizeBytes: 1000,
    sessionExpiryIntervalSeconds: 60,
    receiveMaximum: 33,
    maximumQoS: 1,
    retainAvailable: 0,
    topicAliasMaximum: 7,
    wildcardSubscriptionAvailable: 0,
    sharedSubscriptionAvailable: 0,
    serverKeepAliveSeconds: 30,
  });
});

test("[MQTT-3.1.4-5] packets sent behind CONNECT wait for the gatekeeper, bounded, with the stream paused", async () => {
  const world = await new TestBroker({ limits: { heldBytesMax: 200 } }).start();
  const listener = world.open();
  await listener.connect("listener");
  listener.subscribe("t");
  const connect = encodePacket({ type: "connect", protocolVersion: 4, clientId: "eager", isCleanStart: true, keepAliveSeconds: 0 }, 4);
  const publish = (bytes: number) =>
    encodePacket({ type: "publish", topic: "t", payload: Buffer.alloc(bytes, "x"), qos: 0, isDuplicate: false, isRetained: false }, 4);
  const eager = world.open();
  eager.sendBytes(Buffer.concat([connect, publish(10), publish(20)]));
  expect(eager.transport.isPaused).toBe(true);
  expect(listener.packets()).toEqual([]);
  await settlePromises();
  world.clock.endTurn();
  expect(eager.transport.isPaused).toBe(false);
  expect(listener.publishes().map((packet) => packet.payload.length)).toEqual([10, 20]);

  const flood = world.open();
  flood.sendBytes(Buffer.concat([connect, publish(150), publish(150)]));
  expect(flood.isClosed).toBe(true);
  expect(world.named("refused")).toMatchObject([{ clientId: "eager", refusal: { code: "mqtt.held_bytes_exceeded" } }]);
});

test("a stream without CONNECT, or one the gatekeeper forgets, is closed in time", async () => {
  const world = await new TestBroker({ gatekeeper: { connect: () => new Promise(() => {}) } }).start();
  const silent = world.open();
  const waiting = world.open();
  waiting.send({ type: "connect", protocolVersion: 4, clientId: "one", isCleanStart: true, keepAliveSeconds: 0 });
  world.clock.advance(9_400);
  expect([silent.isClosed, waiting.isClosed]).toEqual([false, false]);
  world.clock.advance(1_200);
  expect([silent.isClosed, waiting.isClosed]).toEqual([true, true]);
  expect(world.named("refused").map((event) => event.refusal)).toMatchObject([
    { code: "mqtt.connect_timeout" },
    { code: "mqtt.connect_timeout" },
  ]);
});

test("an unknown peer may send a small CONNECT only; an admitted one up to the packet limit", async () => {
  const world = await new TestBroker({ limits: { connectBytesMax: 100, packetBytesMax: 1000 } }).start();
  const large = world.open();
  large.send({ type: "connect", protocolVersion: 4, clientId: "x".repeat(200), isCleanStart: true, keepAliveSeconds: 0 });
  expect(large.isClosed).toBe(true);
  const client = world.open();
  await client.connect("one", { protocolVersion: 5 });
  client.publish("t", "x".repeat(500));
  expect(client.isClosed).toBe(false);
  client.publish("t", "x".repeat(1000));
  expect(client.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x95 }]);
  expect(world.named("disconnected")).toMatchObject([{ reason: "packet_too_large" }]);
});

test("[MQTT-3.1.4-3] the same identity takes over: the old connection ends before the new one is announced", async () => {
  for (const protocolVersion of [4, 5] as const) {
    const world = await new TestBroker().start();
    const old = world.open();
    await old.connect("one", { protocolVersion });
    const fresh = world.open();
    await fresh.connect("one", { protocolVersion });
    expect(old.packets()).toEqual(protocolVersion === 5 ? [{ type: "disconnect", reasonCode: 0x8e }] : []);
    expect([old.isClosed, fresh.isClosed]).toEqual([true, false]);
    expect(world.events.map((entry) => entry.name)).toEqual(["connected", "disconnected", "connected"]);
    expect(world.named("disconnected")[0]).toMatchObject({ reason: "taken_over", subject: "one" });
    expect(world.broker.isConnected("one")).toBe(true);
  }
});

test("a gatekeeper that throws is a bug of ours: that stream closes, others go on", async () => {
  let isBroken = true;
  const world = await new TestBroker({
    gatekeeper: {
      connect: async () => {
        if (isBroken) throw new Error("broken");
        return { code: "no", returnCode: 5, reasonCode: 0x87 };
      },
    },
  }).start();
  const client = world.open();
  client.send({ type: "connect", protocolVersion: 4, clientId: "one", isCleanStart: true, keepAliveSeconds: 0 });
  await settlePromises();
  expect(client.isClosed).toBe(true);
  expect(world.bugs).toHaveLength(1);
  isBroken = false;
  expect((await world.open().connect("two")).reasonCode).toBe(5);
});

test("a client that leaves while the gatekeeper thinks is not admitted", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  client.send({ type: "connect", protocolVersion: 4, clientId: "one", isCleanStart: true, keepAliveSeconds: 0 });
  client.drop();
  await settlePromises();
  expect(world.broker.isConnected("one")).toBe(false);
  expect(world.events).toEqual([]);
});

test("other nodes are told of the session before the client is admitted, and get what is published here", async () => {
  const said: string[] = [];
  const world: TestBroker = await new TestBroker({
    peers: {
      claimSession: async (sessionId) => void said.push(`claim ${sessionId}, connected here: ${world.broker.isConnected(sessionId)}`),
      forward: ({ topic, payload, hops, publisherSessionId }) =>
        void said.push(`${topic} ${Buffer.from(payload)} ${hops} ${publisherSessionId}`),
    },
  }).start();
  const client = world.open();
  await client.connect("one");
  client.publish("t", "from a client");
  world.broker.publish({ topic: "t", payload: Buffer.from("from the cloud"), qos: 0, hops: 2 });
  expect(said).toEqual(["claim one, connected here: false", "t from a client 0 one", "t from the cloud 2 undefined"]);
});

/** Answers in the call, as a gatekeeper does that has everything in memory. */
const promptGatekeeper: Gatekeeper = {
  connect: ({ clientId, keepAliveSeconds, userName }) => {
    if (userName === "bug") throw new Error("broken gatekeeper");
    if (userName === "no") return { code: "access.bad", returnCode: 4, reasonCode: 0x86 };
    return {
      sessionId: clientId,
      rights: { publish: () => ({ isRouted: true, taps: [] }), subscribe: (_filter, qos) => ({ qos }) },
      behaviour: testBehaviour,
      keepAliveSeconds,
      subject: clientId,
    };
  },
};

test("a gatekeeper that knows at once: CONNACK comes first, then what the same read brought", async () => {
  const world = await new TestBroker({ gatekeeper: promptGatekeeper }).start();
  const client = world.open();
  const connect = { type: "connect", protocolVersion: 4, clientId: "one", isCleanStart: true, keepAliveSeconds: 0 } as const;
  const subscribe: Packet = {
    type: "subscribe",
    packetId: 7,
    subscriptions: [{ filter: "t", qos: 0, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 }],
  };
  client.sendBytes(Buffer.concat([encodePacket(connect, 4), encodePacket(subscribe, 4), Buffer.from([0xc0, 0])]));
  expect(client.packets().map(({ type }) => type)).toEqual(["connack", "suback", "pingresp"]);
  expect(client.transport.isPaused).toBe(false);
  const newer = world.open();
  newer.sendBytes(encodePacket(connect, 4));
  expect(newer.packets()).toMatchObject([{ type: "connack", reasonCode: 0 }]);
  expect(client.isClosed).toBe(true);
  expect(world.named("disconnected")).toMatchObject([{ sessionId: "one", reason: "taken_over" }]);
});

test("a gatekeeper that refuses or breaks at once costs that connection only", async () => {
  const world = await new TestBroker({ gatekeeper: promptGatekeeper }).start();
  for (const userName of ["no", "bug"]) {
    const client = world.open();
    client.send({ type: "connect", protocolVersion: 4, clientId: "one", isCleanStart: true, keepAliveSeconds: 0, userName });
    expect(client.isClosed).toBe(true);
  }
  expect(world.named("refused")[0]).toMatchObject({ refusal: { code: "access.bad" } });
  expect(world.bugs).toHaveLength(1);
  expect(world.broker.statistics()).toMatchObject({ sessions: 0, connections: 0 });
});
