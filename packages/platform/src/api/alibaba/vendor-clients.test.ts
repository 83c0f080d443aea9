/** The vendor's own clients, unmodified, against this room behind a plain HTTP server on the loopback address. */
import IotClient, * as Models from "@alicloud/iot20180120";
import { Config } from "@alicloud/openapi-client";
import PopCore from "@alicloud/pop-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../clock.ts";
import { createAlibabaApi } from "./alibaba-api.ts";
import { type ApiServer, openApiServer } from "./testing/api-server.ts";
import { accessKeyId, accessKeySecret, openRooms, type Rooms } from "./testing/rooms.ts";

// The package is CommonJS with a `default` of its own: Node hands out the module, vitest unwraps it.
const Client: typeof IotClient.default = "default" in IotClient ? IotClient.default : IotClient;

const awkward = "it's (a) *test*! ~ 中文 ＋%+& 😀";

let server: ApiServer;
let authority: string;
let rooms: Rooms;
let handle: ReturnType<typeof createAlibabaApi>;
let productKey: string;

beforeAll(async () => {
  rooms = await openRooms(systemClock);
  handle = createAlibabaApi({ ...rooms.ports, instanceIds: "any" });
  server = await openApiServer(handle);
  authority = server.authority;
});

afterAll(async () => {
  await server.close();
  await rooms.close();
});

let products = 0;
beforeEach(async () => {
  rooms.published.length = 0;
  products += 1;
  productKey = (await rooms.ports.registry.createProduct({ name: `lamps${products}` })).productKey;
});

describe.each(["GET", "POST"])("@alicloud/pop-core %s", (method) => {
  const request = (action: string, parameters: object, secret = accessKeySecret) => {
    const client = new PopCore({ accessKeyId, accessKeySecret: secret, endpoint: `http://${authority}`, apiVersion: "2018-01-20" });
    return client.request<Record<string, unknown>>(action, parameters, { method });
  };

  test("awkward values arrive as they were sent", async () => {
    const answer = await request("CreateProduct", { NodeType: 0, ProductName: `名(a) ${method}`, Description: awkward });
    expect(answer).toMatchObject({ Success: true, Data: { ProductName: `名(a) ${method}`, Description: awkward } });
  });

  test("a message is published", async () => {
    const MessageContent = Buffer.from("??>>ÿ").toString("base64");
    const answer = await request("pub", { productKey, TopicFullName: `/${productKey}/dev1/user/get`, MessageContent, Qos: 1 });
    expect(answer).toMatchObject({ Success: true, MessageId: "1234567890123456789" });
    expect(rooms.published).toEqual([{ topic: `/${productKey}/dev1/user/get`, payload: Buffer.from("??>>ÿ"), qos: 1 }]);
  });

  test("repeat lists arrive as lists, and a business failure is thrown with its code", async () => {
    for (const deviceName of ["dev1", "dev2"]) await rooms.ports.registry.createDevice(productKey, { deviceName });
    const answer = await request("BatchGetDeviceState", { ProductKey: productKey, DeviceName: ["dev2", "dev1"] });
    expect(answer).toMatchObject({ DeviceStatusList: { DeviceStatus: [{ DeviceName: "dev2" }, { DeviceName: "dev1" }] } });
    const failure = request("QueryDeviceDetail", { ProductKey: productKey, DeviceName: "none" });
    await expect(failure).rejects.toMatchObject({ code: "iot.device.NotExistedDevice", data: { Success: false } });
  });

  test("a wrong secret is refused with the string to sign", async () => {
    const failure = request("QueryProduct", { ProductKey: productKey }, "wrong");
    await expect(failure).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
    await expect(failure).rejects.toThrow(`${method}&%2F&AccessKeyId%3Dtestid%26Action%3DQueryProduct`);
  });
});

