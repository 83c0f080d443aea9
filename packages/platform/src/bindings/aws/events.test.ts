/** Events of clients, registry and jobs (AWS reference, 10 and 12.3). */
import type { CloseReason, Refusal } from "@thingstead/mqtt";
import { expect, test } from "vitest";
import type { ThingClientSubject } from "../../access/index.ts";
import { createFakeClock } from "../../fake-clock.ts";
import type { EventSwitchName, FleetChange, Thing, ThingGroup, ThingType } from "../../fleet/index.ts";
import { createAwsEvents } from "./events.ts";
import { type AwsEventLimits, defaultAwsEventLimits } from "./events-limits.ts";

const account = { region: "eu-west-1", accountId: "123456789012" };
const startsAt = 1_700_000_000_123;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function createWorld(on: readonly EventSwitchName[] = [], limits: Partial<AwsEventLimits> = {}) {
  const clock = createFakeClock(startsAt);
  const published: { topic: string; payload: Record<string, unknown> }[] = [];
  const failures: unknown[] = [];
  let isBroken = false;
  let drawn = 0;
  const events = createAwsEvents({
    account,
    answers: {
      publish(topic, payload) {
        if (isBroken) throw new Error("closed");
        published.push({ topic, payload: JSON.parse(Buffer.from(payload).toString()) });
      },
    },
    switches: { isOn: (name) => on.includes(name) },
    clock,
    random: { bytes: (count) => Buffer.alloc(count, ++drawn) },
    limits: { ...defaultAwsEventLimits, ...limits },
    onFailure: (error) => failures.push(error),
  });
  const { listener } = events;
  let session = 0;
  const facts = { remoteAddress: "203.0.113.7", remotePort: 1, localPort: 8883, carrier: "tcp" } as const;

  function clientOf(clientId: string, options: Partial<ThingClientSubject> = {}): ThingClientSubject {
    session += 1;
    const principal = { kind: "certificate", id: "ab12" } as const;
    return {
      kind: "thing-client",
      dialect: "aws",
      clientId,
      principal,
      connectionId: `uuid-${session}`,
      remoteAddress: "203.0.113.7",
      ...options,
    };
  }
  function connect(subject: ThingClientSubject): void {
    const { clientId } = subject;
    listener.connected({
      sessionId: clientId,
      subject,
      facts,
      clientId,
      protocolVersion: 4,
      keepAliveSeconds: 30,
      isSessionPresent: false,
    });
  }
  function disconnect(subject: ThingClientSubject, reason: CloseReason, refusal?: Refusal): void {
    const event = { sessionId: subject.clientId, subject, facts, reason, lastPacketAt: 0 };
    listener.disconnected(refusal === undefined ? event : { ...event, refusal });
  }
  function subscribe(subject: ThingClientSubject, ...filters: string[]): void {
    for (const filter of filters) listener.subscribed({ sessionId: subject.clientId, subject, filter, qos: 1 });
  }
  function unsubscribe(subject: ThingClientSubject, ...filters: string[]): void {
    for (const filter of filters) listener.unsubscribed({ sessionId: subject.clientId, subject, filter });
  }
  /** Ends the turn and takes what was published. */
  async function take() {
    await clock.pass(0);
    return published.splice(0);
  }
  function breakPublishing(): void {
    isBroken = true;
  }
  return { failures, breakPublishing, clock, events, published, clientOf, connect, disconnect, subscribe, unsubscribe, take };
}

test("10.1: connected and disconnected, in every member", async () => {
  const world = createWorld();
  const device = { productKey: "aws", deviceName: "esp32", iotId: "1", isExclusive: true };
  const client = world.clientOf("esp32", { device });
  world.connect(client);
  expect(await world.take()).toEqual([
    {
      topic: "$aws/events/presence/connected/esp32",
      payload: {
        clientId: "esp32",
        thingName: "esp32",
        timestamp: startsAt,
        eventType: "connected",
        sessionIdentifier: "uuid-1",
        principalIdentifier: "ab12",
        ipAddress: "203.0.113.7",
        versionNumber: 0,
      },
    },
  ]);
  world.disconnect(client, "client_disconnect");
  expect(await world.take()).toEqual([
    {
      topic: "$aws/events/presence/disconnected/esp32",
      payload: {
        clientId: "esp32",
        thingName: "esp32",
        timestamp: startsAt,
        eventType: "disconnected",
        sessionIdentifier: "uuid-1",
        principalIdentifier: "ab12",
        clientInitiatedDisconnect: true,
        disconnectReason: "CLIENT_INITIATED_DISCONNECT",
        versionNumber: 0,
      },
    },
  ]);
});

