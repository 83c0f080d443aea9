/** MQTT.js, a client we did not write, against a real server that lets generic clients in. */
import mqtt, {
  type IClientOptions,
  type IClientSubscribeOptions,
  type IConnackPacket,
  type IDisconnectPacket,
  type IPublishPacket,
  type MqttClient,
} from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { restClient } from "./support/rest-client.ts";
import { type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
const clients: MqttClient[] = [];

beforeAll(async () => {
  server = await startServerProcess({ environment: { THINGSTEAD_PLAIN: "anonymous" } });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
});
afterAll(() => server.remove());

const closeOf = (client: MqttClient) => new Promise<void>((resolve) => client.once("close", () => resolve()));
const connackOf = (client: MqttClient) => new Promise<IConnackPacket>((resolve) => client.once("connect", resolve));
const disconnectOf = (client: MqttClient) => new Promise<IDisconnectPacket>((resolve) => client.once("disconnect", resolve));

interface Reader {
  client: MqttClient;
  packets: IPublishPacket[];
  texts(): string[];
}

async function open(options: IClientOptions = {}, port = server.devicePort): Promise<Reader> {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0, ...options });
  clients.push(client);
  const packets: IPublishPacket[] = [];
  client.on("message", (_topic, _payload, packet) => packets.push(packet));
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("error", reject);
  });
  return { client, packets, texts: () => packets.map(({ payload }) => String(payload)) };
}

const subscribe = (reader: Reader, filter: string, options: IClientSubscribeOptions = { qos: 1 }) =>
  reader.client.subscribeAsync(filter, options);

test.each([
  ["3.1", { protocolVersion: 3, protocolId: "MQIsdp" }],
  ["3.1.1", { protocolVersion: 4 }],
  ["5.0", { protocolVersion: 5 }],
] as [string, IClientOptions][])("%s: QoS 0, 1 and 2 arrive once and in order", async (name, options) => {
  const reader = await open({ ...options, clientId: `order-r-${name}` });
  await subscribe(reader, `order/${name}/#`, { qos: 2 });
  const writer = await open({ ...options, clientId: `order-w-${name}` });
  const sent: string[] = [];
  for (const qos of [0, 1, 2] as const) {
    for (let number = 0; number < 20; number += 1) {
      sent.push(`${qos}-${number}`);
      await writer.client.publishAsync(`order/${name}/t`, `${qos}-${number}`, { qos });
    }
  }
  await until("all arrived", () => reader.packets.length >= sent.length);
  expect(reader.texts()).toEqual(sent);
});

test("[MQTT-3.3.1-5] retained messages, and their handling", async () => {
  const writer = await open();
  await writer.client.publishAsync("keep/t", "old", { retain: true, qos: 1 });
  const reader = await open();
  await subscribe(reader, "keep/#");
  await until("the retained one", () => reader.packets.length === 1);
  expect(reader.packets[0]).toMatchObject({ retain: true, qos: 1 });
  const without = await open();
  await subscribe(without, "keep/#", { qos: 1, rh: 2 });
  await writer.client.publishAsync("keep/t", "new", { qos: 1 });
  await until("the live one", () => without.packets.length === 1);
  expect(without.texts()).toEqual(["new"]);
});

test("[MQTT-3.1.2-8] a will is sent when the stream breaks", async () => {
  const reader = await open();
  await subscribe(reader, "will/t");
  const dying = await open({ will: { topic: "will/t", payload: Buffer.from("gone"), qos: 1, properties: { contentType: "text/plain" } } });
  dying.client.stream.destroy();
  await until("the will", () => reader.packets.length === 1);
  expect(reader.packets[0]?.properties?.contentType).toBe("text/plain");
});

test("[MQTT-3.1.2-4] a kept session gets what came while it was away", async () => {
  const options: IClientOptions = { clientId: "away", clean: false, properties: { sessionExpiryInterval: 60 } };
  const first = await open(options);
  await subscribe(first, "away/t");
  await first.client.endAsync();
  const writer = await open();
  for (const text of ["one", "two", "three"]) await writer.client.publishAsync("away/t", text, { qos: 1 });
  const again = await open(options);
  await until("the queue", () => again.packets.length === 3);
  expect(again.texts()).toEqual(["one", "two", "three"]);
});

test("[MQTT-4.8.2-3] shared subscriptions: each message once, all members busy", async () => {
  const members = [await open(), await open(), await open()];
  for (const member of members) await subscribe(member, "$share/crew/shared/t");
  const writer = await open();
  await Promise.all(Array.from({ length: 60 }, (_, number) => writer.client.publishAsync("shared/t", String(number), { qos: 1 })));
  await until("all arrived", () => members.reduce((sum, { packets }) => sum + packets.length, 0) >= 60);
  const all = members.flatMap((member) => member.texts());
  expect(new Set(all).size).toBe(60);
  expect(all.length).toBe(60);
  for (const { packets } of members) expect(packets.length).toBe(20);
});

test("[MQTT-3.1.2-26] topic aliases both ways", async () => {
  const reader = await open({ properties: { topicAliasMaximum: 5 } });
  await subscribe(reader, "aliases/#");
  const wire: string[] = [];
  reader.client.on("packetreceive", (packet) => {
    if (packet.cmd === "publish") wire.push(packet.topic);
  });
  const writer = await open({ autoAssignTopicAlias: true });
  for (let number = 0; number < 4; number += 1) await writer.client.publishAsync("aliases/long/topic", String(number), { qos: 1 });
  await until("all arrived", () => reader.packets.length === 4);
  expect(wire).toEqual(["aliases/long/topic", "", "", ""]);
  expect(reader.texts()).toEqual(["0", "1", "2", "3"]);
});

