/** The data plane's operations, by the vendor's client with an access key and by devices with a certificate (AWS reference, 15.1). */
import { request } from "node:https";
import {
  DeleteConnectionCommand,
  DeleteThingShadowCommand,
  GetConnectionCommand,
  GetRetainedMessageCommand,
  GetThingShadowCommand,
  IoTDataPlaneClient,
  ListNamedShadowsForThingCommand,
  ListRetainedMessagesCommand,
  ListSubscriptionsCommand,
  PublishCommand,
  SendDirectMessageCommand,
  UpdateThingShadowCommand,
} from "@aws-sdk/client-iot-data-plane";
import mqtt, { type IPublishPacket } from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type AwsDevice, type AwsFixture, startAwsFixture } from "./support/aws-fixture.ts";
import { until } from "./support/until.ts";

let aws: AwsFixture;
let device: AwsDevice;
let data: IoTDataPlaneClient;
const clients: mqtt.MqttClient[] = [];
let counter = 0;
const newName = (kind: string) => `${kind}-${++counter}`;

beforeAll(async () => {
  aws = await startAwsFixture();
  device = await aws.createDevice();
  data = new IoTDataPlaneClient({ ...aws.clientOptions(), maxAttempts: 1 });
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
});
afterAll(async () => {
  data?.destroy();
  await aws?.remove();
});

async function connect(options: mqtt.IClientOptions = {}) {
  const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${aws.server.devicePort}`, {
    ca: aws.server.ca,
    servername: "localhost",
    cert: device.certificatePem,
    key: device.privateKeyPem,
    clientId: newName("client"),
    reconnectPeriod: 0,
    ...options,
  });
  client.on("error", () => {});
  clients.push(client);
  const heard: { topic: string; text: string; packet: IPublishPacket }[] = [];
  client.on("message", (topic, payload, packet) => heard.push({ topic, text: payload.toString(), packet }));
  return { client, heard, clientId: String(client.options.clientId) };
}

const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
const textOf = (payload: Uint8Array | undefined) => JSON.parse(Buffer.from(payload ?? []).toString());
const nameOf = (error: unknown) => (error instanceof Error ? error.name : String(error));

test("Publish: payload, QoS and everything of MQTT 5; bad topics and sizes are refused", async () => {
  const { client, heard } = await connect({ protocolVersion: 5 });
  const topic = newName("room");
  await client.subscribeAsync(`${topic}/#`, { qos: 1 });
  await data.send(
    new PublishCommand({
      topic: `${topic}/a b/灯`,
      qos: 1,
      payload: bytes("hello"),
      contentType: "text/plain",
      responseTopic: "answer/here",
      correlationData: Buffer.from("id 7").toString("base64"),
      messageExpiry: 60,
      payloadFormatIndicator: "UTF8_DATA",
      userProperties: JSON.stringify([{ a: "1" }, { a: "2" }]),
    }),
  );
  await until("message", () => heard.length === 1);
  expect(heard[0]).toMatchObject({ topic: `${topic}/a b/灯`, text: "hello", packet: { qos: 1, retain: false } });
  expect(heard[0]?.packet.properties).toMatchObject({
    contentType: "text/plain",
    responseTopic: "answer/here",
    correlationData: Buffer.from("id 7"),
    payloadFormatIndicator: true,
    userProperties: { a: ["1", "2"] },
  });
  await data.send(new PublishCommand({ topic: `${topic}/empty` }));
  await until("empty message", () => heard.length === 2);
  expect(heard[1]).toMatchObject({ topic: `${topic}/empty`, text: "", packet: { qos: 0 } });

  const refused = async (input: ConstructorParameters<typeof PublishCommand>[0]) =>
    nameOf(await data.send(new PublishCommand(input)).catch((error) => error));
  expect(await refused({ topic: "a/#" })).toBe("InvalidRequestException");
  expect(await refused({ topic: "$aws/nonsense" })).toBe("InvalidRequestException");
  expect(await refused({ topic: "a", qos: 2 })).toBe("InvalidRequestException");
  expect(await refused({ topic: "$aws/things/t/shadow/get", retain: true })).toBe("InvalidRequestException");
  expect(await refused({ topic: "a", payload: Buffer.alloc(128 * 1024 + 1) })).toBe("RequestEntityTooLargeException");
});