test("10.1: no thing name unless the principal is exclusive to the thing", async () => {
  const world = createWorld();
  const device = { productKey: "aws", deviceName: "esp32", iotId: "1", isExclusive: false };
  world.connect(world.clientOf("esp32", { device }));
  world.connect(world.clientOf("other"));
  for (const { payload } of await world.take()) expect(payload).not.toHaveProperty("thingName");
});

const reasons: readonly [CloseReason, string | undefined, string][] = [
  ["client_disconnect", undefined, "CLIENT_INITIATED_DISCONNECT"],
  ["connection_closed", undefined, "CONNECTION_LOST"],
  ["keep_alive_timeout", "mqtt.keep_alive_timeout", "MQTT_KEEP_ALIVE_TIMEOUT"],
  ["taken_over", undefined, "DUPLICATE_CLIENTID"],
  ["protocol_error", "mqtt.second_connect", "CLIENT_ERROR"],
  ["packet_too_large", "mqtt.payload_too_large", "CLIENT_ERROR"],
  ["refused", "access.policy", "AUTH_ERROR"],
  ["kicked", undefined, "SERVER_INITIATED_DISCONNECT"],
  ["kicked", "aws.connection_deleted", "API_INITIATED_DISCONNECT"],
  ["kicked", "access.connection_lifetime", "WEBSOCKET_TTL_EXPIRATION"],
  ["kicked", "access.certificate_withdrawn", "FORBIDDEN_ACCESS"],
  ["quota_exceeded", "mqtt.slow_reader", "THROTTLED"],
  ["server_shutdown", undefined, "SERVER_INITIATED_DISCONNECT"],
  ["internal_error", "mqtt.internal_error", "SERVER_ERROR"],
];

test.each(reasons)("10.1: %s (%s) is %s", async (reason, code, disconnectReason) => {
  const world = createWorld();
  const client = world.clientOf("one");
  world.connect(client);
  world.disconnect(client, reason, code === undefined ? undefined : { code });
  const [, event] = await world.take();
  expect(event?.payload).toMatchObject({
    disconnectReason,
    clientInitiatedDisconnect: disconnectReason === "CLIENT_INITIATED_DISCONNECT",
  });
});

test("10.1: the end of what an authorizer allowed has a reason of its own", async () => {
  const world = createWorld();
  const client = world.clientOf("one", { principal: { kind: "authorizer", name: "a", id: "user" } });
  world.connect(client);
  world.disconnect(client, "kicked", { code: "access.connection_lifetime" });
  const [, event] = await world.take();
  expect(event?.payload).toMatchObject({ disconnectReason: "CUSTOMAUTH_TTL_EXPIRATION", principalIdentifier: "user" });
});

test("10.1: the version number grows per client id, is that of its connection, and begins anew after an hour away", async () => {
  const world = createWorld();
  const versions = async () => (await world.take()).map(({ payload }) => `${payload.eventType} ${payload.versionNumber}`);
  const first = world.clientOf("one");
  world.connect(first);
  world.connect(world.clientOf("other"));
  expect(await versions()).toEqual(["connected 0", "connected 0"]);
  // A takeover may be told in either order.
  const second = world.clientOf("one");
  world.connect(second);
  world.disconnect(first, "taken_over");
  expect(await versions()).toEqual(["connected 1", "disconnected 0"]);
  await world.clock.pass(2 * 3_600_000);
  world.disconnect(second, "connection_closed");
  await world.clock.pass(3_599_000);
  const third = world.clientOf("one");
  world.connect(third);
  world.disconnect(third, "connection_closed");
  await world.clock.pass(3_600_000);
  world.connect(world.clientOf("one"));
  expect(await versions()).toEqual(["disconnected 1", "connected 2", "disconnected 2", "connected 0"]);
});

test("the client ids that are counted are bounded", async () => {
  const world = createWorld([], { presenceVersionsMax: 2 });
  for (const clientId of ["a", "b", "c", "a", "c"]) world.connect(world.clientOf(clientId));
  expect((await world.take()).map(({ payload }) => payload.versionNumber)).toEqual([0, 0, 0, 0, 1]);
});