describe.each([
  ["ACS3-HMAC-SHA256", {}],
  ["signatureAlgorithm v2", { signatureAlgorithm: "v2" }],
])("@alicloud/iot20180120 with %s", (name, settings) => {
  const connect = (secret = accessKeySecret) =>
    new Client(new Config({ accessKeyId, accessKeySecret: secret, endpoint: authority, protocol: "http", ...settings }));

  test("awkward values arrive as they were sent", async () => {
    const productName = `名(b) ${name.length}`;
    const request = new Models.CreateProductRequest({ nodeType: 0, productName, description: awkward, iotInstanceId: "iot-1" });
    const { body, statusCode } = await connect().createProduct(request);
    expect(statusCode).toBe(200);
    expect(body).toMatchObject({ success: true, data: { productName, description: awkward, nodeType: 0, id2: false } });
    expect(body.productKey).toBe(body.data?.productKey);
  });

  test("a message in the form body is published", async () => {
    const topicFullName = `/${productKey}/dev1/user/get`;
    const messageContent = Buffer.from("??>>ÿ").toString("base64");
    const { body } = await connect().pub(new Models.PubRequest({ productKey, topicFullName, messageContent, qos: 0 }));
    expect(body).toMatchObject({ success: true, messageId: "1234567890123456789" });
    expect(rooms.published).toEqual([{ topic: topicFullName, payload: Buffer.from("??>>ÿ"), qos: 0 }]);
  });

  test("devices are registered, listed and asked for", async () => {
    const client = connect();
    const { body: made } = await client.registerDevice(
      new Models.RegisterDeviceRequest({ productKey, deviceName: "dev1", nickname: awkward }),
    );
    expect(made).toMatchObject({
      success: true,
      data: { deviceName: "dev1", nickname: awkward, deviceSecret: expect.stringMatching(/^\w{32}$/) },
    });
    const { body: listed } = await client.queryDevice(new Models.QueryDeviceRequest({ productKey, pageSize: 5, currentPage: 1 }));
    expect(listed).toMatchObject({
      page: 1,
      pageCount: 1,
      total: 1,
      data: { deviceInfo: [{ deviceName: "dev1", deviceStatus: "UNACTIVE" }] },
    });
    const wanted = new Models.BatchGetDeviceStateRequest({ productKey, deviceName: ["dev1"] });
    const { body: states } = await client.batchGetDeviceState(wanted);
    expect(states).toMatchObject({ deviceStatusList: { deviceStatus: [{ deviceName: "dev1", status: "UNACTIVE" }] } });
    const iotId = made.data?.iotId ?? "";
    const { body: detail } = await client.queryDeviceDetail(new Models.QueryDeviceDetailRequest({ iotId }));
    expect(detail).toMatchObject({ success: true, data: { deviceName: "dev1", owner: true, nodeType: 0, region: "cn-shanghai" } });
  });

  test("a rule is made with an action and started", async () => {
    const client = connect();
    const parts = {
      select: "a as b, '(~*!' as \"ç d\"",
      where: "x <> 'é* +' and y > 1",
      productKey,
      shortTopic: "+/user/update",
      topicType: 1,
    };
    const { body: made } = await client.createRule(new Models.CreateRuleRequest({ name: `rule${name.length}`, ...parts }));
    const ruleId = made.ruleId ?? 0;
    const configuration = JSON.stringify({ topic: `/${productKey}/dev2/user/get`, topicType: 1 });
    await client.createRuleAction(new Models.CreateRuleActionRequest({ ruleId, type: "REPUBLISH", configuration }));
    expect((await client.startRule(new Models.StartRuleRequest({ ruleId }))).body.success).toBe(true);
    const { body } = await client.getRule(new Models.GetRuleRequest({ ruleId }));
    expect(body.ruleInfo).toMatchObject({ ...parts, id: ruleId, status: "RUNNING" });
  });

  test("a business failure is an answer, a failure of the gateway is thrown", async () => {
    const request = new Models.QueryProductRequest({ productKey: "none" });
    const { body, statusCode } = await connect().queryProduct(request);
    expect([statusCode, body.success, body.code]).toEqual([200, false, "iot.prod.NotExistedProduct"]);
    await expect(connect("wrong").queryProduct(request)).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
    await expect(connect().queryDeviceBySQL(new Models.QueryDeviceBySQLRequest({ SQL: "select" }))).rejects.toMatchObject({
      code: "UnsupportedOperation",
    });
  });
});