test("Publish on a shadow's topic is a request like a device's", async () => {
  const { client, heard } = await connect();
  const thingName = newName("thing");
  const topic = `$aws/things/${thingName}/shadow/update`;
  await client.subscribeAsync([topic, `${topic}/accepted`]);
  await data.send(new PublishCommand({ topic, qos: 1, payload: bytes({ state: { desired: { on: true } } }) }));
  await until("request and answer", () => heard.length === 2);
  expect(heard.map((each) => each.topic)).toEqual([topic, `${topic}/accepted`]);
  expect(textOf((await data.send(new GetThingShadowCommand({ thingName }))).payload)).toMatchObject({ version: 1 });
});

test("shadows: update, get, delete and the list of names, told to devices; errors by the vendor's names", async () => {
  const { client, heard } = await connect();
  const thingName = newName("thing");
  const topic = `$aws/things/${thingName}/shadow`;
  await client.subscribeAsync(`${topic}/#`);
  const updated = await data.send(
    new UpdateThingShadowCommand({ thingName, payload: bytes({ state: { desired: { a: 1 } }, clientToken: "t" }) }),
  );
  expect(textOf(updated.payload)).toMatchObject({ state: { desired: { a: 1 } }, version: 1, clientToken: "t" });
  await until("messages", () => heard.length === 3);
  expect(heard.map((each) => each.topic)).toEqual(["accepted", "documents", "delta"].map((name) => `${topic}/update/${name}`));

  const again = new UpdateThingShadowCommand({ thingName, payload: bytes({ state: {}, version: 5 }) });
  const conflict = await data.send(again).catch((error: unknown) => error);
  expect(conflict).toMatchObject({ name: "ConflictException", message: "Version conflict", $metadata: { httpStatusCode: 409 } });
  const missing = await data.send(new GetThingShadowCommand({ thingName, shadowName: "none" })).catch((error: unknown) => error);
  expect(missing).toMatchObject({ name: "ResourceNotFoundException", message: "No shadow exists with name: 'none'" });
  const updateOf = (payload: Buffer) => data.send(new UpdateThingShadowCommand({ thingName, payload })).catch((error: unknown) => error);
  expect(await updateOf(bytes("no json"))).toMatchObject({ name: "InvalidRequestException", message: "Invalid JSON" });
  expect(await updateOf(Buffer.of(0x7b, 0xff))).toMatchObject({ name: "UnsupportedDocumentEncodingException" });
  expect(await updateOf(bytes({ state: { desired: { x: "x".repeat(9_000) } } }))).toMatchObject({ name: "RequestEntityTooLargeException" });

  for (const shadowName of ["b", "a", "c"])
    await data.send(new UpdateThingShadowCommand({ thingName, shadowName, payload: bytes({ state: { reported: {} } }) }));
  const first = await data.send(new ListNamedShadowsForThingCommand({ thingName, pageSize: 2 }));
  expect(first).toMatchObject({ results: ["a", "b"], timestamp: expect.any(Number), nextToken: expect.any(String) });
  const second = await data.send(new ListNamedShadowsForThingCommand({ thingName, pageSize: 2, nextToken: first.nextToken }));
  expect(second.results).toEqual(["c"]);
  expect(second.nextToken).toBeUndefined();
  const deleted = await data.send(new DeleteThingShadowCommand({ thingName, shadowName: "b" }));
  expect(textOf(deleted.payload)).toMatchObject({ version: 1, timestamp: expect.any(Number) });
  await until("delete/accepted", () => heard.some((each) => each.topic === `${topic}/name/b/delete/accepted`));
  expect((await data.send(new ListNamedShadowsForThingCommand({ thingName }))).results).toEqual(["a", "c"]);
});

