import { afterEach, beforeEach, expect, test } from "vitest";
import type { RawApiRequest, RawApiResponse } from "../../raw-request.ts";
import { type AlibabaApiPorts, createAlibabaApi } from "../alibaba-api.ts";
import { openRooms, type Rooms, startTime } from "../testing/rooms.ts";
import { signedV1 } from "../testing/signed-request.ts";

let rooms: Rooms;
let ports: AlibabaApiPorts;
let handle: (request: RawApiRequest) => Promise<RawApiResponse>;
let productKey: string;

beforeEach(async () => {
  rooms = await openRooms({ now: () => startTime, after: () => () => {}, soon: setImmediate });
  ports = rooms.ports;
  handle = createAlibabaApi(ports);
  productKey = (await ports.registry.createProduct({ name: "lamps", description: "of the hall" })).productKey;
});

afterEach(() => rooms.close());

interface TopicInfo {
  Id: string;
  TopicShortName: string;
  Operation: string;
  Desc: string;
}

type Fields = Record<string, string | number | boolean>;

async function send(Action: string, fields: Fields): Promise<{ status: number; json: Record<string, unknown> }> {
  const texts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  const { status, body } = await handle(signedV1({ Action, ...texts }));
  return { status, json: JSON.parse(body) as Record<string, unknown> };
}

/** The answer without its envelope, which is checked here. */
async function call(Action: string, fields: Fields): Promise<Record<string, unknown>> {
  const { status, json } = await send(Action, fields);
  const { RequestId, Success, ...answer } = json;
  expect([Action, status, Success, answer.ErrorMessage]).toEqual([Action, 200, true, undefined]);
  expect(RequestId).toEqual(expect.any(String));
  return answer;
}

async function expectFailure(Action: string, fields: Fields, code: string): Promise<void> {
  const { status, json } = await send(Action, fields);
  if (code.startsWith("iot.")) {
    expect([status, json]).toEqual([200, { RequestId: expect.any(String), Success: false, Code: code, ErrorMessage: expect.any(String) }]);
  } else {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(json).toMatchObject({ Code: code });
  }
}

test("reference 1.8.A: a product is made, read, listed, changed and deleted", async () => {
  const made = await call("CreateProduct", {
    NodeType: 1,
    ProductName: "gateways",
    AliyunCommodityCode: "iothub_senior",
    DataFormat: 1,
    Description: "at the door",
  });
  const ProductKey = String(made.ProductKey);
  const kind = { NodeType: 1, DataFormat: 1, AuthType: "secret", AliyunCommodityCode: "iothub_senior", Id2: false };
  const identity = { ProductKey, ProductName: "gateways", Description: "at the door" };
  expect(made.Data).toEqual({ ...identity, ...kind, ProductSecret: expect.any(String) });
  expect(await ports.registry.findProduct(ProductKey)).toMatchObject({ topicStyle: "user", nodeType: "gateway", dataFormat: 1 });
  expect(await call("QueryProduct", { ProductKey })).toEqual({
    Data: {
      ...identity,
      ...kind,
      ProductSecret: expect.any(String),
      DeviceCount: 0,
      GmtCreate: startTime,
      Owner: true,
      ProductStatus: "DEVELOPMENT_STATUS",
    },
  });
  await call("UpdateProduct", { ProductKey, ProductName: "doors", Description: "" });
  const pages = [];
  for (const CurrentPage of [1, 2]) {
    const page = await call("QueryProductList", { CurrentPage, PageSize: 1 });
    expect(page).toMatchObject({ Data: { CurrentPage, PageSize: 1, PageCount: 2, Total: 2 } });
    pages.push(...(page as { Data: { List: { ProductInfo: unknown[] } } }).Data.List.ProductInfo);
  }
  expect(pages).toHaveLength(2);
  expect(pages).toContainEqual({
    ...{ ProductKey, ProductName: "doors", Description: "", DeviceCount: 0, GmtCreate: startTime },
    ...{ NodeType: 1, DataFormat: 1, AuthType: "secret" },
  });
  const list = { CurrentPage: 1, PageSize: 10 };
  expect(await call("QueryProductList", { ...list, AliyunCommodityCode: "iothub" })).toMatchObject({ Data: { Total: 0 } });
  expect(await call("QueryProductList", { ...list, AliyunCommodityCode: "iothub_senior" })).toMatchObject({ Data: { Total: 2 } });
  await expectFailure("QueryProductList", { ...list, AliyunCommodityCode: "x" }, "iot.prod.InvalidAliyunCommodityCode");
  await call("DeleteProduct", { ProductKey });
  await expectFailure("QueryProduct", { ProductKey }, "iot.prod.NotExistedProduct");
});