test("10.1: nothing of a client whose id would be a filter, and nothing of who is no AWS client", async () => {
  const world = createWorld();
  for (const clientId of ["a+", "#", ""]) {
    const client = world.clientOf(clientId);
    world.connect(client);
    world.subscribe(client, "t");
    world.unsubscribe(client, "t");
    world.disconnect(client, "client_disconnect");
    world.events.connectFailed(client);
  }
  world.connect({ ...world.clientOf("lamp"), kind: "device" } as unknown as ThingClientSubject);
  expect(await world.take()).toEqual([]);
});

test("10.1: a connect that policies refuse", async () => {
  const world = createWorld();
  world.events.connectFailed(world.clientOf("one"));
  expect(await world.take()).toEqual([
    {
      topic: "$aws/events/presence/connect_failed/one",
      payload: {
        clientId: "one",
        timestamp: startsAt,
        eventType: "connect_failed",
        connectFailureReason: "AUTHORIZATION_FAILED",
        principalIdentifier: "ab12",
        sessionIdentifier: "uuid-1",
        ipAddress: "203.0.113.7",
      },
    },
  ]);
});

test("10.2: the filters of one request are one event; clients, kinds and turns are kept apart and in order", async () => {
  const world = createWorld();
  const [one, two] = [world.clientOf("one"), world.clientOf("two")];
  world.subscribe(one, "a", "$share/g/b/#");
  world.subscribe(two, "a");
  world.unsubscribe(two, "a");
  expect(world.published).toEqual([]);
  const told = (await world.take()).map(({ topic, payload }) => [topic, payload.topics]);
  expect(told).toEqual([
    ["$aws/events/subscriptions/subscribed/one", ["a", "$share/g/b/#"]],
    ["$aws/events/subscriptions/subscribed/two", ["a"]],
    ["$aws/events/subscriptions/unsubscribed/two", ["a"]],
  ]);
  world.subscribe(one, "c");
  expect(await world.take()).toEqual([
    {
      topic: "$aws/events/subscriptions/subscribed/one",
      payload: {
        clientId: "one",
        timestamp: startsAt,
        eventType: "subscribed",
        sessionIdentifier: "uuid-1",
        principalIdentifier: "ab12",
        topics: ["c"],
      },
    },
  ]);
});

const thing: Thing = { name: "esp32", id: "t-1", attributes: { room: "1" }, version: 3, createdAt: 1 };
const type: ThingType = {
  name: "lamp",
  id: "y-1",
  description: "",
  searchableAttributes: ["room"],
  propagatingAttributes: [],
  createdAt: 1,
};
const parent: ThingGroup = { name: "floor", id: "g-1", description: "", attributes: {}, ancestors: [], version: 1, createdAt: 1 };
const child: ThingGroup = {
  name: "room",
  id: "g-2",
  description: "small",
  attributes: { a: "b" },
  parentName: "floor",
  ancestors: [{ name: "floor", id: "g-1" }],
  version: 2,
  createdAt: 1,
};

