/** Presence, subscription and registry events, as clients of the service hear them (AWS reference, 10). */
import { randomUUID } from "node:crypto";
import {
  AddThingToThingGroupCommand,
  AttachThingPrincipalCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  CreateThingTypeCommand,
  DeleteThingCommand,
  DeleteThingGroupCommand,
  DeprecateThingTypeCommand,
  EventType,
  RemoveThingFromThingGroupCommand,
  UpdateEventConfigurationsCommand,
  UpdateThingCommand,
  UpdateThingGroupCommand,
} from "@aws-sdk/client-iot";
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
  const address = { protocol: "mqtts", host: "localhost", port: aws.server.devicePort } as const;
  const client = await mqtt.connectAsync({ ...address, ...optionsOf(clientId), ...options });
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

test("10.3: registry events are off until they are switched on, each kind by itself", async () => {
  const { iot } = aws;
  const events = await watch("$aws/events/+/#");
  const ofRegistry = () => events.filter(({ topic }) => !/^\$aws\/events\/(presence|subscriptions)\//.test(topic));
  await iot.send(new CreateThingTypeCommand({ thingTypeName: "silent" }));
  await iot.send(new CreateThingCommand({ thingName: "silent" }));
  const kinds = [EventType.THING, EventType.THING_TYPE, EventType.THING_GROUP] as const;
  const relations = [EventType.THING_TYPE_ASSOCIATION, EventType.THING_GROUP_MEMBERSHIP, EventType.THING_GROUP_HIERARCHY] as const;
  const switchOn = (names: readonly EventType[]) =>
    iot.send(
      new UpdateEventConfigurationsCommand({ eventConfigurations: Object.fromEntries(names.map((name) => [name, { Enabled: true }])) }),
    );
  await switchOn(kinds);
  await iot.send(new CreateThingTypeCommand({ thingTypeName: "lamp", thingTypeProperties: { searchableAttributes: ["room"] } }));
  await iot.send(new CreateThingCommand({ thingName: "loud", thingTypeName: "lamp", attributePayload: { attributes: { room: "1" } } }));
  await iot.send(new UpdateThingCommand({ thingName: "loud", attributePayload: { attributes: { room: "2" } } }));
  await iot.send(new DeprecateThingTypeCommand({ thingTypeName: "lamp" }));
  await iot.send(new CreateThingGroupCommand({ thingGroupName: "floor" }));
  await switchOn(relations);
  await iot.send(new CreateThingGroupCommand({ thingGroupName: "room", parentGroupName: "floor" }));
  await iot.send(new UpdateThingGroupCommand({ thingGroupName: "room", thingGroupProperties: { thingGroupDescription: "small" } }));
  await iot.send(new AddThingToThingGroupCommand({ thingGroupName: "room", thingName: "loud" }));
  await iot.send(new RemoveThingFromThingGroupCommand({ thingGroupName: "room", thingName: "loud" }));
  await iot.send(new UpdateThingCommand({ thingName: "loud", removeThingType: true }));
  await iot.send(new CreateThingCommand({ thingName: "typed", thingTypeName: "silent" }));
  await iot.send(new DeleteThingCommand({ thingName: "loud" }));
  await iot.send(new DeleteThingGroupCommand({ thingGroupName: "room" }));
  await expect.poll(() => ofRegistry().at(-1)?.topic).toBe("$aws/events/thingGroup/room/deleted");
  const told = ofRegistry().map(({ topic }) => topic);
  const expected = [
    "$aws/events/thingType/lamp/created",
    "$aws/events/thing/loud/created",
    "$aws/events/thing/loud/updated",
    "$aws/events/thingType/lamp/updated",
    "$aws/events/thingGroup/floor/created",
    "$aws/events/thingGroup/room/created",
    "$aws/events/thingGroupHierarchy/thingGroup/floor/childThingGroup/room/added",
    "$aws/events/thingGroup/room/updated",
    "$aws/events/thingGroupMembership/thingGroup/room/thing/loud/added",
    "$aws/events/thingGroupMembership/thingGroup/room/thing/loud/removed",
    "$aws/events/thing/loud/updated",
    "$aws/events/thingTypeAssociation/thing/loud/thingType/lamp/removed",
    "$aws/events/thing/typed/created",
    "$aws/events/thingTypeAssociation/thing/typed/thingType/silent/added",
    "$aws/events/thing/loud/deleted",
    "$aws/events/thingGroupHierarchy/thingGroup/floor/childThingGroup/room/removed",
    "$aws/events/thingGroup/room/deleted",
  ];
  expect([...told].sort()).toEqual([...expected].sort());
  expect(ofRegistry().find(({ topic }) => topic === "$aws/events/thing/loud/created")?.payload).toMatchObject({
    eventType: "THING_EVENT",
    eventId: uuid,
    operation: "CREATED",
    accountId: awsAccountId,
    thingName: "loud",
    versionNumber: 1,
    thingTypeName: "lamp",
    attributes: { room: "1" },
  });
  expect(ofRegistry().find(({ topic }) => topic === "$aws/events/thingGroup/room/created")?.payload).toMatchObject({
    eventType: "THING_GROUP_EVENT",
    parentGroupName: "floor",
    rootToParentThingGroups: [{ groupArn: aws.arn("thinggroup/floor"), groupId: uuid }],
  });
});

test("6.5, 10.1: a WebSocket that is closed is a goodbye, one that breaks off is none", async () => {
  const events = await watch("$aws/events/presence/disconnected/lamp-9", "lamp-9/gone");
  const will = { topic: "lamp-9/gone", payload: Buffer.from("{}"), qos: 1, retain: false } as const;
  const wsOptions = { ca: aws.server.ca, cert: device.certificatePem, key: device.privateKeyPem };
  for (const isGoodbye of [true, false]) {
    const client = await connect("lamp-9", { protocol: "wss", path: "/mqtt", will, wsOptions });
    const closed = closeOf(client);
    // Both without DISCONNECT: the one sends a Close frame, the other nothing.
    if (isGoodbye) client.stream.end();
    else client.stream.destroy();
    await closed;
  }
  await expect.poll(() => events.length).toBe(3);
  expect(events.map(({ topic, payload }) => payload.disconnectReason ?? topic).sort()).toEqual([
    "CLIENT_INITIATED_DISCONNECT",
    "CONNECTION_LOST",
    "lamp-9/gone",
  ]);
});

test("10.1: what happens when the server ends is told to a subscriber whose session is kept", async () => {
  const filter = "$aws/events/presence/disconnected/+";
  const watcher = await connect("kept-watcher", { clean: false });
  await watcher.subscribeAsync(filter, { qos: 1 });
  await connect("lamp-8");
  expect(await aws.server.stop()).toBe(0);
  aws = await startAwsFixture({ dataDir: aws.server.dataDir });
  const events: Event[] = [];
  const again = mqtt.connect(`mqtts://localhost:${aws.server.devicePort}`, { ...optionsOf("kept-watcher"), clean: false });
  clients.push(again);
  // Before the connection: what is owed comes right behind its CONNACK.
  again.on("message", (topic, payload) => events.push({ topic, payload: JSON.parse(payload.toString()) }));
  await expect
    .poll(() => events.find(({ payload }) => payload.clientId === "lamp-8")?.payload)
    .toMatchObject({
      disconnectReason: "SERVER_INITIATED_DISCONNECT",
      clientInitiatedDisconnect: false,
    });
});