test("reference 1.8.A: what a product cannot be is refused", async () => {
  await expectFailure("CreateProduct", { NodeType: 0, ProductName: "lamps" }, "iot.prod.AlreadyExistedProductName");
  await expectFailure("CreateProduct", { NodeType: 2, ProductName: "more" }, "iot.prod.InvalidNodeType");
  await expectFailure(
    "CreateProduct",
    { NodeType: 0, ProductName: "more", AliyunCommodityCode: "x" },
    "iot.prod.InvalidAliyunCommodityCode",
  );
  await expectFailure("CreateProduct", { NodeType: 0, ProductName: "more", AuthType: "id2" }, "InvalidParameter");
  await expectFailure("CreateProduct", { NodeType: 0, ProductName: "more", Id2: true }, "InvalidParameter");
  await expectFailure("CreateProduct", { ProductName: "more" }, "MissingNodeType");
  await expectFailure("QueryProductList", { CurrentPage: 0, PageSize: 10 }, "iot.common.InvalidPageParams");
  await expectFailure("QueryProductList", { CurrentPage: 1, PageSize: 201 }, "iot.common.InvalidPageParams");
});

test("reference 1.8.B: a device is registered and found by both of its names", async () => {
  const { Data } = await call("RegisterDevice", { ProductKey: productKey, DeviceName: "dev1", Nickname: "灯" });
  const shown = { DeviceName: "dev1", DeviceSecret: expect.any(String), IotId: expect.any(String), Nickname: "灯", ProductKey: productKey };
  expect(Data).toEqual(shown);
  const { IotId } = Data as { IotId: string };
  expect(await call("QueryDeviceInfo", { IotId })).toEqual({ Data: shown });
  expect(await call("QueryDeviceInfo", { ProductKey: productKey, DeviceName: "dev1" })).toEqual({ Data: shown });
  // IotId wins when all are sent.
  expect(await call("QueryDeviceInfo", { IotId, ProductKey: "other", DeviceName: "other" })).toEqual({ Data: shown });
  const generated = await call("RegisterDevice", { ProductKey: productKey });
  expect(generated).toMatchObject({ Data: { DeviceName: expect.stringMatching(/^\w{20}$/), Nickname: "" } });
  await expectFailure("RegisterDevice", { ProductKey: productKey, DeviceName: "dev1" }, "iot.device.AlreadyExistedDeviceName");
  await expectFailure("RegisterDevice", { ProductKey: productKey, DevEui: "1" }, "InvalidParameter");
  await expectFailure("QueryDeviceInfo", { ProductKey: productKey, DeviceName: "none" }, "iot.device.NotExistedDevice");
  await expectFailure("QueryDeviceInfo", { ProductKey: "none", DeviceName: "dev1" }, "iot.prod.NotExistedProduct");
  await expectFailure("QueryDeviceInfo", { IotId: "none" }, "iot.device.NotExistedDevice");
  await expectFailure("QueryDeviceInfo", { ProductKey: productKey }, "iot.device.NullDeviceName");
  await expectFailure("QueryDeviceInfo", { DeviceName: "dev1" }, "iot.prod.NullProductKey");
});

