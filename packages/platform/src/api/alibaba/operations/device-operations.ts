/** Devices (reference 1.8.B). */
import { PlatformError } from "../../../errors/index.ts";
import type { Device, DeviceStatus, NewDevice, Product } from "../../../registry/index.ts";
import { defineOperation, type OperationTable, oneOf, pageCount, readPage } from "../operation.ts";
import { formatGmt, formatGmtDashed, formatUtc } from "../vendor-times.ts";
import { deviceSelector, findByIotId, findSelectedDevice } from "./device-selector.ts";
import { firmwareVersionOf } from "./ota-operations.ts";

/** The vendor's numbers of its own states. */
const statusesByNumber: Readonly<Record<number, DeviceStatus>> = { 0: "UNACTIVE", 1: "ONLINE", 3: "OFFLINE", 8: "DISABLE" };
const devicePageEntriesDefault = 10;

export const deviceOperations: OperationTable = {
  RegisterDevice: defineOperation(
    {
      ProductKey: "text",
      DeviceName: "text?",
      Nickname: "text?",
      AppKey: "unsupported",
      DevEui: "unsupported",
      JoinEui: "unsupported",
      LoraNodeType: "unsupported",
      PinCode: "unsupported",
    },
    async (input, { registry }) => {
      const wanted: NewDevice = {};
      if (input.DeviceName) wanted.deviceName = input.DeviceName;
      if (input.Nickname) wanted.nickname = input.Nickname;
      return { Data: showDevice(await registry.createDevice(input.ProductKey, wanted)) };
    },
  ),

  QueryDeviceInfo: defineOperation(deviceSelector, async (input, { registry }) => {
    return { Data: showDevice(await findSelectedDevice(input, registry)) };
  }),

  QueryDeviceDetail: defineOperation(deviceSelector, async (input, ports) => {
    const { registry, region } = ports;
    const device = await findSelectedDevice(input, registry);
    const product = await registry.getProduct(device.productKey);
    const version = await firmwareVersionOf(device.productKey, device.deviceName, ports);
    return {
      Data: {
        ...showDetail(device, product, region, version),
        ...showOnline(device),
        Owner: true,
      },
    };
  }),

  BatchQueryDeviceDetail: defineOperation({ ProductKey: "text", DeviceName: "list" }, async (input, ports) => {
    const { registry, region, limits } = ports;
    refuseTooMany(input.DeviceName.length, limits.detailDevicesMax);
    const product = await registry.getProduct(input.ProductKey);
    const devices = await Promise.all(input.DeviceName.map((deviceName) => registry.getDevice(input.ProductKey, deviceName)));
    const details = devices.map(async (device) =>
      showDetail(device, product, region, await firmwareVersionOf(device.productKey, device.deviceName, ports)),
    );
    return { Data: { Data: await Promise.all(details) } };
  }),

  QueryDevice: defineOperation(
    { ProductKey: "text", CurrentPage: "integer?", PageSize: "integer?", NextToken: "text?" },
    async (input, { registry, limits }) => {
      const wantedPage = input.NextToken ? readPageToken(input.NextToken) : (input.CurrentPage ?? 1);
      const wantedSize = input.PageSize ?? Math.min(devicePageEntriesDefault, limits.devicePageEntriesMax);
      const { page, pageSize } = readPage(wantedPage, wantedSize, limits.devicePageEntriesMax);
      const { items, total } = await registry.listDevices(input.ProductKey, { page, pageSize });
      const pages = pageCount(total, pageSize);
      const DeviceInfo = items.map((device) => ({
        ...showDevice(device),
        DeviceId: device.iotId,
        DeviceStatus: device.status,
        GmtCreate: formatGmtDashed(device.createdAt),
        GmtModified: formatGmtDashed(device.modifiedAt),
        UtcCreate: formatUtc(device.createdAt),
        UtcModified: formatUtc(device.modifiedAt),
      }));
      return {
        Data: { DeviceInfo },
        Page: page,
        PageSize: pageSize,
        PageCount: pages,
        Total: total,
        NextToken: page < pages ? formatPageToken(page + 1) : undefined,
      };
    },
  ),

  GetDeviceStatus: defineOperation(deviceSelector, async (input, { registry }) => {
    const device = await findSelectedDevice(input, registry);
    return { Data: { Status: device.status, Timestamp: statusChangedAt(device) } };
  }),

  BatchGetDeviceState: defineOperation(
    { DeviceName: "list?", IotId: "list?", ProductKey: "text?" },
    async (input, { registry, limits }) => {
      const { IotId, DeviceName, ProductKey } = input;
      if (IotId.length === 0 && DeviceName.length === 0) throw new PlatformError("alibaba.device_list_empty");
      const count = IotId.length > 0 ? IotId.length : DeviceName.length;
      refuseTooMany(count, limits.stateDevicesMax);
      const devices = await Promise.all(
        IotId.length > 0
          ? IotId.map((iotId) => findByIotId(iotId, registry))
          : DeviceName.map((name) => findSelectedDevice({ IotId: undefined, ProductKey, DeviceName: name }, registry)),
      );
      const DeviceStatus = devices.map((device) => ({
        AsAddress: hostOf(device.remoteAddress),
        DeviceId: device.iotId,
        DeviceName: device.deviceName,
        IotId: device.iotId,
        LastOnlineTime: formatGmt(device.lastOnlineAt),
        Status: device.status,
      }));
      return { DeviceStatusList: { DeviceStatus } };
    },
  ),

  QueryDeviceByStatus: defineOperation(
    { ProductKey: "text?", Status: "integer", CurrentPage: "integer?", PageSize: "integer?" },
    async (input, { registry, limits }) => {
      const status = statusesByNumber[oneOf("Status", input.Status, [0, 1, 3, 8])];
      const wanted = readPage(input.CurrentPage ?? 1, input.PageSize ?? devicePageEntriesDefault, limits.devicePageEntriesMax);
      const filter = status === undefined ? {} : { status };
      const { items, total } = await registry.listDevices(input.ProductKey || undefined, wanted, filter);
      const SimpleDeviceInfo = items.map((device) => ({
        ...showDevice(device),
        Status: device.status,
        GmtCreate: formatGmtDashed(device.createdAt),
        GmtModified: formatGmtDashed(device.modifiedAt),
        UtcCreate: formatUtc(device.createdAt),
        UtcModified: formatUtc(device.modifiedAt),
      }));
      return {
        Data: { SimpleDeviceInfo },
        Page: wanted.page,
        PageSize: wanted.pageSize,
        PageCount: pageCount(total, wanted.pageSize),
        Total: total,
      };
    },
  ),

  QueryDeviceStatistics: defineOperation({ ProductKey: "text?", GroupId: "text?" }, async (input, { registry, groups }) => {
    if (input.GroupId) {
      const { deviceCount, activeCount, onlineCount } = await groups.get(input.GroupId);
      return { Data: { deviceCount, activeCount, onlineCount } };
    }
    const count = async (status?: DeviceStatus) =>
      (await registry.listDevices(input.ProductKey || undefined, { page: 1, pageSize: 1 }, status === undefined ? {} : { status })).total;
    const [deviceCount, neverActive, onlineCount] = await Promise.all([count(), count("UNACTIVE"), count("ONLINE")]);
    return { Data: { deviceCount, activeCount: deviceCount - neverActive, onlineCount } };
  }),

  BatchUpdateDeviceNickname: defineOperation({ DeviceNicknameInfo: "structs" }, async ({ DeviceNicknameInfo }, { registry, limits }) => {
    refuseTooMany(DeviceNicknameInfo.length, limits.detailDevicesMax);
    const wanted = DeviceNicknameInfo.map((each) => ({
      nickname: each.nickname ?? "",
      device: findSelectedDevice({ IotId: each.iotid, ProductKey: each.productkey, DeviceName: each.devicename }, registry),
    }));
    // Unknown devices are found before any name is changed.
    await Promise.all(wanted.map(({ device }) => device));
    for (const { device, nickname } of wanted) {
      const { productKey, deviceName } = await device;
      await registry.updateDevice(productKey, deviceName, { nickname });
    }
    return {};
  }),

  ResetThing: defineOperation(deviceSelector, async (input, { registry, topology }) => {
    const { productKey, deviceName } = await findSelectedDevice(input, registry);
    const gateway = await topology.gatewayOf({ productKey, deviceName });
    if (gateway !== undefined) await topology.remove(gateway, [{ productKey, deviceName }], "cloud");
    const { iotId } = await registry.resetDevice(productKey, deviceName);
    return { JobId: iotId };
  }),

  DisableThing: defineOperation(deviceSelector, async (input, { registry }) => {
    const { productKey, deviceName } = await findSelectedDevice(input, registry);
    await registry.setDeviceEnabled(productKey, deviceName, false);
    return {};
  }),

  EnableThing: defineOperation(deviceSelector, async (input, { registry }) => {
    const { productKey, deviceName } = await findSelectedDevice(input, registry);
    await registry.setDeviceEnabled(productKey, deviceName, true);
    return {};
  }),

  DeleteDevice: defineOperation(deviceSelector, async (input, { registry }) => {
    const { productKey, deviceName } = await findSelectedDevice(input, registry);
    await registry.deleteDevice(productKey, deviceName);
    return {};
  }),
};

