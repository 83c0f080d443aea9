/** Topic rules, Basic Ingest, and both clouds on one bus, with clients that we did not write (AWS reference, 14 and 16). */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  CreateTopicRuleCommand,
  DeleteTopicRuleCommand,
  DisableTopicRuleCommand,
  EnableTopicRuleCommand,
  GetTopicRuleCommand,
  ListTopicRulesCommand,
  ReplaceTopicRuleCommand,
  SqlParseException,
  type TopicRulePayload,
  UnauthorizedException,
} from "@aws-sdk/client-iot";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type AwsDevice, type AwsFixture, awsAccountId, startAwsFixture } from "./support/aws-fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { run } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";
import { until } from "./support/until.ts";

let aws: AwsFixture;
let device: AwsDevice;
let rest: ReturnType<typeof restClient>;
let hook: Server;
const calls: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
const clients: mqtt.MqttClient[] = [];
const roleArn = "arn:aws:iam::123456789012:role/rules";

beforeAll(async () => {
  hook = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      calls.push({ url: request.url ?? "", headers: request.headers, body });
      response.statusCode = request.url === "/refuses" ? 403 : 200;
      response.end();
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
  aws = await startAwsFixture({ environment: { THINGSTEAD_RULES_WEBHOOK_ALLOW: "127.0.0.1" } });
  device = await aws.createDevice({ thingName: "sensor1" });
  rest = restClient(aws.server);
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
});
afterAll(async () => {
  await aws?.remove();
  hook?.closeAllConnections();
  hook?.close();
});

async function connect(clientId: string, options: mqtt.IClientOptions = {}): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(`mqtts://localhost:${aws.server.devicePort}`, {
    ca: aws.server.ca,
    cert: device.certificatePem,
    key: device.privateKeyPem,
    clientId,
    protocolVersion: 4,
    reconnectPeriod: 0,
    ...options,
  });
  client.on("error", () => {});
  clients.push(client);
  return client;
}

interface Received {
  topic: string;
  payload: unknown;
  packet: mqtt.IPublishPacket;
}

async function listen(client: mqtt.MqttClient, ...filters: string[]): Promise<Received[]> {
  const received: Received[] = [];
  client.on("message", (topic, payload, packet) => received.push({ topic, payload: JSON.parse(payload.toString()), packet }));
  await client.subscribeAsync(filters, { qos: 1 });
  return received;
}

async function createRule(
  ruleName: string,
  payload: Omit<TopicRulePayload, "actions"> & Partial<Pick<TopicRulePayload, "actions">>,
): Promise<void> {
  const topicRulePayload = { awsIotSqlVersion: "2016-03-23", actions: [], ...payload };
  await aws.iot.send(new CreateTopicRuleCommand({ ruleName, topicRulePayload }));
}

test("[AW 16] rules are made, read, replaced, listed, disabled and deleted by the vendor's client", async () => {
  const republish = { republish: { topic: "alerts/${topic(2)}", roleArn, qos: 1 } };
  const sql = "SELECT * FROM 'topic/+/esp32at' WHERE temp > 50";
  await createRule("lifecycle", { sql, description: "d", actions: [republish], errorAction: { republish: { topic: "errors", roleArn } } });
  const { rule, ruleArn } = await aws.iot.send(new GetTopicRuleCommand({ ruleName: "lifecycle" }));
  expect(ruleArn).toBe(aws.arn("rule/lifecycle"));
  expect(rule).toMatchObject({
    ruleName: "lifecycle",
    sql,
    description: "d",
    ruleDisabled: false,
    awsIotSqlVersion: "2016-03-23",
    actions: [republish],
    errorAction: { republish: { topic: "errors", roleArn } },
    createdAt: expect.any(Date),
  });
  await expect(createRule("lifecycle", { sql })).rejects.toMatchObject({ name: "ResourceAlreadyExistsException", resourceArn: ruleArn });
  const s3 = { s3: { roleArn, bucketName: "b", key: "k" } };
  await aws.iot.send(
    new ReplaceTopicRuleCommand({
      ruleName: "lifecycle",
      topicRulePayload: { sql: "SELECT a FROM 'x/#'", actions: [s3], ruleDisabled: true },
    }),
  );
  const replaced = await aws.iot.send(new GetTopicRuleCommand({ ruleName: "lifecycle" }));
  expect(replaced.rule).toMatchObject({
    sql: "SELECT a FROM 'x/#'",
    actions: [s3],
    ruleDisabled: true,
    awsIotSqlVersion: "2015-10-08",
    description: "",
  });
  expect(replaced.rule?.errorAction).toBeUndefined();
  const listed = await aws.iot.send(new ListTopicRulesCommand({ topic: "x/y", ruleDisabled: true }));
  expect(listed.rules).toMatchObject([{ ruleArn, ruleName: "lifecycle", topicPattern: "x/#", ruleDisabled: true }]);
  await aws.iot.send(new EnableTopicRuleCommand({ ruleName: "lifecycle" }));
  await aws.iot.send(new EnableTopicRuleCommand({ ruleName: "lifecycle" }));
  expect((await aws.iot.send(new ListTopicRulesCommand({ ruleDisabled: true }))).rules).toEqual([]);
  await aws.iot.send(new DisableTopicRuleCommand({ ruleName: "lifecycle" }));
  await aws.iot.send(new EnableTopicRuleCommand({ ruleName: "lifecycle" }));
  await aws.iot.send(new DeleteTopicRuleCommand({ ruleName: "lifecycle" }));
  const gone = aws.iot.send(new GetTopicRuleCommand({ ruleName: "lifecycle" }));
  await expect(gone).rejects.toThrow(UnauthorizedException);
});

