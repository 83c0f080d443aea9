/** What a dialect may switch: each member of `SessionBehaviour`, of grants and refusals that is off unless asked for. Sections of the AWS IoT reference. */
import { expect, test } from "vitest";
import { encodePacket } from "../codec/index.ts";
import type { PublishGrant, Refusal, SessionBehaviour, SessionRights } from "../ports.ts";
import { TestBroker } from "../testing/test-broker.ts";

const v5 = { protocolVersion: 5 } as const;
const kept = { isCleanStart: false };
const kept5 = { ...v5, ...kept, properties: { sessionExpiryIntervalSeconds: 600 } };

const granted: PublishGrant = { isRouted: true, taps: [] };
const refusedText: Refusal = { code: "access.policy", received: "iot:Subscribe", expected: "an Allow" };

function rightsOf(rights: Partial<SessionRights>): SessionRights {
  return { publish: () => granted, subscribe: (_filter, qos) => ({ qos }), ...rights };
}

function brokerOf(behaviour: Partial<SessionBehaviour>, rights: Partial<SessionRights> = {}): Promise<TestBroker> {
  return new TestBroker({ behaviour, admission: { rights: rightsOf(rights) } }).start();
}

function filtersOf(world: TestBroker, sessionId: string): string[] {
  return world.broker.subscriptionsOf(sessionId).map(({ filter }) => filter);
}

const wanted = (filter: string) => ({ filter, qos: 1, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 }) as const;

test("5.6: a refused filter closes the connection where the dialect says so, and nothing of its packet is subscribed", async () => {
  const rights = { subscribe: (filter: string) => (filter === "no" ? refusedText : { qos: 1 as const }) };
  for (const protocolVersion of [4, 5] as const) {
    const world = await brokerOf({ onSubscribeRefused: "disconnect" }, rights);
    const client = world.open();
    await client.connect("one", { protocolVersion, isCleanStart: false, properties: { sessionExpiryIntervalSeconds: 60 } });
    client.send({ type: "subscribe", packetId: 1, subscriptions: [wanted("yes"), wanted("no")] });
    expect(client.isClosed).toBe(true);
    expect(client.packets()).toMatchObject(protocolVersion === 5 ? [{ type: "disconnect", reasonCode: 0x87 }] : []);
    expect(filtersOf(world, "one")).toEqual([]);
    expect(world.named("subscribeRefused")).toMatchObject([{ filter: "no", refusal: refusedText }]);
    expect(world.named("disconnected")).toMatchObject([{ reason: "refused", refusal: refusedText }]);
  }
});

test("a filter that the engine refuses is answered even where refusals close", async () => {
  const world = await brokerOf({ onSubscribeRefused: "disconnect", subscriptionsMax: 1 });
  const client = world.open();
  await client.connect("one");
  expect(client.subscribe("a", 1)).toBe(1);
  expect(client.subscribe("b")).toBe(0x80);
  expect(client.isClosed).toBe(false);
});

test("5.6: MQTT 5 is told the reason code of a refusal in SUBACK, PUBACK and DISCONNECT", async () => {
  const refuse = () => ({ ...refusedText, reasonCode: 0x97 });
  const world = await brokerOf({}, { publish: refuse, subscribe: refuse });
  const client = world.open();
  await client.connect("one", v5);
  expect(client.subscribe("t", 1)).toBe(0x97);
  client.publish("t", "x", 1);
  expect(client.packets()).toMatchObject([{ type: "puback", reasonCode: 0x97 }]);
  world.broker.kick("one", "kicked", refuse());
  client.endTurn();
  expect(client.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x97 }]);
  const strict = await brokerOf({ onPublishRefused: "disconnect" }, { publish: refuse });
  const other = strict.open();
  await other.connect("one", v5);
  other.publish("t", "x", 0);
  expect(other.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x97 }]);
});

