/** Presence, subscription and registry events, as clients of the service hear them (AWS reference, 10). */
import { randomUUID } from "node:crypto";
import { AttachThingPrincipalCommand, CreateThingCommand, DeleteThingCommand, UpdateEventConfigurationsCommand } from "@aws-sdk/client-iot";
import { DeleteConnectionCommand, IoTDataPlaneClient } from "@aws-sdk/client-iot-data-plane";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type AwsDevice, type AwsFixture, awsAccountId, startAwsFixture } from "./support/aws-fixture.ts";

let aws: AwsFixture;
let device: AwsDevice;
const clients: mqtt.MqttClient[] = [];

beforeAll(async () => {
  aws = await startAwsFixture();
  device = await aws.createDevice();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
});
afterAll(() => aws?.remove());

interface Event {
  topic: string;
  payload: Record<string, unknown>;
}

function optionsOf(clientId: string, credentials: AwsDevice = device): mqtt.IClientOptions {
  return {
    ca: aws.server.ca,
    cert: credentials.certificatePem,
    key: credentials.privateKeyPem,
    clientId,
    protocolVersion: 4,
    reconnectPeriod: 0,
    resubscribe: false,
  };
}

async function connect(clientId: string, options: mqtt.IClientOptions = {}): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(`mqtts://localhost:${aws.server.devicePort}`, { ...optionsOf(clientId), ...options });
  client.on("error", () => {});
  clients.push(client);
  return client;
}

const closeOf = (client: mqtt.MqttClient) => new Promise<void>((resolve) => client.once("close", resolve));

/** Hears every event about one client id; each test has ids of its own. */
async function watch(...filters: string[]): Promise<Event[]> {
  const events: Event[] = [];
  const watcher = await connect(`watcher-${randomUUID()}`);
  watcher.on("message", (topic, payload) => events.push({ topic, payload: JSON.parse(payload.toString()) }));
  await watcher.subscribeAsync(filters, { qos: 1 });
  return events;
}

const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

test("10.1, 10.2: a client comes, subscribes, unsubscribes and goes", async () => {
  const events = await watch("$aws/events/presence/+/lamp-1", "$aws/events/subscriptions/+/lamp-1");
  const before = Date.now();
  const client = await connect("lamp-1");
  await client.subscribeAsync(["lamp-1/a", "lamp-1/b"], { qos: 1 });
  await client.unsubscribeAsync("lamp-1/a");
  await client.endAsync();
  await expect.poll(() => events.length).toBe(4);
  const [connected, subscribed, unsubscribed, disconnected] = events;
  const common = { clientId: "lamp-1", principalIdentifier: device.certificateId, sessionIdentifier: connected?.payload.sessionIdentifier };
  expect(connected).toEqual({
    topic: "$aws/events/presence/connected/lamp-1",
    payload: {
      ...common,
      sessionIdentifier: uuid,
      timestamp: expect.any(Number),
      eventType: "connected",
      ipAddress: "127.0.0.1",
      versionNumber: 0,
    },
  });
  expect(connected?.payload.timestamp).toBeGreaterThanOrEqual(before);
  expect(subscribed).toMatchObject({
    topic: "$aws/events/subscriptions/subscribed/lamp-1",
    payload: { ...common, eventType: "subscribed", topics: ["lamp-1/a", "lamp-1/b"] },
  });
  expect(unsubscribed).toMatchObject({
    topic: "$aws/events/subscriptions/unsubscribed/lamp-1",
    payload: { ...common, eventType: "unsubscribed", topics: ["lamp-1/a"] },
  });
  expect(disconnected).toMatchObject({
    topic: "$aws/events/presence/disconnected/lamp-1",
    payload: {
      ...common,
      eventType: "disconnected",
      clientInitiatedDisconnect: true,
      disconnectReason: "CLIENT_INITIATED_DISCONNECT",
      versionNumber: 0,
    },
  });
});

test("10.1: a thing's name stands in the events when its certificate is attached to it alone", async () => {
  const { certificateArn: principal, ...owner } = await aws.createDevice();
  await aws.iot.send(new CreateThingCommand({ thingName: "lamp-6" }));
  await aws.iot.send(new AttachThingPrincipalCommand({ thingName: "lamp-6", principal, thingPrincipalType: "EXCLUSIVE_THING" }));
  const events = await watch("$aws/events/presence/+/any-name");
  const client = await connect("any-name", { cert: owner.certificatePem, key: owner.privateKeyPem });
  await client.endAsync();
  await expect.poll(() => events.map(({ payload }) => payload.thingName)).toEqual(["lamp-6", "lamp-6"]);
});

