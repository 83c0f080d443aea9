/** The customer's server programs, made of the vendor's own SDKs: another endpoint is all that changes. */
import { createRequire } from "node:module";
import { signConnect } from "@thingstead/dialects";
import mqtt from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServerProcess, startServerProcess, testAccessKey } from "./support/server-process.ts";

const require = createRequire(import.meta.url);
const RpcClient = require("@alicloud/pop-core").RPCClient;
const Iot = require("@alicloud/iot20180120");
const OpenApi = require("@alicloud/openapi-client");

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(() => server.remove());

const wire = (text: string) => Buffer.from(text).toString("base64");

async function connectDevice(productKey: string, deviceName: string, deviceSecret: string) {
  const { clientId, userName, password } = signConnect({ productKey, deviceName, deviceSecret, secureMode: 3 });
  return mqtt.connectAsync(`mqtt://127.0.0.1:${server.devicePort}`, { clientId, username: userName, password, reconnectPeriod: 0 });
}

test.each(["GET", "POST"])("@alicloud/pop-core (%s): product to message, rule and back", async (method) => {
  const client = new RpcClient({
    endpoint: `http://127.0.0.1:${server.httpPort}`,
    apiVersion: "2018-01-20",
    accessKeyId: testAccessKey.id,
    accessKeySecret: testAccessKey.secret,
  });
  const call = (action: string, parameters: object) => client.request(action, { RegionId: "cn-shanghai", ...parameters }, { method });
  const product = await call("CreateProduct", { ProductName: `灯 (${method})`, NodeType: 0 });
  expect(product).toMatchObject({ Success: true });
  const ProductKey = product.ProductKey;
  const registered = await call("RegisterDevice", { ProductKey, DeviceName: "smartLight" });
  await call("CreateProductTopic", { ProductKey, TopicShortName: "data", Operation: "ALL" });
  await call("CreateProductTopic", { ProductKey, TopicShortName: "relay", Operation: "SUB" });
  const topics = await call("QueryProductTopic", { ProductKey });
  expect(topics.Data.ProductTopicInfo.map((topic: { TopicShortName: string }) => topic.TopicShortName)).toContain(
    `/${ProductKey}/\${deviceName}/user/data`,
  );
  const rule = await call("CreateRule", {
    Name: `forward${method}`,
    ProductKey,
    ShortTopic: "+/user/data",
    Select: "temperature AS t",
    Where: "temperature > 20",
    TopicType: 1,
    DataType: "JSON",
  });
  await call("CreateRuleAction", {
    RuleId: rule.RuleId,
    Type: "REPUBLISH",
    Configuration: JSON.stringify({ topic: `/${ProductKey}/smartLight/user/relay`, topicType: 1 }),
  });
  await call("StartRule", { RuleId: rule.RuleId });

  const device = await connectDevice(ProductKey, "smartLight", registered.Data.DeviceSecret);
  const messages: [string, string][] = [];
  const got = (count: number) =>
    new Promise<void>((resolve) => {
      const look = () => messages.length >= count && resolve();
      device.on("message", look);
      look();
    });
  device.on("message", (topic, payload) => messages.push([topic, payload.toString()]));
  await device.subscribeAsync([`/${ProductKey}/smartLight/user/relay`, `/${ProductKey}/smartLight/user/get`], { qos: 1 });
  await device.publishAsync(`/${ProductKey}/smartLight/user/data`, '{"temperature":10}', { qos: 1 });
  await device.publishAsync(`/${ProductKey}/smartLight/user/data`, '{"temperature":25.5}', { qos: 1 });
  const pub = await call("Pub", {
    ProductKey,
    TopicFullName: `/${ProductKey}/smartLight/user/get`,
    MessageContent: wire("it's (*) ~ 你好!"),
    Qos: 1,
  });
  expect(pub).toMatchObject({ Success: true, MessageId: expect.stringMatching(/^\d+$/) });
  await got(2);
  expect(messages).toContainEqual([`/${ProductKey}/smartLight/user/relay`, '{"t":25.5}']);
  expect(messages).toContainEqual([`/${ProductKey}/smartLight/user/get`, "it's (*) ~ 你好!"]);
  expect(messages).toHaveLength(2);

  expect(await call("GetDeviceStatus", { ProductKey, DeviceName: "smartLight" })).toMatchObject({ Data: { Status: "ONLINE" } });
  const closed = new Promise<void>((resolve) => device.once("close", () => resolve()));
  expect(await call("DisableThing", { ProductKey, DeviceName: "smartLight" })).toMatchObject({ Success: true });
  await closed;
  await expect(connectDevice(ProductKey, "smartLight", registered.Data.DeviceSecret)).rejects.toMatchObject({ code: 5 });
  await call("EnableThing", { ProductKey, DeviceName: "smartLight" });
  const again = await connectDevice(ProductKey, "smartLight", registered.Data.DeviceSecret);
  const deleted = new Promise<void>((resolve) => again.once("close", () => resolve()));
  await call("DeleteDevice", { ProductKey, DeviceName: "smartLight" });
  await deleted;
  await expect(call("QueryDeviceDetail", { ProductKey, DeviceName: "smartLight" })).rejects.toMatchObject({
    code: "iot.device.NotExistedDevice",
  });
  await expect(call("QueryEdgeInstance", { CurrentPage: 1 })).rejects.toMatchObject({ code: "UnsupportedOperation" });
  await call("StopRule", { RuleId: rule.RuleId });
});

test.each(["ACS3", "v2"])("@alicloud/iot20180120 (%s): lists, details and refusals", async (signature) => {
  const config = new OpenApi.Config({
    accessKeyId: testAccessKey.id,
    accessKeySecret: testAccessKey.secret,
    endpoint: `127.0.0.1:${server.httpPort}`,
    protocol: "http",
    ...(signature === "v2" ? { signatureAlgorithm: "v2" } : {}),
  });
  const client = new Iot.default(config);
  const product = await client.createProduct(new Iot.CreateProductRequest({ productName: `sensor_${signature}`, nodeType: 0 }));
  expect(product.body.success).toBe(true);
  const productKey = product.body.productKey;
  await client.registerDevice(new Iot.RegisterDeviceRequest({ productKey, deviceName: "device_1", nickname: "it's (1)*" }));
  await client.registerDevice(new Iot.RegisterDeviceRequest({ productKey, deviceName: "device_2" }));
  const list = await client.queryDevice(new Iot.QueryDeviceRequest({ productKey, pageSize: 10, currentPage: 1 }));
  expect(list.body.data.deviceInfo.map((device: { deviceName: string }) => device.deviceName).sort()).toEqual(["device_1", "device_2"]);
  const states = await client.batchGetDeviceState(new Iot.BatchGetDeviceStateRequest({ productKey, deviceName: ["device_1", "device_2"] }));
  expect(states.body.deviceStatusList.deviceStatus.map((state: { status: string }) => state.status)).toEqual(["UNACTIVE", "UNACTIVE"]);
  const missing = await client.queryDeviceDetail(new Iot.QueryDeviceDetailRequest({ productKey, deviceName: "nobody" }));
  expect(missing.body).toMatchObject({ success: false, code: "iot.device.NotExistedDevice" });
  const rules = await client.listRule(new Iot.ListRuleRequest({ currentPage: 1, pageSize: 10 }));
  expect(rules.body.success).toBe(true);

  const wrong = new Iot.default(Object.assign(new OpenApi.Config(config), { accessKeySecret: "wrong" }));
  await expect(wrong.queryProduct(new Iot.QueryProductRequest({ productKey }))).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
});
