import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAlibabaApi } from "../alibaba-api.ts";
import { openRooms, type Rooms, startTime } from "../testing/rooms.ts";
import { signedV1 } from "../testing/signed-request.ts";

let rooms: Rooms;
let productKey: string;
let now = startTime;

beforeEach(async () => {
  now = startTime;
  rooms = await openRooms({ now: () => now, after: () => () => {}, soon: setImmediate });
  productKey = (await rooms.ports.registry.createProduct({ name: "lamps" })).productKey;
  for (const deviceName of ["lamp1", "lamp2", "lamp3"]) await rooms.ports.registry.createDevice(productKey, { deviceName });
});

afterEach(() => rooms.close());

async function call(Action: string, fields: Record<string, string>): Promise<Record<string, unknown>> {
  const { body } = await createAlibabaApi(rooms.ports)(signedV1({ Action, ...fields }));
  return JSON.parse(body) as Record<string, unknown>;
}

const base = { Type: "CUSTOM_JOB", JobName: "restart", JobDocument: '{"do":"it"}' };
const some = (...names: string[]) =>
  JSON.stringify({ targetType: "DEVICE", targetDevices: names.map((deviceName) => ({ productKey, deviceName })) });

async function create(fields: Record<string, string> = {}): Promise<string> {
  const answer = await call("CreateJob", { ...base, TargetConfig: some("lamp1", "lamp2"), ...fields });
  expect(answer).toMatchObject({ Success: true });
  return String(answer.JobId);
}

test("1.8.N a job for a product goes to all its devices, and its tasks come in parts", async () => {
  const JobId = await create({ TargetConfig: JSON.stringify({ targetType: "PRODUCT_KEY", targetProduct: productKey }) });
  const first = (await call("ListTask", { JobId, Limit: "2" })) as { Data: { data: { DeviceName: string }[] }; NextToken: string };
  expect(first.Data.data.map(({ DeviceName }) => DeviceName)).toEqual(["lamp1", "lamp2"]);
  const second = (await call("ListTask", { JobId, Limit: "2", NextToken: first.NextToken })) as typeof first;
  expect(second.Data.data).toMatchObject([{ DeviceName: "lamp3", Status: "QUEUED", Progress: "0", JobName: "restart" }]);
  expect(second.NextToken).toBeUndefined();
  const of = JSON.stringify({ ProductKey: productKey, DeviceName: "lamp2" });
  expect(await call("ListTask", { Device: of, Limit: "9" })).toMatchObject({ Data: { data: [{ JobId, DeviceName: "lamp2" }] } });
  const target = { TargetType: "PRODUCT_KEY", TargetProduct: productKey };
  expect(await call("QueryJob", { JobId })).toMatchObject({ Data: { TargetConfig: target, JobDocument: '{"do":"it"}', Status: "QUEUED" } });
});

test("1.8.N a job for a group goes to the devices that are in it now", async () => {
  const { groupId } = await rooms.ports.groups.create({ name: "hall" });
  await rooms.ports.groups.addDevices(groupId, [{ productKey, deviceName: "lamp3" }]);
  const JobId = await create({ TargetConfig: JSON.stringify({ targetType: "GROUP", targetGroup: groupId }) });
  expect(await call("ListTask", { JobId, Limit: "9" })).toMatchObject({ Data: { data: [{ DeviceName: "lamp3" }] } });
  expect(await call("QueryJob", { JobId })).toMatchObject({ Data: { TargetConfig: { TargetType: "GROUP", TargetGroup: groupId } } });
});