test("6.1: a payload over the limit closes, also MQTT 5; without the switch it is treated as refused", async () => {
  for (const protocolVersion of [4, 5] as const) {
    const world = await brokerOf({ payloadBytesMax: 4, onPayloadTooLarge: "disconnect", onPublishRefused: "acknowledge" });
    const client = world.open();
    await client.connect("one", { protocolVersion });
    client.publish("t", "four", 1);
    expect(client.packets()).toMatchObject([{ type: "puback" }]);
    client.publish("t", "five!", 1);
    expect(client.packets()).toMatchObject(protocolVersion === 5 ? [{ type: "disconnect", reasonCode: 0x95 }] : []);
    expect(client.isClosed).toBe(true);
    expect(world.named("disconnected")).toMatchObject([{ reason: "packet_too_large" }]);
    expect(world.named("publishRefused")).toMatchObject([{ refusal: { code: "mqtt.payload_too_large" } }]);
  }
  const usual = await brokerOf({ payloadBytesMax: 4 });
  const client = usual.open();
  await client.connect("one");
  client.publish("t", "five!", 1);
  expect(client.packets()).toEqual([{ type: "puback", packetId: 1 }]);
});

test("6.1: a/# takes a/ and a/x but not a, where the dialect says so", async () => {
  const topics = ["sensor", "sensor/", "sensor/x", "sensor/x/y"];
  for (const [hashMatchesParent, expected] of [
    [false, topics.slice(1)],
    [true, topics],
  ] as const) {
    const world = await brokerOf({ hashMatchesParent });
    for (const topic of topics) world.broker.publish({ topic, payload: Buffer.from(topic), qos: 0, isRetained: true });
    const client = world.open();
    await client.connect("one");
    client.subscribe("sensor/#");
    // Retained ones too.
    expect(client.texts().sort()).toEqual(expected);
    for (const topic of topics) world.broker.publish({ topic, payload: Buffer.from(topic), qos: 0 });
    client.endTurn();
    expect(client.texts()).toEqual(expected);
  }
});

test("6.1: sensor/# of a shared subscription does not take sensor; members of another dialect still get it", async () => {
  const behaviours: Record<string, boolean> = { strict: false, usual: true };
  const base = await new TestBroker().start();
  const world = await new TestBroker({
    gatekeeper: {
      connect: async (packet, facts) => {
        const admission = await base.gatekeeper.connect(packet, facts);
        if ("code" in admission) return admission;
        const hashMatchesParent = behaviours[packet.clientId] ?? true;
        return { ...admission, behaviour: { ...admission.behaviour, hashMatchesParent } };
      },
    },
  }).start();
  const [strict, usual] = [world.open(), world.open()];
  await strict.connect("strict");
  strict.subscribe("$share/g/sensor/#");
  const publish = (topic: string) => world.broker.publish({ topic, payload: Buffer.from(topic), qos: 0 });
  expect(publish("sensor").delivered).toBe(0);
  expect(publish("sensor/x").delivered).toBe(1);
  await usual.connect("usual");
  usual.subscribe("$share/g/sensor/#");
  for (let round = 0; round < 4; round += 1) expect(publish("sensor").delivered).toBe(1);
  strict.endTurn();
  expect(strict.texts()).toEqual(["sensor/x"]);
  expect(usual.texts()).toEqual(["sensor", "sensor", "sensor", "sensor"]);
});

test("6.1: a session that comes back under another rule for # matches by it", async () => {
  let hashMatchesParent = true;
  const base = await new TestBroker().start();
  const world = await new TestBroker({
    gatekeeper: {
      connect: async (packet, facts) => {
        const admission = await base.gatekeeper.connect(packet, facts);
        return "code" in admission ? admission : { ...admission, behaviour: { ...admission.behaviour, hashMatchesParent } };
      },
    },
  }).start();
  const first = world.open();
  await first.connect("one", kept);
  first.subscribe("a/#");
  expect(world.broker.publish({ topic: "a", payload: Buffer.from("1"), qos: 0 }).delivered).toBe(1);
  hashMatchesParent = false;
  await world.open().connect("one", kept);
  expect(world.broker.publish({ topic: "a", payload: Buffer.from("2"), qos: 0 }).delivered).toBe(0);
});

test("6.4: retained messages come for the very topic only, with RETAIN 1; live ones carry RETAIN 0", async () => {
  const world = await brokerOf({ retainedForWildcards: false });
  const writer = world.open();
  await writer.connect("writer");
  writer.publish("a/b", "old", 1, { isRetained: true });
  const client = world.open();
  await client.connect("one");
  for (const filter of ["a/#", "a/+", "#", "$share/g/a/b"]) client.subscribe(filter, 1);
  expect(client.publishes()).toEqual([]);
  client.subscribe("a/b", 1);
  expect(client.publishes()).toMatchObject([{ topic: "a/b", isRetained: true }]);
  const other = world.open();
  await other.connect("other");
  other.subscribe("a/+", 1);
  writer.publish("a/b", "new", 1, { isRetained: true });
  expect(other.publishes()).toMatchObject([{ topic: "a/b", isRetained: false }]);
});

