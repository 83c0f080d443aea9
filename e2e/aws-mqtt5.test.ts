/** MQTT 5 as the vendor's device SDK (native CRT) sees it, and where it meets 3.1.1 (AWS reference, 6 and 7). */
import { once } from "node:events";
import { CreatePolicyVersionCommand } from "@aws-sdk/client-iot";
import { iot, mqtt5 } from "aws-iot-device-sdk-v2";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type AwsDevice, type AwsFixture, everything, startAwsFixture } from "./support/aws-fixture.ts";

let aws: AwsFixture;
let device: AwsDevice;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  aws = await startAwsFixture();
  device = await aws.createDevice();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => aws?.remove());

interface Received {
  topic: string;
  text: string;
  isRetained: boolean;
  packet: mqtt5.PublishPacket;
}

/** The vendor's client, and everything that it was told. */
class CrtClient {
  readonly client: mqtt5.Mqtt5Client;
  readonly messages: Received[] = [];
  readonly disconnects: mqtt5.DisconnectPacket[] = [];
  #isStopped = false;

  constructor(clientId: string, connectProperties: Partial<mqtt5.ConnectPacket> = {}, credentials: AwsDevice = device) {
    const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(
      "localhost",
      credentials.certificatePem,
      credentials.privateKeyPem,
    );
    builder.withPort(aws.server.devicePort).withCertificateAuthority(aws.server.ca.toString());
    builder.withConnectProperties({ clientId, keepAliveIntervalSeconds: 30, ...connectProperties });
    builder.withSessionBehavior(mqtt5.ClientSessionBehavior.RejoinAlways);
    builder.withOfflineQueueBehavior(mqtt5.ClientOperationQueueBehavior.FailAllOnDisconnect);
    // What is under test must not be kept back by the client's own checks.
    builder.withExtendedValidationAndFlowControlOptions(mqtt5.ClientExtendedValidationAndFlowControl.None);
    // Once cut, it stays away for as long as a test lasts.
    builder.withMinReconnectDelayMs(60_000).withMaxReconnectDelayMs(120_000);
    this.client = new mqtt5.Mqtt5Client(builder.build());
    this.client.on("messageReceived", ({ message }) => {
      // An empty payload is a buffer that is gone: it cannot be read, but it has a length.
      const payload = (message.payload ?? "") as ArrayBuffer | string;
      const text = typeof payload !== "string" && payload.byteLength === 0 ? "" : Buffer.from(payload as ArrayBuffer).toString();
      this.messages.push({ topic: message.topicName, text, isRetained: message.retain === true, packet: message });
    });
    this.client.on("disconnection", ({ disconnect }) => {
      if (disconnect !== undefined) this.disconnects.push(disconnect);
    });
    this.client.on("error", () => {});
    closers.push(() => this.stop());
  }

  async connect(): Promise<mqtt5.ConnackPacket> {
    const answer = Promise.race([
      once(this.client, "connectionSuccess").then(([event]) => (event as mqtt5.ConnectionSuccessEvent).connack),
      once(this.client, "connectionFailure").then(([event]) => (event as mqtt5.ConnectionFailureEvent).connack),
    ]);
    this.client.start();
    const connack = await answer;
    if (connack === undefined) throw new Error("no CONNACK");
    return connack;
  }

  async stop(packet?: mqtt5.DisconnectPacket): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const stopped = once(this.client, "stopped");
    this.client.stop(packet);
    await stopped;
    this.client.close();
  }

  subscribe(...topicFilters: string[]): Promise<mqtt5.SubackPacket> {
    return this.client.subscribe({ subscriptions: topicFilters.map((topicFilter) => ({ topicFilter, qos: mqtt5.QoS.AtLeastOnce })) });
  }

  async publish(topicName: string, payload: string, options: Partial<mqtt5.PublishPacket> = {}): Promise<number | undefined> {
    const puback = await this.client.publish({ topicName, payload, qos: mqtt5.QoS.AtLeastOnce, ...options });
    return puback?.reasonCode;
  }

  /** Whatever was sent before has come when this has. */
  async settled(): Promise<void> {
    const topic = `settled/${Math.random()}`;
    await this.subscribe(topic);
    await this.publish(topic, "");
    await expect.poll(() => this.messages.some((message) => message.topic === topic)).toBe(true);
    this.messages.splice(0, this.messages.length, ...this.messages.filter((message) => message.topic !== topic));
  }

  async disconnected(): Promise<mqtt5.DisconnectPacket> {
    await expect.poll(() => this.disconnects.length).toBeGreaterThan(0);
    const [packet] = this.disconnects;
    if (packet === undefined) throw new Error("no DISCONNECT");
    return packet;
  }
}