test("1.8.N what ended badly is counted, and runs again; what succeeded does not", async () => {
  const JobId = await create({
    TimeoutConfig: '{"inProgressTimeoutInMinutes":5}',
    RolloutConfig: '{"maximumPerMinute":60,"messageQos":"Qos0"}',
  });
  const { jobs } = rooms.ports.deviceServices;
  for (const [deviceName, status] of [
    ["lamp1", "SUCCEEDED"],
    ["lamp2", "FAILED"],
  ] as const) {
    const device = { productKey, deviceName };
    const taskId = (await jobs.task(device, "next"))?.taskId ?? "";
    await jobs.update(device, { taskId, status, details: { why: deviceName } });
  }
  const counts = { Cancelled: 0, Failed: 1, InProgress: 0, Queued: 0, Rejected: 0, Sent: 0, Succeeded: 1, TimeOut: 0, Total: 2 };
  expect(await call("QueryJobStatistics", { JobId })).toMatchObject({ Data: counts });
  const [failed] = (await jobs.findTasks({ jobId: JobId, status: "FAILED", limit: 1 })).items;
  const TaskId = failed?.taskId ?? "";
  expect(await call("QueryTask", { TaskId })).toMatchObject({ Data: { Status: "FAILED", StatusDetail: '{"why":"lamp2"}' } });
  now += 1_000;
  expect(await call("RerunJob", { JobId })).toMatchObject({ Success: true });
  expect(await call("QueryJobStatistics", { JobId })).toMatchObject({ Data: { ...counts, Failed: 0, Queued: 1 } });
  const listed = { JobId, Status: "QUEUED", Type: "CUSTOM_JOB", UtcModified: "2024-01-02T03:04:06.000Z" };
  expect(await call("ListJob", { CurrentPage: "1", PageSize: "9", Status: "QUEUED" })).toMatchObject({
    Data: { data: [listed] },
    Total: 1,
  });
  expect(await call("ListJob", { CurrentPage: "1", PageSize: "9", Status: "FAILED" })).toMatchObject({ Data: { data: [] }, Total: 0 });
  const shown = { RolloutConfig: { MaximumPerMinute: 60, MessageQoS: "QoS0" }, TimeoutConfig: { InProgressTimeoutInMinutes: 5 } };
  expect(await call("QueryJob", { JobId })).toMatchObject({ Data: shown });
  await call("UpdateJob", { JobId, Description: "later", RolloutConfig: '{"maximumPerMinute":50}' });
  expect(await call("QueryJob", { JobId })).toMatchObject({ Data: { Description: "later", RolloutConfig: { MaximumPerMinute: 50 } } });
  await call("CancelJob", { JobId });
  expect(await call("QueryJob", { JobId })).toMatchObject({ Data: { Status: "CANCELLED" } });
  await call("DeleteJob", { JobId });
  expect(await call("QueryJob", { JobId })).toMatchObject({ Success: false });
});

test("1.8.N a file comes by a form, its digest is compared, and devices are told it", async () => {
  const { Data } = (await call("GenerateFileUploadURL", { BizCode: "DEVICE_JOB_FILE", FileSuffix: "tar.gz" })) as {
    Data: Record<string, string>;
  };
  const form = { key: Data.Key, policy: Data.Policy, signature: Data.Signature };
  async function* pieces(bytes: number) {
    yield Buffer.alloc(bytes, "a");
  }
  const JobFile = (members: object) => JSON.stringify({ fileKey: Data.Key, ...members });
  const TargetConfig = some("lamp1");
  expect(await call("CreateJob", { ...base, TargetConfig, JobFile: JobFile({}) })).toMatchObject({
    Code: "iot.common.InvalidFormattedParameter",
  });
  const { firmwareUploads, limits } = rooms.ports;
  const tooLarge = firmwareUploads.accept(form, pieces(limits.jobUploadBytesMax + 1));
  await expect(tooLarge).rejects.toMatchObject({ code: "alibaba.job_file_too_large" });
  await expect(firmwareUploads.accept({ ...form, key: `${form.key}x` }, pieces(3))).rejects.toMatchObject({
    code: "alibaba.upload_form_invalid",
  });
  await firmwareUploads.accept(form, pieces(3));
  const wrong = await call("CreateJob", { ...base, TargetConfig, JobFile: JobFile({ signMethod: "Md5", sign: "00" }) });
  expect(wrong).toMatchObject({ Success: false, Code: "iot.common.InvalidFormattedParameter" });
  const sign = createHash("md5").update("aaa").digest("hex");
  const JobId = await create({ TargetConfig, JobFile: JobFile({ signMethod: "MD5", sign }) });
  const offered = await rooms.ports.deviceServices.jobs.task({ productKey, deviceName: "lamp1" }, "next");
  expect(offered?.file).toMatchObject({ signMethod: "Md5", sign, url: expect.stringContaining("https://things.example/") });
  expect(await call("QueryJob", { JobId })).toMatchObject({
    Data: { JobFile: { Sign: sign, SignMethod: "Md5", FileUrl: offered?.file?.url } },
  });
});