const changes: readonly [FleetChange, EventSwitchName, string, object][] = [
  [
    { kind: "thing.created", thing },
    "THING",
    "$aws/events/thing/esp32/created",
    {
      eventType: "THING_EVENT",
      operation: "CREATED",
      thingId: "t-1",
      thingName: "esp32",
      versionNumber: 3,
      thingTypeName: null,
      attributes: { room: "1" },
    },
  ],
  [
    { kind: "thing.updated", thing: { ...thing, typeName: "lamp" } },
    "THING",
    "$aws/events/thing/esp32/updated",
    { operation: "UPDATED", thingTypeName: "lamp" },
  ],
  [{ kind: "thing.deleted", thing }, "THING", "$aws/events/thing/esp32/deleted", { operation: "DELETED" }],
  [
    { kind: "type.created", type },
    "THING_TYPE",
    "$aws/events/thingType/lamp/created",
    {
      eventType: "THING_TYPE_EVENT",
      thingTypeId: "y-1",
      thingTypeName: "lamp",
      isDeprecated: false,
      deprecationDate: null,
      searchableAttributes: ["room"],
      description: "",
    },
  ],
  [
    { kind: "type.updated", type: { ...type, deprecatedAt: 5 } },
    "THING_TYPE",
    "$aws/events/thingType/lamp/updated",
    { isDeprecated: true, deprecationDate: 5 },
  ],
  [{ kind: "type.deleted", type }, "THING_TYPE", "$aws/events/thingType/lamp/deleted", { operation: "DELETED" }],
  [
    { kind: "thing.type_added", thing, typeName: "lamp" },
    "THING_TYPE_ASSOCIATION",
    "$aws/events/thingTypeAssociation/thing/esp32/thingType/lamp/added",
    { eventType: "THING_TYPE_ASSOCIATION_EVENT", operation: "ADDED", thingId: "t-1", thingName: "esp32", thingTypeName: "lamp" },
  ],
  [
    { kind: "thing.type_removed", thing, typeName: "lamp" },
    "THING_TYPE_ASSOCIATION",
    "$aws/events/thingTypeAssociation/thing/esp32/thingType/lamp/removed",
    { operation: "REMOVED" },
  ],
  [
    { kind: "group.created", group: child },
    "THING_GROUP",
    "$aws/events/thingGroup/room/created",
    {
      eventType: "THING_GROUP_EVENT",
      thingGroupId: "g-2",
      thingGroupName: "room",
      versionNumber: 2,
      parentGroupName: "floor",
      parentGroupId: "g-1",
      description: "small",
      rootToParentThingGroups: [{ groupArn: "arn:aws:iot:eu-west-1:123456789012:thinggroup/floor", groupId: "g-1" }],
      attributes: { a: "b" },
      dynamicGroupMappingId: null,
    },
  ],
  [
    { kind: "group.updated", group: parent },
    "THING_GROUP",
    "$aws/events/thingGroup/floor/updated",
    { parentGroupName: null, parentGroupId: null, rootToParentThingGroups: [] },
  ],
  [{ kind: "group.deleted", group: parent }, "THING_GROUP", "$aws/events/thingGroup/floor/deleted", { operation: "DELETED" }],
  [
    { kind: "group.thing_added", group: child, thing, membershipId: "m-1" },
    "THING_GROUP_MEMBERSHIP",
    "$aws/events/thingGroupMembership/thingGroup/room/thing/esp32/added",
    {
      eventType: "THING_GROUP_MEMBERSHIP_EVENT",
      groupArn: "arn:aws:iot:eu-west-1:123456789012:thinggroup/room",
      groupId: "g-2",
      thingArn: "arn:aws:iot:eu-west-1:123456789012:thing/esp32",
      thingId: "t-1",
      membershipId: "m-1",
    },
  ],
  [
    { kind: "group.thing_removed", group: child, thing, membershipId: "m-1" },
    "THING_GROUP_MEMBERSHIP",
    "$aws/events/thingGroupMembership/thingGroup/room/thing/esp32/removed",
    { operation: "REMOVED" },
  ],
  [
    { kind: "group.child_added", parent, child },
    "THING_GROUP_HIERARCHY",
    "$aws/events/thingGroupHierarchy/thingGroup/floor/childThingGroup/room/added",
    {
      eventType: "THING_GROUP_HIERARCHY_EVENT",
      thingGroupId: "g-1",
      thingGroupName: "floor",
      childGroupId: "g-2",
      childGroupName: "room",
    },
  ],
  [
    { kind: "group.child_removed", parent, child },
    "THING_GROUP_HIERARCHY",
    "$aws/events/thingGroupHierarchy/thingGroup/floor/childThingGroup/room/removed",
    { operation: "REMOVED" },
  ],
];

test.each(changes)("10.3: $kind", async (change, switchName, topic, payload) => {
  const world = createWorld([switchName]);
  world.events.fleetChanged(change);
  const [event] = await world.take();
  expect(event?.topic).toBe(topic);
  expect(event?.payload).toMatchObject({ ...payload, timestamp: startsAt, accountId: account.accountId });
  expect(event?.payload.eventId).toMatch(uuidPattern);
  const silent = createWorld(
    (["THING", "THING_TYPE", "THING_TYPE_ASSOCIATION", "THING_GROUP", "THING_GROUP_MEMBERSHIP", "THING_GROUP_HIERARCHY"] as const).filter(
      (name) => name !== switchName,
    ),
  );
  silent.events.fleetChanged(change);
  expect(await silent.take()).toEqual([]);
});