test("reference 1.5, 1.8.B: details and status with the vendor's times", async () => {
  const { iotId } = await ports.registry.createDevice(productKey, { deviceName: "dev1" });
  const device = { ProductKey: productKey, DeviceName: "dev1" };
  expect(await call("GetDeviceStatus", device)).toEqual({ Data: { Status: "UNACTIVE", Timestamp: startTime } });
  expect(await call("QueryDeviceDetail", device)).toMatchObject({ Data: { GmtActive: "", UtcActive: "", GmtOnline: "", IpAddress: "" } });
  ports.registry.markOnline(productKey, "dev1", startTime + 60_000, "203.0.113.5:4711");
  expect(await call("QueryDeviceDetail", device)).toEqual({
    Data: {
      ...{ DeviceName: "dev1", DeviceSecret: expect.any(String), IotId: iotId, Nickname: "", ProductKey: productKey, ProductName: "lamps" },
      ...{ FirmwareVersion: "", NodeType: 0, Owner: true, Region: "cn-shanghai", Status: "ONLINE", IpAddress: "203.0.113.5" },
      ...{ GmtCreate: "2024-01-02 11:04:05", GmtActive: "2024-01-02 11:05:05", GmtOnline: "2024-01-02 11:05:05" },
      UtcCreate: "2024-01-02T03:04:05.000Z",
      UtcActive: "2024-01-02T03:05:05.000Z",
      UtcOnline: "2024-01-02T03:05:05.000Z",
    },
  });
  expect(await call("GetDeviceStatus", { IotId: iotId })).toEqual({ Data: { Status: "ONLINE", Timestamp: startTime + 60_000 } });
  expect(await call("BatchQueryDeviceDetail", { ProductKey: productKey, "DeviceName.1": "dev1" })).toMatchObject({
    Data: { Data: [{ DeviceName: "dev1", GmtCreate: "2024-01-02 11:04:05", Status: "ONLINE" }] },
  });
});

test("reference 1.8.B: the states of several devices, in the order asked", async () => {
  for (const deviceName of ["dev1", "dev2"]) await ports.registry.createDevice(productKey, { deviceName });
  const states = await call("BatchGetDeviceState", { ProductKey: productKey, "DeviceName.3": "dev1", "DeviceName.2": "dev2" });
  expect(states).toMatchObject({
    DeviceStatusList: { DeviceStatus: [{ DeviceName: "dev2", Status: "UNACTIVE" }, { DeviceName: "dev1" }] },
  });
  const { iotId } = await ports.registry.getDevice(productKey, "dev2");
  expect(await call("BatchGetDeviceState", { "IotId.1": iotId })).toMatchObject({
    DeviceStatusList: { DeviceStatus: [{ DeviceName: "dev2", IotId: iotId, DeviceId: iotId, LastOnlineTime: "", AsAddress: "" }] },
  });
  await expectFailure("BatchGetDeviceState", { ProductKey: productKey }, "iot.device.NoneDeviceNameElement");
  await expectFailure("BatchGetDeviceState", { ProductKey: productKey, "DeviceName.1": "no" }, "iot.device.NotExistedDevice");
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`DeviceName.${index + 1}`, "dev1"]));
  await expectFailure("BatchGetDeviceState", { ProductKey: productKey, ...many }, "iot.device.DeviceCountExceeded");
});

test("reference 1.8.B: the device list in pages, by number or by token", async () => {
  for (let index = 10; index <= 20; index += 1) await ports.registry.createDevice(productKey, { deviceName: `dev${index}` });
  const first = await call("QueryDevice", { ProductKey: productKey });
  expect(first).toMatchObject({ Page: 1, PageSize: 10, PageCount: 2, Total: 11, NextToken: expect.any(String) });
  expect((first.Data as { DeviceInfo: unknown[] }).DeviceInfo).toHaveLength(10);
  const second = await call("QueryDevice", { ProductKey: productKey, NextToken: String(first.NextToken) });
  expect(second).not.toHaveProperty("NextToken");
  expect(second).toMatchObject({ Page: 2, PageCount: 2 });
  expect(second.Data).toEqual({
    DeviceInfo: [
      {
        ...{ DeviceId: expect.any(String), DeviceName: "dev20", DeviceSecret: expect.any(String), DeviceStatus: "UNACTIVE" },
        ...{ IotId: expect.any(String), Nickname: "", ProductKey: productKey },
        GmtCreate: "Tue, 02-Jan-2024 03:04:05 GMT",
        GmtModified: "Tue, 02-Jan-2024 03:04:05 GMT",
        UtcCreate: "2024-01-02T03:04:05.000Z",
        UtcModified: "2024-01-02T03:04:05.000Z",
      },
    ],
  });
  await expectFailure("QueryDevice", { ProductKey: productKey, PageSize: 51 }, "iot.common.InvalidPageParams");
  await expectFailure("QueryDevice", { ProductKey: productKey, NextToken: "x" }, "InvalidParameter");
});

