/** Every operation's answer against the models of the vendor's own SDK: no member that they do not know, types as declared. */
import { signSubDevice } from "@thingstead/dialects";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../clock.ts";
import { createAlibabaApi } from "../alibaba-api.ts";
import { type ApiServer, openApiServer } from "../testing/api-server.ts";
import { openRooms, type Rooms } from "../testing/rooms.ts";
import { callBySdk, isInSdk, type ModelType, modelOf } from "../testing/sdk-call.ts";
import { selfSignedCertificate } from "../testing/self-signed-certificate.ts";
import { formatTimestamp, signedV1 } from "../testing/signed-request.ts";
import { operations } from "./index.ts";

function problemsOf(type: ModelType, value: unknown, place: string): string[] {
  if (typeof type === "string") return typeof value === type ? [] : [`${place} is ${typeof value}, not ${type}`];
  if ("itemType" in type) {
    if (!Array.isArray(value)) return [`${place} is no array`];
    return value.flatMap((item, index) => problemsOf(type.itemType, item, `${place}[${index}]`));
  }
  if ("type" in type) return [`${place} is a map, which no answer has`];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${place} is no object`];
  const types = type.types();
  const wireTypes = new Map(Object.entries(type.names()).map(([member, name]) => [name, types[member]]));
  return Object.entries(value).flatMap(([name, inner]) => {
    const innerType = wireTypes.get(name);
    return innerType === undefined ? [`${place}.${name} is unknown`] : problemsOf(innerType, inner, `${place}.${name}`);
  });
}

let rooms: Rooms;
let server: ApiServer;
const answers = new Map<string, Record<string, unknown>>();

beforeAll(async () => {
  rooms = await openRooms(systemClock);
  const startTime = systemClock.now() - 60_000;
  const handle = createAlibabaApi(rooms.ports);
  let body = "";
  server = await openApiServer(handle, (answer) => {
    body = answer;
  });
  /** By the vendor's SDK, unmodified; what it has no method for is sent as its documents say. */
  const call = async (action: string, fields: Record<string, string>): Promise<Record<string, unknown>> => {
    if (isInSdk(action)) await callBySdk(server.authority, action, fields);
    else ({ body } = await handle(signedV1({ Action: action, ...fields, Timestamp: formatTimestamp(systemClock.now()) })));
    const answer = JSON.parse(body) as Record<string, unknown>;
    if (answer.Success !== true) throw new Error(`${action}: ${body}`);
    answers.set(action, answer);
    return answer;
  };
  const page = { CurrentPage: "1", PageSize: "10" };

  const made = await call("CreateProduct", { NodeType: "0", ProductName: "lamps", AliyunCommodityCode: "iothub_senior", DataFormat: "1" });
  const product = { ProductKey: String(made.ProductKey) };
  await call("RegisterDevice", { ...product, DeviceName: "dev2" });
  const { Data } = (await call("RegisterDevice", { ...product, DeviceName: "dev1", Nickname: "lamp" })) as { Data: { IotId: string } };
  const device = { ...product, DeviceName: "dev1" };
  rooms.ports.registry.markOnline(product.ProductKey, "dev1", startTime + 1, "203.0.113.5:4711");
  await call("QueryProduct", product);
  await call("QueryProductList", page);
  await call("UpdateProduct", { ...product, ProductName: "lights" });
  // The first of two pages: with a token for the next.
  await call("QueryDevice", { ...product, PageSize: "1" });
  for (const action of ["QueryDeviceInfo", "QueryDeviceDetail", "GetDeviceStatus", "DisableThing", "EnableThing"])
    await call(action, device);
  await call("BatchQueryDeviceDetail", { ...product, "DeviceName.1": "dev1" });
  await call("BatchGetDeviceState", { "IotId.1": Data.IotId });

  const { TopicId } = await call("CreateProductTopic", { ...product, TopicShortName: "both", Operation: "ALL", Desc: "both ways" });
  await call("UpdateProductTopic", { TopicId: String(TopicId), TopicShortName: "either", Operation: "ALL" });
  await call("QueryProductTopic", product);
  const subscribed = { ...device, "Topic.1": `/${product.ProductKey}/dev1/user/get` };
  await call("SubscribeTopic", subscribed);
  await call("QueryDeviceSubTopic", device);
  await call("UnsubscribeTopic", subscribed);
  const message = { ...product, MessageContent: "aGk=" };
  await call("Pub", { ...message, TopicFullName: `/${product.ProductKey}/dev1/user/get`, Qos: "1" });
  await call("BatchPub", { ...message, "DeviceName.1": "dev1", TopicShortName: "get" });

  const shadow = { method: "update", state: { desired: { color: "green" } }, version: 1 };
  await call("UpdateDeviceShadow", { ...device, ShadowMessage: JSON.stringify(shadow), DeltaUpdate: "true" });
  await call("GetDeviceShadow", device);

  const rule = await call("CreateRule", { Name: "rule", Select: "*", ...product, ShortTopic: "+/user/update", Where: "a > 1" });
  const RuleId = String(rule.RuleId);
  const Configuration = JSON.stringify({ topic: `/${product.ProductKey}/dev1/user/get`, topicType: 1 });
  const action = await call("CreateRuleAction", { RuleId, Type: "REPUBLISH", Configuration });
  const ActionId = String(action.ActionId);
  await call("UpdateRuleAction", { ActionId, Type: "REPUBLISH", Configuration });
  await call("UpdateRule", { RuleId, RuleDesc: "first" });
  await call("ListRule", page);
  for (const each of ["GetRule", "ListRuleActions", "StartRule", "StopRule"]) await call(each, { RuleId });
  await call("GetRuleAction", { ActionId });

  // ClearDeviceDesiredProperty is not among the SDK's: its answer has the envelope only.
  const property = { identifier: "Level", name: "level", dataType: "INT", rwFlag: "READ_WRITE", required: false };
  const dataSpecs = { dataType: "INT", min: "0", max: "100", step: "1", unit: "%", unitName: "percent" };
  const outputdata = [{ identifier: "Code", name: "code", dataType: "TEXT", dataSpecs: { dataType: "TEXT", length: 32 } }];
  const functions = {
    properties: [
      { ...property, dataSpecs },
      { ...property, identifier: "Spare", dataSpecs },
    ],
    events: [{ identifier: "Alarm", eventName: "alarm", eventType: "ALERT_EVENT_TYPE", outputdata }],
    services: [{ identifier: "Blink", serviceName: "blink", callType: "SYNC", inputParams: [], outputParams: [] }],
  };
  for (const each of ["ReleaseProduct", "CancelReleaseProduct"]) await call(each, product);
  await call("CreateThingModel", { ...product, ThingModelJson: JSON.stringify(functions) });
  const renamed = { services: [{ ...functions.services[0], identifier: "Wave", callType: "ASYNC" }] };
  await call("CreateThingModel", { ...product, ThingModelJson: JSON.stringify(renamed) });
  await call("UpdateThingModel", {
    ...product,
    Identifier: "Spare",
    ThingModelJson: JSON.stringify({ properties: [{ ...property, identifier: "Other", dataSpecs }] }),
  });
  await call("DeleteThingModel", { ...product, "PropertyIdentifier.1": "Other" });
  for (const each of ["QueryThingModel", "GetThingModelTsl", "PublishThingModel"]) await call(each, product);
  for (const each of ["QueryThingModelPublished", "GetThingModelTslPublished", "ListThingModelVersion"]) await call(each, product);
  await call("ImportThingModelTsl", { ...product, TslStr: (answers.get("GetThingModelTsl") as { Data: { TslStr: string } }).Data.TslStr });
  const copy = await call("CreateProduct", { NodeType: "0", ProductName: "copies", AliyunCommodityCode: "iothub_senior", DataFormat: "1" });
  await call("CopyThingModel", { SourceProductKey: product.ProductKey, TargetProductKey: String(copy.ProductKey) });

  const thing = { ...device, iotId: Data.IotId, productKey: product.ProductKey, deviceName: "dev1" };
  await rooms.ports.things.reportProperties(thing, { Level: 7 }, startTime + 10);
  await rooms.ports.things.reportProperties(thing, { Level: 8 }, startTime + 20);
  await rooms.ports.things.reportEvent(thing, "Alarm", { Code: "hot" }, startTime + 30);
  const Items = JSON.stringify({ Level: 9 });
  await call("SetDeviceProperty", { ...device, Items });
  await call("SetDevicesProperty", { ...product, "DeviceName.1": "dev1", Items });
  await call("InvokeThingService", { ...device, Identifier: "Blink", Args: "{}" });
  await call("InvokeThingsService", { ...product, "DeviceName.1": "dev1", Identifier: "Wave", Args: "{}" });
  await call("QueryDevicePropertyStatus", device);
  const times = { StartTime: String(startTime), EndTime: String(startTime + 1_000) };
  const history = { ...device, ...times, Asc: "1", PageSize: "1" };
  await call("QueryDevicePropertyData", { ...history, Identifier: "Level" });
  await call("QueryDevicePropertiesData", { ...history, "Identifier.1": "Level" });
  await call("QueryDeviceEventData", { ...history, EventType: "alert" });
  await call("QueryDeviceServiceData", history);
  await call("QueryDeviceOriginalPropertyData", { ...history, Identifier: "Level" });
  await call("QueryDeviceOriginalPropertyStatus", { ...device, Asc: "1", PageSize: "10" });
  await call("QueryDeviceOriginalEventData", { ...history, Identifier: "Alarm" });
  await call("QueryDeviceOriginalServiceData", { ...history, Identifier: "Blink" });
  await call("SetDeviceDesiredProperty", { ...device, Items, Versions: "{}" });
  await call("QueryDeviceDesiredProperty", { ...device, "Identifier.1": "Level" });
  await call("ClearDeviceDesiredProperty", device);

  await call("SaveDeviceProp", { ...device, Props: JSON.stringify({ room: "kitchen" }) });
  await call("QueryDeviceProp", device);
  await call("QueryDeviceByTags", { "Tag.1.TagKey": "room", "Tag.1.TagValue": "kitchen" });
  await call("DeleteDeviceProp", { ...device, PropKey: "room" });
  const productTag = { ...product, "ProductTag.1.TagKey": "line", "ProductTag.1.TagValue": "7" };
  for (const each of ["CreateProductTags", "UpdateProductTags", "ListProductByTags"]) await call(each, productTag);
  await call("ListProductTags", product);
  await call("DeleteProductTags", { ...product, "ProductTagKey.1": "line" });

  const group = (await call("CreateDeviceGroup", { GroupName: "floor", GroupDesc: "first" })) as { Data: { GroupId: string } };
  const { GroupId } = group.Data;
  const inner = (await call("CreateDeviceGroup", { GroupName: "room", SuperGroupId: GroupId })) as { Data: { GroupId: string } };
  const relation = { GroupId, "Device.1.ProductKey": product.ProductKey, "Device.1.DeviceName": "dev1" };
  await call("BatchAddDeviceGroupRelations", relation);
  await call("SetDeviceGroupTags", { GroupId, TagString: '[{"tagKey":"a","tagValue":"b"}]' });
  for (const each of ["QueryDeviceGroupInfo", "QueryDeviceGroupTagList", "QueryDeviceListByDeviceGroup"]) await call(each, { GroupId });
  await call("QueryDeviceGroupList", page);
  await call("QueryDeviceGroupByTags", { "Tag.1.TagKey": "a", "Tag.1.TagValue": "b" });
  await call("QueryDeviceGroupByDevice", device);
  await call("QuerySuperDeviceGroup", { GroupId: inner.Data.GroupId });
  await call("UpdateDeviceGroup", { GroupId, GroupDesc: "second" });
  await call("BatchDeleteDeviceGroupRelations", relation);
  for (const id of [inner.Data.GroupId, GroupId]) await call("DeleteDeviceGroup", { GroupId: id });

  const gateway = await call("CreateProduct", {
    NodeType: "1",
    ProductName: "gateways",
    AliyunCommodityCode: "iothub_senior",
    DataFormat: "1",
  });
  const gatewayDevice = { ProductKey: String(gateway.ProductKey), DeviceName: "gw01" };
  await call("RegisterDevice", gatewayDevice);
  const names = { productKey: gatewayDevice.ProductKey, deviceName: "gw01" };
  await rooms.ports.topology.add(names, [{ productKey: product.ProductKey, deviceName: "dev1" }], "gateway");
  await call("GetThingTopo", { ...gatewayDevice, PageNo: "1", PageSize: "10" });
  for (const each of ["GetGatewayBySubDevice", "RemoveThingTopo"]) await call(each, device);
  const { deviceSecret } = await rooms.ports.registry.getDevice(product.ProductKey, "dev1");
  const signed = signSubDevice({ productKey: product.ProductKey, deviceName: "dev1", deviceSecret, timestamp: "1524448722000" });
  const item = { ...device, Sign: signed.sign, SignMethod: signed.signMethod, ClientId: signed.clientId, Timestamp: signed.timestamp };
  const gatewayNames = { GwProductKey: gatewayDevice.ProductKey, GwDeviceName: "gw01" };
  const numbered = Object.entries(item).map(([name, value]) => [`TopoAddItem.1.${name}`, String(value)]);
  await call("BatchAddThingTopo", { ...gatewayNames, ...Object.fromEntries(numbered) });
  await call("NotifyAddThingTopo", { ...gatewayNames, DeviceListStr: JSON.stringify([{ IotId: Data.IotId }]) });

  await rooms.deviceTokens.insert({ ...names, clientId: "client", tokenHash: "hash", createdAt: startTime }, 5);
  const gatewayId = { IotId: (await rooms.ports.registry.getDevice(names.productKey, "gw01")).iotId };
  for (const each of ["QueryClientIds", "DeleteClientIds"]) await call(each, gatewayId);

  const certified = await rooms.ports.registry.createProduct({ name: "certified", authType: "x509" });
  await rooms.ports.registry.createDevice(certified.productKey, { deviceName: "cert1" });
  const certifiedProduct = { ProductKey: certified.productKey };
  await call("SetProductCertInfo", { ...certifiedProduct, IssueModel: "3" });
  await call("QueryProductCertInfo", certifiedProduct);
  await rooms.deviceCertificates.register(certified.productKey, "cert1", selfSignedCertificate);
  await call("QueryDeviceCert", { ...certifiedProduct, DeviceName: "cert1" });

  const jobForm = (await call("GenerateFileUploadURL", { BizCode: "DEVICE_JOB_FILE", FileSuffix: "bin" })) as {
    Data: Record<string, string>;
  };
  async function* jobFile() {
    yield Buffer.from("script");
  }
  const jobUpload = { key: jobForm.Data.Key, policy: jobForm.Data.Policy, signature: jobForm.Data.Signature };
  await rooms.ports.firmwareUploads.accept(jobUpload, jobFile());
  const work = await call("CreateJob", {
    Type: "CUSTOM_JOB",
    JobName: "restart",
    JobDocument: '{"do":"restart"}',
    JobFile: JSON.stringify({ fileKey: jobForm.Data.Key, signMethod: "Md5" }),
    TargetConfig: JSON.stringify({ targetType: "DEVICE", targetDevices: [{ productKey: product.ProductKey, deviceName: "dev1" }] }),
    RolloutConfig: JSON.stringify({ maximumPerMinute: 1_000, messageQoS: "QoS1" }),
    TimeoutConfig: JSON.stringify({ inProgressTimeoutInMinutes: 5 }),
  });
  const customJob = { JobId: String(work.JobId) };
  await call("UpdateJob", { ...customJob, Description: "all", TimeoutConfig: JSON.stringify({ inProgressTimeoutInMinutes: 6 }) });
  for (const each of ["QueryJob", "QueryJobStatistics"]) await call(each, customJob);
  await call("ListJob", page);
  const jobTasks = (await call("ListTask", { ...customJob, Limit: "10" })) as { Data: { data: { TaskId: string }[] } };
  await call("QueryTask", { TaskId: String(jobTasks.Data.data[0]?.TaskId) });
  for (const each of ["CancelJob", "RerunJob", "DeleteJob"]) await call(each, customJob);

  const begun = await rooms.ports.deviceServices.files.begin(
    { productKey: product.ProductKey, deviceName: "dev1" },
    { name: "log", bytes: 3, ifExists: "reject" },
  );
  const fileId = "file" in begun ? begun.file.uploadId : "";
  const block = { uploadId: fileId, offset: 0, bytes: Buffer.from("abc"), isComplete: true, isIntact: true };
  await rooms.ports.deviceServices.files.append({ productKey: product.ProductKey, deviceName: "dev1" }, block);
  await call("QueryDeviceFileList", { ...device, ...page });
  for (const each of ["QueryDeviceFile", "DeleteDeviceFile"]) await call(each, { ...device, FileId: fileId });

  await call("RRpc", { ...device, RequestBase64Byte: "aGk=", Timeout: "5000" });
  await call("PubBroadcast", { ...product, MessageContent: "aGk=" });
  const script = { ...product, ScriptType: "JavaScript", ScriptContent: "function rawDataToProtocol() { return {}; }" };
  for (const each of ["CreateThingScript", "UpdateThingScript"]) await call(each, script);
  await call("GetThingScript", product);

  const form = (await call("GenerateOTAUploadURL", { FileSuffix: "bin" })) as { Data: Record<string, string> };
  const upload = { key: form.Data.Key, policy: form.Data.Policy, signature: form.Data.Signature };
  async function* image() {
    yield Buffer.from("firmware");
  }
  await rooms.ports.firmwareUploads.accept(upload, image());
  await call("CreateOTAModule", { ...product, ModuleName: "MCU", AliasName: "mcu" });
  await call("UpdateOTAModule", { ...product, ModuleName: "MCU", Desc: "controller" });
  await call("ListOTAModuleByProduct", product);
  await rooms.ports.ota.reportVersion(thing, { module: "default", version: "1.0" });
  await call("ListOTAModuleVersionsByDevice", { ...device, ...page });
  const packaged = { ...product, FirmwareUrl: String(form.Data.FirmwareUrl), FirmwareName: "lamp", DestVersion: "2.0" };
  const firmware = (await call("CreateOTAFirmware", packaged)) as { Data: { FirmwareId: string } };
  const { FirmwareId } = firmware.Data;
  await call("ModifyOTAFirmware", { ...product, FirmwareId, FirmwareDesc: "second" });
  await call("QueryOTAFirmware", { FirmwareId });
  await call("ListOTAFirmware", { ...page, ...product });
  const verify = { ...product, FirmwareId, "TargetDeviceName.1": "dev1", TimeoutInMinutes: "10" };
  const verifying = (await call("CreateOTAVerifyJob", verify)) as { Data: { JobId: string } };
  await rooms.ports.ota.reportVersion(thing, { module: "default", version: "2.0" });
  await call("ListOTATaskByJob", { JobId: verifying.Data.JobId });
  await call("CancelOTATaskByJob", { JobId: verifying.Data.JobId, CancelQueuedTask: "true" });
  const spare = (await call("CreateOTAFirmware", { ...packaged, FirmwareName: "spare", DestVersion: "3.0", NeedToVerify: "false" })) as {
    Data: { FirmwareId: string };
  };
  const spareFirmware = { ...product, FirmwareId: spare.Data.FirmwareId };
  const tagged = { "Tag.1.Key": "k", "Tag.1.Value": "v", RetryCount: "1", RetryInterval: "10", "SrcVersion.1": "2.0" };
  const specific = { ...spareFirmware, ...tagged, TargetSelection: "SPECIFIC", "TargetDeviceName.1": "dev1", NeedConfirm: "true" };
  const upgrade = (await call("CreateOTAStaticUpgradeJob", specific)) as { Data: { JobId: string } };
  const { JobId } = upgrade.Data;
  await call("QueryOTAJob", { JobId });
  await call("ListOTAJobByFirmware", { ...page, FirmwareId: spare.Data.FirmwareId });
  await call("ListOTAJobByDevice", { ...page, ...spareFirmware, DeviceName: "dev1" });
  await call("ListOTAUnfinishedTaskByDevice", device);
  const [task] = (await rooms.ports.ota.tasks.list({ page: 1, pageSize: 1 }, { jobId: Number(JobId) })).items;
  await call("ConfirmOTATask", { "TaskId.1": String(task?.id) });
  await call("CancelOTATaskByDevice", { ...spareFirmware, "DeviceName.1": "dev1" });
  await call("ReupgradeOTATask", { JobId, "TaskId.1": String(task?.id) });
  await call("CancelOTATaskByDevice", { ...spareFirmware, "DeviceName.1": "dev1" });
  const dynamic = (await call("CreateOTADynamicUpgradeJob", { ...spareFirmware, "SrcVersion.1": "1.0" })) as { Data: { JobId: string } };
  await call("CancelOTAStrategyByJob", { JobId: dynamic.Data.JobId });
  for (const id of [JobId, dynamic.Data.JobId]) await rooms.ports.ota.jobs.cancel(Number(id)).catch(() => undefined);
  for (const id of [FirmwareId, spare.Data.FirmwareId]) await call("DeleteOTAFirmware", { FirmwareId: id });
  await call("DeleteOTAModule", { ...product, ModuleName: "MCU" });

  const checked = (await call("BatchCheckDeviceNames", { ...product, "DeviceName.1": "batch1", "DeviceName.2": "batch2" })) as {
    Data: { ApplyId: number };
  };
  const ApplyId = String(checked.Data.ApplyId);
  await call("BatchRegisterDeviceWithApplyId", { ...product, ApplyId });
  await rooms.ports.registrationBatches.close();
  await call("QueryBatchRegisterDeviceStatus", { ...product, ApplyId });
  await call("QueryPageByApplyId", { ApplyId });
  await call("BatchRegisterDevice", { ...product, Count: "2" });
  await call("ImportDevice", { ...product, DeviceName: "moved1", DeviceSecret: "x".repeat(32) });
  await call("QueryDeviceByStatus", { ...product, Status: "0" });
  await call("QueryDeviceStatistics", product);
  const nickname = { "DeviceNicknameInfo.1.ProductKey": product.ProductKey, "DeviceNicknameInfo.1.DeviceName": "moved1" };
  await call("BatchUpdateDeviceNickname", { ...nickname, "DeviceNicknameInfo.1.Nickname": "mover" });
  await call("ResetThing", { ...product, DeviceName: "moved1" });
  for (const { deviceName } of (await rooms.ports.registry.listDevices(product.ProductKey, { page: 1, pageSize: 50 })).items) {
    if (deviceName !== "dev1" && deviceName !== "dev2") await call("DeleteDevice", { ...product, DeviceName: deviceName });
  }

  await call("DeleteRuleAction", { ActionId });
  await call("DeleteRule", { RuleId });
  await call("DeleteProductTopic", { TopicId: String(TopicId) });
  for (const DeviceName of ["dev1", "dev2"]) await call("DeleteDevice", { ...product, DeviceName });
  await call("DeleteProduct", product);
});

afterAll(async () => {
  await server.close();
  await rooms.close();
});

test.each(Object.keys(operations))("%s answers as the SDK declares it", (action) => {
  const answer = answers.get(action);
  expect(answer).toBeDefined();
  if (!isInSdk(action)) return;
  expect(problemsOf(modelOf(`${action}ResponseBody`), answer, action)).toEqual([]);
});

test("the check itself finds an unknown member, a wrong type and a missing list", () => {
  const wrong = { RequestId: "x", Data: { DeviceInfo: [{ DeviceName: 1, Colour: "red" }] }, Page: "1" };
  expect(problemsOf(modelOf("QueryDeviceResponseBody"), wrong, "")).toEqual([
    ".Data.DeviceInfo[0].DeviceName is number, not string",
    ".Data.DeviceInfo[0].Colour is unknown",
    ".Page is string, not number",
  ]);
  expect(problemsOf(modelOf("QueryDeviceResponseBody"), { Data: { DeviceInfo: {} } }, "")).toEqual([".Data.DeviceInfo is no array"]);
});

/** What the SDK can send and an operation takes no notice of. Each entry changes nothing that this server could do. */
const withoutEffect: ReadonlySet<string> = new Set([
  // Looked at before any operation, reference 1.6.
  "IotInstanceId",
  // Ignored by the vendor as well, reference 1.6.
  "ResourceGroupId",
  // Notes about the product: how it reaches the network, its category, how strictly its data is checked, when its model is published.
  "CreateProduct.NetType",
  "CreateProduct.CategoryKey",
  "CreateProduct.ValidateType",
  "CreateProduct.PublishAuto",
  // Would be a part of the file's name in the vendor's bucket.
  "GenerateFileUploadURL.FileName",
  // Says again what stands in the topic.
  "Pub.DeviceName",
]);

test.each(Object.entries(operations).filter(([action]) => isInSdk(action)))(
  "%s leaves no parameter of the SDK unread unless it is known to have no effect",
  (action, { parameters }) => {
    const unread = Object.values(modelOf(`${action}Request`).names()).filter((name) => !(name in parameters));
    expect(unread.filter((name) => !withoutEffect.has(name) && !withoutEffect.has(`${action}.${name}`))).toEqual([]);
  },
);
