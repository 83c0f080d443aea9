/** What leaves waits for the commit of what it says; what was committed is there after a crash. */
import { expect, test } from "vitest";
import { encodePacket } from "../codec/index.ts";
import type { JournalContents } from "../ports.ts";
import { settlePromises } from "../testing/fake-clock.ts";
import { RememberingJournal } from "../testing/remembering-journal.ts";
import { TestBroker, type TestBrokerOptions } from "../testing/test-broker.ts";

const kept = { isCleanStart: false };
const kept5 = { ...kept, protocolVersion: 5, properties: { sessionExpiryIntervalSeconds: 600 } } as const;

function publishFromCloud(world: TestBroker, qos: 1 | 2, ...texts: string[]): void {
  for (const text of texts) world.broker.publish({ topic: "t", payload: Buffer.from(text), qos });
  world.clock.endTurn();
}

/** A broker with one persistent subscriber, connected. */
async function subscribed(options: TestBrokerOptions = {}, clientId = "one") {
  const journal = new RememberingJournal();
  const world = await new TestBroker({ journal, ...options }).start();
  const client = world.open();
  await client.connect(clientId, kept);
  client.subscribe("t", 2);
  return { journal, world, client };
}

async function restarted(journal: RememberingJournal, options: TestBrokerOptions = {}) {
  const after = journal.afterCrash();
  after.isQuick = true;
  return { journal: after, world: await new TestBroker({ journal: after, ...options }).start() };
}

test("CONNACK of a kept session waits for its commit, that of a clean one for nothing", async () => {
  const journal = new RememberingJournal({ isQuick: false });
  const world = await new TestBroker({ journal }).start();
  await world.open().connect("clean");
  const client = world.open();
  client.send({ type: "connect", protocolVersion: 4, clientId: "one", isCleanStart: false, keepAliveSeconds: 0 });
  await settlePromises();
  world.clock.endTurn();
  expect(client.packets()).toEqual([]);
  journal.commit();
  await settlePromises();
  world.clock.endTurn();
  expect(client.packets()).toMatchObject([{ type: "connack", isSessionPresent: false }]);
});

test("who connects while the commit is awaited takes the session over; who leaves then leaves it offline", async () => {
  const journal = new RememberingJournal({ isQuick: false });
  const world = await new TestBroker({ journal }).start();
  const connect = encodePacket({ type: "connect", protocolVersion: 4, clientId: "one", isCleanStart: false, keepAliveSeconds: 0 }, 4);
  const [first, second, third] = [world.open(), world.open(), world.open()];
  for (const client of [first, second, third]) {
    client.sendBytes(connect);
    await settlePromises();
    world.clock.endTurn();
  }
  third.drop();
  journal.commit();
  await settlePromises();
  world.clock.endTurn();
  expect([first.isClosed, second.isClosed]).toEqual([true, true]);
  expect(world.broker.isConnected("one")).toBe(false);
  world.clock.advance(3_700_000);
  expect(world.broker.statistics().sessions).toBe(0);
});

test("SUBACK and UNSUBACK of a kept session wait for the commit, and the subscription is there after a crash", async () => {
  const { journal, world, client } = await subscribed();
  journal.isQuick = false;
  const wanted = { filter: "u", qos: 1, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 } as const;
  client.send({ type: "subscribe", packetId: 7, subscriptions: [wanted] });
  client.send({ type: "unsubscribe", packetId: 8, filters: ["t"] });
  expect(client.packets()).toEqual([]);
  expect((await restarted(journal)).world.broker.subscriptionsOf("one").map(({ filter }) => filter)).toEqual(["t"]);
  journal.commit();
  world.clock.endTurn();
  expect(client.packets().map(({ type }) => type)).toEqual(["suback", "unsuback"]);
  expect((await restarted(journal)).world.broker.subscriptionsOf("one").map(({ filter }) => filter)).toEqual(["u"]);
});

