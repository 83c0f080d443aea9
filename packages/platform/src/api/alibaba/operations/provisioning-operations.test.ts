/** What the operations of gateways, credentials, scripts and releases change, and what they refuse. */
import { signSubDevice } from "@thingstead/dialects";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAlibabaApi } from "../alibaba-api.ts";
import { openRooms, type Rooms, startTime } from "../testing/rooms.ts";
import { selfSignedCertificate } from "../testing/self-signed-certificate.ts";
import { signedV1 } from "../testing/signed-request.ts";

let rooms: Rooms;
let now: number;
let call: (Action: string, fields: Record<string, string>) => Promise<Record<string, unknown>>;

beforeEach(async () => {
  now = startTime;
  rooms = await openRooms({ now: () => now, after: () => () => {}, soon: setImmediate });
  const handle = createAlibabaApi(rooms.ports);
  call = async (Action, fields) => JSON.parse((await handle(signedV1({ Action, ...fields }))).body) as Record<string, unknown>;
  const { registry } = rooms.ports;
  await registry.createProduct({ name: "gateways", productKey: "gw", nodeType: "gateway" });
  await registry.createProduct({ name: "things", productKey: "pk" });
  await registry.createDevice("gw", { deviceName: "gate" });
  for (const deviceName of ["sub1", "sub2"]) await registry.createDevice("pk", { deviceName });
});

afterEach(() => rooms.close());

async function item(number: number, deviceName: string, change: object = {}): Promise<Record<string, string>> {
  const { deviceSecret } = await rooms.ports.registry.getDevice("pk", deviceName);
  const signed = { ...signSubDevice({ productKey: "pk", deviceName, deviceSecret, timestamp: "1" }), ...change };
  const names: Record<string, string> = {
    productKey: "ProductKey",
    deviceName: "DeviceName",
    clientId: "ClientId",
    timestamp: "Timestamp",
  };
  const entries = Object.entries({ ...names, sign: "Sign", signMethod: "SignMethod" });
  return Object.fromEntries(
    entries.map(([ours, theirs]) => [`TopoAddItem.${number}.${theirs}`, String((signed as Record<string, string>)[ours])]),
  );
}

test("1.8.D BatchAddThingTopo adds what is signed with the sub-devices' secrets, all or none", async () => {
  const gateway = { GwProductKey: "gw", GwDeviceName: "gate" };
  const wrong = { ...gateway, ...(await item(1, "sub1")), ...(await item(2, "sub2", { sign: "00" })) };
  expect(await call("BatchAddThingTopo", wrong)).toMatchObject({ Success: false, Code: "iot.device.VerifyDeviceFailed" });
  expect(await rooms.ports.topology.gatewayOf({ productKey: "pk", deviceName: "sub1" })).toBeUndefined();
  const right = { ...gateway, ...(await item(1, "sub1")), ...(await item(2, "sub2")) };
  expect(await call("BatchAddThingTopo", right)).toMatchObject({ Success: true });
  expect((await rooms.ports.topology.list({ productKey: "gw", deviceName: "gate" }, { page: 1, pageSize: 9 })).total).toBe(2);
  const noGateway = { ...right, GwProductKey: "pk", GwDeviceName: "sub1" };
  expect(await call("BatchAddThingTopo", noGateway)).toMatchObject({ Code: "iot.device.AddTopoRelationFailed" });
});

test("1.8.D NotifyAddThingTopo asks the gateway, by names or ids, and refuses every other list", async () => {
  const gateway = { GwProductKey: "gw", GwDeviceName: "gate" };
  const { iotId } = await rooms.ports.registry.getDevice("pk", "sub2");
  const DeviceListStr = JSON.stringify([{ productKey: "pk", deviceName: "sub1" }, { IotId: iotId }]);
  expect(await call("NotifyAddThingTopo", { ...gateway, DeviceListStr })).toMatchObject({ Data: { MessageId: "1" } });
  expect(rooms.notified).toEqual([{ gateway: "gate", devices: ["sub1", "sub2"] }]);
  for (const bad of ["", "x", "{}", "[]", "[null]", "[{}]", '[{"productKey":"pk"}]', '[{"IotId":5}]', '[{"IotId":"none"}]']) {
    expect(await call("NotifyAddThingTopo", { ...gateway, DeviceListStr: bad })).toMatchObject({ Code: expect.any(String) });
  }
  const many = JSON.stringify(Array.from({ length: 31 }, () => ({ IotId: iotId })));
  expect(await call("NotifyAddThingTopo", { ...gateway, DeviceListStr: many })).toMatchObject({ Code: "iot.device.AddTopoRelationFailed" });
  const noGateway = { GwProductKey: "pk", GwDeviceName: "sub1", DeviceListStr };
  expect(await call("NotifyAddThingTopo", noGateway)).toMatchObject({ Code: "iot.device.AddTopoRelationFailed" });
  expect(rooms.notified).toHaveLength(1);
});