async function connected(
  clientId: string,
  options: Partial<mqtt5.ConnectPacket> = {},
  credentials: AwsDevice = device,
): Promise<CrtClient> {
  const client = new CrtClient(clientId, options, credentials);
  expect(await client.connect()).toMatchObject({ reasonCode: 0 });
  return client;
}

/** MQTT.js, for 3.1.1 and for what the vendor's client does not let its user do. */
async function connectedJs(clientId: string, options: mqtt.IClientOptions = {}): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync({
    protocol: "mqtts",
    host: "localhost",
    port: aws.server.devicePort,
    ca: aws.server.ca,
    cert: device.certificatePem,
    key: device.privateKeyPem,
    clientId,
    protocolVersion: 4,
    reconnectPeriod: 0,
    resubscribe: false,
    ...options,
  });
  client.on("error", () => {});
  closers.push(() => client.endAsync(true));
  return client;
}

test("7.1: CONNACK says what the vendor's says", async () => {
  const client = new CrtClient("connack", { keepAliveIntervalSeconds: 5, sessionExpiryIntervalSeconds: 700_000 });
  expect(await client.connect()).toMatchObject({
    sessionPresent: false,
    maximumQos: 1,
    receiveMaximum: 100,
    topicAliasMaximum: 8,
    maximumPacketSize: 149_504,
    subscriptionIdentifiersAvailable: false,
    // Cut to what the account allows, and raised to the shortest that is taken (6.2).
    sessionExpiryInterval: 3600,
    serverKeepAlive: 30,
  });
});

test("7.2: properties travel between MQTT 5 clients, in order; a 3.1.1 client gets the message without them", async () => {
  const [one, two] = [await connected("p-one"), await connected("p-two")];
  const old = await connectedJs("p-old");
  const heard = new Promise<[string, string]>((resolve) => old.once("message", (topic, payload) => resolve([topic, payload.toString()])));
  await old.subscribeAsync("props/#", { qos: 1 });
  await two.subscribe("props/#");
  const userProperties = [
    { name: "b", value: "1" },
    { name: "a", value: "2" },
    { name: "b", value: "3" },
  ];
  const options = {
    payloadFormat: mqtt5.PayloadFormatIndicator.Utf8,
    contentType: "text/plain",
    responseTopic: "props/answer",
    correlationData: Buffer.from("c-1"),
    userProperties,
    messageExpiryIntervalSeconds: 700_000,
  };
  expect(await one.publish("props/x", "hello", options)).toBe(0);
  await two.settled();
  const [message] = two.messages;
  expect(message).toMatchObject({ topic: "props/x", text: "hello" });
  expect(message?.packet).toMatchObject({
    contentType: "text/plain",
    responseTopic: "props/answer",
    userProperties,
    // Cut to a week.
    messageExpiryIntervalSeconds: 604_800,
  });
  expect(Buffer.from(message?.packet.correlationData as ArrayBuffer).toString()).toBe("c-1");
  expect(await heard).toEqual(["props/x", "hello"]);
  await old.publishAsync("props/y", "from 3.1.1", { qos: 1 });
  await two.settled();
  const last = two.messages.at(-1);
  expect(last?.text).toBe("from 3.1.1");
  expect(last?.packet.userProperties ?? []).toEqual([]);
});

