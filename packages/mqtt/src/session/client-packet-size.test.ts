import { expect, test } from "vitest";
import { TestBroker } from "../testing/test-broker.ts";

const subscription = { qos: 0 as const, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 as const };

async function connected(maximumPacketSizeBytes: number) {
  const world = await new TestBroker().start();
  const client = world.open();
  const connack = await client.connect("small", { protocolVersion: 5, properties: { maximumPacketSizeBytes } });
  return { world, client, connack };
}

test("[MQTT-3.1.2-24] a client that cannot take the CONNACK is refused", async () => {
  const { world, client, connack } = await connected(5);
  expect(connack).toMatchObject({ reasonCode: 0x95, isSessionPresent: false });
  expect(client.isClosed).toBe(true);
  expect(world.broker.statistics()).toMatchObject({ sessions: 0 });
});

test("[MQTT-3.1.2-24] one that cannot even take the refusal hears nothing", async () => {
  await expect(connected(4)).rejects.toThrow("expected CONNACK, got nothing");
});

test("[MQTT-3.1.2-24] a request whose answer is too large changes nothing", async () => {
  const { world, client } = await connected(30);
  const filters = Array.from({ length: 26 }, (_, index) => `t/${index}`);
  const request = (count: number) =>
    client.send({ type: "subscribe", packetId: 1, subscriptions: filters.slice(0, count).map((filter) => ({ ...subscription, filter })) });
  request(10);
  expect(client.packets()).toMatchObject([{ type: "suback" }]);
  client.send({ type: "unsubscribe", packetId: 2, filters: filters.slice(0, 25) });
  expect(client.packets()).toMatchObject([{ type: "unsuback" }]);
  request(26);
  expect(client.packets()).toEqual([{ type: "disconnect", reasonCode: 0x95 }]);
  expect(world.broker.statistics().subscriptions).toBe(0);
});

test("[MQTT-3.1.2-24] UNSUBSCRIBE the same", async () => {
  const { client } = await connected(30);
  client.send({ type: "unsubscribe", packetId: 2, filters: Array.from({ length: 26 }, (_, index) => `t/${index}`) });
  expect(client.packets()).toEqual([{ type: "disconnect", reasonCode: 0x95 }]);
});