test("[AW 16] bad SQL names line and column; a page ends and goes on", async () => {
  const bad = createRule("bad", { sql: "SELECT a\nFROM x" });
  await expect(bad).rejects.toThrow(SqlParseException);
  await expect(bad).rejects.toThrow(/line 2, column 6/);
  await expect(createRule("bad-name", { sql: "SELECT a" })).rejects.toMatchObject({ name: "InvalidRequestException" });
  await expect(createRule("bad", { sql: "SELECT get_secret('a', 'b', 'c') AS x FROM 'y'" })).rejects.toThrow(/service of the vendor/);
  for (const name of ["page_a", "page_b", "page_c"]) await createRule(name, { sql: "SELECT a FROM 'page'", ruleDisabled: true });
  const first = await aws.iot.send(new ListTopicRulesCommand({ topic: "page", maxResults: 2 }));
  expect(first.rules?.map(({ ruleName }) => ruleName)).toEqual(["page_a", "page_b"]);
  const second = await aws.iot.send(new ListTopicRulesCommand({ topic: "page", maxResults: 2, nextToken: first.nextToken }));
  expect([second.rules?.map(({ ruleName }) => ruleName), second.nextToken]).toEqual([["page_c"], undefined]);
});

test("[AW 14.2, 14.4, 14.5] a device's message is selected, republished with headers of MQTT 5, and told who sent it", async () => {
  const headers = { contentType: "application/json", userProperties: [{ key: "from", value: "${clientid()}" }] };
  await createRule("alerts", {
    sql: "SELECT temp AS state.temp, clientid() AS client, principal() AS principal, accountid() AS account FROM 'topic/+/esp32at' WHERE temp > 50",
    actions: [{ republish: { topic: "alerts/${topic(2)}/${temp}", roleArn, qos: 1, headers } }],
  });
  const watcher = await connect("watcher", { protocolVersion: 5 });
  const received = await listen(watcher, "alerts/#");
  const sender = await connect("esp32");
  await sender.publishAsync("topic/kitchen/esp32at", '{"temp":50}', { qos: 1 });
  await sender.publishAsync("topic/kitchen/esp32at", '{"temp":51}', { qos: 1 });
  await until("the alert", () => received.length > 0);
  expect(received).toMatchObject([
    {
      topic: "alerts/kitchen/51",
      payload: { state: { temp: 51 }, client: "esp32", principal: device.certificateId, account: awsAccountId },
      packet: { qos: 1, properties: { contentType: "application/json", userProperties: { from: "esp32" } } },
    },
  ]);
});

test("[AW 14.6] mosquitto_pub ingests for one rule; nobody else hears; an unknown rule is in the device log", async (context) => {
  needProgram(context, "mosquitto_pub");
  await createRule("ingest", { sql: "SELECT topic() AS t, a", actions: [{ republish: { topic: "ingested", roleArn } }] });
  const watcher = await connect("ingest-watcher");
  const received = await listen(watcher, "ingested", "Buildings/#");
  const publish = (rule: string) =>
    run("mosquitto_pub", [
      ...["-h", "localhost", "-p", String(aws.server.devicePort), "--cafile", aws.server.caFile],
      ...["--cert", device.certificateFile, "--key", device.privateKeyFile, "-i", "sensor1", "-q", "1"],
      ...["-t", `$aws/rules/${rule}/Buildings/5/Lights`, "-m", '{"a":1}'],
    ]);
  expect((await publish("nobody")).code).toBe(0);
  expect((await publish("ingest")).code).toBe(0);
  await until("the ingested message", () => received.length > 0);
  expect(received.map(({ topic, payload }) => [topic, payload])).toEqual([["ingested", { t: "Buildings/5/Lights", a: 1 }]]);
  const { body } = await rest("GET", "/device-log?code=rules.ingest_unknown");
  expect(body.items).toMatchObject([{ kind: "forward", isSuccess: false, deviceName: "sensor1", clientId: "sensor1" }]);
});