test("retained messages: kept by Publish, told, listed in pages, gone with an empty payload", async () => {
  const root = newName("retained");
  const publish = (topic: string, payload: string, userProperties?: string) =>
    data.send(new PublishCommand({ topic, payload: bytes(payload), qos: 1, retain: true, userProperties }));
  await publish(`${root}/1`, "one", JSON.stringify([{ k: "v" }]));
  await publish(`${root}/2`, "two");
  await publish(`${root}/3`, "three");
  const one = await data.send(new GetRetainedMessageCommand({ topic: `${root}/1` }));
  expect(one).toMatchObject({ topic: `${root}/1`, qos: 1, lastModifiedTime: expect.any(Number) });
  expect(Buffer.from(one.payload ?? []).toString()).toBe("one");
  expect(textOf(one.userProperties)).toEqual([{ k: "v" }]);

  const topics: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await data.send(new ListRetainedMessagesCommand({ maxResults: 2, nextToken }));
    topics.push(...(page.retainedTopics ?? []).map(({ topic }) => topic ?? ""));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  expect(topics.toSorted()).toEqual([`${root}/1`, `${root}/2`, `${root}/3`]);

  const { client, heard } = await connect();
  await client.subscribeAsync(`${root}/2`);
  await until("retained message", () => heard.length === 1);
  expect(heard[0]).toMatchObject({ text: "two", packet: { retain: true } });
  await publish(`${root}/2`, "");
  expect(nameOf(await data.send(new GetRetainedMessageCommand({ topic: `${root}/2` })).catch((error) => error))).toBe(
    "ResourceNotFoundException",
  );
});

test("connections: described, their subscriptions listed, deleted with and without their will", async () => {
  const { clientId, client } = await connect({
    clean: false,
    keepalive: 77,
    will: { topic: "wills/a", payload: bytes("gone"), qos: 1, retain: false },
  });
  await client.subscribeAsync({ "b/1": { qos: 1 }, "a/+": { qos: 0 }, "c/#": { qos: 1 } });
  expect(await data.send(new GetConnectionCommand({ clientId, includeSocketInformation: true }))).toMatchObject({
    connected: true,
    clientId,
    cleanSession: false,
    keepAliveDuration: 77,
    connectedSince: expect.any(Number),
    sessionExpiry: 3600,
    sourceIp: "127.0.0.1",
    targetPort: aws.server.devicePort,
  });
  const first = await data.send(new ListSubscriptionsCommand({ clientId, maxResults: 2 }));
  expect(first.subscriptions).toEqual([
    { topicFilter: "a/+", qos: 0 },
    { topicFilter: "b/1", qos: 1 },
  ]);
  const rest = await data.send(new ListSubscriptionsCommand({ clientId, maxResults: 2, nextToken: first.nextToken }));
  expect(rest.subscriptions).toEqual([{ topicFilter: "c/#", qos: 1 }]);

  const watcher = await connect();
  await watcher.client.subscribeAsync("wills/+");
  await data.send(new DeleteConnectionCommand({ clientId }));
  await until("will", () => watcher.heard.length === 1);
  await until("gone", async () => (await data.send(new GetConnectionCommand({ clientId }))).connected === false);
  expect(await data.send(new GetConnectionCommand({ clientId }))).toMatchObject({
    disconnectReason: "API_INITIATED_DISCONNECT",
    disconnectedSince: expect.any(Number),
  });

  const quiet = await connect({ clean: false, will: { topic: "wills/b", payload: bytes("gone"), qos: 1, retain: false } });
  await quiet.client.subscribeAsync("x/y", { qos: 1 });
  await data.send(new DeleteConnectionCommand({ clientId: quiet.clientId, cleanSession: true, preventWillMessage: true }));
  const back = await connect({ clientId: quiet.clientId, clean: false });
  expect(await data.send(new ListSubscriptionsCommand({ clientId: back.clientId }))).toMatchObject({ subscriptions: [] });
  await data.send(new PublishCommand({ topic: "wills/c", payload: bytes("last") }));
  await until("last", () => watcher.heard.length === 2);
  expect(watcher.heard.map((each) => each.text)).toEqual(["gone", "last"]);

  const unknown = await data.send(new GetConnectionCommand({ clientId: "nobody/1" })).catch((error: unknown) => error);
  expect(unknown).toMatchObject({ name: "ResourceNotFoundException" });
});

