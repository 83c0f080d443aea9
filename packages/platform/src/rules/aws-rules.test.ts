import { expect, test } from "vitest";
import type { NewRule, RuleAction, RuleContext } from "./index.ts";
import { openRuleBench, type RuleBench } from "./testing/bench.ts";

const topic = "plant/line1/temp";
const aws = { language: "aws", sqlVersion: "2016-03-23", sql: "SELECT * FROM 'plant/+/temp'", isRunning: true } as const;

function republish(to: string, more: object = {}): RuleAction {
  return { type: "aws", action: { republish: { topic: to, roleArn: "arn:aws:iam::1:role/r", ...more } } };
}

const context: RuleContext = {
  publisherOf: (sessionId) => ({ clientId: sessionId, principal: "cert1", device: { productKey: "aws", deviceName: "line1" } }),
  readShadow: async (thing, shadow) =>
    thing === "line1" && shadow === undefined ? { state: { desired: { target: "cooler" } } } : undefined,
};

async function start(rule: Partial<NewRule>, limits = {}): Promise<RuleBench> {
  const bench = openRuleBench(limits, undefined, context);
  await bench.rules.open();
  await bench.rules.create({ ...aws, name: "rule1", ...rule });
  return bench;
}

function sentOn(bench: RuleBench): [string, unknown][] {
  return bench.republished.map(({ topic: to, payload }) => [to, JSON.parse(Buffer.from(payload).toString())]);
}

test("[AW 14.4] templates are filled from the original message, with functions, several levels and the publisher", async () => {
  const bench = await start({
    sql: "SELECT t AS renamed FROM 'plant/+/temp' WHERE t > 1",
    actions: [republish("copy/${topic()}"), republish("alerts/${topic(2)}/${upper(unit)}/${t + 1}/${clientid()}", { qos: 1 })],
  });
  const { owed } = bench.publish(topic, '{"t":2,"unit":"c"}', { qos: 1, publisherSessionId: "client-7" });
  await bench.settle();
  await owed;
  expect(sentOn(bench)).toEqual([
    ["copy/plant/line1/temp", { renamed: 2 }],
    ["alerts/line1/C/3/client-7", { renamed: 2 }],
  ]);
  // [AW 14.5] QoS 0 unless the action says otherwise.
  expect(bench.republished.map(({ qos }) => qos)).toEqual([0, 1]);
  expect(bench.entries).toMatchObject([
    { code: "rules.forwarded", productKey: "aws", deviceName: "line1" },
    { code: "rules.forwarded", productKey: "aws", deviceName: "line1" },
  ]);
});

test("[AW 14.5] headers of MQTT 5 with templates", async () => {
  const headers = {
    payloadFormatIndicator: "UTF8_DATA",
    contentType: "application/${kind}",
    responseTopic: "answers/${topic(2)}",
    correlationData: "${encode(id, 'base64')}",
    messageExpiry: "60",
    userProperties: [
      { key: "id", value: "${id}" },
      { key: "id", value: "${missing}" },
    ],
  };
  const bench = await start({ actions: [republish("out", { headers })] });
  bench.publish(topic, '{"kind":"json","id":"x1"}');
  await bench.settle();
  expect(bench.republished[0]?.properties).toEqual({
    payloadFormatIndicator: 1,
    contentType: "application/json",
    responseTopic: "answers/line1",
    correlationData: Buffer.from("x1"),
    messageExpiryIntervalSeconds: 60,
    userProperties: [
      ["id", "x1"],
      ["id", "undefined"],
    ],
  });
});

test("[AW 14.5] $$aws writes to a reserved topic; a payload cannot, and jobs are closed", async () => {
  const bench = await start({
    actions: [
      republish("$$aws/things/${topic(2)}/shadow/update"),
      republish("${root}/things/x/shadow/update"),
      republish("$$aws/things/x/${word}/y"),
    ],
  });
  bench.publish(topic, '{"root":"$aws","word":"jobs"}');
  await bench.settle();
  expect(bench.republished.map(({ topic: to }) => to)).toEqual(["$aws/things/line1/shadow/update"]);
  expect(bench.entries.filter(({ isSuccess }) => !isSuccess).map(({ code }) => code)).toEqual([
    "rules.topic_reserved",
    "rules.topic_reserved",
  ]);
});

test("a template that is Undefined fails its action; a value with a wildcard does, too", async () => {
  const bench = await start({ actions: [republish("a/${missing}"), republish("a/${wild}"), republish("a/fixed")] });
  bench.publish(topic, '{"wild":"+"}');
  await bench.settle();
  expect(bench.republished.map(({ topic: to }) => to)).toEqual(["a/fixed"]);
  expect(bench.entries.filter(({ isSuccess }) => !isSuccess).map(({ code }) => code)).toEqual([
    "rules.template_undefined",
    "rules.placeholder_invalid",
  ]);
});

