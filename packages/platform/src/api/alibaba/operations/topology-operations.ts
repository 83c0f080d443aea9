/** Gateways and their sub-devices (reference 1.8.D). */
import { PlatformError } from "../../../errors/index.ts";
import { defineOperation, type OperationTable, pageCount, readPage } from "../operation.ts";
import { showDetail, showOnline } from "./device-operations.ts";
import { deviceSelector, findSelectedDevice } from "./device-selector.ts";
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