test("[MQTT-4.4.0-1] a delivery leaves after its commit and comes again after a crash under its identifier, with DUP", async () => {
  const { journal, world, client } = await subscribed();
  journal.isQuick = false;
  publishFromCloud(world, 1, "a", "b");
  expect(client.packets()).toEqual([]);
  journal.commit();
  world.clock.endTurn();
  expect(client.publishes().map(({ packetId, isDuplicate }) => [packetId, isDuplicate])).toEqual([
    [1, false],
    [2, false],
  ]);
  client.send({ type: "puback", packetId: 1 });
  publishFromCloud(world, 1, "c");
  const after = await restarted(journal);
  const again = after.world.open();
  await again.connect("one", kept);
  // The acknowledgement and "c" were not committed.
  expect(again.publishes().map(({ packetId, isDuplicate, payload }) => [packetId, isDuplicate, Buffer.from(payload).toString()])).toEqual([
    [1, true, "a"],
    [2, true, "b"],
  ]);
});

test("[MQTT-4.3.3-6] PUBREL leaves after the commit of PUBREC, and is what a crash repeats", async () => {
  const { journal, world, client } = await subscribed();
  publishFromCloud(world, 2, "a");
  expect(client.publishes()).toHaveLength(1);
  journal.isQuick = false;
  client.send({ type: "pubrec", packetId: 1 });
  expect(client.packets()).toEqual([]);
  journal.commit();
  world.clock.endTurn();
  expect(client.packets()).toEqual([{ type: "pubrel", packetId: 1 }]);
  const after = await restarted(journal);
  const again = after.world.open();
  await again.connect("one", kept);
  expect(again.packets()).toEqual([{ type: "pubrel", packetId: 1 }]);
  again.send({ type: "pubcomp", packetId: 1 });
  expect(after.journal.owed).toBe(0);
});

test("[MQTT-4.3.3-10] a QoS 2 publish is taken over once, whatever crashes between its packets", async () => {
  const { journal, client } = await subscribed();
  client.drop();
  const world = await restarted(journal);
  const publisher = world.world.open();
  await publisher.connect("publisher", kept);
  publisher.publish("t", "once", 2, { packetId: 5 });
  expect(publisher.packets()).toEqual([{ type: "pubrec", packetId: 5 }]);
  expect(world.journal.owed).toBe(1);

  const second = await restarted(world.journal);
  const again = second.world.open();
  await again.connect("publisher", kept);
  again.publish("t", "once", 2, { packetId: 5, isDuplicate: true });
  expect(again.packets()).toEqual([{ type: "pubrec", packetId: 5 }]);
  expect(second.journal.owed).toBe(1);
  // PUBCOMP frees the identifier for a new message: it waits for the commit of that.
  second.journal.isQuick = false;
  again.send({ type: "pubrel", packetId: 5 });
  expect(again.packets()).toEqual([]);
  second.journal.commit();
  second.world.clock.endTurn();
  expect(again.packets()).toEqual([{ type: "pubcomp", packetId: 5 }]);

  const third = await restarted(second.journal);
  const last = third.world.open();
  await last.connect("publisher", kept);
  last.publish("t", "another", 2, { packetId: 5 });
  expect(third.journal.owed).toBe(2);
});

test("messages queued behind a full window keep their order and their state over a crash", async () => {
  const { journal, world } = await subscribed({ behaviour: { inflightMax: 2 } });
  publishFromCloud(world, 2, "a", "b", "c", "d");
  const after = await restarted(journal, { behaviour: { inflightMax: 2 } });
  const again = after.world.open();
  await again.connect("one", kept);
  const seen: string[] = [];
  for (let packetId = 1; packetId <= 4; packetId += 1) {
    seen.push(...again.texts());
    again.send({ type: "pubrec", packetId });
    expect(again.packets()).toEqual([{ type: "pubrel", packetId }]);
    again.send({ type: "pubcomp", packetId });
  }
  expect(seen).toEqual(["a", "b", "c", "d"]);
  expect(after.journal.owed).toBe(0);
});

