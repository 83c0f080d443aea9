import { expect, test } from "vitest";
import { TestBroker } from "../testing/test-broker.ts";

test("[MQTT-3.8.4-6] each filter has its answer: refused, beyond a limit, invalid, granted lower", async () => {
  for (const [protocolVersion, codes] of [
    [4, [1, 0x80, 0x80, 0x80]],
    [5, [1, 0x87, 0x8f, 0x97]],
  ] as const) {
    const world = await new TestBroker({
      behaviour: { filtersPerSubscribeMax: 3, qosMax: 1 },
      admission: {
        rights: {
          publish: () => ({ isRouted: true, taps: [] }),
          subscribe: (filter, qos) => (filter === "secret" ? { code: "access.topic_denied", received: filter } : { qos }),
        },
      },
    }).start();
    const client = world.open();
    await client.connect("one", { protocolVersion });
    const rest = { isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 as const };
    client.send({
      type: "subscribe",
      packetId: 9,
      subscriptions: [
        { filter: "a", qos: 2, ...rest },
        { filter: "secret", qos: 0, ...rest },
        { filter: Array.from({ length: 200 }, () => "l").join("/"), qos: 0, ...rest },
        { filter: "d", qos: 0, ...rest },
      ],
    });
    expect(client.packets()).toMatchObject([{ type: "suback", packetId: 9, reasonCodes: codes }]);
    expect(world.broker.subscriptionsOf("one").map((subscription) => subscription.filter)).toEqual(["a"]);
    expect(world.named("subscribed")).toEqual([{ sessionId: "one", subject: "one", filter: "a", qos: 1 }]);
    expect(world.named("subscribeRefused").map((event) => event.refusal)).toMatchObject([
      { code: "access.topic_denied", received: "secret" },
      { code: "mqtt.topic_filter_invalid" },
      { code: "mqtt.filters_per_subscribe_exceeded" },
    ]);
  }
});

test("subscriptionsMax refuses the next filter, not a repeated one", async () => {
  const world = await new TestBroker({ behaviour: { subscriptionsMax: 2 } }).start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5 });
  expect([client.subscribe("a"), client.subscribe("b"), client.subscribe("c"), client.subscribe("a", 1)]).toEqual([0, 0, 0x97, 1]);
  expect(world.broker.statistics().subscriptions).toBe(2);
});

test("wildcards and shared subscriptions can be switched off", async () => {
  const world = await new TestBroker({ behaviour: { wildcards: false, sharedSubscriptions: false } }).start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5 });
  expect([client.subscribe("a/+"), client.subscribe("$share/g/a"), client.subscribe("a")]).toEqual([0xa2, 0x9e, 0]);
});

test("[MQTT-3.8.4-3] a repeated filter replaces; [MQTT-3.3.4-2] overlapping filters give one delivery at the highest QoS", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one");
  client.subscribe("a/b", 2);
  client.subscribe("a/b", 0);
  client.subscribe("a/+", 1);
  world.broker.publish({ topic: "a/b", payload: Buffer.from("x"), qos: 2 });
  world.clock.endTurn();
  expect(client.publishes().map((packet) => packet.qos)).toEqual([1]);
});

test("[MQTT-3.3.4-3] a delivery carries the identifiers of all matching subscriptions", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5 });
  client.subscribe("a/#", 1, {}, { subscriptionIdentifiers: [7] });
  client.subscribe("a/+", 0, {}, { subscriptionIdentifiers: [9] });
  world.broker.publish({ topic: "a/b", payload: Buffer.from("x"), qos: 1 });
  world.clock.endTurn();
  expect(client.publishes()[0]?.properties?.subscriptionIdentifiers?.toSorted()).toEqual([7, 9]);
});

test("[MQTT-3.8.3-3] no-local keeps a client's own messages away, and only those", async () => {
  const world = await new TestBroker().start();
  const [one, two] = [world.open(), world.open()];
  await one.connect("one", { protocolVersion: 5 });
  await two.connect("two", { protocolVersion: 5 });
  one.subscribe("t", 0, { isNoLocal: true });
  one.publish("t", "own");
  two.publish("t", "other");
  expect(one.texts()).toEqual(["other"]);
  one.subscribe("+", 0);
  one.publish("t", "own again");
  expect(one.texts()).toEqual(["own again"]);
});

