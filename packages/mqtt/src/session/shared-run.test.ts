import fc from "fast-check";
import { expect, test } from "vitest";
import { encodePacket } from "../codec/index.ts";
import { TestBroker } from "../testing/test-broker.ts";
import type { TestClient } from "../testing/test-client.ts";
import { SharedRun } from "./shared-run.ts";

const publishOf = (topic: string, text: string): Buffer =>
  encodePacket({ type: "publish", topic, payload: Buffer.from(text), qos: 0, isDuplicate: false, isRetained: false }, 4);

async function audience(world: TestBroker, count: number): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  for (let index = 0; index < count; index += 1) {
    const client = world.open();
    await client.connect(`reader ${index}`, { protocolVersion: index % 3 === 0 ? 5 : 4 });
    client.subscribe("all/#");
    client.transport.writes = 0;
    clients.push(client);
  }
  return clients;
}

test("the same packets in the same order are one run with one memory; others are not", () => {
  const [one, two] = [Buffer.from("one"), Buffer.from("two")];
  const start = SharedRun.empty();
  const both = start.with(one).with(two);
  expect(start.with(one).with(two)).toBe(both);
  expect(both.bytes.toString()).toBe("onetwo");
  expect(start.with(two).with(one).bytes.toString()).toBe("twoone");
  expect(both.bytes.toString()).toBe("onetwo");
});

test("receivers of one turn write the same memory, once each", async () => {
  const world = await new TestBroker().start();
  const readers = await audience(world, 24);
  const sender = world.open();
  await sender.connect("sender");
  sender.sendBytes(Buffer.concat([publishOf("all/a", "first"), publishOf("all/b", "second")]));
  const writesOf3x = readers.filter((_, index) => index % 3 !== 0).map(({ transport }) => transport.received.at(-1));
  expect(new Set(writesOf3x).size).toBe(1);
  for (const reader of readers) {
    expect(reader.transport.writes).toBe(1);
    expect(reader.texts()).toEqual(["first", "second"]);
  }
});

test("whatever else goes to a receiver in the same turn, before, between or behind, it reads all in order", async () => {
  const pieces = fc.array(fc.oneof(fc.constantFrom("small", "own", "ping"), fc.constant("large"), fc.constant("huge")), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(pieces, async (sequence) => {
      const world = await new TestBroker({ limits: { outgoingBytesSoftMax: 1e7 } }).start();
      const readers = await audience(world, 9);
      const [chosen] = readers;
      if (chosen === undefined) throw new Error("no reader");
      chosen.subscribe("own");
      const expected: string[][] = readers.map(() => []);
      let pings = 0;
      for (const [index, piece] of sequence.entries()) {
        const bytes = { small: 20, own: 20, large: 20_000, huge: 70_000, ping: 0 }[piece];
        const payload = Buffer.alloc(bytes, `${index} ${piece} `);
        if (piece === "ping") {
          chosen.connection.receive(encodePacket({ type: "pingreq" }, 5));
          pings += 1;
          continue;
        }
        world.broker.publish({ topic: piece === "own" ? "own" : "all/x", payload, qos: 0 });
        for (const [reader, texts] of expected.entries()) if (piece !== "own" || reader === 0) texts.push(payload.toString());
      }
      world.clock.endTurn();
      for (const [index, reader] of readers.entries()) {
        const packets = reader.packets();
        const publishes = packets.filter((packet) => packet.type === "publish");
        expect(publishes.map(({ payload }) => Buffer.from(payload).toString())).toEqual(expected[index]);
        expect(packets.length - publishes.length).toBe(index === 0 ? pings : 0);
      }
      expect(world.bugs).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test("a receiver that left takes nothing with it and the others get theirs", async () => {
  const world = await new TestBroker().start();
  const readers = await audience(world, 10);
  const [gone, ...rest] = readers;
  world.broker.publish({ topic: "all/x", payload: Buffer.from("one"), qos: 0 });
  gone?.transport.destroy();
  world.broker.publish({ topic: "all/x", payload: Buffer.from("two"), qos: 0 });
  world.clock.endTurn();
  for (const reader of rest) expect(reader.texts()).toEqual(["one", "two"]);
});