test("SendDirectMessage: to one client without a subscription, with its PUBACK when that is asked for", async () => {
  const { clientId, heard } = await connect({ protocolVersion: 5 });
  const other = await connect();
  const send = (input: Partial<ConstructorParameters<typeof SendDirectMessageCommand>[0]>) =>
    data
      .send(new SendDirectMessageCommand({ clientId, topic: "direct/1", payload: bytes("you"), ...input }))
      .catch((error: unknown) => error);
  expect(await send({ contentType: "text/plain" })).toMatchObject({ message: "OK", traceId: expect.any(String) });
  expect(await send({ confirmation: true })).toMatchObject({ message: "OK" });
  expect(heard).toMatchObject([
    { topic: "direct/1", text: "you", packet: { qos: 0, properties: { contentType: "text/plain" } } },
    { topic: "direct/1", text: "you", packet: { qos: 1 } },
  ]);
  expect(other.heard).toEqual([]);
  expect(nameOf(await send({ clientId: "nobody" }))).toBe("ResourceNotFoundException");

  // A client that answers nothing any more.
  const silent = await connect();
  silent.client.handleMessage = () => {};
  expect(nameOf(await send({ clientId: silent.clientId, confirmation: true, timeout: 1 }))).toBe("GatewayTimeoutException");
});

/** As device programs without an SDK do: the certificate is who asks. */
function post(
  path: string,
  body: string,
  by: AwsDevice,
): Promise<{ status: number; body: Record<string, unknown>; type: string | undefined }> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: "127.0.0.1",
        servername: "localhost",
        port: aws.server.devicePort,
        method: "POST",
        path,
        ca: aws.server.ca,
        cert: by.certificatePem,
        key: by.privateKeyPem,
        agent: false,
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on("data", (piece: Buffer) => pieces.push(piece));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            body: JSON.parse(Buffer.concat(pieces).toString() || "{}"),
            type: String(response.headers["x-amzn-errortype"]),
          }),
        );
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

test("a device with a certificate publishes and updates over HTTPS as far as its policy goes, whichever way the topic is written", async () => {
  const limited = await aws.createDevice({
    statements: [
      { Effect: "Allow", Action: "iot:Publish", Resource: aws.arn("topic/mine/*") },
      { Effect: "Allow", Action: "iot:UpdateThingShadow", Resource: [aws.arn("thing/mine"), aws.arn("thing/mine/cfg")] },
    ],
  });
  const { client, heard } = await connect();
  await client.subscribeAsync("mine/#");
  expect(await post("/topics/mine/a%20b?qos=1", "1", limited)).toMatchObject({ status: 200, body: { message: "OK" } });
  expect(await post("/topics/mine%2Fa%20b?qos=1", "2", limited)).toMatchObject({ status: 200 });
  await until("both", () => heard.length === 2);
  expect(heard.map(({ topic, text }) => [topic, text])).toEqual([
    ["mine/a b", "1"],
    ["mine/a b", "2"],
  ]);
  expect(await post("/topics/yours/a", "1", limited)).toMatchObject({ status: 403, type: "ForbiddenException" });
  expect(await post("/topics/mine/a?retain=true", "1", limited)).toMatchObject({ status: 403 });
  const state = JSON.stringify({ state: { reported: { a: 1 } } });
  expect(await post("/things/mine/shadow", state, limited)).toMatchObject({ status: 200, body: { version: 1 } });
  expect(await post("/things/mine/shadow?name=cfg", state, limited)).toMatchObject({ status: 200, body: { version: 1 } });
  expect(await post("/things/mine/shadow?name=other", state, limited)).toMatchObject({ status: 403 });
  expect(await post("/things/yours/shadow", state, limited)).toMatchObject({ status: 403 });
});
