/** Who may subscribe to a topic need not be allowed to receive it: asked per delivery, skipped without a word. (AWS reference, 5.6) */
import { expect, test } from "vitest";
import type { SessionRights } from "../ports.ts";
import { RememberingJournal } from "../testing/remembering-journal.ts";
import { TestBroker, type TestBrokerOptions } from "../testing/test-broker.ts";

const kept = { isCleanStart: false };

/** Receives what is not in `denied`; counts how often it is asked. */
class Receiver {
  readonly denied = new Set<string>();
  readonly asked: string[] = [];

  options(options: Partial<TestBrokerOptions> = {}): TestBrokerOptions {
    const rights: SessionRights = {
      publish: () => ({ isRouted: true, taps: [] }),
      subscribe: (_filter, qos) => ({ qos }),
      receive: (topic) => {
        this.asked.push(topic);
        return !this.denied.has(topic);
      },
    };
    return { admission: { rights }, ...options };
  }
}

const send = (world: TestBroker, topic: string, qos: 0 | 1 | 2 = 1, isRetained = false) =>
  world.broker.publish({ topic, payload: Buffer.from(topic), qos, isRetained });

test("a delivery that is not allowed is skipped, at every QoS; each topic is asked for once", async () => {
  const receiver = new Receiver();
  receiver.denied.add("a/secret");
  const world = await new TestBroker(receiver.options()).start();
  const client = world.open();
  await client.connect("one");
  client.subscribe("a/#", 2);
  for (const qos of [0, 1, 2, 0] as const) {
    expect(send(world, "a/secret", qos)).toEqual({ delivered: 0, queued: 0 });
    expect(send(world, "a/open", qos).delivered).toBe(1);
  }
  client.endTurn();
  expect(client.texts()).toEqual(["a/open", "a/open", "a/open", "a/open"]);
  expect(receiver.asked).toEqual(["a/secret", "a/open"]);
  expect(world.broker.deliver("one", { topic: "a/secret", payload: Buffer.from("x"), qos: 0 })).toBe("no_session");
  expect(world.named("dropped")).toEqual([]);
});

test("what may be received is forgotten with the grants", async () => {
  const receiver = new Receiver();
  const world = await new TestBroker(receiver.options()).start();
  const client = world.open();
  await client.connect("one");
  client.subscribe("a/#", 1);
  expect(send(world, "a/x").delivered).toBe(1);
  receiver.denied.add("a/x");
  expect(send(world, "a/x").delivered).toBe(1);
  world.broker.forgetGrants("one");
  expect(send(world, "a/x").delivered).toBe(0);
  receiver.denied.clear();
  world.broker.forgetGrants();
  expect(send(world, "a/x").delivered).toBe(1);
});

test("the topics remembered are bounded", async () => {
  const receiver = new Receiver();
  const world = await new TestBroker(receiver.options({ limits: { receiveCacheEntriesMax: 2 } })).start();
  const client = world.open();
  await client.connect("one");
  client.subscribe("#");
  for (const topic of ["a", "b", "a", "b", "c", "a"]) send(world, topic, 0);
  expect(receiver.asked).toEqual(["a", "b", "c", "a"]);
});

test("retained messages are not sent to who may not receive them", async () => {
  const receiver = new Receiver();
  receiver.denied.add("secret");
  const world = await new TestBroker(receiver.options()).start();
  for (const topic of ["secret", "open"]) send(world, topic, 1, true);
  const client = world.open();
  await client.connect("one");
  client.subscribe("#", 1);
  expect(client.texts()).toEqual(["open"]);
});

test("a member of a shared subscription that may not receive the topic is passed over", async () => {
  const denied: Record<string, string> = { one: "jobs/a", two: "jobs/b" };
  const base = await new TestBroker().start();
  const world = await new TestBroker({
    gatekeeper: {
      connect: async (packet, facts) => {
        const admission = await base.gatekeeper.connect(packet, facts);
        if ("code" in admission) return admission;
        const receive = (topic: string) => topic !== denied[packet.clientId];
        return { ...admission, rights: { ...admission.rights, receive } };
      },
    },
  }).start();
  const [one, two] = [world.open(), world.open()];
  await one.connect("one");
  await two.connect("two");
  for (const client of [one, two]) client.subscribe("$share/g/jobs/#", 1);
  for (let round = 0; round < 3; round += 1) {
    send(world, "jobs/a");
    send(world, "jobs/b");
  }
  world.clock.endTurn();
  expect(new Set(one.texts())).toEqual(new Set(["jobs/b"]));
  expect(two.texts()).toEqual(["jobs/a", "jobs/a", "jobs/a"]);
  // What "one" did not acknowledge is for nobody else: "two" may not have it.
  one.send({ type: "disconnect" });
  expect(two.texts()).toEqual([]);
});

test("for an offline session its last rights decide what is queued", async () => {
  const receiver = new Receiver();
  receiver.denied.add("t/secret");
  const world = await new TestBroker(receiver.options()).start();
  const client = world.open();
  await client.connect("one", kept);
  client.subscribe("t/#", 1);
  client.drop();
  expect(send(world, "t/secret")).toEqual({ delivered: 0, queued: 0 });
  expect(send(world, "t/open").queued).toBe(1);
  // And what it has when it comes back decides again, about what is queued.
  receiver.denied.add("t/open");
  const again = world.open();
  await again.connect("one", kept);
  expect(again.publishes()).toEqual([]);
});

test("a message that was sent, not acknowledged, is not sent again to who may not receive it any more", async () => {
  const receiver = new Receiver();
  const world = await new TestBroker(receiver.options()).start();
  const client = world.open();
  await client.connect("one", kept);
  client.subscribe("t", 1);
  send(world, "t");
  client.endTurn();
  expect(client.texts()).toEqual(["t"]);
  client.drop();
  receiver.denied.add("t");
  const again = world.open();
  await again.connect("one", kept);
  expect(again.publishes()).toEqual([]);
  receiver.denied.clear();
  again.drop();
  const later = world.open();
  await later.connect("one", kept);
  expect(later.publishes()).toEqual([]);
});

test("after a restart nobody knows the rights: what came meanwhile is asked for when its client is back, and is then not owed", async () => {
  const receiver = new Receiver();
  const journal = new RememberingJournal();
  const world = await new TestBroker(receiver.options({ journal })).start();
  const client = world.open();
  await client.connect("one", kept);
  client.subscribe("t/#", 1);
  client.drop();
  const later = journal.afterCrash();
  receiver.denied.add("t/secret");
  const after = await new TestBroker(receiver.options({ journal: later })).start();
  expect(send(after, "t/secret").queued).toBe(1);
  expect(send(after, "t/open").queued).toBe(1);
  expect(later.owed).toBe(2);
  const again = after.open();
  await again.connect("one", kept);
  expect(again.texts()).toEqual(["t/open"]);
  expect(later.owed).toBe(1);
});