test("[AW 14.5] every action of the API is kept; what needs another service fails into the error action, once for a message", async () => {
  const bench = await start({
    actions: [
      { type: "aws", action: { s3: { roleArn: "r", bucketName: "bucket-1", key: "k" } } },
      republish("ok"),
      { type: "aws", action: { dynamoDBv2: { roleArn: "r", putItem: { tableName: "t1" } } } },
      { type: "aws", action: { lambda: { functionArn: "arn:aws:lambda:us-east-1:1:function:f" } } },
    ],
    errorAction: republish("errors/${topic(2)}"),
  });
  const { owed } = bench.publish(topic, '{"t":1}', { qos: 1, publisherSessionId: "client-7" });
  await bench.settle();
  await owed;
  expect(sentOn(bench)).toEqual([
    ["ok", { t: 1 }],
    [
      "errors/line1",
      {
        ruleName: "rule1",
        topic,
        cloudwatchTraceId: "07070707-0707-4707-8707-070707070707",
        clientId: "client-7",
        base64OriginalPayload: "eyJ0IjoxfQ==",
        failures: [
          { failedAction: "S3Action", failedResource: "bucket-1", errorMessage: expect.stringContaining("Amazon S3") },
          { failedAction: "DynamoDBv2Action", failedResource: '{"tableName":"t1"}', errorMessage: expect.stringContaining("DynamoDB") },
          {
            failedAction: "LambdaAction",
            failedResource: "arn:aws:lambda:us-east-1:1:function:f",
            errorMessage: expect.stringContaining("AWS Lambda"),
          },
        ],
      },
    ],
  ]);
  expect((await bench.rules.list({ page: 1, pageSize: 1 })).items[0]?.statistics).toMatchObject({ matched: 1, passed: 2, failed: 3 });
});

test("an HTTP action is stored before the PUBACK and sent with filled headers within 3 s; when it is given up the error action hears", async () => {
  const http = { url: "https://hooks.example.com/${topic(2)}", headers: [{ key: "X-Unit", value: "u-${unit}" }], auth: null };
  const bench = await start(
    { actions: [{ type: "aws", action: { http } }], errorAction: republish("errors") },
    { retryDelaysMilliseconds: [] },
  );
  bench.answer.next = () => ({ isDelivered: false, code: "rules.webhook_status", reason: "The webhook answered 500.", isRetryable: true });
  const { owed } = bench.publish(topic, '{"unit":"c"}', { qos: 1, publisherSessionId: "client-7" });
  await bench.settle();
  await owed;
  await bench.settle();
  expect(bench.store.insertedBatches).toEqual([1]);
  expect(bench.sent[0]).toMatchObject({
    url: "https://hooks.example.com/line1",
    method: "POST",
    timeoutMilliseconds: 3000,
    headers: { "X-Unit": "u-c" },
  });
  expect(bench.store.letters.size).toBe(1);
  expect(sentOn(bench)).toMatchObject([
    [
      "errors",
      {
        clientId: "client-7",
        base64OriginalPayload: "eyJ1bml0IjoiYyJ9",
        failures: [
          { failedAction: "HttpAction", failedResource: "https://hooks.example.com/line1", errorMessage: "The webhook answered 500." },
        ],
      },
    ],
  ]);
});

test("a function with an address is a webhook; a failing error action is logged and ends there", async () => {
  const bench = await start({
    actions: [{ type: "aws", action: { lambda: { functionArn: "https://functions.example.com/f" } } }, republish("a/${missing}")],
    errorAction: republish("e/${missing}"),
  });
  bench.publish(topic, "{}");
  await bench.settle();
  expect(bench.sent).toMatchObject([{ url: "https://functions.example.com/f" }]);
  expect(bench.republished).toEqual([]);
  expect(bench.entries.map(({ code }) => code)).toEqual(["rules.template_undefined", "rules.template_undefined", "rules.forwarded"]);
});