test("reference 1.8.B: a device is disabled, enabled and deleted", async () => {
  await ports.registry.createDevice(productKey, { deviceName: "dev1" });
  const device = { ProductKey: productKey, DeviceName: "dev1" };
  await call("DisableThing", device);
  expect(await call("GetDeviceStatus", device)).toMatchObject({ Data: { Status: "DISABLE" } });
  await call("EnableThing", device);
  expect(await call("GetDeviceStatus", device)).toMatchObject({ Data: { Status: "UNACTIVE" } });
  await call("DeleteDevice", device);
  await expectFailure("DeleteDevice", device, "iot.device.NotExistedDevice");
});

test("reference 1.8.F: topic classes go in by words and come out by numbers, with the whole template", async () => {
  for (const [Operation, TopicShortName] of [
    ["PUB", "data"],
    ["SUB", "orders"],
    ["ALL", "both"],
  ] as const) {
    await call("CreateProductTopic", { ProductKey: productKey, Operation, TopicShortName, Desc: `for ${TopicShortName}` });
  }
  const { Data } = (await call("QueryProductTopic", { ProductKey: productKey })) as { Data: { ProductTopicInfo: TopicInfo[] } };
  const own = `/${productKey}/\${deviceName}/user`;
  const shown = Data.ProductTopicInfo.map(({ TopicShortName, Operation, Desc }) => [TopicShortName, Operation, Desc]);
  expect(shown.slice(0, 3)).toEqual([
    [`${own}/update`, "0", ""],
    [`${own}/update/error`, "0", ""],
    [`${own}/get`, "1", ""],
  ]);
  expect(shown.slice(3)).toEqual([
    [`${own}/data`, "0", "for data"],
    [`${own}/orders`, "1", "for orders"],
    [`${own}/both`, "2", "for both"],
  ]);
  expect(Data.ProductTopicInfo[0]).toMatchObject({ Id: expect.any(String), ProductKey: productKey });
  const [first] = Data.ProductTopicInfo;
  await call("DeleteProductTopic", { TopicId: first?.Id ?? 0 });
  await expectFailure("DeleteProductTopic", { TopicId: first?.Id ?? 0 }, "iot.messagebroker.TopicTemplateIsNotFound");
  const bad = { ProductKey: productKey, Operation: "READ", TopicShortName: "x" };
  await expectFailure("CreateProductTopic", bad, "iot.messagebroker.InvalidTopicTemplateOperationValue");
  await expectFailure("CreateProductTopic", { ...bad, Operation: "SUB", EnableProxySubscribe: true }, "InvalidParameter");
});

test("reference 1.8.G: a message is decoded from Base64 and its id is text", async () => {
  const TopicFullName = `/${productKey}/dev1/user/get`;
  const message = { ProductKey: productKey, TopicFullName, MessageContent: "aGVsbG93b3JsZA==", Qos: 1 };
  expect(await call("Pub", message)).toEqual({ MessageId: "1234567890123456789" });
  await call("Pub", { ...message, MessageContent: "aGVsbG93b3JsZA", Qos: "" });
  expect(rooms.published).toEqual([
    { topic: TopicFullName, payload: Buffer.from("helloworld"), qos: 1 },
    { topic: TopicFullName, payload: Buffer.from("helloworld"), qos: 0 },
  ]);
  for (const MessageContent of ["no base64", "aGVsb", "aGVsbG8*", "aGVs=", "===="]) {
    await expectFailure("Pub", { ...message, MessageContent }, "iot.messagebroker.MessageContentIsNotBase64Encode");
  }
  await expectFailure("Pub", { ...message, Qos: 2 }, "InvalidParameter");
  await expectFailure("Pub", { ...message, TopicFullName: "/other/dev1/user/get" }, "iot.messagebroker.InvalidFormattedTopicName");
  await expectFailure("Pub", { ...message, Retained: true }, "InvalidParameter");
  await expectFailure("Pub", { ...message, "UserProp.1.Key": "k", "UserProp.1.Value": "v" }, "InvalidParameter");
  await call("Pub", { ...message, Retained: false });
  expect(rooms.published).toHaveLength(3);
});

