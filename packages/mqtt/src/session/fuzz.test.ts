import fc from "fast-check";
import { expect, test } from "vitest";
import { encodePacket, type Packet } from "../codec/index.ts";
import { TestBroker } from "../testing/test-broker.ts";

const topic = fc.constantFrom("a", "a/b", "$x", "");
const filter = fc.constantFrom("a", "a/+", "#", "$share/g/a", "+/b");
const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
const packetId = fc.integer({ min: 1, max: 4 });

/** Legal packets in any order, legal there or not. */
const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({ topic, qos, packetId, isRetained: fc.boolean() }).map(
    (some): Packet => ({
      type: "publish",
      topic: some.topic === "" ? "b" : some.topic,
      payload: Buffer.from("payload"),
      qos: some.qos,
      isDuplicate: false,
      isRetained: some.isRetained,
      ...(some.qos === 0 ? {} : { packetId: some.packetId }),
    }),
  ),
  fc.record({ type: fc.constantFrom("puback", "pubrec", "pubrel", "pubcomp"), packetId }),
  fc.record({ filter, qos, packetId }).map(
    (some): Packet => ({
      type: "subscribe",
      packetId: some.packetId,
      subscriptions: [{ filter: some.filter, qos: some.qos, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 }],
    }),
  ),
  fc.record({ filter, packetId }).map((some): Packet => ({ type: "unsubscribe", packetId: some.packetId, filters: [some.filter] })),
  fc.constant<Packet>({ type: "pingreq" }),
  fc.constant<Packet>({ type: "connect", protocolVersion: 4, clientId: "fuzz", isCleanStart: false, keepAliveSeconds: 1 }),
  fc.constant<Packet>({ type: "disconnect" }),
);

/** Packets of any order, some with one byte changed, then cut anywhere. */
const stream = fc
  .array(fc.record({ packet, flip: fc.option(fc.record({ at: fc.nat(40), value: fc.nat(255) }), { freq: 8, nil: undefined }) }), {
    maxLength: 30,
  })
  .map((entries) =>
    Buffer.concat(
      entries.map((entry) => {
        const bytes = encodePacket(entry.packet, 4);
        if (entry.flip !== undefined && entry.flip.at < bytes.length) bytes[entry.flip.at] = entry.flip.value;
        return bytes;
      }),
    ),
  );

test("fuzz: no bytes make a bug, and a bystander is served whatever its neighbour sends", async () => {
  await fc.assert(
    fc.asyncProperty(stream, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), async (bytes, cuts) => {
      const world = await new TestBroker({ behaviour: { inflightMax: 3, queueMessagesMax: 5 } }).start();
      const bystander = world.open();
      await bystander.connect("bystander");
      bystander.subscribe("only/mine");
      const client = world.open();
      await client.connect("fuzz", { isCleanStart: false });
      let at = 0;
      for (let index = 0; at < bytes.length; index += 1) {
        const size = cuts[index % cuts.length] ?? 1;
        client.sendBytes(bytes.subarray(at, at + size));
        at += size;
      }
      world.clock.advance(3_000);
      expect(world.bugs).toEqual([]);
      bystander.publish("only/mine", "alive");
      expect(bystander.texts()).toEqual(["alive"]);
      // What the broker sent stays well-formed: reading it throws otherwise.
      client.packets();
      expect(client.transport.writesAfterEnd).toBe(0);
      expect(world.broker.statistics().subscriptions).toBe(1 + world.broker.subscriptionsOf("fuzz").length);
    }),
    { numRuns: 150 },
  );
});