test("6.4: RETAIN without its permission is refused like every publish, in a will too", async () => {
  const retainRefusal: Refusal = { code: "access.policy", received: "iot:RetainPublish", reasonCode: 0x87 };
  const world = await brokerOf({ onPublishRefused: "disconnect" }, { publish: () => ({ ...granted, retainRefusal }) });
  const listener = world.open();
  await listener.connect("listener");
  listener.subscribe("#");
  const will = { topic: "w", payload: Buffer.from("gone"), qos: 0 as const, isRetained: true };
  const client = world.open();
  await client.connect("one", { ...kept5, will });
  client.publish("t", "allowed", 1);
  expect(client.packets()).toMatchObject([{ type: "puback", packetId: 1 }]);
  client.publish("t", "kept", 1, { isRetained: true });
  expect(client.packets()).toMatchObject([
    { type: "puback", reasonCode: 0x87 },
    { type: "disconnect", reasonCode: 0x87 },
  ]);
  expect(listener.texts()).toEqual(["allowed"]);
  expect(world.broker.listRetained(undefined, 10)).toEqual([]);
  expect(world.named("publishRefused").map(({ topic }) => topic)).toEqual(["t", "w"]);
});

test("6.1: a publish of QoS 2 ends the connection, MQTT 5 is told 0x9B; a filter of QoS 2 is granted 1", async () => {
  for (const protocolVersion of [4, 5] as const) {
    const world = await brokerOf({ qosMax: 1 });
    const client = world.open();
    const connack = await client.connect("one", { protocolVersion });
    expect(connack.properties?.maximumQoS).toBe(protocolVersion === 5 ? 1 : undefined);
    expect(client.subscribe("t", 2)).toBe(1);
    client.publish("t", "x", 2);
    expect(client.packets()).toMatchObject(protocolVersion === 5 ? [{ type: "disconnect", reasonCode: 0x9b }] : []);
    expect(client.isClosed).toBe(true);
  }
});

test("6.5: a will of QoS 2 is refused with CONNACK 0x9B", async () => {
  const world = await brokerOf({ qosMax: 1 });
  const will = { topic: "w", payload: Buffer.from("gone"), qos: 2 as const, isRetained: false };
  expect(await world.open().connect("one", { ...v5, will })).toMatchObject({ reasonCode: 0x9b });
});

test("6.1: who is taken over hears 0x8E, and the will is sent", async () => {
  const world = await brokerOf({});
  const listener = world.open();
  await listener.connect("listener");
  listener.subscribe("w");
  const client = world.open();
  await client.connect("one", { ...v5, will: { topic: "w", payload: Buffer.from("gone"), qos: 0, isRetained: false } });
  const newer = world.open();
  await newer.connect("one", v5);
  expect(client.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x8e }]);
  expect(listener.texts()).toEqual(["gone"]);
  expect(newer.isClosed).toBe(false);
  expect(world.named("disconnected")).toMatchObject([{ reason: "taken_over" }]);
});

test("6.3: a session of 3.1.1 is not resumed by MQTT 5 nor the other way; what it was owed is gone", async () => {
  for (const [first, second] of [
    [kept, kept5],
    [kept5, kept],
  ] as const) {
    const world = await brokerOf({ isSessionSharedByVersions: false });
    const one = world.open();
    await one.connect("one", first);
    one.subscribe("t", 1);
    one.drop();
    world.broker.publish({ topic: "t", payload: Buffer.from("owed"), qos: 1 });
    const other = world.open();
    expect(await other.connect("one", second)).toMatchObject({ isSessionPresent: false });
    expect(other.publishes()).toEqual([]);
    expect(filtersOf(world, "one")).toEqual([]);
    other.subscribe("t", 1);
    other.drop();
    const again = world.open();
    expect(await again.connect("one", second)).toMatchObject({ isSessionPresent: true });
    expect(filtersOf(world, "one")).toEqual(["t"]);
  }
});

