/**
 * Sessions, retained messages and queues against a model that is as plain as the standard: any sequence of what two readers
 * and a writer may do must show each reader exactly what the model says, in its order.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { QoS } from "../codec/index.ts";
import { TestBroker } from "../testing/test-broker.ts";
import type { TestClient } from "../testing/test-client.ts";

const window = 2;
const queueMax = 3;
const options = { protocolVersion: 5 as const, properties: { sessionExpiryIntervalSeconds: 600 } };

/** A parent comes before what is below it; between neighbours no order is promised, so that there are none. */
const retainedTopics = ["a", "a/b"];

type Step =
  | { kind: "connect"; reader: number; isClean: boolean }
  | { kind: "drop"; reader: number }
  | { kind: "acknowledge"; reader: number }
  | { kind: "subscribe"; reader: number; filter: string; qos: QoS }
  | { kind: "unsubscribe"; reader: number; filter: string }
  | { kind: "publish"; topic: string; qos: QoS; isRetained: boolean; isEmpty: boolean };

const reader = fc.nat(1);
const filter = fc.constantFrom("a", "a/b", "a/+", "#", "a/#", "c");
const qos = fc.constantFrom<QoS>(0, 1, 2);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("connect" as const), reader, isClean: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), reader }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("acknowledge" as const), reader }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("subscribe" as const), reader, filter, qos }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unsubscribe" as const), reader, filter }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      topic: fc.constantFrom("a", "a/b", "c"),
      qos,
      isRetained: fc.boolean(),
      isEmpty: fc.boolean(),
    }),
  },
);

function matches(filter: string, topic: string): boolean {
  return new RegExp(`^${filter.replace("/#", "(/.*)?").replace("#", ".*").replace("+", "[^/]*")}$`).test(topic);
}

class ModelReader {
  isConnected = false;
  subscriptions = new Map<string, QoS>();
  inflight: string[] = [];
  queue: string[] = [];
  seen: string[] = [];

  connect(isClean: boolean): void {
    this.isConnected = true;
    if (isClean) {
      this.subscriptions.clear();
      this.inflight = [];
      this.queue = [];
    }
    this.seen.push(...this.inflight);
    this.#pump();
  }

  acknowledge(): void {
    this.inflight.shift();
    this.#pump();
  }

  offer(text: string, published: number, granted: number): void {
    if (Math.min(published, granted) === 0) {
      if (this.isConnected) this.seen.push(text);
      return;
    }
    if (this.isConnected && this.queue.length === 0 && this.inflight.length < window) {
      this.inflight.push(text);
      this.seen.push(text);
      return;
    }
    this.queue.push(text);
    if (this.queue.length > queueMax) this.queue.shift();
  }

  #pump(): void {
    while (this.isConnected && this.inflight.length < window) {
      const next = this.queue.shift();
      if (next === undefined) return;
      this.inflight.push(next);
      this.seen.push(next);
    }
  }
}

class RealReader {
  client: TestClient | undefined;
  pending: { packetId: number; qos: QoS }[] = [];

  /** What came since the last look. */
  look(): string[] {
    const publishes = this.client?.publishes() ?? [];
    for (const { packetId, qos } of publishes) if (packetId !== undefined) this.pending.push({ packetId, qos });
    return publishes.map(({ payload }) => Buffer.from(payload).toString());
  }

  /** The oldest delivery is taken over; at QoS 2 in both its steps. What follows it is seen at the next look. */
  acknowledge(): void {
    const next = this.pending.shift();
    if (next === undefined) throw new Error("the model owes an acknowledgement that the broker did not ask for");
    if (next.qos === 1) this.client?.send({ type: "puback", packetId: next.packetId });
    else {
      this.client?.send({ type: "pubrec", packetId: next.packetId });
      this.client?.send({ type: "pubcomp", packetId: next.packetId });
    }
  }
}

