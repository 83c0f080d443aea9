/** Firmware brought to a device by a program with the vendor's server SDK: form, package, verification, job, tasks. */
import { createHash } from "node:crypto";
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
let productKey = "";
const devices: MqttClient[] = [];

beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(async () => {
  for (const device of devices) device.end(true);
  await server.remove();
});

// biome-ignore lint/suspicious/noExplicitAny: the SDK's members are looked at by name, as its users do.
async function succeed(name: string, parameters: object): Promise<any> {
  const client = new Iot.default(
    new OpenApi.Config({
      accessKeyId: testAccessKey.id,
      accessKeySecret: testAccessKey.secret,
      endpoint: `127.0.0.1:${server.httpPort}`,
      protocol: "http",
    }),
  );
  const { body } = await client[name](new Iot[`${name[0]?.toUpperCase()}${name.slice(1)}Request`](parameters));
  expect(body, name).toMatchObject({ success: true });
  return body;
}

/** Downloads what it is offered, checks it and reports the new version, as seed 001's firmware does. */
async function connectFirmware(deviceName: string, deviceSecret: string, version: string): Promise<Buffer[]> {
  const { clientId, userName, password } = signConnect({ productKey, deviceName, deviceSecret, secureMode: 3 });
  const device = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.devicePort}`, {
    clientId,
    username: userName,
    password,
    reconnectPeriod: 0,
  });
  devices.push(device);
  const images: Buffer[] = [];
  device.on("message", async (_topic, payload) => {
    const { data } = JSON.parse(payload.toString());
    // The host in the link is the machine's name; the test reaches it here.
    const path = new URL(data.url).pathname + new URL(data.url).search;
    const image = Buffer.from(await (await fetch(`http://127.0.0.1:${server.devicePort}${path}`)).arrayBuffer());
    expect(createHash("md5").update(image).digest("hex")).toBe(data.md5);
    images.push(image);
    const progress = JSON.stringify({ id: "2", params: { step: "100", desc: "" } });
    await device.publishAsync(`/ota/device/progress/${productKey}/${deviceName}`, progress, { qos: 1 });
    const inform = JSON.stringify({ id: "3", params: { version: data.version } });
    await device.publishAsync(`/ota/device/inform/${productKey}/${deviceName}`, inform, { qos: 1 });
  });
  await device.subscribeAsync(`/ota/device/upgrade/${productKey}/${deviceName}`, { qos: 1 });
  await device.publishAsync(`/ota/device/inform/${productKey}/${deviceName}`, JSON.stringify({ id: "1", params: { version } }), { qos: 1 });
  return images;
}

test("[op GenerateOTAUploadURL] [op CreateOTAFirmware] [op CreateOTAVerifyJob] [op CreateOTAStaticUpgradeJob] [op ListOTATaskByJob] from the file to the new version", async () => {
  const product = await succeed("createProduct", { productName: "firmware by API", nodeType: 0 });
  productKey = product.productKey;
  const secrets = new Map<string, string>();
  for (const deviceName of ["board1", "board2"]) {
    const { data } = await succeed("registerDevice", { productKey, deviceName });
    secrets.set(deviceName, data.deviceSecret);
  }

  const { data: form } = await succeed("generateOTAUploadURL", { fileSuffix: "bin" });
  const image = Buffer.alloc(300_000, "firmware ");
  const body = new FormData();
  for (const [name, value] of Object.entries({
    key: form.key,
    policy: form.policy,
    OSSAccessKeyId: form.OSSAccessKeyId,
    signature: form.signature,
    success_action_status: "200",
  }))
    body.append(name, String(value));
  body.append("file", new Blob([image]), "lamp.bin");
  expect((await fetch(form.host, { method: "POST", body })).status).toBe(200);

  const { data: firmware } = await succeed("createOTAFirmware", {
    productKey,
    firmwareName: "lamp",
    destVersion: "2.0.0",
    firmwareUrl: form.firmwareUrl,
    firmwareSize: image.length,
    firmwareSign: createHash("md5").update(image).digest("hex"),
    signMethod: "MD5",
  });
  const { firmwareId } = firmware;
  const first = await connectFirmware("board1", secrets.get("board1") ?? "", "1.0.0");
  const second = await connectFirmware("board2", secrets.get("board2") ?? "", "1.0.0");

  const verify = await succeed("createOTAVerifyJob", { productKey, firmwareId, targetDeviceName: ["board1"], timeoutInMinutes: 10 });
  await until("the firmware is verified", async () => {
    const { firmwareInfo } = await succeed("queryOTAFirmware", { firmwareId });
    return firmwareInfo.status === 1;
  });
  expect(first).toEqual([image]);
  expect((await succeed("queryOTAJob", { jobId: verify.data.jobId })).data).toMatchObject({
    jobType: "VERIFY_FIRMWARE",
    jobStatus: "COMPLETED",
  });

  const upgrade = await succeed("createOTAStaticUpgradeJob", {
    productKey,
    firmwareId,
    targetSelection: "ALL",
    srcVersion: ["1.0.0"],
    tag: [{ key: "shift", value: "night" }],
  });
  const tasks = await until("the task has succeeded", async () => {
    const { data } = await succeed("listOTATaskByJob", { jobId: upgrade.data.jobId, currentPage: 1, pageSize: 10 });
    const found = data.simpleOTATaskInfo;
    return found.length > 0 && found.every((task: { taskStatus: string }) => task.taskStatus === "SUCCEEDED") ? found : undefined;
  });
  expect(tasks).toMatchObject([{ deviceName: "board2", srcVersion: "1.0.0", destVersion: "2.0.0" }]);
  expect(second).toEqual([image]);
  const detail = await succeed("queryDeviceDetail", { productKey, deviceName: "board2" });
  expect(detail.data.firmwareVersion).toBe("2.0.0");
});

test("a form that was changed takes no file", async () => {
  const { data: form } = await succeed("generateOTAUploadURL", {});
  const body = new FormData();
  body.append("key", "ota/00000000000000000000000000000000/ota_1.bin");
  body.append("policy", form.policy);
  body.append("signature", form.signature);
  body.append("file", new Blob(["x"]), "x.bin");
  const refused = await fetch(form.host, { method: "POST", body });
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ error: { code: "alibaba.upload_form_invalid" } });
});