test("7.1: CONNACK says what is available, how much is taken, and how long the session lives", async () => {
  const world = await brokerOf({
    qosMax: 1,
    subscriptionIdentifiers: false,
    receiveMaximum: 100,
    topicAliasMax: 8,
    packetBytesMax: 149_504,
    sessionExpirySecondsMax: 3600,
  });
  const { properties } = await world.open().connect("one", { ...v5, properties: { sessionExpiryIntervalSeconds: 604_800 } });
  expect(properties).toEqual({
    maximumQoS: 1,
    receiveMaximum: 100,
    topicAliasMaximum: 8,
    maximumPacketSizeBytes: 149_504,
    subscriptionIdentifierAvailable: 0,
    sessionExpiryIntervalSeconds: 3600,
  });
  // Not adjusted: not said.
  expect((await world.open().connect("two", kept5)).properties?.sessionExpiryIntervalSeconds).toBeUndefined();
});

test("7.1: a packet over the Maximum Packet Size of the session ends the connection", async () => {
  for (const protocolVersion of [4, 5] as const) {
    const world = await brokerOf({ packetBytesMax: 200 });
    const client = world.open();
    await client.connect("one", { protocolVersion });
    client.publish("t", "x".repeat(100), 0);
    expect(client.isClosed).toBe(false);
    client.publish("t", "x".repeat(200), 0);
    expect(client.packets()).toMatchObject(protocolVersion === 5 ? [{ type: "disconnect", reasonCode: 0x95 }] : []);
    expect(client.isClosed).toBe(true);
  }
});

test("7.1: using a subscription identifier that is not available ends the connection with 0xA1 and its reason", async () => {
  const world = await brokerOf({ subscriptionIdentifiers: false });
  const client = world.open();
  await client.connect("one", v5);
  client.send({ type: "subscribe", packetId: 1, subscriptions: [wanted("t")], properties: { subscriptionIdentifiers: [5] } });
  expect(client.packets()).toMatchObject([
    {
      type: "disconnect",
      reasonCode: 0xa1,
      properties: { reasonString: expect.stringContaining("mqtt.subscription_identifiers_not_supported") },
    },
  ]);
  expect(world.broker.subscriptionsOf("one")).toEqual([]);
  const quiet = world.open();
  await quiet.connect("two", { ...v5, properties: { requestProblemInformation: 0 } });
  quiet.send({ type: "subscribe", packetId: 1, subscriptions: [wanted("t")], properties: { subscriptionIdentifiers: [5] } });
  expect(quiet.packets()).toEqual([{ type: "disconnect", reasonCode: 0xa1 }]);
});

test("7.2: a message expiry is kept within its bounds, that of a will too", async () => {
  const messageExpirySeconds = { min: 1, max: 604_800 };
  for (const [bounds, sent, expected] of [
    [messageExpirySeconds, 0, 1],
    [messageExpirySeconds, 700_000, 604_800],
    [messageExpirySeconds, 30, 30],
    [undefined, 700_000, 700_000],
  ] as const) {
    const world = await brokerOf(bounds === undefined ? {} : { messageExpirySeconds: bounds });
    const listener = world.open();
    await listener.connect("listener", v5);
    listener.subscribe("#");
    const properties = { messageExpiryIntervalSeconds: sent, userProperties: [["a", "b"]] as [string, string][] };
    const client = world.open();
    await client.connect("one", { ...v5, will: { topic: "w", payload: Buffer.from("gone"), qos: 0, isRetained: false, properties } });
    client.publish("t", "x", 0, { properties });
    client.drop();
    listener.endTurn();
    const got = listener.publishes().map((packet) => packet.properties);
    const whole = { messageExpiryIntervalSeconds: expected, userProperties: [["a", "b"]] };
    expect(got).toEqual([whole, whole]);
  }
});