test("reference 1.8.G: one message for several devices, and who did not get it", async () => {
  for (const deviceName of ["dev1", "dev2", "refused"]) await ports.registry.createDevice(productKey, { deviceName });
  const message = { ProductKey: productKey, MessageContent: "aGk=", TopicShortName: "get" };
  await call("BatchPub", { ...message, "DeviceName.1": "dev1", "DeviceName.2": "dev2" });
  const template = `/${productKey}/\${deviceName}/user/other`;
  await call("BatchPub", { ...message, TopicShortName: "", TopicTemplateName: template, "DeviceName.1": "dev1" });
  expect(rooms.published.map(({ topic }) => topic)).toEqual([
    `/${productKey}/dev1/user/get`,
    `/${productKey}/dev2/user/get`,
    `/${productKey}/dev1/user/other`,
  ]);
  await expectFailure(
    "BatchPub",
    { ...message, "DeviceName.1": "dev1", "DeviceName.2": "refused" },
    "iot.messagebroker.PublishMessageFailed",
  );
  await expectFailure("BatchPub", { ...message, "DeviceName.1": "refused" }, "iot.messagebroker.InvalidFormattedTopicName");
  await expectFailure("BatchPub", { ...message, TopicShortName: "", "DeviceName.1": "dev1" }, "iot.messagebroker.NullTopicName");
  await expectFailure("BatchPub", message, "MissingDeviceName.1");
  // An unknown name stops the call before anything is sent.
  const sent = rooms.published.length;
  await expectFailure("BatchPub", { ...message, "DeviceName.1": "dev1", "DeviceName.2": "none" }, "iot.device.NotExistedDevice");
  expect(rooms.published).toHaveLength(sent);
});

test("reference 1.8.J, 2.1: a rule made in steps becomes one statement", async () => {
  const { RuleId } = (await call("CreateRule", { Name: "r1", RuleDesc: "first" })) as { RuleId: number };
  expect((await ports.rules.get(RuleId)).sql).toBe("");
  await expectFailure("StartRule", { RuleId }, "iot.rule.NullSqlForRule");
  await call("UpdateRule", { RuleId, Select: "deviceName() as d, t", Where: "t > 20" });
  await call("UpdateRule", { RuleId, ProductKey: productKey });
  await expectFailure("StartRule", { RuleId }, "iot.rule.NullSqlForRule");
  await call("UpdateRule", { RuleId, ShortTopic: "+/user/update" });
  expect((await ports.rules.get(RuleId)).sql).toBe(`SELECT deviceName() as d, t FROM "/${productKey}/+/user/update" WHERE t > 20`);
  await expectFailure("StartRule", { RuleId }, "iot.rule.NullForwardDestForRule");
  const shown = {
    ...{ Id: RuleId, Name: "r1", RuleDesc: "first", Status: "STOP", DataType: "JSON", Select: "deviceName() as d, t", Where: "t > 20" },
    ...{ ProductKey: productKey, ShortTopic: "+/user/update", Topic: `/${productKey}/+/user/update` },
    ...{ Created: "Tue Jan 02 11:04:05 CST 2024", Modified: "Tue Jan 02 11:04:05 CST 2024" },
    ...{ UtcCreated: "2024-01-02T03:04:05.000Z", UtcModified: "2024-01-02T03:04:05.000Z" },
  };
  expect(await call("GetRule", { RuleId })).toEqual({ RuleInfo: { ...shown, TopicType: 1 } });
  expect(await call("ListRule", { CurrentPage: 1, PageSize: 10 })).toEqual({
    Data: { RuleInfo: [shown] },
    Page: 1,
    PageSize: 10,
    Total: 1,
  });
  await call("UpdateRule", { RuleId, Name: "r2", Where: "" });
  expect(await ports.rules.get(RuleId)).toMatchObject({
    name: "r2",
    sql: `SELECT deviceName() as d, t FROM "/${productKey}/+/user/update"`,
  });
});

