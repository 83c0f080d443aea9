import fc from "fast-check";
import { expect, test } from "vitest";
import { decodePacket, Framer, type PublishPacket } from "../codec/index.ts";
import { TestBroker } from "../testing/test-broker.ts";
import { OutgoingAliases } from "./outgoing-aliases.ts";

function decode(bytes: Buffer): PublishPacket {
  let found: PublishPacket | undefined;
  new Framer({ packetBytesMax: 1e6 }).push(bytes, (firstByte, buffer, start, end) => {
    const packet = decodePacket(firstByte, buffer, start, end, 5);
    if (packet.type === "publish") found = packet;
    return true;
  });
  if (found === undefined) throw new Error("no publish");
  return found;
}

test("[MQTT-3.1.2-26] a model client resolves every alias to the topic that was meant, within its limits", () => {
  const topic = fc.integer({ min: 0, max: 12 }).map((number) => `sensors/room/${number}`);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.tuple(topic, fc.nat({ max: 60 })), { maxLength: 80 }), (aliasesMax, sent) => {
      const aliases = new OutgoingAliases(aliasesMax);
      const known = new Map<number, string>();
      for (const [wanted, payloadBytes] of sent) {
        const payload = Buffer.alloc(payloadBytes);
        const publish = {
          topic: wanted,
          payload,
          qos: 0 as const,
          isDuplicate: false,
          isRetained: false,
          packetId: 0,
          properties: undefined,
        };
        const bytes = aliases.encode(publish, 70);
        if (bytes === undefined) continue;
        expect(bytes.length).toBeLessThanOrEqual(70);
        const packet = decode(bytes);
        const alias = packet.properties?.topicAlias;
        if (alias !== undefined) {
          expect(alias).toBeGreaterThan(0);
          expect(alias).toBeLessThanOrEqual(aliasesMax);
          if (packet.topic !== "") known.set(alias, packet.topic);
        }
        expect(packet.topic === "" ? known.get(alias ?? 0) : packet.topic).toBe(wanted);
      }
    }),
  );
});

test("[MQTT-3.3.2-12] the second message on a topic goes by its alias, at every QoS and with subscription identifiers", async () => {
  const world = await new TestBroker().start();
  const reader = world.open();
  const writer = world.open();
  await reader.connect("reader", { protocolVersion: 5, properties: { topicAliasMaximum: 2 } });
  await writer.connect("writer");
  reader.subscribe("sensors/#", 1, {}, { subscriptionIdentifiers: [7] });
  for (const qos of [0, 1, 0] as const) writer.publish("sensors/room/1", "x", qos);
  expect(reader.publishes().map(({ topic, qos, properties }) => ({ topic, qos, properties }))).toEqual([
    { topic: "sensors/room/1", qos: 0, properties: { subscriptionIdentifiers: [7], topicAlias: 1 } },
    { topic: "", qos: 1, properties: { subscriptionIdentifiers: [7], topicAlias: 1 } },
    { topic: "", qos: 0, properties: { subscriptionIdentifiers: [7], topicAlias: 1 } },
  ]);
});

test("[MQTT-3.1.2-27] a client that does not say how many aliases it takes gets none; a new connection starts without", async () => {
  const world = await new TestBroker().start();
  const writer = world.open();
  await writer.connect("writer");
  for (const topicAliasMaximum of [undefined, 5, 5]) {
    const reader = world.open();
    const properties = topicAliasMaximum === undefined ? {} : { topicAliasMaximum };
    await reader.connect("reader", { protocolVersion: 5, properties });
    reader.subscribe("sensors/room/1");
    writer.publish("sensors/room/1", "x");
    const [publish] = reader.publishes();
    expect(publish?.topic).toBe("sensors/room/1");
    expect(publish?.properties?.topicAlias).toBe(topicAliasMaximum === undefined ? undefined : 1);
    reader.drop();
  }
});