test.each<[string, Record<string, string>, string]>([
  ["a type of its own operations", { Type: "PUB" }, "iot.common.InvalidFormattedParameter"],
  ["an unknown type", { Type: "constructor" }, "iot.common.InvalidFormattedParameter"],
  ["a time to begin at", { ScheduledTime: "1704164645000" }, "InvalidParameter"],
  ["a document that is no object", { JobDocument: "[]" }, "iot.common.InvalidFormattedParameter"],
  ["a target that is no JSON", { TargetConfig: "{" }, "iot.common.InvalidFormattedParameter"],
  ["a target without devices", { TargetConfig: '{"targetType":"DEVICE"}' }, "iot.common.InvalidFormattedParameter"],
  ["a device without a name", { TargetConfig: '{"targetType":"DEVICE","targetDevices":[{}]}' }, "iot.common.InvalidFormattedParameter"],
  ["an unknown QoS", { RolloutConfig: '{"messageQoS":"QoS2"}' }, "iot.common.InvalidFormattedParameter"],
  ["a rate that is a text", { RolloutConfig: '{"maximumPerMinute":"many"}' }, "iot.common.InvalidFormattedParameter"],
  ["a time limit that is a text", { TimeoutConfig: '{"inProgressTimeoutInMinutes":"5"}' }, "iot.common.InvalidFormattedParameter"],
  ["a time limit of nothing", { TimeoutConfig: '{"inProgressTimeoutInMinutes":0}' }, "iot.common.InvalidFormattedParameter"],
])("1.8.N %s is refused", async (_what, fields, Code) => {
  const answer = await call("CreateJob", { ...base, TargetConfig: some("lamp1"), ...fields });
  expect(answer).toMatchObject({ Code });
  expect(await call("ListJob", { CurrentPage: "1", PageSize: "9" })).toMatchObject({ Total: 0 });
});

test("1.8.N a token, a task or a job that this server never gave is refused", async () => {
  expect(await call("ListTask", { Limit: "9", NextToken: "x" })).toMatchObject({ Code: "iot.common.InvalidFormattedParameter" });
  expect(await call("ListTask", { Limit: "51" })).toMatchObject({ Success: false });
  for (const [action, fields] of [
    ["QueryTask", { TaskId: "x" }],
    ["RerunJob", { JobId: "x" }],
    ["UpdateJob", { JobId: "x" }],
  ] as const) {
    expect(await call(action, fields)).toMatchObject({ Success: false });
  }
});