function showDevice({ deviceName, deviceSecret, iotId, nickname, productKey }: Device) {
  return { DeviceName: deviceName, DeviceSecret: deviceSecret, IotId: iotId, Nickname: nickname, ProductKey: productKey };
}

export function showOnline({ lastOnlineAt, remoteAddress }: Device) {
  return { GmtOnline: formatGmt(lastOnlineAt), UtcOnline: formatUtc(lastOnlineAt), IpAddress: hostOf(remoteAddress) };
}

/** `firmwareVersion` is empty for a device that never told one, as the vendor shows it. */
export function showDetail(device: Device, product: Product, region: string, firmwareVersion: string) {
  return {
    ...showDevice(device),
    FirmwareVersion: firmwareVersion,
    GmtActive: formatGmt(device.activatedAt),
    GmtCreate: formatGmt(device.createdAt),
    UtcActive: formatUtc(device.activatedAt),
    UtcCreate: formatUtc(device.createdAt),
    NodeType: product.nodeType === "gateway" ? 1 : 0,
    ProductName: product.name,
    Region: region,
    Status: device.status,
  };
}

function statusChangedAt({ status, createdAt, modifiedAt, lastOnlineAt, lastOfflineAt }: Device): number {
  if (status === "DISABLE") return modifiedAt;
  return Math.max(lastOnlineAt ?? createdAt, lastOfflineAt ?? createdAt);
}

/** `203.0.113.5:4711` and `[2001:db8::1]:4711` without their port. */
function hostOf(address: string | undefined): string {
  if (address === undefined) return "";
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(address) ?? [];
  return bracketed ?? (/^[^:]+:\d+$/.test(address) ? address.slice(0, address.lastIndexOf(":")) : address);
}

function refuseTooMany(received: number, expected: number): void {
  if (received > expected) throw new PlatformError("alibaba.too_many_devices", { received, expected });
}

function formatPageToken(page: number): string {
  return Buffer.from(`page:${page}`).toString("base64url");
}

function readPageToken(token: string): number {
  const [, page] = /^page:(\d{1,9})$/.exec(Buffer.from(token, "base64url").toString("utf8")) ?? [];
  if (page === undefined) {
    throw new PlatformError("alibaba.invalid_parameter", {
      parameter: "NextToken",
      received: token,
      expected: "a token of an earlier answer",
    });
  }
  return Number(page);
}