test("[MQTT-3.3.2-15] [MQTT-3.3.2-17] [MQTT-3.3.2-18] request and response with user properties", async () => {
  const service = await open();
  await subscribe(service, "ask/+");
  service.client.on("message", (_topic, _payload, { properties }) => {
    if (properties?.responseTopic === undefined) return;
    const { correlationData, userProperties } = properties;
    const echo = {
      ...(correlationData === undefined ? {} : { correlationData }),
      ...(userProperties === undefined ? {} : { userProperties }),
    };
    service.client.publish(properties.responseTopic, "answer", { qos: 1, properties: echo });
  });
  const asking = await open();
  await subscribe(asking, "answers/me");
  const correlationData = Buffer.from([0, 1, 2, 255]);
  const properties = { responseTopic: "answers/me", correlationData, userProperties: { trace: ["a", "b"], lang: "zh" } };
  await asking.client.publishAsync("ask/time", "?", { qos: 1, properties });
  await until("the answer", () => asking.packets.length === 1);
  expect(asking.packets[0]?.properties?.correlationData?.equals(correlationData)).toBe(true);
  expect({ ...asking.packets[0]?.properties?.userProperties }).toEqual({ trace: ["a", "b"], lang: "zh" });
});

test("[MQTT-3.2.2-16] a client without an id is given one; limits are told", async () => {
  const client = mqtt.connect(`mqtt://127.0.0.1:${server.devicePort}`, {
    protocolVersion: 5,
    clientId: "",
    clean: true,
    reconnectPeriod: 0,
  });
  clients.push(client);
  const connack = await connackOf(client);
  expect(connack.properties).toMatchObject({
    assignedClientIdentifier: expect.stringMatching(/^auto-/),
    topicAliasMaximum: expect.any(Number),
  });
});

test("[MQTT-3.1.4-3] a second connection takes over and the first is told", async () => {
  const first = await open({ clientId: "twice" });
  const told = disconnectOf(first.client);
  await open({ clientId: "twice" });
  expect(await told).toMatchObject({ reasonCode: 0x8e });
});

test("$SYS: numbers at once", async () => {
  const reader = await open();
  await subscribe(reader, "$SYS/broker/#", { qos: 0 });
  await until("numbers", () => reader.packets.length > 10);
  expect(reader.packets.find(({ topic }) => topic === "$SYS/broker/version")?.payload.toString()).toMatch(/^thingstead version /);
  await expect(reader.client.publishAsync("$SYS/broker/uptime", "x", { qos: 1 })).rejects.toThrow(/Not authorized/);
});

test("WebSocket carries the same", async () => {
  const reader = await open();
  await subscribe(reader, "web/t");
  const writer = mqtt.connect(`ws://127.0.0.1:${server.devicePort}/mqtt`, { protocolVersion: 5, reconnectPeriod: 0 });
  clients.push(writer);
  await connackOf(writer);
  await writer.publishAsync("web/t", "x".repeat(100_000), { qos: 2 });
  await until("the large one", () => reader.packets.length === 1);
  expect(reader.packets[0]?.payload.length).toBe(100_000);
});

test("plain=users: rights, their change, a new password and deletion, as REST says", async () => {
  const guarded = await startServerProcess({ environment: { THINGSTEAD_PLAIN: "users" } });
  try {
    const rest = restClient(guarded);
    const made = await rest("POST", "/mqtt-users", { userName: "ada", rights: [{ filter: "home/%u/#", operation: "ALL" }] });
    expect(made).toMatchObject({ status: 201, body: { userName: "ada", password: expect.any(String) } });
    const credentials = { username: "ada", password: made.body.password, clientId: "phone" };
    await expect(open({}, guarded.devicePort)).rejects.toMatchObject({ code: 0x86 });
    await expect(open({ ...credentials, password: "wrong" }, guarded.devicePort)).rejects.toMatchObject({ code: 0x86 });
    const reader = await open(credentials, guarded.devicePort);
    await subscribe(reader, "home/ada/#");
    await expect(subscribe(reader, "#")).rejects.toThrow(/Not authorized/);
    await reader.client.publishAsync("home/ada/lamp", "on", { qos: 2 });
    await until("its own message", () => reader.packets.length === 1);
    await expect(reader.client.publishAsync("office/lamp", "on", { qos: 1 })).rejects.toThrow(/Not authorized/);
    // The right is taken away from the running session.
    expect((await rest("PATCH", "/mqtt-users/ada", { rights: [{ filter: "office/#", operation: "PUB" }] })).status).toBe(200);
    await reader.client.publishAsync("office/lamp", "on", { qos: 1 });
    await expect(reader.client.publishAsync("home/ada/lamp", "off", { qos: 1 })).rejects.toThrow(/Not authorized/);
    const cut = closeOf(reader.client);
    const renewed = await rest("POST", "/mqtt-users/ada/password", {});
    await cut;
    await expect(open(credentials, guarded.devicePort)).rejects.toMatchObject({ code: 0x86 });
    const again = await open({ ...credentials, password: renewed.body.password }, guarded.devicePort);
    const ended = closeOf(again.client);
    expect((await rest("DELETE", "/mqtt-users/ada")).status).toBe(204);
    await ended;
    await expect(open({ ...credentials, password: renewed.body.password }, guarded.devicePort)).rejects.toMatchObject({ code: 0x86 });
    const log = await rest("GET", "/device-log?clientId=phone&limit=200");
    expect(log.body.items.map(({ code }: { code: string }) => code)).toEqual(
      expect.arrayContaining(["device.connected", "access.topic_not_granted", "access.user_credentials_wrong", "access.user_deleted"]),
    );
    expect(JSON.stringify(log.body)).not.toContain(renewed.body.password);
  } finally {
    await guarded.remove();
  }
});