test("1.8.B files of a device are listed, linked and deleted; one that is not complete has no link", async () => {
  const device = { productKey, deviceName: "lamp1" };
  const { files } = rooms.ports.deviceServices;
  const begun = await files.begin(device, { name: "log", bytes: 300, ifExists: "reject" });
  const FileId = "file" in begun ? begun.file.uploadId : "";
  const names = { ProductKey: productKey, DeviceName: "lamp1" };
  expect(await call("QueryDeviceFile", { ...names, FileId })).toMatchObject({ Success: false });
  await files.append(device, { uploadId: FileId, offset: 0, bytes: Buffer.alloc(300), isComplete: true, isIntact: true });
  const shown = { FileId, Name: "log", Size: "300", UtcCreatedOn: "2024-01-02T03:04:05.000Z" };
  expect(await call("QueryDeviceFileList", names)).toMatchObject({ Data: { FileSummary: [shown] }, Total: 1, PageCount: 1 });
  const DownloadUrl = expect.stringContaining("https://things.example/");
  expect(await call("QueryDeviceFile", { ...names, FileId })).toMatchObject({ Data: { ...shown, DownloadUrl } });
  expect(await call("DeleteDeviceFile", { ...names, FileId })).toMatchObject({ Success: true });
  expect(await call("QueryDeviceFileList", names)).toMatchObject({ Data: { FileSummary: [] }, Total: 0 });
  expect(await call("DeleteDeviceFile", { ...names, FileId })).toMatchObject({ Success: false });
});

const shadow = { method: "update", state: { desired: { colour: "green" } }, version: 1 };

test.each<[string, unknown, string]>([
  ["no JSON", "{", "ShadowMessageIsNotJson"],
  ["a list", [], "ShadowMessageIsNotJson"],
  ["no method", { ...shadow, method: undefined }, "NotFoundMethodInShadowMessage"],
  ["another method", { ...shadow, method: "get" }, "MethodValueIsNotUpdate"],
  ["no state", { ...shadow, state: undefined }, "NotFoundStateInShadowMessage"],
  ["no desired", { ...shadow, state: {} }, "NotFoundDesireInShadowMessage"],
  ["desired null", { ...shadow, state: { desired: null } }, "DesireValueIsNullInShadowMessage"],
  ["desired a text", { ...shadow, state: { desired: "x" } }, "DesireInfoInShadowMessageIsNotJson"],
  ["desired empty", { ...shadow, state: { desired: {} } }, "NoneElementInDesire"],
  ["a member null", { ...shadow, state: { desired: { colour: null } } }, "ElementKeyOrValueIsNullInDesire"],
  ["a member without a name", { ...shadow, state: { desired: { "": 1 } } }, "ElementKeyOrValueIsNullInDesire"],
  ["no version", { ...shadow, version: undefined }, "NotFoundVersionOrNullVersionValue"],
  ["a version that is a text", { ...shadow, version: "1" }, "InvalidVersionValueInShadowMessage"],
  ["a version below -1", { ...shadow, version: -2 }, "InvalidVersionValueInShadowMessage"],
  [
    "too many values",
    { ...shadow, state: { desired: Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`a${i}`, 1])) } },
    "TooManyElementInDesire",
  ],
  ["too much", { ...shadow, state: { desired: { text: "x".repeat(17_000) } } }, "ShadowMessageLengthIsLarge"],
])("1.10 a shadow message with %s is refused and changes nothing", async (_what, message, code) => {
  const names = { ProductKey: productKey, DeviceName: "lamp1" };
  const before = await call("GetDeviceShadow", names);
  const ShadowMessage = typeof message === "string" ? message : JSON.stringify(message);
  expect(await call("UpdateDeviceShadow", { ...names, ShadowMessage })).toMatchObject({
    Success: false,
    Code: `iot.messagebroker.${code}`,
  });
  expect((await call("GetDeviceShadow", names)).ShadowMessage).toEqual(before.ShadowMessage);
});

test("1.10 a shadow that has moved on refuses an older version", async () => {
  const names = { ProductKey: productKey, DeviceName: "lamp1" };
  const update = (version: number) => call("UpdateDeviceShadow", { ...names, ShadowMessage: JSON.stringify({ ...shadow, version }) });
  expect(await update(5)).toMatchObject({ Success: true });
  expect(await update(5)).toMatchObject({ Success: false, Code: "iot.messagebroker.InvalidVersionValueInShadowMessage" });
  expect(await update(6)).toMatchObject({ Success: true });
});