test("[MQTT-3.10.4-1] UNSUBSCRIBE ends deliveries; an unknown filter is answered too", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5 });
  client.subscribe("t");
  client.send({ type: "unsubscribe", packetId: 5, filters: ["t", "u"] });
  expect(client.packets()).toEqual([{ type: "unsuback", packetId: 5, reasonCodes: [0, 0x11] }]);
  expect(world.broker.publish({ topic: "t", payload: Buffer.from("x"), qos: 0 })).toEqual({ delivered: 0, queued: 0 });
});

test("server-side subscriptions deliver without SUBSCRIBE until the client cancels them, also after it comes back", async () => {
  const world = await new TestBroker({ admission: { implicitSubscriptions: [{ filter: "sys/+", qos: 1 }] } }).start();
  const client = world.open();
  await client.connect("one", { isCleanStart: false });
  world.broker.publish({ topic: "sys/a", payload: Buffer.from("x"), qos: 0 });
  world.clock.endTurn();
  expect(client.texts()).toEqual(["x"]);
  client.send({ type: "unsubscribe", packetId: 5, filters: ["sys/+"] });
  const again = world.open();
  await again.connect("one", { isCleanStart: false });
  expect(world.broker.subscriptionsOf("one")).toEqual([]);
});

test("an addressed message comes once, with or without a subscription, until its topic is unsubscribed", async () => {
  const world = await new TestBroker({ admission: { isAddressable: true } }).start();
  const client = world.open();
  await client.connect("one", { isCleanStart: false });
  const received: string[] = [];
  const address = (text: string) => {
    const outcome = world.broker.publish({ topic: "sys/a", payload: Buffer.from(text), qos: 0, addressee: "one" });
    world.clock.endTurn();
    received.push(...client.texts());
    return outcome.delivered;
  };
  expect(address("unasked")).toBe(1);
  client.subscribe("sys/#");
  expect(address("subscribed")).toBe(1);
  client.send({ type: "unsubscribe", packetId: 5, filters: ["sys/#"] });
  expect(address("cancelled")).toBe(0);
  client.subscribe("sys/#");
  client.send({ type: "unsubscribe", packetId: 6, filters: ["sys/+"] });
  expect(address("subscribed again")).toBe(1);
  expect(received).toEqual(["unasked", "subscribed", "subscribed again"]);
  const again = world.open();
  await again.connect("one", { isCleanStart: false });
  again.send({ type: "unsubscribe", packetId: 7, filters: ["sys/#"] });
  expect(address("never subscribed, cancelled")).toBe(0);
  expect(world.broker.subjectOf("one")).toBe("one");
});

test("cancelled filters are bounded by the limit of subscriptions", async () => {
  const world = await new TestBroker({ admission: { isAddressable: true }, behaviour: { subscriptionsMax: 2 } }).start();
  const client = world.open();
  await client.connect("one");
  for (const topic of ["a", "b", "c"]) client.send({ type: "unsubscribe", packetId: 5, filters: [topic] });
  const delivered = ["a", "b", "c"].map(
    (topic) => world.broker.publish({ topic, payload: Buffer.from("x"), qos: 0, addressee: "one" }).delivered,
  );
  expect(delivered).toEqual([0, 0, 1]);
});

test("forgetRefusals asks again for publishes alone", async () => {
  let isAllowed = false;
  let subscribeCalls = 0;
  const world = await new TestBroker({
    admission: {
      rights: {
        publish: () => (isAllowed ? { isRouted: true, taps: [] } : { code: "access.topic_denied" }),
        subscribe: (_filter, qos) => {
          subscribeCalls += 1;
          return { qos };
        },
      },
    },
  }).start();
  const client = world.open();
  await client.connect("one");
  client.subscribe("a");
  client.publish("a", "refused");
  isAllowed = true;
  client.publish("a", "still refused");
  world.broker.forgetRefusals("one");
  client.publish("a", "allowed");
  expect(client.texts()).toEqual(["allowed"]);
  expect(subscribeCalls).toBe(1);
});

test("forgetGrants asks again: publishes and subscriptions no longer allowed end", async () => {
  let isAllowed = true;
  const refusal = { code: "access.topic_denied" };
  const world = await new TestBroker({
    admission: {
      rights: {
        publish: () => (isAllowed ? { isRouted: true, taps: [] } : refusal),
        subscribe: (filter, qos) => (isAllowed || filter === "kept" ? { qos } : refusal),
      },
    },
  }).start();
  const client = world.open();
  await client.connect("one");
  client.subscribe("t");
  client.subscribe("kept");
  client.publish("t", "first");
  isAllowed = false;
  client.publish("kept", "still cached?");
  client.publish("t", "cached");
  world.broker.forgetGrants("one");
  client.publish("t", "refused");
  expect(client.texts()).toEqual(["first", "cached"]);
  expect(world.broker.subscriptionsOf("one").map((subscription) => subscription.filter)).toEqual(["kept"]);
  expect(world.named("publishRefused")).toHaveLength(2);
});