test("10.3: changes without an event of theirs are silent", async () => {
  const world = createWorld(["CERTIFICATE", "POLICY", "CA_CERTIFICATE"]);
  world.events.fleetChanged({ kind: "permissions" });
  world.events.fleetChanged({ kind: "certificate.status", certificateId: "ab12", status: "REVOKED" });
  expect(await world.take()).toEqual([]);
});

test("12.3: job events when they are switched on, their own time in seconds", async () => {
  const job = {
    operation: "completed",
    jobId: "j-1",
    status: "COMPLETED",
    targetSelection: "SNAPSHOT",
    targets: ["arn:aws:iot:eu-west-1:123456789012:thing/esp32"],
    description: "d",
    createdAt: 1,
    lastUpdatedAt: 2,
    completedAt: 3,
    jobProcessDetails: { numberOfSucceededThings: 1 },
  } as const;
  const execution = {
    operation: "succeeded",
    jobId: "j-1",
    thingName: "esp32",
    status: "SUCCEEDED",
    statusDetails: { step: "1" },
  } as const;
  const world = createWorld(["JOB", "JOB_EXECUTION"]);
  world.events.publishJobEvent(job);
  world.events.publishJobExecutionEvent(execution);
  const seconds = Math.floor(startsAt / 1000);
  expect(await world.take()).toEqual([
    {
      topic: "$aws/events/job/j-1/completed",
      payload: { eventType: "JOB", eventId: expect.stringMatching(uuidPattern), timestamp: seconds, ...job },
    },
    {
      topic: "$aws/events/jobExecution/j-1/succeeded",
      payload: {
        eventType: "JOB_EXECUTION",
        eventId: expect.stringMatching(uuidPattern),
        timestamp: seconds,
        operation: "succeeded",
        jobId: "j-1",
        thingArn: "arn:aws:iot:eu-west-1:123456789012:thing/esp32",
        status: "SUCCEEDED",
        statusDetails: { step: "1" },
      },
    },
  ]);
  const silent = createWorld();
  silent.events.publishJobEvent(job);
  silent.events.publishJobExecutionEvent(execution);
  expect(await silent.take()).toEqual([]);
});

test.each([
  "$aws/events/job/j-1/completed",
  "$aws/events/job/j-1/canceled",
  "$aws/events/job/j-1/deleted",
  "$aws/events/job/j-1/cancellation_in_progress",
  "$aws/events/job/j-1/deletion_in_progress",
] as const)("12.3: %s", async (topic) => {
  const world = createWorld(["JOB"]);
  const operation = topic.slice("$aws/events/job/j-1/".length) as Parameters<typeof world.events.publishJobEvent>[0]["operation"];
  const job = { jobId: "j-1", status: "IN_PROGRESS", targetSelection: "SNAPSHOT", targets: [], createdAt: 1, lastUpdatedAt: 2 } as const;
  world.events.publishJobEvent({ operation, ...job });
  expect(await world.take()).toMatchObject([{ topic, payload: { eventType: "JOB", operation } }]);
});

test.each([
  "$aws/events/jobExecution/j-1/succeeded",
  "$aws/events/jobExecution/j-1/failed",
  "$aws/events/jobExecution/j-1/rejected",
  "$aws/events/jobExecution/j-1/canceled",
  "$aws/events/jobExecution/j-1/timed_out",
  "$aws/events/jobExecution/j-1/removed",
  "$aws/events/jobExecution/j-1/deleted",
] as const)("12.3: %s", async (topic) => {
  const world = createWorld(["JOB_EXECUTION"]);
  const operation = topic.slice("$aws/events/jobExecution/j-1/".length) as Parameters<
    typeof world.events.publishJobExecutionEvent
  >[0]["operation"];
  world.events.publishJobExecutionEvent({ operation, jobId: "j-1", thingName: "esp32", status: operation.toUpperCase() });
  expect(await world.take()).toMatchObject([{ topic, payload: { eventType: "JOB_EXECUTION", operation } }]);
});

test("an event that cannot be published is told to nobody but the log", async () => {
  const world = createWorld(["THING"]);
  world.breakPublishing();
  world.connect(world.clientOf("one"));
  world.connect(world.clientOf("two"));
  world.events.fleetChanged({ kind: "thing.created", thing });
  await world.take();
  expect(world.failures).toHaveLength(3);
});
