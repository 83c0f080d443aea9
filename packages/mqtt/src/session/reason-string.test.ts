import { expect, test } from "vitest";
import { TestBroker } from "../testing/test-broker.ts";
import { formatRefusal } from "./session-error.ts";

const refusing = {
  rights: { publish: () => ({ code: "access.no", received: "t", expected: "u" }), subscribe: () => ({ code: "access.no", received: "t" }) },
};

async function connected(properties: object, protocolVersion: 4 | 5 = 5) {
  const world = await new TestBroker({ admission: refusing }).start();
  const client = world.open();
  await client.connect("one", protocolVersion === 5 ? { protocolVersion, properties } : { protocolVersion });
  return client;
}

test("[MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.9.2-1] a refusing answer says why", async () => {
  const client = await connected({});
  client.publish("t", "x", 1);
  client.publish("t", "x", 2);
  const reasonString = "access.no; received t; expected u";
  expect(client.packets()).toMatchObject([
    { type: "puback", reasonCode: 0x87, properties: { reasonString } },
    { type: "pubrec", reasonCode: 0x87, properties: { reasonString } },
  ]);
  const subscription = { filter: "t", qos: 0 as const, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 as const };
  client.send({ type: "subscribe", packetId: 9, subscriptions: [subscription] });
  expect(client.packets()).toMatchObject([{ type: "suback", reasonCodes: [0x87], properties: { reasonString: "access.no; received t" } }]);
});

test("[MQTT-3.14.2-3] a DISCONNECT of the server says why", async () => {
  const client = await connected({});
  client.send({ type: "connect", protocolVersion: 5, clientId: "one", isCleanStart: true, keepAliveSeconds: 0 });
  expect(client.packets()).toMatchObject([
    { type: "disconnect", reasonCode: 0x82, properties: { reasonString: expect.stringContaining("mqtt.second_connect") } },
  ]);
});

test("[MQTT-3.1.2-29] not to a client that wants no problem information", async () => {
  const client = await connected({ requestProblemInformation: 0 });
  client.publish("t", "x", 1);
  expect(client.packets()).toEqual([{ type: "puback", packetId: 1, reasonCode: 0x87 }]);
});

test("[MQTT-3.4.2-2] not beyond the client's Maximum Packet Size", async () => {
  const client = await connected({ maximumPacketSizeBytes: 40 });
  client.publish("t", "x", 1);
  expect(client.packets()).toEqual([{ type: "puback", packetId: 1, reasonCode: 0x87 }]);
});

test("3.1.1 has no words for it", async () => {
  const client = await connected({}, 4);
  client.publish("t", "x", 1);
  expect(client.packets()).toEqual([{ type: "puback", packetId: 1 }]);
});

test("a reason is well-formed text of bounded length", () => {
  const text = formatRefusal({ code: "mqtt.x", received: `\0${"\u{1f600}".repeat(600)}` });
  expect(text.length).toBeLessThanOrEqual(512);
  expect(text.isWellFormed()).toBe(true);
  expect(text).not.toContain("\0");
});
