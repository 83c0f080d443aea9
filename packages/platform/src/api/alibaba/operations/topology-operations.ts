/** Gateways and their sub-devices (reference 1.8.D). */
import { readSubDeviceClaim, verifySubDevice } from "@thingstead/dialects";
import { PlatformError } from "../../../errors/index.ts";
import type { Registry } from "../../../registry/index.ts";
import { type DeviceNames, defineOperation, memberOf, type OperationTable, pageCount, readPage, type Struct } from "../operation.ts";
import { showDetail, showOnline } from "./device-operations.ts";
import { type DeviceSelection, deviceSelector, findSelectedDevice } from "./device-selector.ts";
import { firmwareVersionOf } from "./ota-operations.ts";

export const topologyOperations: OperationTable = {
  GetThingTopo: defineOperation(
    { ...deviceSelector, PageNo: "integer", PageSize: "integer" },
    async (input, { registry, topology, limits }) => {
      const wanted = readPage(input.PageNo, input.PageSize, limits.searchPageEntriesMax);
      const { items, total } = await topology.list(await findSelectedDevice(input, registry), wanted);
      const deviceInfo = items.map(({ productKey, deviceName, iotId }) => ({
        ProductKey: productKey,
        DeviceName: deviceName,
        IotId: iotId,
      }));
      return {
        Data: {
          List: { deviceInfo },
          CurrentPage: wanted.page,
          PageSize: wanted.pageSize,
          PageCount: pageCount(total, wanted.pageSize),
          Total: total,
        },
      };
    },
  ),

  NotifyAddThingTopo: defineOperation(
    { GwIotId: "text?", GwProductKey: "text?", GwDeviceName: "text?", DeviceListStr: "text" },
    async (input, { registry, gatewayNotices, limits }) => {
      const selection = { IotId: input.GwIotId, ProductKey: input.GwProductKey, DeviceName: input.GwDeviceName };
      const gateway = await findGateway(selection, registry);
      const items = readDeviceList(input.DeviceListStr);
      refuseTooMany(items, limits.topologyDevicesMax);
      const devices = await Promise.all(items.map((item) => findSelectedDevice(item, registry)));
      return { Data: { MessageId: gatewayNotices.notifyAdd(gateway, devices) } };
    },
  ),

  BatchAddThingTopo: defineOperation(
    { GwProductKey: "text", GwDeviceName: "text", TopoAddItem: "structs" },
    async (input, { registry, topology, limits }) => {
      refuseTooMany(input.TopoAddItem, limits.topologyDevicesMax);
      const gateway = await registry.getDevice(input.GwProductKey, input.GwDeviceName);
      const devices: DeviceNames[] = [];
      for (const item of input.TopoAddItem) devices.push(await verifyItem(item, registry));
      await topology.add(gateway, devices, "cloud");
      return {};
    },
  ),

  RemoveThingTopo: defineOperation(deviceSelector, async (input, { registry, topology }) => {
    const device = await findSelectedDevice(input, registry);
    const gateway = await topology.gatewayOf(device);
    if (gateway === undefined) {
      throw new PlatformError("registry.not_a_sub_device", { productKey: device.productKey, deviceName: device.deviceName });
    }
    await topology.remove(gateway, [device], "cloud");
    return { Data: true };
  }),

  GetGatewayBySubDevice: defineOperation(deviceSelector, async (input, ports) => {
    const { registry, topology, region } = ports;
    const device = await findSelectedDevice(input, registry);
    const names = await topology.gatewayOf(device);
    if (names === undefined) {
      throw new PlatformError("registry.not_a_sub_device", { productKey: device.productKey, deviceName: device.deviceName });
    }
    const gateway = await registry.getDevice(names.productKey, names.deviceName);
    const product = await registry.getProduct(gateway.productKey);
    const version = await firmwareVersionOf(gateway.productKey, gateway.deviceName, ports);
    const { IotId, Region, Nickname: _nickname, NodeType, ...shown } = showDetail(gateway, product, region, version);
    // Two members are spelled with small letters here, and the node type is a text.
    return { Data: { ...shown, ...showOnline(gateway), NodeType: String(NodeType), iotId: IotId, region: Region } };
  }),
};

async function findGateway(selection: DeviceSelection, registry: Registry): Promise<DeviceNames> {
  const { productKey, deviceName } = await findSelectedDevice(selection, registry);
  const product = await registry.findProduct(productKey);
  if (product?.nodeType !== "gateway") throw new PlatformError("registry.not_a_gateway", { productKey, deviceName });
  return { productKey, deviceName };
}

function refuseTooMany(items: readonly unknown[], devicesMax: number): void {
  if (items.length <= devicesMax) return;
  throw new PlatformError("alibaba.too_many_topology_devices", { received: items.length, expected: devicesMax });
}

/** `[{"productKey":"…","deviceName":"…"},{"IotId":"…"}]`; the vendor's own texts spell the members either way. */
function readDeviceList(text: string): DeviceSelection[] {
  const refuse = (): never => {
    throw new PlatformError("alibaba.device_list_invalid", { received: text.slice(0, 200) });
  };
  let items: unknown;
  try {
    items = JSON.parse(text);
  } catch {
    return refuse();
  }
  if (!Array.isArray(items) || items.length === 0) return refuse();
  return items.map((item: unknown) => {
    if (typeof item !== "object" || item === null) return refuse();
    const members = new Map(Object.entries(item).map(([name, value]) => [name.toLowerCase(), value]));
    const textOf = (name: string) => {
      const value: unknown = members.get(name);
      return value === undefined || typeof value === "string" ? value : refuse();
    };
    const selection = { IotId: textOf("iotid"), ProductKey: textOf("productkey"), DeviceName: textOf("devicename") };
    return selection.IotId || (selection.ProductKey && selection.DeviceName) ? selection : refuse();
  });
}

/** Signed as in `thing/topo/add` (device reference 6.2), with the sub-device's secret. */
async function verifyItem(item: Struct, registry: Registry): Promise<DeviceNames> {
  const member = (name: string) => memberOf("TopoAddItem", item, name);
  const fields = {
    productKey: member("ProductKey"),
    deviceName: member("DeviceName"),
    sign: member("Sign"),
    signMethod: member("SignMethod"),
    ...(item.clientid === undefined ? {} : { clientId: item.clientid }),
    ...(item.timestamp === undefined ? {} : { timestamp: item.timestamp }),
  };
  const { productKey, deviceName, deviceSecret } = await registry.getDevice(fields.productKey, fields.deviceName);
  const claim = readSubDeviceClaim(fields);
  const verdict = claim.kind === "refused" ? claim : verifySubDevice(claim, deviceSecret);
  if (verdict.kind === "verified") return { productKey, deviceName };
  const { received = "another signature", expected = "a signature with the device's secret" } = verdict;
  throw new PlatformError("alibaba.sub_device_signature_invalid", { deviceName, received, expected });
}