test("10.1: a lost connection, a takeover, a payload that is too large, and a publish that is not allowed", async () => {
  const narrow = await aws.createDevice({
    statements: [
      { Effect: "Allow", Action: "iot:Connect", Resource: "*" },
      { Effect: "Allow", Action: "iot:Publish", Resource: aws.arn("topic/lamp-2/*") },
    ],
  });
  const events = await watch("$aws/events/presence/+/lamp-2");
  const lost = await connect("lamp-2");
  lost.stream.destroy();
  await expect.poll(() => events.length).toBe(2);
  const older = await connect("lamp-2", optionsOf("lamp-2", narrow));
  const closed = closeOf(older);
  const newer = await connect("lamp-2", optionsOf("lamp-2", narrow));
  await closed;
  newer.publish("lamp-2/x", Buffer.alloc(128 * 1024 + 1));
  await closeOf(newer);
  const forbidden = await connect("lamp-2", optionsOf("lamp-2", narrow));
  forbidden.publish("lamp-3/x", "x");
  await closeOf(forbidden);
  await expect.poll(() => events.length).toBe(8);
  const told = events.map(({ payload }) => [payload.eventType, payload.versionNumber, payload.disconnectReason]);
  expect(told).toEqual([
    ["connected", 0, undefined],
    ["disconnected", 0, "CONNECTION_LOST"],
    ["connected", 1, undefined],
    ["disconnected", 1, "DUPLICATE_CLIENTID"],
    ["connected", 2, undefined],
    ["disconnected", 2, "CLIENT_ERROR"],
    ["connected", 3, undefined],
    ["disconnected", 3, "AUTH_ERROR"],
  ]);
});

test("10.1: a connection that the API deletes, with its will and without", async () => {
  const data = new IoTDataPlaneClient(aws.clientOptions());
  const events = await watch("$aws/events/presence/disconnected/lamp-7", "lamp-7/gone");
  const will = { topic: "lamp-7/gone", payload: Buffer.from("{}"), qos: 1, retain: false } as const;
  for (const preventWillMessage of [true, false]) {
    const client = await connect("lamp-7", { will });
    const closed = closeOf(client);
    await data.send(new DeleteConnectionCommand({ clientId: "lamp-7", preventWillMessage }));
    await closed;
  }
  data.destroy();
  await expect.poll(() => events.length).toBe(3);
  expect(events.map(({ topic, payload }) => payload.disconnectReason ?? topic).sort()).toEqual([
    "API_INITIATED_DISCONNECT",
    "API_INITIATED_DISCONNECT",
    "lamp-7/gone",
  ]);
});

test("10.1: a CONNECT, or a will, that policies do not allow", async () => {
  const narrow = await aws.createDevice({
    statements: [
      { Effect: "Allow", Action: "iot:Connect", Resource: aws.arn("client/lamp-4") },
      { Effect: "Allow", Action: "iot:Publish", Resource: aws.arn("topic/lamp-4/*") },
    ],
  });
  const events = await watch("$aws/events/presence/connect_failed/+");
  const address = `mqtts://localhost:${aws.server.devicePort}`;
  await expect(mqtt.connectAsync(address, optionsOf("lamp-5", narrow), false)).rejects.toThrow();
  const will = { topic: "lamp-5/gone", payload: Buffer.from("x"), qos: 0, retain: false } as const;
  await expect(mqtt.connectAsync(address, { ...optionsOf("lamp-4", narrow), will }, false)).rejects.toThrow();
  await expect.poll(() => events.length).toBe(2);
  for (const [index, clientId] of ["lamp-5", "lamp-4"].entries()) {
    expect(events[index]).toEqual({
      topic: `$aws/events/presence/connect_failed/${clientId}`,
      payload: {
        clientId,
        timestamp: expect.any(Number),
        eventType: "connect_failed",
        connectFailureReason: "AUTHORIZATION_FAILED",
        principalIdentifier: narrow.certificateId,
        sessionIdentifier: uuid,
        ipAddress: "127.0.0.1",
      },
    });
  }
});

test("10.3: registry events are off until they are switched on", async () => {
  await aws.iot.send(new CreateThingCommand({ thingName: "quiet" }));
  await aws.iot.send(new UpdateEventConfigurationsCommand({ eventConfigurations: { THING: { Enabled: true } } }));
  const events = await watch("$aws/events/thing/#");
  await aws.iot.send(new CreateThingCommand({ thingName: "loud", attributePayload: { attributes: { room: "1" } } }));
  await aws.iot.send(new DeleteThingCommand({ thingName: "loud" }));
  await expect.poll(() => events.length).toBe(2);
  expect(events.map(({ topic }) => topic)).toEqual(["$aws/events/thing/loud/created", "$aws/events/thing/loud/deleted"]);
  expect(events[0]?.payload).toMatchObject({
    eventType: "THING_EVENT",
    eventId: uuid,
    operation: "CREATED",
    accountId: awsAccountId,
    thingName: "loud",
    versionNumber: 1,
    thingTypeName: null,
    attributes: { room: "1" },
  });
});