test("7.2: DISCONNECT may shorten the session but not begin one; to 0 ends it now", async () => {
  const world = await brokerOf({});
  const client = world.open();
  await client.connect("one", kept5);
  client.send({ type: "disconnect", properties: { sessionExpiryIntervalSeconds: 0 } });
  expect(world.broker.statistics().sessions).toBe(0);
  const brief = world.open();
  await brief.connect("two", v5);
  brief.send({ type: "disconnect", properties: { sessionExpiryIntervalSeconds: 60 } });
  expect(brief.packets()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
  expect(world.broker.statistics().sessions).toBe(0);
});

test("5.6: a CONNECT may be refused without a word; the log hears of it", async () => {
  for (const protocolVersion of [4, 5] as const) {
    const refusal = { code: "access.denied", isSilent: true, returnCode: 5, reasonCode: 0x87 } as const;
    const world = await new TestBroker({ gatekeeper: { connect: () => refusal } }).start();
    const client = world.open();
    client.sendBytes(
      encodePacket({ type: "connect", protocolVersion, clientId: "one", isCleanStart: true, keepAliveSeconds: 0 }, protocolVersion),
    );
    expect(client.packets()).toEqual([]);
    expect(client.isClosed).toBe(true);
    expect(world.named("refused")).toMatchObject([{ clientId: "one", refusal: { code: "access.denied" } }]);
  }
});

test("6.6: permission for a shared subscription is asked for the filter, with the share name", async () => {
  const asked: unknown[] = [];
  const world = await brokerOf(
    {},
    {
      subscribe: (...args) => {
        asked.push(args);
        return { qos: 1 };
      },
    },
  );
  const client = world.open();
  await client.connect("one");
  client.subscribe("$share/workers/a/#", 1);
  client.subscribe("a/#", 1);
  world.broker.forgetGrants("one");
  const both = [
    ["a/#", 1, "workers"],
    ["a/#", 1],
  ];
  expect(asked).toEqual([...both, ...both]);
});

test("15.1: a connection is described, and ended with or without its will", async () => {
  const world = await brokerOf({ sessionExpirySecondsMax: 3600 });
  const listener = world.open();
  await listener.connect("listener");
  listener.subscribe("w");
  const connect = async (text: string) => {
    const client = world.open();
    await client.connect("one", {
      ...kept,
      keepAliveSeconds: 30,
      will: { topic: "w", payload: Buffer.from(text), qos: 0, isRetained: false },
    });
    return client;
  };
  await connect("first");
  expect(world.broker.connectionOf("one")).toMatchObject({
    clientId: "one",
    protocolVersion: 4,
    isCleanStart: false,
    keepAliveSeconds: 30,
    connectedAt: world.clock.now(),
    sessionExpirySeconds: 3600,
    facts: { remoteAddress: "192.0.2.1" },
  });
  world.broker.kick("one", "kicked", undefined, { isWillSuppressed: true });
  expect(world.broker.connectionOf("one")).toBeUndefined();
  expect(world.broker.statistics().sessions).toBe(2);
  await connect("second");
  world.broker.kick("one", "kicked");
  const third = await connect("third");
  world.broker.endSession("one", "kicked", undefined, { isWillSuppressed: true });
  expect(third.isClosed).toBe(true);
  expect(world.broker.statistics().sessions).toBe(1);
  listener.endTurn();
  expect(listener.texts()).toEqual(["second"]);
});

test("15.1: a delayed will of a session that is ended without its will is not sent either", async () => {
  const world = await brokerOf({});
  const listener = world.open();
  await listener.connect("listener");
  listener.subscribe("w");
  const properties = { willDelayIntervalSeconds: 60 };
  const client = world.open();
  await client.connect("one", { ...kept5, will: { topic: "w", payload: Buffer.from("gone"), qos: 0, isRetained: false, properties } });
  client.drop();
  world.broker.endSession("one", "kicked", undefined, { isWillSuppressed: true });
  world.clock.advance(120_000);
  expect(listener.texts()).toEqual([]);
});

test("6.5: a WebSocket Close frame counts as DISCONNECT where the dialect says so; a stream that breaks never does", async () => {
  for (const [onCarrierGoodbye, isGoodbye, reason] of [
    ["disconnect", true, "client_disconnect"],
    ["disconnect", false, "connection_closed"],
    ["lost", true, "connection_closed"],
  ] as const) {
    const world = await brokerOf({ onCarrierGoodbye });
    const listener = world.open();
    await listener.connect("listener");
    listener.subscribe("w");
    const client = world.open();
    await client.connect("one", { will: { topic: "w", payload: Buffer.from("gone"), qos: 0, isRetained: false } });
    client.transport.onClosed = () => {};
    client.connection.closed(isGoodbye);
    client.endTurn();
    expect(world.named("disconnected")).toMatchObject([{ sessionId: "one", reason }]);
    // A stream that is gone is not closed once more: its carrier would wait for an answer.
    expect(client.transport.isEnded).toBe(false);
    expect(listener.texts()).toEqual(reason === "client_disconnect" ? [] : ["gone"]);
    expect(world.broker.statistics()).toMatchObject({ connections: 1, sessions: 1 });
    expect(world.bugs).toEqual([]);
  }
});