test("[AW 14.5] an HTTP action calls with filled headers; what fails is told by the error action", async () => {
  const { port } = hook.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  await createRule("http", {
    sql: "SELECT a FROM 'hooked/+'",
    actions: [
      { http: { url: `${url}/calls/\${topic(2)}`, headers: [{ key: "X-A", value: "a-${a}" }] } },
      { http: { url: `${url}/refuses` } },
      { lambda: { functionArn: `${url}/function` } },
      { dynamoDBv2: { roleArn, putItem: { tableName: "t1" } } },
    ],
    errorAction: { republish: { topic: "failures/${topic(2)}", roleArn, qos: 1 } },
  });
  const watcher = await connect("failure-watcher");
  const received = await listen(watcher, "failures/#");
  const sender = await connect("hooked");
  await sender.publishAsync("hooked/one", '{"a":7}', { qos: 1 });
  await until("two reports", () => received.length === 2);
  await until("three calls", () => calls.length === 3);
  expect(calls.map(({ url: path, body }) => [path, body]).sort()).toEqual([
    ["/calls/one", '{"a":7}'],
    ["/function", '{"a":7}'],
    ["/refuses", '{"a":7}'],
  ]);
  expect(calls.find(({ url: path }) => path === "/calls/one")?.headers["x-a"]).toBe("a-7");
  const report = { ruleName: "http", topic: "hooked/one", clientId: "hooked", base64OriginalPayload: "eyJhIjo3fQ==" };
  expect(received.map(({ topic, payload }) => [topic, payload])).toEqual(
    expect.arrayContaining([
      ["failures/one", expect.objectContaining({ ...report, failures: [expect.objectContaining({ failedAction: "DynamoDBv2Action" })] })],
      [
        "failures/one",
        expect.objectContaining({
          ...report,
          failures: [expect.objectContaining({ failedAction: "HttpAction", failedResource: `${url}/refuses` })],
        }),
      ],
    ]),
  );
});

test("[AW 14.3] a rule reads a shadow while it runs", async () => {
  await createRule("look", {
    sql: `SELECT get_thing_shadow('sensor1', '${roleArn}').state.reported.room AS room FROM 'look'`,
    actions: [{ republish: { topic: "looked", roleArn } }],
  });
  const client = await connect("sensor1");
  const received = await listen(client, "looked", "$aws/things/sensor1/shadow/update/accepted");
  await client.publishAsync("$aws/things/sensor1/shadow/update", '{"state":{"reported":{"room":"kitchen"}}}', { qos: 1 });
  await until("the update", () => received.length === 1);
  await client.publishAsync("look", "{}", { qos: 1 });
  await until("the answer", () => received.length === 2);
  expect(received[1]).toMatchObject({ topic: "looked", payload: { room: "kitchen" } });
});

test("two clouds, one bus: an Alibaba device's report becomes a shadow, its change comes back to the device, and a ring ends", async () => {
  const product = (await rest("POST", "/products", { name: "lamps" })).body;
  const { productKey } = product;
  await rest("POST", `/products/${productKey}/devices`, { deviceName: "lamp1" });
  await createRule("to_shadow", {
    sql: `SELECT t AS state.reported.t FROM '/${productKey}/+/user/update'`,
    actions: [{ republish: { topic: "$$aws/things/${topic(3)}/shadow/update", roleArn, qos: 1 } }],
  });
  await createRule("to_lamp", {
    sql: "SELECT state.reported.t AS echo, 'aws' AS via FROM '$aws/things/lamp1/shadow/update/accepted'",
    actions: [{ republish: { topic: `/${productKey}/\${topic(3)}/user/get`, roleArn, qos: 1 } }],
  });
  // What it reads is what it causes.
  await createRule("ring", {
    sql: "SELECT 'round' AS state.reported.ring FROM '$aws/things/lamp1/shadow/update/accepted'",
    actions: [{ republish: { topic: "$$aws/things/lamp1/shadow/update", roleArn } }],
  });
  await rest("POST", "/rules", {
    name: "alibaba to plain",
    sql: `SELECT t, deviceName() AS name FROM "/${productKey}/+/user/update"`,
    actions: [{ type: "republish", topic: "fleet/lamps" }],
    isRunning: true,
  });
  const watcher = await connect("bus-watcher");
  const received = await listen(watcher, "fleet/#");
  const { body: signed } = await rest("GET", `/products/${productKey}/devices/lamp1/credentials?mode=tcp`);
  const lampClient = await mqtt.connectAsync(`mqtt://127.0.0.1:${aws.server.devicePort}`, {
    clientId: signed.clientId,
    username: signed.userName,
    password: signed.password,
    reconnectPeriod: 0,
  });
  clients.push(lampClient);
  const answered = await listen(lampClient, `/${productKey}/lamp1/user/get`);
  await lampClient.publishAsync(`/${productKey}/lamp1/user/update`, '{"t":21}', { qos: 1 });
  await until("the echo", () => answered.find(({ payload }) => (payload as { echo?: number }).echo === 21));
  await until("the copy", () => received.length > 0);
  expect(received).toMatchObject([{ topic: "fleet/lamps", payload: { t: 21, name: "lamp1" } }]);
  const cut = await until("the end of the ring", async () => (await rest("GET", "/device-log?code=rules.loop_cut")).body.items.length > 0);
  expect(cut).toBe(true);
});