test("6.1: # does not take its parent; 6.4: retained messages come for the very topic, not for wildcards", async () => {
  const client = await connected("filters");
  for (const topic of ["f", "f/", "f/x"]) await client.publish(topic, topic, { retain: true });
  await client.subscribe("f/#");
  await client.settled();
  expect(client.messages).toEqual([]);
  await client.subscribe("f/x");
  await client.settled();
  expect(client.messages.splice(0)).toMatchObject([{ topic: "f/x", isRetained: true }]);
  for (const topic of ["f", "f/", "f/x"]) await client.publish(topic, topic, { retain: true });
  await client.settled();
  expect(client.messages.map(({ topic, isRetained }) => [topic, isRetained])).toEqual([
    ["f/", false],
    ["f/x", false],
  ]);
  for (const topic of ["f", "f/", "f/x"]) await client.publish(topic, "", { retain: true });
});

test("7.1: a subscription identifier ends the connection with 0xA1 and words", async () => {
  const client = await connected("identifier");
  const subscribed = client.client.subscribe({
    subscriptions: [{ topicFilter: "i", qos: mqtt5.QoS.AtLeastOnce }],
    subscriptionIdentifier: 5,
  });
  await expect(subscribed).rejects.toThrow();
  expect(await client.disconnected()).toMatchObject({ reasonCode: 0xa1, reasonString: expect.stringContaining("Subscription Identifier") });
});

test("6.1: a second client with the id takes over: 0x8E, and the will of the first is sent", async () => {
  const listener = await connected("will-listener");
  await listener.subscribe("wills/one");
  const first = await connected("twice", { will: { topicName: "wills/one", payload: "gone", qos: mqtt5.QoS.AtLeastOnce } });
  await connected("twice");
  expect(await first.disconnected()).toMatchObject({ reasonCode: 0x8e });
  await expect.poll(() => listener.messages.map(({ text }) => text)).toEqual(["gone"]);
});

test("6.3: a session of MQTT 5 is resumed by MQTT 5, and by 3.1.1 not", async () => {
  const kept = { sessionExpiryIntervalSeconds: 600 };
  const first = await connected("session", kept);
  await first.subscribe("kept/x");
  await first.stop();
  const writer = await connected("session-writer");
  await writer.publish("kept/x", "1");
  const second = new CrtClient("session", kept);
  expect(await second.connect()).toMatchObject({ sessionPresent: true });
  await expect.poll(() => second.messages.map(({ text }) => text)).toEqual(["1"]);
  await second.stop();
  const old = await connectedJs("session", { clean: false });
  await writer.publish("kept/x", "2");
  await old.endAsync();
  const third = new CrtClient("session", kept);
  expect(await third.connect()).toMatchObject({ sessionPresent: false });
  await third.settled();
  expect(third.messages).toEqual([]);
});

test("7.2: DISCONNECT with a session expiry of 0 ends the session now", async () => {
  const kept = { sessionExpiryIntervalSeconds: 600 };
  const first = await connected("ended", kept);
  await first.subscribe("ended/x");
  await first.stop({ reasonCode: mqtt5.DisconnectReasonCode.NormalDisconnection, sessionExpiryIntervalSeconds: 0 });
  const second = new CrtClient("ended", kept);
  expect(await second.connect()).toMatchObject({ sessionPresent: false });
});

test("6.1: a publish of QoS 2 ends the connection with 0x9B, a filter of QoS 2 is granted 1", async () => {
  // The vendor's client does not send what CONNACK excludes.
  const client = await connectedJs("qos-two", { protocolVersion: 5 });
  const [granted] = await client.subscribeAsync("q", { qos: 2 });
  expect(granted?.qos).toBe(1);
  const disconnect = new Promise<number | undefined>((resolve) => client.once("disconnect", ({ reasonCode }) => resolve(reasonCode)));
  client.publish("q", "x", { qos: 2 }, () => {});
  expect(await disconnect).toBe(0x9b);
});