test("1.8.B DeleteClientIds forgets every client of a device", async () => {
  const { iotId } = await rooms.ports.registry.getDevice("pk", "sub1");
  const client = { productKey: "pk", deviceName: "sub1", clientId: "c1", tokenHash: "h", createdAt: 5 };
  await rooms.deviceTokens.insert(client, 5);
  expect(await call("QueryClientIds", { IotId: iotId })).toMatchObject({
    Data: { IotId: iotId, DynamicRegClientIds: [{ ClientId: "c1", CreateTime: 5 }] },
  });
  expect(await call("DeleteClientIds", { IotId: iotId })).toMatchObject({ Success: true });
  expect(await rooms.deviceTokens.find("pk", "sub1", "c1")).toBeUndefined();
});

test("1.8.A SetProductCertInfo says whose certificates devices may have", async () => {
  await rooms.ports.registry.createProduct({ name: "certified", productKey: "x5", authType: "x509" });
  await rooms.ports.registry.createDevice("x5", { deviceName: "cert1" });
  expect(await call("SetProductCertInfo", { ProductKey: "x5", IssueModel: "2" })).toMatchObject({ Code: "InvalidParameter" });
  expect(await call("SetProductCertInfo", { ProductKey: "pk", IssueModel: "1" })).toMatchObject({ Success: false });
  expect(await call("SetProductCertInfo", { ProductKey: "x5", IssueModel: "1" })).toMatchObject({ Success: true });
  const pem = selfSignedCertificate;
  await expect(rooms.deviceCertificates.register("x5", "cert1", pem)).rejects.toMatchObject({ code: "access.certificate_issuer" });
  expect(await call("QueryDeviceCert", { ProductKey: "x5", DeviceName: "cert1" })).toMatchObject({ Success: false });
  await call("SetProductCertInfo", { ProductKey: "x5", IssueModel: "3" });
  await rooms.deviceCertificates.register("x5", "cert1", pem);
  await expect(rooms.deviceCertificates.issue("x5", "cert1")).rejects.toMatchObject({ code: "access.certificate_issuer" });
  expect(await call("QueryProductCertInfo", { ProductKey: "x5" })).toMatchObject({ ProductCertInfo: { IssueModel: 3 } });
});

test("1.8.I GetThingScript answers a link that is signed and expires", async () => {
  expect(await call("GetThingScript", { ProductKey: "pk" })).toMatchObject({ Code: "iot.prod.NotExistedThingScript" });
  const ScriptContent = "function rawDataToProtocol() { return {}; }";
  await call("CreateThingScript", { ProductKey: "pk", ScriptType: "JavaScript", ScriptContent });
  const { Data } = (await call("GetThingScript", { ProductKey: "pk" })) as { Data: { ScriptUrl: string } };
  const { pathname, searchParams } = new URL(Data.ScriptUrl);
  expect(pathname).toBe("/alibaba/scripts/pk");
  const query = Object.fromEntries(searchParams);
  const { scriptLinks, limits } = rooms.ports;
  expect(await scriptLinks.open("pk", query)).toBe(ScriptContent);
  const invalid = { code: "alibaba.script_link_invalid" };
  await expect(scriptLinks.open("gw", query)).rejects.toMatchObject(invalid);
  await expect(scriptLinks.open("pk", { ...query, expires: "99999999999" })).rejects.toMatchObject(invalid);
  await expect(scriptLinks.open("pk", {})).rejects.toMatchObject(invalid);
  now += limits.scriptLinkSeconds * 1000;
  await expect(scriptLinks.open("pk", query)).rejects.toMatchObject(invalid);
});

test("1.8.A the thing model of a released product cannot be changed", async () => {
  expect(await call("ReleaseProduct", { ProductKey: "pk" })).toMatchObject({ Success: true });
  expect(await call("QueryProduct", { ProductKey: "pk" })).toMatchObject({ Data: { ProductStatus: "RELEASE_STATUS" } });
  const ThingModelJson = JSON.stringify({
    properties: [
      { identifier: "On", name: "on", dataType: "INT", rwFlag: "READ_WRITE", dataSpecs: { dataType: "INT", min: "0", max: "9" } },
    ],
  });
  expect(await call("CreateThingModel", { ProductKey: "pk", ThingModelJson })).toMatchObject({ Success: false });
  expect(await rooms.ports.things.models.draft("pk")).toEqual([]);
  await call("CancelReleaseProduct", { ProductKey: "pk" });
  expect(await call("CreateThingModel", { ProductKey: "pk", ThingModelJson })).toMatchObject({ Success: true });
});
