/** Programs that read and steer things with the vendor's own server SDK, @alicloud/iot20180120; the device speaks MQTT.js. */
import { createRequire } from "node:module";
import { signConnect } from "@thingstead/dialects";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServerProcess, startServerProcess, testAccessKey } from "./support/server-process.ts";
import { until } from "./support/until.ts";

const require = createRequire(import.meta.url);
const Iot = require("@alicloud/iot20180120");
const OpenApi = require("@alicloud/openapi-client");

let server: ServerProcess;
let device: MqttClient;
let productKey = "";
const deviceName = "lamp1";

/** `call("queryProduct", { productKey })`; the answer's members are the SDK's. */
// biome-ignore lint/suspicious/noExplicitAny: the SDK's members are looked at by name, as its users do.
async function call(name: string, parameters: object): Promise<any> {
  const client = new Iot.default(
    new OpenApi.Config({
      accessKeyId: testAccessKey.id,
      accessKeySecret: testAccessKey.secret,
      endpoint: `127.0.0.1:${server.httpPort}`,
      protocol: "http",
    }),
  );
  const request = new Iot[`${name[0]?.toUpperCase()}${name.slice(1)}Request`](parameters);
  return (await client[name](request)).body;
}

async function succeed(name: string, parameters: object) {
  const body = await call(name, parameters);
  expect(body, name).toMatchObject({ success: true });
  return body;
}

const dataSpecs = { dataType: "INT", min: "0", max: "100", step: "1", unit: "%", unitName: "percent" };
const level = { identifier: "Level", name: "level", dataType: "INT", rwFlag: "READ_WRITE", required: false, dataSpecs };
const code = { identifier: "Code", name: "code", dataType: "TEXT", dataSpecs: { dataType: "TEXT", length: 32 } };
const functions = {
  properties: [level],
  events: [{ identifier: "Alarm", eventName: "alarm", eventType: "ALERT_EVENT_TYPE", outputdata: [code] }],
  services: [{ identifier: "Measure", serviceName: "measure", callType: "SYNC", inputParams: [], outputParams: [code] }],
};

/** Everything the device is asked it answers as a simple firmware does. */
function answer(topic: string, payload: Buffer): void {
  const reply = (to: string, body: object | Buffer) => device.publish(to, Buffer.isBuffer(body) ? body : JSON.stringify(body));
  const sync = /^\/sys\/[^/]+\/[^/]+\/rrpc\/request\/(\d+)$/.exec(topic);
  if (sync !== null) {
    const text = payload.toString();
    const isCall = text.startsWith("{");
    const to = topic.replace("/request/", "/response/");
    reply(to, isCall ? { id: JSON.parse(text).id, code: 200, data: { Code: "fine" } } : Buffer.from(`re:${text}`));
  }
  if (topic.endsWith("/thing/service/property/set"))
    reply(`${topic}_reply`, { id: JSON.parse(payload.toString()).id, code: 200, data: {} });
}

const received: [topic: string, payload: string][] = [];

