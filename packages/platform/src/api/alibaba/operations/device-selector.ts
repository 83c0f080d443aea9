/** Every operation on one device takes `IotId`, or `ProductKey` and `DeviceName` together; `IotId` wins (reference, reading keys). */
import { PlatformError } from "../../../errors/index.ts";
import type { Device, Registry } from "../../../registry/index.ts";

export const deviceSelector = { IotId: "text?", ProductKey: "text?", DeviceName: "text?" } as const;

export interface DeviceSelection {
  readonly IotId: string | undefined;
  readonly ProductKey: string | undefined;
  readonly DeviceName: string | undefined;
}

export async function findSelectedDevice(selection: DeviceSelection, registry: Registry): Promise<Device> {
  if (selection.IotId) return findByIotId(selection.IotId, registry);
  if (!selection.DeviceName) throw new PlatformError("alibaba.device_name_missing");
  if (!selection.ProductKey) throw new PlatformError("alibaba.product_key_missing");
  return registry.getDevice(selection.ProductKey, selection.DeviceName);
}

export async function findByIotId(iotId: string, registry: Registry): Promise<Device> {
  const device = await registry.findDeviceByIotId(iotId);
  if (device === undefined) throw new PlatformError("alibaba.iot_id_not_found", { received: iotId });
  return device;
}
