import { signConnect } from "@thingstead/dialects";
import { expect, test } from "vitest";
import { createTestPorts, testKey } from "../in-memory-ports.ts";
import type { ApiLimits } from "../limits.ts";
import { buildApi } from "../server.ts";
import { createAnswerCheck } from "./answer-check.ts";

type Method = "GET" | "POST" | "PATCH" | "DELETE";

async function open(limits: Partial<ApiLimits> = {}) {
  const fixture = createTestPorts(limits);
  const { app } = await buildApi(fixture.ports);
  const fits = createAnswerCheck((await app.inject("/api/v1/openapi.json")).json());
  const authorization = `Bearer ${testKey.id}:${testKey.secret}`;
  const call = async (method: Method, path: string, payload?: object, headers: Record<string, string> = {}) => {
    const answer = await app.inject({
      method,
      url: `/api/v1${path}`,
      headers: { authorization, ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    const isJson = (answer.headers["content-type"] ?? "").toString().startsWith("application/json");
    if (isJson) expect(fits(method, `/api/v1${path}`, answer.statusCode, answer.json()), `${method} ${path} as documented`).toEqual([]);
    return { status: answer.statusCode, body: isJson ? answer.json() : answer.body, headers: answer.headers };
  };
  return { ...fixture, app, call };
}

async function openWithDevice(limits: Partial<ApiLimits> = {}) {
  const opened = await open(limits);
  await opened.call("POST", "/products", { name: "lamp", productKey: "pk", productSecret: "ps" });
  await opened.call("POST", "/products/pk/devices", { deviceName: "dn", deviceSecret: "ds" });
  return opened;
}

test("a product: created with its secret, listed without, shown with it on wish, changed, deleted", async () => {
  const { call } = await open();
  const created = await call("POST", "/products", { name: "lamp", productKey: "a1", topicStyle: "legacy" });
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({ productKey: "a1", productSecret: expect.any(String), topicStyle: "legacy", nodeType: "device" });
  expect(created.body.createdAt).toBe("2026-01-02T03:04:05.678Z");
  const list = await call("GET", "/products");
  expect(list.body).toMatchObject({ page: 1, pageSize: 20, total: 1, items: [{ productKey: "a1", deviceCount: 0 }] });
  expect(JSON.stringify(list.body)).not.toContain("Secret");
  expect((await call("GET", "/products/a1")).body.productSecret).toBeUndefined();
  expect((await call("GET", "/products/a1?secret=true")).body.productSecret).toBe(created.body.productSecret);
  expect((await call("PATCH", "/products/a1", { description: "of the hall" })).body.description).toBe("of the hall");
  expect((await call("DELETE", "/products/a1")).status).toBe(204);
  expect((await call("GET", "/products/a1")).status).toBe(404);
});

test("devices: secrets only on create and on wish; filters and pages go through; enable and disable", async () => {
  const { call } = await openWithDevice();
  await call("POST", "/products/pk/device-batches", { deviceNames: ["x1", "x2", "x3"] });
  expect((await call("GET", "/products/pk/devices/dn")).body.deviceSecret).toBeUndefined();
  expect((await call("GET", "/products/pk/devices/dn?secret=true")).body.deviceSecret).toBe("ds");
  const page = await call("GET", "/products/pk/devices?namePrefix=x&page=2&pageSize=2");
  expect(page.body).toMatchObject({ page: 2, pageSize: 2, total: 3, items: [{ deviceName: "x3" }] });
  expect(JSON.stringify((await call("GET", "/devices")).body)).not.toContain("ecret");
  expect((await call("POST", "/products/pk/devices/dn/disable")).body).toMatchObject({ status: "DISABLE", isEnabled: false });
  expect((await call("GET", "/devices?status=DISABLE")).body.total).toBe(1);
  expect((await call("POST", "/products/pk/devices/dn/enable")).body.isEnabled).toBe(true);
  expect((await call("PATCH", "/products/pk/devices/dn", { nickname: "hall" })).body.nickname).toBe("hall");
  expect((await call("DELETE", "/products/pk/devices/dn")).status).toBe(204);
  expect((await call("DELETE", "/products/pk/devices/dn")).status).toBe(404);
});

test("a batch comes as JSON, or as CSV in which no cell is a formula", async () => {
  const { call } = await openWithDevice();
  const json = await call("POST", "/products/pk/device-batches", { count: 3 });
  expect(json.status).toBe(201);
  expect(json.body.total).toBe(3);
  expect(json.body.items[0].deviceSecret).toMatch(/^secret/);
  const devices = [
    { deviceName: "=cmd", deviceSecret: 'a"b,c', iotId: "i1" },
    { deviceName: "-x", deviceSecret: "s", iotId: "@i" },
  ];
  const csv = await call("POST", "/products/pk/device-batches", { devices }, { accept: "text/csv" });
  expect(csv.headers["content-type"]).toContain("text/csv");
  expect(csv.body).toBe('deviceName,deviceSecret,productKey,iotId\r\n\'=cmd,"a""b,c",pk,i1\r\n\'-x,s,pk,\'@i\r\n');
  const byWeight = async (accept: string) => {
    const { headers } = await call("POST", "/products/pk/device-batches", { count: 1 }, { accept });
    return String(headers["content-type"]).split(";")[0];
  };
  expect(await byWeight("text/csv, */*")).toBe("text/csv");
  expect(await byWeight("application/json;q=0.5, text/csv;q=0.9")).toBe("text/csv");
  expect(await byWeight("application/json, text/csv;q=0.5")).toBe("application/json");
  expect(await byWeight("text/csv;q=0")).toBe("application/json");
  const byQuery = await call("POST", "/products/pk/device-batches?format=csv", { count: 1 });
  expect(byQuery.body.split("\r\n")).toHaveLength(3);
});

test("a batch takes exactly one form and no more than its limit", async () => {
  const { call } = await openWithDevice({ batchDevicesMax: 5 });
  for (const body of [
    {},
    { count: 1, deviceNames: ["a"] },
    { count: 6 },
    { count: 0 },
    { deviceNames: [] },
    { deviceNames: Array(6).fill("a") },
  ]) {
    const answer = await call("POST", "/products/pk/device-batches", body);
    expect([answer.status, answer.body.error.code]).toEqual([400, "api.request_invalid"]);
  }
  expect((await call("GET", "/devices")).body.total).toBe(1);
});

test("credentials are those that a device computes, on the usual port of the mode", async () => {
  const { call } = await openWithDevice();
  const tcp = await call("GET", "/products/pk/devices/dn/credentials?mode=tcp");
  expect(tcp.body).toEqual({
    mode: "tcp",
    host: "things.example",
    port: 1883,
    ...signConnect({ productKey: "pk", deviceName: "dn", deviceSecret: "ds", secureMode: 3 }),
  });
  const tls = await call("GET", "/products/pk/devices/dn/credentials");
  expect(tls.body).toMatchObject({ mode: "tls", port: 8883, clientId: expect.stringContaining("securemode=2") });
});

test("a message goes out as text or bytes, to a whole topic or a short one, and never to another device", async () => {
  const { call, published } = await openWithDevice();
  const path = "/products/pk/devices/dn/messages";
  const text = await call("POST", path, { topic: "/pk/dn/user/get", payload: "温度" });
  expect(text.body).toEqual({ messageId: "1234567890123456789", delivered: 1, queued: 0 });
  await call("POST", path, { topic: "user/get", payloadBase64: "AP8=", qos: 1 });
  expect(published.map(({ topic, payload, qos }) => [topic, Buffer.from(payload).toString("hex"), qos])).toEqual([
    ["/pk/dn/user/get", Buffer.from("温度").toString("hex"), 0],
    ["/pk/dn/user/get", "00ff", 1],
  ]);
  const refused = async (body: object) => (await call("POST", path, body)).body.error.code;
  expect(await refused({ topic: "/pk/dn2/user/get", payload: "" })).toBe("api.topic_of_other_device");
  expect(await refused({ topic: "a" })).toBe("api.request_invalid");
  expect(await refused({ topic: "a", payload: "x", payloadBase64: "eA==" })).toBe("api.request_invalid");
  expect(await refused({ topic: "a", payloadBase64: "not base64!" })).toBe("api.request_invalid");
  expect(await refused({ topic: "a", payload: "x", qos: 2 })).toBe("api.request_invalid");
  expect((await call("POST", "/products/pk/devices/nobody/messages", { topic: "a", payload: "" })).status).toBe(404);
  expect(published).toHaveLength(2);
});

test("topic classes: listed, created, deleted only under their own product", async () => {
  const { call } = await openWithDevice();
  await call("POST", "/products", { name: "other", productKey: "pk2" });
  const created = await call("POST", "/products/pk/topics", { topic: "data", operation: "PUB" });
  expect(created.body).toMatchObject({ template: "/${productKey}/${deviceName}/data", operation: "PUB" });
  expect((await call("GET", "/products/pk/topics")).body.items).toHaveLength(1);
  expect((await call("DELETE", `/products/pk2/topics/${created.body.id}`)).body.error.code).toBe("api.topic_class_not_found");
  expect((await call("DELETE", `/products/pk/topics/${created.body.id}`)).status).toBe(204);
  expect((await call("GET", "/products/pk/topics")).body.items).toEqual([]);
});

test("rules: created, checked, changed, started, stopped, deleted", async () => {
  const { call } = await open();
  const actions = [
    { type: "republish", topic: "/pk/dn/relay", qos: 1 },
    { type: "webhook", url: "http://127.0.0.1/x", headers: { "X-A": "1" } },
  ];
  const created = await call("POST", "/rules", { name: "r", sql: 'SELECT * FROM "/a"', actions });
  expect(created.status).toBe(201);
  expect(created.body.actions.map((one: { action: object }) => one.action)).toEqual(actions);
  const { id } = created.body;
  const token = { type: "webhook", url: "http://hooks.example/", headers: { Authorization: "Bearer t0ken" } };
  expect((await call("PATCH", `/rules/${id}`, { actions: [token] })).body.actions[0].action).toEqual(token);
  for (const path of [`/rules/${id}`, "/rules"]) expect(JSON.stringify((await call("GET", path)).body)).not.toContain("t0ken");
  expect((await call("GET", `/rules/${id}`)).body.actions[0].action.headerNames).toEqual(["Authorization"]);
  expect((await call("GET", `/rules/${id}?secret=true`)).body.actions[0].action).toEqual(token);
  expect((await call("POST", `/rules/${id}/start`)).body.isRunning).toBe(true);
  expect((await call("POST", `/rules/${id}/stop`)).body.isRunning).toBe(false);
  expect((await call("PATCH", `/rules/${id}`, { actions: [] })).body.actions).toEqual([]);
  expect((await call("GET", "/rules")).body.total).toBe(1);
  expect((await call("DELETE", `/rules/${id}`)).status).toBe(204);
  expect((await call("GET", `/rules/${id}`)).body.error.code).toBe("rules.not_found");
  expect((await call("POST", "/rules/check", { sql: "SELEKT" })).body.problems).toEqual([
    { message: "expected SELECT", line: 1, column: 1 },
  ]);
  const checked = await call("POST", "/rules/check", { sql: "SELECT *", sample: { topic: "/a", payloadBase64: "aGk=" } });
  expect(checked.body).toEqual({ problems: [], isMatch: true, result: { text: "hi" } });
});

test("rules in AWS SQL: language, version, actions as their API has them, and an error action without its secrets", async () => {
  const { call } = await open();
  const http = { url: "https://hooks.example/", headers: [{ key: "Authorization", value: "Bearer t0ken" }] };
  const action = { type: "aws", action: { http } };
  const wish = { name: "r", language: "aws", sqlVersion: "2016-03-23", sql: "SELECT * FROM 'a'", actions: [action], errorAction: action };
  const created = await call("POST", "/rules", wish);
  expect(created).toMatchObject({ status: 201, body: { language: "aws", sqlVersion: "2016-03-23", errorAction: action } });
  const { id } = created.body;
  const hidden = { type: "aws", action: { http: { ...http, headers: [{ key: "Authorization", value: "" }] } } };
  expect((await call("GET", `/rules/${id}`)).body).toMatchObject({ actions: [{ action: hidden }], errorAction: hidden });
  expect(JSON.stringify((await call("GET", "/rules")).body)).not.toContain("t0ken");
  expect((await call("GET", `/rules/${id}?secret=true`)).body.errorAction).toEqual(action);
  expect((await call("PATCH", `/rules/${id}`, { errorAction: null, sqlVersion: "beta" })).body).not.toHaveProperty("errorAction");
  expect((await call("POST", "/rules", { name: "s", language: "sql" })).body.error.code).toBe("api.request_invalid");
});

test("dead letters show their payload as bytes, and as text where it is text", async () => {
  const { call, ports } = await open();
  await call("POST", "/rules", { name: "r" });
  const letter = {
    ruleId: 1,
    actionId: 7,
    time: Date.UTC(2026, 0, 1),
    topic: "/a",
    tries: 5,
    code: "rules.action_failed",
    reason: "refused",
  };
  ports.rules.deadLetters.push({ ...letter, id: 1, payload: Buffer.from("hi") }, { ...letter, id: 2, payload: Buffer.from([0xff]) });
  const { body } = await call("GET", "/rules/1/dead-letters");
  expect(body.items.map((one: { payload?: string; payloadBase64: string }) => [one.payload, one.payloadBase64])).toEqual([
    ["hi", "aGk="],
    [undefined, "/w=="],
  ]);
  expect((await call("POST", "/dead-letters/2/retry")).status).toBe(204);
  expect((await call("DELETE", "/dead-letters/2")).status).toBe(204);
  expect((await call("POST", "/dead-letters/2/retry")).status).toBe(404);
});

test("the device log is filtered and paged towards the past", async () => {
  const { call, ports } = await open();
  for (let round = 1; round <= 5; round++) {
    ports.deviceLog.write({ kind: "connect", code: "device.connected", isSuccess: round % 2 === 0, time: round * 1000, productKey: "pk" });
  }
  const first = await call("GET", "/device-log?limit=2");
  expect(first.body.items.map((one: { id: number }) => one.id)).toEqual([5, 4]);
  const next = await call("GET", `/device-log?limit=2&beforeId=${first.body.nextBeforeId}`);
  expect(next.body.items.map((one: { id: number }) => one.id)).toEqual([3, 2]);
  const failures = await call("GET", "/device-log?isSuccess=false&since=1970-01-01T00:00:02Z&until=4000");
  expect(failures.body.items.map((one: { id: number }) => one.id)).toEqual([3]);
  expect(failures.body.nextBeforeId).toBeUndefined();
  expect((await call("GET", "/device-log?since=yesterday")).body.error.details.path).toBe("querystring/since");
  expect((await call("GET", "/device-log?kind=nonsense")).body.error.details.expected).toContain('"connect"');
});

test("a refusal names the place, what came and what was expected", async () => {
  const { call } = await open();
  const detailsOf = async (method: Method, path: string, body?: object) => {
    const answer = await call(method, path, body);
    expect([answer.status, answer.body.error.code]).toEqual([400, "api.request_invalid"]);
    return answer.body.error.details;
  };
  expect(await detailsOf("POST", "/products", { name: 5 })).toEqual({ path: "body/name", received: "5", expected: "string" });
  expect(await detailsOf("POST", "/products", {})).toMatchObject({ path: "body/name", received: "nothing" });
  expect(await detailsOf("POST", "/products", { name: "a", colour: 1 })).toMatchObject({ path: "body/colour" });
  expect(await detailsOf("POST", "/products", { name: "a", nodeType: "x" })).toMatchObject({ expected: 'one of "device", "gateway"' });
  const secret = await detailsOf("POST", "/products", { name: "a", productSecret: 4711 });
  expect(JSON.stringify(secret)).not.toContain("4711");
  expect(await detailsOf("GET", "/products?page=zero")).toMatchObject({
    path: "querystring/page",
    received: '"zero"',
    expected: "integer",
  });
  expect(await detailsOf("GET", "/products?pageSize=100000")).toMatchObject({ path: "querystring/pageSize", received: "100000" });
  expect(await detailsOf("GET", "/products?colour=red")).toMatchObject({ path: "querystring/colour" });
  expect(await detailsOf("GET", "/rules/9e99")).toMatchObject({ path: "params/id" });
  expect(await detailsOf("GET", "/rules/abc")).toMatchObject({ path: "params/id" });
  const webhook = { name: "r", actions: [{ type: "webhook", ur: "x" }] };
  expect(await detailsOf("POST", "/rules", webhook)).toMatchObject({ path: "body/actions/0/ur" });
  expect(await detailsOf("POST", "/rules", { name: "r", actions: [{ type: "mail" }] })).toMatchObject({ path: "body/actions/0" });
});