test("[AW 14.3] a rule that reads a shadow waits for it, in SQL and in templates, and the PUBACK with it", async () => {
  const bench = await start({
    sql: "SELECT get_thing_shadow(topic(2), 'role').state.desired.target AS target FROM 'plant/+/temp' WHERE isUndefined(get_thing_shadow(topic(2), 'named', 'role'))",
    actions: [
      republish("to/${get_thing_shadow(topic(2), 'role').state.desired.target}"),
      { type: "aws", action: { http: { url: "https://hooks.example.com/${get_thing_shadow(topic(2), 'role').state.desired.target}" } } },
    ],
  });
  let isAcknowledged = false;
  void bench.publish(topic, "{}", { qos: 1 }).owed?.then(() => {
    isAcknowledged = true;
  });
  await bench.settle();
  expect(sentOn(bench)).toEqual([["to/cooler", { target: "cooler" }]]);
  expect(bench.sent).toMatchObject([{ url: "https://hooks.example.com/cooler" }]);
  expect(isAcknowledged).toBe(true);
});

test("a message may read only so many shadows, and a reader that fails fails the run", async () => {
  const bench = await start(
    { sql: "SELECT (SELECT VALUE get_thing_shadow(t, 'r') FROM things) AS s FROM '#'", actions: [republish("x")] },
    { shadowReadsPerMessageMax: 2 },
  );
  bench.publish(topic, '{"things":[{"t":"a"},{"t":"b"},{"t":"c"}]}');
  await bench.settle();
  expect(bench.entries).toMatchObject([{ code: "rules.shadow_reads", isSuccess: false }]);
  expect(bench.republished).toEqual([]);
});

test("[AW 14.6] a rule is called by its name: no FROM is asked, topic() has no prefix, other rules do not hear", async () => {
  const bench = await start({ sql: "SELECT topic() AS t, a", actions: [republish("out")] });
  await bench.rules.create({ ...aws, name: "other", sql: "SELECT * FROM 'Buildings/#'", actions: [republish("other")] });
  await bench.rules.create({ name: "中", sql: 'SELECT * FROM "a"' });
  const message = {
    topic: "Buildings/5/Lights",
    payload: Buffer.from('{"a":1}'),
    qos: 1,
    isRetained: false,
    receivedAt: 1,
    hops: 0,
  } as const;
  const taken = bench.rules.ingest("rule1", message);
  expect(taken.outcome).toBe("taken");
  await bench.settle();
  await taken.owed;
  expect(sentOn(bench)).toEqual([["out", { t: "Buildings/5/Lights", a: 1 }]]);
  expect(bench.rules.ingest("nobody", message).outcome).toBe("unknown");
  expect(bench.rules.ingest("中", message).outcome).toBe("unknown");
  await bench.rules.stop(bench.rules.find("rule1")?.id ?? 0);
  expect(bench.rules.ingest("rule1", message).outcome).toBe("stopped");
});

test("two clouds, one bus: both languages read an Alibaba device's topic and write to a shadow, and back", async () => {
  const bench = openRuleBench();
  await bench.rules.open();
  const up = "/pk1/dev1/user/update";
  await bench.rules.create({
    name: "alibaba_to_aws",
    sql: `SELECT deviceName() AS state_name, t AS temperature FROM "/pk1/+/user/update"`,
    actions: [
      { type: "republish", topic: "$aws/things/${state_name}/shadow/update" },
      { type: "republish", topic: "fleet/raw" },
    ],
    isRunning: true,
  });
  await bench.rules.create({
    ...aws,
    name: "aws_to_shadow",
    sql: "SELECT t AS state.reported.t FROM '/pk1/+/user/update'",
    actions: [republish("$$aws/things/${topic(3)}/shadow/update"), republish("fleet/${topic(3)}")],
  });
  await bench.rules.create({
    ...aws,
    name: "shadow_to_alibaba",
    sql: "SELECT state.reported.t AS echo FROM '$aws/things/+/shadow/update/accepted'",
    actions: [republish("/pk1/${topic(3)}/user/get", { qos: 1 })],
  });
  bench.publish(up, '{"t":21}');
  bench.publish("$aws/things/dev1/shadow/update/accepted", '{"state":{"reported":{"t":21}},"version":3}');
  await bench.settle();
  expect(sentOn(bench)).toEqual([
    ["$aws/things/dev1/shadow/update", { state_name: "dev1", temperature: 21 }],
    ["fleet/raw", { state_name: "dev1", temperature: 21 }],
    ["$aws/things/dev1/shadow/update", { state: { reported: { t: 21 } } }],
    ["fleet/dev1", { state: { reported: { t: 21 } } }],
    ["/pk1/dev1/user/get", { echo: 21 }],
  ]);
});