test("retained messages come back as last acknowledged; their PUBACK waits for the commit", async () => {
  const journal = new RememberingJournal({ isQuick: false });
  const world = await new TestBroker({ journal }).start();
  const client = world.open();
  await client.connect("clean");
  client.publish("r", "old", 1, { isRetained: true });
  client.publish("gone", "x", 1, { isRetained: true });
  expect(client.packets()).toEqual([]);
  journal.commit();
  world.clock.endTurn();
  expect(client.packets()).toHaveLength(2);
  client.publish("r", "new", 1, { isRetained: true });
  client.publish("gone", "", 1, { isRetained: true });
  journal.commit();
  client.publish("r", "never acknowledged", 1, { isRetained: true });
  const after = await restarted(journal);
  const reader = after.world.open();
  await reader.connect("reader");
  reader.subscribe("#");
  expect(reader.texts()).toEqual(["new"]);
});

test("the session's own expiry survives: it ends at its time, not at the longest one", async () => {
  const journal = new RememberingJournal();
  const world = await new TestBroker({ journal }).start();
  const client = world.open();
  await client.connect("one", { ...kept5, properties: { sessionExpiryIntervalSeconds: 60 } });
  const after = await restarted(journal);
  after.world.clock.advance(59_000);
  expect(after.world.broker.statistics().sessions).toBe(1);
  after.world.clock.advance(2_000);
  expect(after.world.broker.statistics().sessions).toBe(0);
  expect((await restarted(after.journal)).world.broker.statistics().sessions).toBe(0);
});

test("[MQTT-3.1.2-8] wills survive: a delayed one waits on, that of a connected client starts to wait", async () => {
  const { journal, world } = await subscribed();
  const will = (text: string, delay: number) =>
    ({ topic: "t", payload: Buffer.from(text), qos: 1, isRetained: false, properties: { willDelayIntervalSeconds: delay } }) as const;
  const gone = world.open();
  await gone.connect("gone", { ...kept5, will: will("gone", 100) });
  gone.drop();
  await world.open().connect("there", { ...kept5, will: will("there", 50) });
  const polite = world.open();
  await polite.connect("polite", { ...kept5, will: will("polite", 1) });
  polite.send({ type: "disconnect" });

  const after = await restarted(journal);
  after.world.clock.advance(49_000);
  expect(after.journal.owed).toBe(0);
  after.world.clock.advance(52_000);
  const again = after.world.open();
  await again.connect("one", kept);
  expect(again.texts()).toEqual(["there", "gone"]);
  expect((await restarted(after.journal)).journal.owed).toBe(2);
});

test("a subscription of the server's that the client cancelled stays cancelled over a crash", async () => {
  const admission = { implicitSubscriptions: [{ filter: "s", qos: 1 as const }] };
  const { journal, client } = await subscribed({ admission });
  client.send({ type: "unsubscribe", packetId: 9, filters: ["s"] });
  const after = await restarted(journal, { admission });
  await after.world.open().connect("one", kept);
  expect(after.world.broker.subscriptionsOf("one").map(({ filter }) => filter)).toEqual(["t"]);
});

test("all queues together are bounded: the oldest message goes first, whosever it is", async () => {
  const { world, client } = await subscribed({ limits: { queuedBytesMax: 100 } });
  client.drop();
  publishFromCloud(world, 1, "a".repeat(39));
  world.clock.advance(1000);
  const other = world.open();
  await other.connect("two", kept);
  other.subscribe("t", 1);
  other.drop();
  publishFromCloud(world, 1, "b".repeat(39));
  const dropped = world.named("dropped").map(({ sessionId, reason }) => [sessionId, reason]);
  expect(dropped).toEqual([["one", "queue_full"]]);
  const again = world.open();
  await again.connect("two", kept);
  expect(again.texts()).toEqual(["b".repeat(39)]);
});