test("any sequence shows each reader what the model says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: "max" }), async (steps) => {
      const world = await new TestBroker({ behaviour: { inflightMax: window, queueMessagesMax: queueMax } }).start();
      const writer = world.open();
      await writer.connect("writer");
      const models = [new ModelReader(), new ModelReader()];
      const reals = [new RealReader(), new RealReader()];
      const retained = new Map<string, { text: string; qos: QoS }>();
      for (const [number, one] of steps.entries()) {
        if (one.kind === "publish") {
          const isRetained = one.isRetained && retainedTopics.includes(one.topic);
          const text = one.isEmpty && isRetained ? "" : `${number} on ${one.topic}`;
          if (isRetained && text === "") retained.delete(one.topic);
          else if (isRetained) retained.set(one.topic, { text, qos: one.qos });
          for (const model of models) {
            const granted = [...model.subscriptions].filter(([filter]) => matches(filter, one.topic)).map(([, qos]) => qos);
            if (granted.length > 0) model.offer(text, one.qos, Math.max(...granted));
          }
          writer.publish(one.topic, text, one.qos, { isRetained, ...(one.qos === 0 ? {} : { packetId: 1 }) });
          if (one.qos === 2) writer.send({ type: "pubrel", packetId: 1 });
          writer.packets();
        } else {
          const [model, real] = [models[one.reader], reals[one.reader]];
          if (model === undefined || real === undefined) throw new Error("no such reader");
          if (one.kind === "connect") {
            real.look();
            real.pending = [];
            real.client = world.open();
            model.connect(one.isClean);
            await real.client.connect(`reader ${one.reader}`, { ...options, isCleanStart: one.isClean });
          } else if (model.isConnected) {
            if (one.kind === "drop") {
              model.isConnected = false;
              real.client?.drop();
            } else if (one.kind === "acknowledge") {
              if (model.inflight.length === 0) continue;
              model.acknowledge();
              real.acknowledge();
            } else if (one.kind === "subscribe") {
              model.subscriptions.set(one.filter, one.qos);
              for (const topic of retainedTopics) {
                const message = retained.get(topic);
                if (message !== undefined && matches(one.filter, topic)) model.offer(message.text, message.qos, one.qos);
              }
              real.client?.subscribe(one.filter, one.qos);
            } else {
              model.subscriptions.delete(one.filter);
              real.client?.send({ type: "unsubscribe", packetId: 1, filters: [one.filter] });
            }
          }
        }
        for (const [index, real] of reals.entries()) {
          const model = models[index];
          const seen = model?.seen.splice(0) ?? [];
          const came = real.look();
          // Retained messages of several topics: what is owed waits for its commit and lets QoS 0 pass. [MQTT-4.6.0-6]
          if (one.kind === "subscribe") {
            came.sort();
            seen.sort();
          }
          expect(came, `step ${number}`).toEqual(seen);
        }
      }
      expect(world.bugs).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("shared subscriptions: every QoS 1 message is taken exactly once, whoever comes and goes, while a session is there", async () => {
  const event = fc.oneof(
    { weight: 4, arbitrary: fc.constant("publish" as const) },
    { weight: 2, arbitrary: fc.record({ take: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ leave: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ join: fc.nat(2) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60, size: "max" }), async (events) => {
      const world = await new TestBroker({ behaviour: { inflightMax: window } }).start();
      const writer = world.open();
      await writer.connect("writer");
      // Keeps messages while no member is there.
      const keeper = world.open();
      await keeper.connect("keeper", options);
      keeper.subscribe("$share/g/t", 1);
      keeper.drop();
      const members = new Map<number, RealReader & { got: string[] }>();
      const taken: string[] = [];
      let sent = 0;
      const join = async (name: number) => {
        const member = Object.assign(new RealReader(), { got: [] as string[] });
        member.client = world.open();
        await member.client.connect(`member ${name}`, { protocolVersion: 5 });
        member.client.subscribe("$share/g/t", 1);
        members.set(name, member);
      };
      const take = (member: RealReader & { got: string[] }): boolean => {
        member.got.push(...member.look());
        const next = member.got.shift();
        if (next === undefined) return false;
        taken.push(next);
        member.acknowledge();
        return true;
      };
      for (const one of events) {
        if (one === "publish") writer.publish("t", String(sent++), 1, { packetId: 1 });
        else if ("join" in one) {
          if (!members.has(one.join)) await join(one.join);
        } else if ("leave" in one) {
          members.get(one.leave)?.client?.drop();
          members.delete(one.leave);
        } else {
          const member = members.get(one.take);
          if (member !== undefined) take(member);
        }
      }
      // The keeper comes back and everybody takes what is left.
      const back = Object.assign(new RealReader(), { got: [] as string[] });
      back.client = world.open();
      await back.client.connect("keeper", { ...options, isCleanStart: false });
      for (const member of [back, ...members.values()]) while (take(member));
      expect(taken.map(Number).sort((one, other) => one - other)).toEqual(Array.from({ length: sent }, (_, index) => index));
      expect(world.bugs).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