test.each<[string, Partial<NewRule>, string]>([
  ["a name for ARNs", { name: "a-b" }, "rules.field_invalid"],
  ["a version of the SQL", { sqlVersion: "2020-01-01" as "beta" }, "rules.field_invalid"],
  ["a version for Alibaba's", { language: "alibaba", sql: "", isRunning: false }, "rules.field_invalid"],
  ["SQL of the other language", { sql: 'SELECT deviceName() FROM "a" WHERE a IN (1)' }, "rules.sql_invalid"],
  ["two members", { actions: [{ type: "aws", action: { s3: {}, sqs: {} } }] }, "rules.action_invalid"],
  ["an unknown action", { actions: [{ type: "aws", action: { telegraph: {} } }] }, "rules.action_invalid"],
  ["a required field", { actions: [{ type: "aws", action: { s3: { key: "k" } } }] }, "rules.action_invalid"],
  ["a template that does not compile", { actions: [republish("a/${nope()}")] }, "rules.action_invalid"],
  ["a template that is not closed", { actions: [republish("a/${topic(1)")] }, "rules.action_invalid"],
  ["a function that is external in a template", { actions: [republish("a/${get_secret('a', 'b', 'c')}")] }, "rules.action_invalid"],
  ["jobs", { actions: [republish("$$aws/things/x/jobs/get")] }, "rules.action_invalid"],
  ["QoS 2", { actions: [republish("a", { qos: 2 })] }, "rules.action_invalid"],
  ["sigv4", { actions: [{ type: "aws", action: { http: { url: "https://e.com", auth: { sigv4: {} } } } }] }, "rules.action_invalid"],
  ["batches", { actions: [{ type: "aws", action: { http: { url: "https://e.com", enableBatching: true } } }] }, "rules.action_invalid"],
  ["a filled host", { actions: [{ type: "aws", action: { http: { url: "https://${host}/" } } }] }, "rules.action_invalid"],
  ["loopback", { actions: [{ type: "aws", action: { http: { url: "http://127.0.0.1/" } } }] }, "rules.address_refused"],
  [
    "a function on loopback",
    { actions: [{ type: "aws", action: { lambda: { functionArn: "http://127.0.0.1/" } } }] },
    "rules.address_refused",
  ],
  [
    "an error action on loopback",
    { errorAction: { type: "aws", action: { http: { url: "http://127.0.0.1/" } } } },
    "rules.address_refused",
  ],
])("refuses a rule: %s", async (_what, rule, code) => {
  const bench = openRuleBench();
  await expect(bench.rules.create({ ...aws, name: "r", ...rule })).rejects.toMatchObject({ code });
  expect(bench.store.rules.size).toBe(0);
});

test("an AWS action is not for Alibaba's rules; versions and languages are kept, changed and listed", async () => {
  const { rules } = openRuleBench();
  await expect(rules.create({ name: "r", actions: [republish("a")] })).rejects.toMatchObject({ code: "rules.action_invalid" });
  await expect(rules.create({ name: "r", errorAction: republish("a") })).rejects.toMatchObject({ code: "rules.field_invalid" });
  await rules.create({ name: "alibaba" });
  const { id, sqlVersion } = await rules.create({ name: "a1", language: "aws", sql: "SELECT a", errorAction: republish("e") });
  // [AW 14.1] The vendor's default.
  expect(sqlVersion).toBe("2015-10-08");
  expect((await rules.list({ page: 1, pageSize: 9 }, "aws")).items.map(({ name }) => name)).toEqual(["a1"]);
  await expect(rules.update(id, { sql: "SELECT [a] AS b" })).rejects.toMatchObject({ code: "rules.sql_invalid" });
  expect(await rules.update(id, { sql: "SELECT [a] AS b", sqlVersion: "2016-03-23", errorAction: null })).toMatchObject({
    errorAction: undefined,
  });
  // The API takes rules without actions.
  expect(await rules.start(id)).toMatchObject({ isRunning: true, actions: [] });
});

test("check tries an AWS rule: what it makes of text and of bytes", () => {
  const { rules } = openRuleBench();
  const sample = { topic: "a/b", payload: Buffer.from('{"a":2}') };
  const terms = { language: "aws", sqlVersion: "2016-03-23" } as const;
  expect(rules.check("SELECT a + 1 AS b, topic(2) AS t FROM 'a/#'", sample, terms)).toEqual({
    problems: [],
    isMatch: true,
    result: { b: 3, t: "b" },
  });
  expect(rules.check("SELECT * FROM 'a/#'", { ...sample, payload: Buffer.from("ff", "hex") }, terms)).toMatchObject({
    result: Buffer.from("ff", "hex"),
  });
  expect(rules.check("SELECT a FROM 'a/#' WHERE a > 2", sample, terms)).toMatchObject({ isMatch: false });
});