beforeAll(async () => {
  server = await startServerProcess();
  const product = await succeed("createProduct", {
    productName: "things of the API",
    nodeType: 0,
    aliyunCommodityCode: "iothub_senior",
    dataFormat: 1,
  });
  productKey = product.productKey;
  const { data } = await succeed("registerDevice", { productKey, deviceName });
  await succeed("createThingModel", { productKey, thingModelJson: JSON.stringify(functions) });
  await succeed("publishThingModel", { productKey, modelVersion: "1.0" });
  const { clientId, userName, password } = signConnect({ productKey, deviceName, deviceSecret: data.deviceSecret, secureMode: 3 });
  device = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.devicePort}`, {
    clientId,
    username: userName,
    password,
    reconnectPeriod: 0,
  });
  device.on("message", (topic, payload) => {
    received.push([topic, payload.toString()]);
    answer(topic, payload);
  });
  const own = `/sys/${productKey}/${deviceName}`;
  await device.subscribeAsync([`${own}/thing/service/property/set`, `${own}/thing/event/+/post_reply`, `${own}/rrpc/request/+`]);
});

afterAll(async () => {
  device?.end(true);
  await server.remove();
});

test("[op QueryThingModelPublished] [op GetThingModelTslPublished] [op ListThingModelVersion] a model made of parts is read back", async () => {
  const { data } = await succeed("queryThingModelPublished", { productKey });
  expect(JSON.parse(data.thingModelJson)).toMatchObject({ properties: [{ identifier: "Level", dataSpecs }] });
  const tsl = await succeed("getThingModelTslPublished", { productKey });
  expect(JSON.parse(tsl.data.tslStr)).toMatchObject({ properties: [{ identifier: "Level", dataType: { type: "int" } }] });
  const versions = await succeed("listThingModelVersion", { productKey });
  expect(versions.data.modelVersions).toMatchObject([{ modelVersion: "1.0" }]);
  await succeed("importThingModelTsl", { productKey, tslStr: tsl.data.tslStr });
});

test("[op QueryDevicePropertyStatus] [op QueryDevicePropertyData] [op QueryDevicePropertiesData] [op QueryDeviceEventData] reports are read", async () => {
  const own = `/sys/${productKey}/${deviceName}/thing/event`;
  const time = Date.now() - 60_000;
  for (const step of [1, 2, 3]) {
    const params = { Level: { value: step, time: time + step } };
    await device.publishAsync(`${own}/property/post`, JSON.stringify({ id: String(step), version: "1.0", params }), { qos: 1 });
  }
  const params = { value: { Code: "hot" }, time };
  await device.publishAsync(`${own}/Alarm/post`, JSON.stringify({ id: "4", version: "1.0", params }), { qos: 1 });
  const status = await succeed("queryDevicePropertyStatus", { productKey, deviceName });
  expect(status.data.list.propertyStatusInfo).toMatchObject([{ identifier: "Level", value: "3", time: String(time + 3), unit: "%" }]);
  const asked = { productKey, deviceName, identifier: "Level", asc: 1, pageSize: 2 };
  const first = await succeed("queryDevicePropertyData", { ...asked, startTime: time, endTime: time + 100 });
  expect(first.data).toMatchObject({ nextValid: true, nextTime: time + 3 });
  expect(first.data.list.propertyInfo.map(({ value }: { value: string }) => value)).toEqual(["1", "2"]);
  const rest = await succeed("queryDevicePropertyData", { ...asked, startTime: first.data.nextTime, endTime: time + 100 });
  expect(rest.data).toMatchObject({ nextValid: false, list: { propertyInfo: [{ value: "3" }] } });
  const many = await succeed("queryDevicePropertiesData", {
    ...asked,
    identifier: ["Level"],
    asc: 0,
    startTime: time + 100,
    endTime: time,
    pageSize: 10,
  });
  expect(many.propertyDataInfos.propertyDataInfo[0].list.propertyInfo.map(({ value }: { value: string }) => value)).toEqual([
    "3",
    "2",
    "1",
  ]);
  const events = await succeed("queryDeviceEventData", { productKey, deviceName, startTime: time + 100, endTime: time });
  expect(events.data.list.eventInfo).toMatchObject([{ identifier: "Alarm", eventType: "alert", outputData: '{"Code":"hot"}' }]);
});

test("[op SetDeviceProperty] [op InvokeThingService] [op QueryDeviceServiceData] calls reach the device and are remembered", async () => {
  await succeed("setDeviceProperty", { productKey, deviceName, items: '{"Level":42}' });
  await until("the set arrived", () => received.some(([topic, text]) => topic.endsWith("/property/set") && text.includes('"Level":42')));
  const service = await succeed("invokeThingService", { productKey, deviceName, identifier: "Measure", args: "{}" });
  expect(service.data.result).toBe('{"Code":"fine"}');
  const calls = await succeed("queryDeviceServiceData", {
    productKey,
    deviceName,
    identifier: "Measure",
    startTime: Date.now() + 1_000,
    endTime: 0,
  });
  expect(calls.data.list.serviceInfo).toMatchObject([{ identifier: "Measure", outputData: '{"Code":"fine"}' }]);
  expect(await call("setDeviceProperty", { productKey, deviceName, items: '{"Level":"high"}' })).toMatchObject({ success: false });
  expect(await call("setDeviceProperty", { productKey, deviceName, items: "Level=1" })).toMatchObject({
    success: false,
    code: "iot.system.ParameterError",
  });
});

test("[op SetDeviceDesiredProperty] [op QueryDeviceDesiredProperty] desired values have versions", async () => {
  const asked = { productKey, deviceName };
  const first = await succeed("setDeviceDesiredProperty", { ...asked, items: '{"Level":5}', versions: '{"Level":0}' });
  expect(JSON.parse(first.data.versions)).toEqual({ Level: 1 });
  expect(await call("setDeviceDesiredProperty", { ...asked, items: '{"Level":6}', versions: '{"Level":9}' })).toMatchObject({
    success: false,
  });
  const { data } = await succeed("queryDeviceDesiredProperty", { ...asked, identifier: ["Level"] });
  expect(data.list.desiredPropertyInfo).toMatchObject([{ identifier: "Level", value: "5", version: 1, dataType: "int" }]);
});

test("[op RRpc] [op PubBroadcast] a device answers while the caller waits; a broadcast reaches it unasked", async () => {
  const requestBase64Byte = Buffer.from("how are you").toString("base64");
  const answered = await succeed("rRpc", { productKey, deviceName, requestBase64Byte, timeout: 5_000 });
  expect(answered.rrpcCode).toBe("SUCCESS");
  expect(Buffer.from(answered.payloadBase64Byte, "base64").toString()).toBe("re:how are you");
  await succeed("registerDevice", { productKey, deviceName: "nobody_home" });
  const offline = await call("rRpc", { productKey, deviceName: "nobody_home", requestBase64Byte, timeout: 1_000 });
  expect(offline).toMatchObject({ success: false, rrpcCode: "OFFLINE", code: "iot.messagebroker.OFFLINE" });
  await succeed("pubBroadcast", { productKey, messageContent: Buffer.from("all of you").toString("base64") });
  await until("the broadcast arrived", () =>
    received.some(([topic, text]) => topic.includes("/broadcast/request/") && text === "all of you"),
  );
});

test("[op SaveDeviceProp] [op QueryDeviceByTags] [op CreateDeviceGroup] [op BatchAddDeviceGroupRelations] tags and groups find devices", async () => {
  await succeed("saveDeviceProp", { productKey, deviceName, props: '{"room":"kitchen"}' });
  expect((await succeed("queryDeviceProp", { productKey, deviceName })).props).toBe('{"room":"kitchen"}');
  const found = await succeed("queryDeviceByTags", { tag: [{ tagKey: "room", tagValue: "kitchen" }] });
  expect(found.data.simpleDeviceInfo).toMatchObject([{ deviceName }]);
  const group = await succeed("createDeviceGroup", { groupName: "ground floor" });
  const { groupId } = group.data;
  const added = await succeed("batchAddDeviceGroupRelations", { groupId, device: [{ productKey, deviceName }] });
  expect(added).toMatchObject({ successAddedDeviceCount: 1 });
  const members = await succeed("queryDeviceListByDeviceGroup", { groupId });
  expect(members.data.simpleDeviceInfo).toMatchObject([{ deviceName, productName: "things of the API" }]);
  expect((await succeed("queryDeviceGroupInfo", { groupId })).data).toMatchObject({ deviceCount: 1, deviceOnline: 1 });
});