test("5.6: without permission a filter is answered 0x87, a publish costs the connection, and a CONNECT is refused", async () => {
  const narrow = await aws.createDevice({
    statements: [
      { Effect: "Allow", Action: "iot:Connect", Resource: aws.arn("client/narrow") },
      { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: aws.arn("topic/own/*") },
      { Effect: "Allow", Action: "iot:Subscribe", Resource: aws.arn("topicfilter/*") },
      { Effect: "Deny", Action: "iot:Subscribe", Resource: aws.arn("topicfilter/denied") },
    ],
  });
  const client = await connected("narrow", {}, narrow);
  expect(await client.subscribe("denied", "own/+", "all/+")).toMatchObject({ reasonCodes: [0x87, 1, 1] });
  // Subscribed, and still not to be received: skipped without a word.
  const writer = await connected("narrow-writer");
  await writer.publish("all/x", "secret");
  await writer.publish("own/x", "open");
  await expect.poll(() => client.messages.map(({ topic }) => topic)).toEqual(["own/x"]);
  await client.publish("foreign", "x").catch(() => undefined);
  expect(await client.disconnected()).toMatchObject({ reasonCode: 0x87 });
  const stranger = new CrtClient("stranger", {}, narrow);
  expect(await stranger.connect()).toMatchObject({ reasonCode: 0x87 });
});

test("6.3, 5.6: a session and its queue outlive kill -9; what its owner may not receive by then is not sent", async () => {
  const before = await startAwsFixture();
  const owner = await before.createDevice();
  const writer = await before.createDevice();
  const connectTo = (fixture: AwsFixture, clientId: string, { certificatePem, privateKeyPem }: AwsDevice) =>
    connectedJs(clientId, {
      port: fixture.server.devicePort,
      ca: fixture.server.ca,
      cert: certificatePem,
      key: privateKeyPem,
      clean: false,
    });
  const first = await connectTo(before, "kept", owner);
  await first.subscribeAsync("news/#", { qos: 1 });
  await first.endAsync();
  const publisher = await connectTo(before, "publisher", writer);
  for (const topic of ["news/open", "news/secret", "news"]) await publisher.publishAsync(topic, "before", { qos: 1 });
  await before.server.kill();

  const after = await startAwsFixture({ dataDir: before.server.dataDir });
  const statements = [...everything, { Effect: "Deny", Action: "iot:Receive", Resource: after.arn("topic/news/secret") }];
  const policyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  await after.iot.send(new CreatePolicyVersionCommand({ policyName: owner.policyName, policyDocument, setAsDefault: true }));
  const again = await connectTo(after, "publisher", writer);
  for (const topic of ["news/open", "news/secret", "news"]) await again.publishAsync(topic, "after", { qos: 1 });
  const received: string[] = [];
  const client = mqtt.connect(`mqtts://localhost:${after.server.devicePort}`, {
    ca: after.server.ca,
    cert: owner.certificatePem,
    key: owner.privateKeyPem,
    clientId: "kept",
    clean: false,
    protocolVersion: 4,
    reconnectPeriod: 0,
    resubscribe: false,
  });
  // Before the connection: what is owed comes right behind its CONNACK.
  client.on("message", (topic, payload) => received.push(`${topic} ${payload.toString()}`));
  closers.push(() => client.endAsync(true));
  const isPresent = await new Promise<boolean>((resolve) => client.once("connect", ({ sessionPresent }) => resolve(sessionPresent)));
  expect(isPresent).toBe(true);
  await again.publishAsync("news/last", "after", { qos: 1 });
  await expect.poll(() => received.at(-1)).toBe("news/last after");
  expect(received).toEqual(["news/open before", "news/open after", "news/last after"]);
  for (const close of closers.splice(0)) await close();
  await after.remove();
});

test.each([
  ["3.1.1, clean session", 4, true],
  ["3.1.1, kept session", 4, false],
  ["5.0, kept session", 5, false],
] as const)("the echo of a publish is there before its PUBACK: %s", async (_name, protocolVersion, clean) => {
  const client = await connectedJs(`echo-${protocolVersion}-${clean}`, {
    protocolVersion,
    clean,
    properties: { sessionExpiryInterval: 600 },
  });
  await client.subscribeAsync("echo/x", { qos: 1 });
  const order: string[] = [];
  client.on("packetreceive", ({ cmd }) => {
    if (cmd === "publish" || cmd === "puback") order.push(cmd);
  });
  await Promise.all(Array.from({ length: 50 }, (_, index) => client.publishAsync("echo/x", String(index), { qos: 1 })));
  await expect.poll(() => order.length).toBe(100);
  let lead = 0;
  for (const packet of order) {
    lead += packet === "publish" ? 1 : -1;
    expect(lead).toBeGreaterThanOrEqual(0);
  }
});