test("who publishes from the cloud can wait for the commit of what that made the broker owe", async () => {
  const { journal, world, client } = await subscribed();
  client.drop();
  journal.isQuick = false;
  const message = { topic: "t", payload: Buffer.from("x"), qos: 1 } as const;
  expect(world.broker.publish(message)).toEqual({ delivered: 0, queued: 1, isOwed: true });
  expect(world.broker.publish({ ...message, topic: "nobody" })).toEqual({ delivered: 0, queued: 0 });
  let isSafe = false;
  const safe = world.broker.committed().then(() => {
    isSafe = true;
  });
  world.clock.endTurn();
  await settlePromises();
  expect(isSafe).toBe(false);
  journal.commit();
  await safe;
});

test.each(["commit first", "tap first"])("PUBACK waits for the commit and for the tap's promise: %s", async (order) => {
  const stored = Promise.withResolvers<void>();
  const rights = {
    publish: () => ({ isRouted: true, taps: [() => stored.promise] }),
    subscribe: (_filter: string, qos: 0 | 1 | 2) => ({ qos }),
  };
  const { journal, world, client } = await subscribed({ admission: { rights } });
  client.drop();
  const publisher = world.open();
  await publisher.connect("publisher");
  journal.isQuick = false;
  publisher.publish("t", "x", 1, { packetId: 7 });
  const steps = [() => journal.commit(), () => stored.resolve()];
  if (order === "tap first") steps.reverse();
  for (const step of steps) {
    expect(publisher.packets()).toEqual([]);
    step();
    await settlePromises();
    world.clock.endTurn();
  }
  expect(publisher.packets()).toEqual([{ type: "puback", packetId: 7 }]);
});

test("publishers of what must be stored are not read while the journal is behind", async () => {
  const { journal, world, client } = await subscribed();
  client.drop();
  const publisher = world.open();
  await publisher.connect("publisher");
  journal.isQuick = false;
  journal.isBehind = true;
  publisher.publish("free", "x", 1);
  expect(publisher.transport.isPaused).toBe(false);
  publisher.publish("t", "x", 1);
  expect(publisher.transport.isPaused).toBe(true);
  journal.isBehind = false;
  journal.owner?.caughtUp();
  expect(publisher.transport.isPaused).toBe(false);
});

test("everything live can be moved out of the journal's oldest part", async () => {
  const { journal, world } = await subscribed({ behaviour: { inflightMax: 1 } });
  publishFromCloud(world, 2, "a", "b");
  const publisher = world.open();
  await publisher.connect("publisher", kept);
  publisher.publish("r", "kept", 1, { isRetained: true });
  publisher.publish("x", "x", 2, { packetId: 9 });
  const before = journal.contents();
  const mark = journal.length;
  const steps = journal.owner?.rewrite(mark);
  while (steps?.next().done === false);
  journal.forgetUpTo(mark);
  expect(withoutSlots(journal.contents())).toEqual(withoutSlots(before));
});

function withoutSlots({ sessions, retained }: JournalContents): unknown {
  return {
    sessions: sessions.map(({ session, messages }) => ({ session, messages: messages.map(({ owed }) => owed) })),
    retained: retained.map(({ message }) => message.topic),
  };
}

test("[MQTT-4.8.2-4] a message of a shared subscription goes to another member when the one it was given to stays away after a crash", async () => {
  const journal = new RememberingJournal();
  const world = await new TestBroker({ journal }).start();
  const lost = world.open();
  await lost.connect("lost", { ...kept5, properties: { sessionExpiryIntervalSeconds: 60 } });
  lost.subscribe("$share/group/t", 1);
  lost.drop();
  publishFromCloud(world, 1, "x");
  const after = await restarted(journal);
  const other = after.world.open();
  await other.connect("other", kept5);
  other.subscribe("$share/group/t", 1);
  expect(other.publishes()).toEqual([]);
  after.world.clock.advance(61_000);
  expect(other.texts()).toEqual(["x"]);
  expect(after.world.broker.isConnected("lost")).toBe(false);
});