test("[MQTT-3.3.1-9] retained messages follow a new subscription by its handling option, with RETAIN set", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5 });
  client.publish("r/a", "kept", 1, { isRetained: true });
  client.packets();
  client.subscribe("r/+", 1);
  expect(client.publishes()).toMatchObject([{ topic: "r/a", isRetained: true, qos: 1 }]);
  client.subscribe("r/+", 1, { retainHandling: 1 });
  client.subscribe("r/#", 1, { retainHandling: 2 });
  client.subscribe("$share/g/r/+", 1);
  expect(client.publishes()).toEqual([]);
  client.publish("r/a", "", 0, { isRetained: true });
  client.packets();
  client.subscribe("r/+", 1);
  expect(client.publishes()).toEqual([]);
});

test("[MQTT-3.3.1-12] RETAIN is cleared for existing subscriptions unless retain-as-published", async () => {
  const world = await new TestBroker().start();
  const [plain, asPublished] = [world.open(), world.open()];
  await plain.connect("plain", { protocolVersion: 5 });
  await asPublished.connect("as-published", { protocolVersion: 5 });
  plain.subscribe("t");
  asPublished.subscribe("t", 0, { isRetainAsPublished: true });
  plain.publish("t", "x", 0, { isRetained: true });
  expect([plain.publishes()[0]?.isRetained, asPublished.publishes()[0]?.isRetained]).toEqual([false, true]);
});

test("[MQTT-4.8.2] members of a shared subscription take turns, connected ones first", async () => {
  const world = await new TestBroker().start();
  const clients = [world.open(), world.open(), world.open()];
  for (const [index, client] of clients.entries()) {
    await client.connect(`m${index}`, { protocolVersion: 5, properties: { sessionExpiryIntervalSeconds: 100 } });
    client.subscribe("$share/g/t", 1);
  }
  const publish = (count: number) => {
    for (let index = 0; index < count; index += 1) world.broker.publish({ topic: "t", payload: Buffer.from("x"), qos: 1 });
    world.clock.endTurn();
  };
  publish(6);
  expect(clients.map((client) => client.publishes().length)).toEqual([2, 2, 2]);
  clients[1]?.drop();
  publish(4);
  expect([clients[0]?.publishes().length, clients[2]?.publishes().length]).toEqual([2, 2]);
});

test("a subscription on a client's behalf has the client's rights and limits, all or none, and ends as it began", async () => {
  const world = await new TestBroker({
    behaviour: { subscriptionsMax: 3, qosMax: 1 },
    admission: {
      rights: {
        publish: () => ({ isRouted: true, taps: [] }),
        subscribe: (filter, qos) => (filter === "secret" ? { code: "access.topic_denied", received: filter } : { qos }),
      },
    },
  }).start();
  const { broker } = world;
  expect(broker.subscribe("one", ["a"], 1)).toBe("no_session");
  expect(broker.unsubscribe("one", ["a"])).toBe("no_session");
  const client = world.open();
  await client.connect("one");
  expect(broker.subscribe("one", ["a", "secret"], 1)).toMatchObject({ code: "access.topic_denied" });
  expect(broker.subscribe("one", ["a", "b", "c", "d"], 1)).toMatchObject({ code: "mqtt.subscriptions_exceeded" });
  expect(broker.subscriptionsOf("one")).toEqual([]);
  expect(broker.subscribe("one", ["a", "b"], 2)).toBe("ok");
  expect(broker.subscriptionsOf("one")).toMatchObject([
    { filter: "a", qos: 1 },
    { filter: "b", qos: 1 },
  ]);
  expect(world.named("subscribed")).toHaveLength(2);
  expect(broker.publish({ topic: "a", payload: Buffer.from("x"), qos: 1 })).toMatchObject({ delivered: 1 });
  expect(broker.unsubscribe("one", ["a", "never"])).toBe("ok");
  expect(broker.publish({ topic: "a", payload: Buffer.from("x"), qos: 1 })).toMatchObject({ delivered: 0 });
  expect(world.named("unsubscribed")).toHaveLength(1);
});