test("reference 2.5: the kinds of topics of a rule", async () => {
  let count = 0;
  const sqlOf = async (fields: Fields) => {
    const { RuleId } = (await call("CreateRule", { Name: `rule${++count}`, Select: "*", ...fields })) as { RuleId: number };
    const { RuleInfo } = (await call("GetRule", { RuleId })) as { RuleInfo: { TopicType: number } };
    return [(await ports.rules.get(RuleId)).sql, RuleInfo.TopicType];
  };
  expect(await sqlOf({ ProductKey: "pk", ShortTopic: "+", TopicType: 2 })).toEqual(['SELECT * FROM "/as/mqtt/status/pk/+"', 2]);
  const report = "+/thing/event/property/post";
  expect(await sqlOf({ ProductKey: "pk", ShortTopic: report, TopicType: 0 })).toEqual([`SELECT * FROM "/pk/${report}"`, 0]);
  expect(await sqlOf({ Topic: "/pk/d/user/up", DataType: "BINARY" })).toEqual(['SELECT * FROM "/pk/d/user/up"', 1]);
  await expectFailure("CreateRule", { Name: "r", TopicType: 3 }, "iot.ruleng.IncorrectType");
  await expectFailure("CreateRule", { Name: "r", DataType: "TEXT" }, "iot.ruleng.IncorrectType");
});

test("reference 1.8.J, 2.7: actions republish, a rule runs, stops and goes", async () => {
  const { RuleId } = (await call("CreateRule", { Name: "r", Select: "*", ProductKey: "pk", ShortTopic: "+/user/up" })) as {
    RuleId: number;
  };
  const Configuration = JSON.stringify({ topic: "/pk/dev2/user/get", topicType: 1 });
  const action = { RuleId, Type: "REPUBLISH", Configuration };
  const { ActionId } = (await call("CreateRuleAction", action)) as { ActionId: number };
  const shown = { Id: ActionId, RuleId, Type: "REPUBLISH", ErrorActionFlag: false, Configuration };
  expect(await call("GetRuleAction", { ActionId })).toEqual({ RuleActionInfo: shown });
  expect(await call("ListRuleActions", { RuleId })).toEqual({ RuleActionList: { RuleActionInfo: [shown] } });
  await call("StartRule", { RuleId });
  expect(await call("GetRule", { RuleId })).toMatchObject({ RuleInfo: { Status: "RUNNING" } });
  await expectFailure("StartRule", { RuleId }, "iot.ruleng.RuleAlreadyIsStarted");
  await expectFailure("DeleteRule", { RuleId }, "iot.rule.DeleteRuleFailed");
  await call("StopRule", { RuleId });
  await expectFailure("CreateRuleAction", { ...action, Type: "MNS" }, "iot.rule.IncorrentRuleActionType");
  await expectFailure("CreateRuleAction", { ...action, Configuration: "{" }, "iot.ruleng.RuleActionConfigurationIsNotJson");
  await expectFailure("CreateRuleAction", { ...action, Configuration: '{"topic":"/x","topicType":0}' }, "iot.ruleng.IncorrectSysTopic");
  await expectFailure("CreateRuleAction", { ...action, ErrorActionFlag: true }, "iot.ruleng.IncorrectActionTypeForError");
  await expectFailure("CreateRuleAction", { ...action, ErrorActionFlag: "maybe" }, "InvalidParameter");
  await call("DeleteRuleAction", { ActionId });
  await expectFailure("DeleteRuleAction", { ActionId }, "iot.rule.NotFoundRuleAction");
  await call("DeleteRule", { RuleId });
  await expectFailure("GetRule", { RuleId }, "iot.rule.NotFoundRule");
});

test("a webhook of our own API shows without its headers", async () => {
  const { id } = await ports.rules.create({ name: "hook", sql: 'SELECT * FROM "/pk/+/up"' });
  await ports.rules.addAction(id, { type: "webhook", url: "https://example.com/in", headers: { authorization: "Bearer hidden" } });
  const answer = await call("ListRuleActions", { RuleId: id });
  expect(answer).toMatchObject({
    RuleActionList: { RuleActionInfo: [{ Type: "HTTP", Configuration: '{"url":"https://example.com/in","method":"POST"}' }] },
  });
  expect(JSON.stringify(answer)).not.toContain("hidden");
});
