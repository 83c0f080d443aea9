/** Which sub-devices are behind which gateway. A sub-device has one gateway at a time. */
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import { checkPage, type RegistryLimits } from "./limits.ts";
import type { TopologyStore } from "./ports.ts";
import type { Device, DeviceIdentity, Page, Paged, Registry } from "./registry.ts";

type Names = Pick<Device, "productKey" | "deviceName">;

/** A device as a gateway found it: perhaps unknown here. */
type FoundDevice = Names & { iotId?: string };

export type TopologyChange =
  | {
      kind: "added" | "removed";
      gateway: DeviceIdentity;
      devices: readonly DeviceIdentity[];
      /** Who wanted it: the gateway itself, or a program. */
      origin: "gateway" | "cloud";
      /** Milliseconds since the epoch. */
      at: number;
    }
  /** A gateway told of devices that are around it; nothing is stored. */
  | { kind: "found"; gateway: DeviceIdentity; devices: readonly FoundDevice[]; at: number };

type Origin = "gateway" | "cloud";

export interface TopologyPorts {
  registry: Pick<Registry, "getDevice" | "findProduct">;
  store: TopologyStore;
  clock: Pick<Clock, "now">;
  limits: RegistryLimits;
}

/**
 * Throws `registry.product_not_found` and `registry.device_not_found` for unknown names.
 *
 * @example await topology.add({ productKey: "gw", deviceName: "gw1" }, [{ productKey: "pk", deviceName: "sub1" }], "cloud")
 */
export interface Topology {
  /**
   * All or none; one that was behind another gateway moves. Throws `registry.not_a_gateway`, `registry.gateway_itself`,
   * `registry.too_many_sub_devices`.
   */
  add(gateway: Names, devices: readonly Names[], origin: Origin): Promise<DeviceIdentity[]>;
  /** All or none. Throws `registry.not_a_sub_device` when one is not behind this gateway. */
  remove(gateway: Names, devices: readonly Names[], origin: Origin): Promise<DeviceIdentity[]>;
  /** In the order of their names. */
  list(gateway: Names, page: Page): Promise<Paged<DeviceIdentity>>;
  gatewayOf(device: Names): Promise<DeviceIdentity | undefined>;
  /** Tells listeners of devices around the gateway. */
  found(gateway: DeviceIdentity, devices: readonly FoundDevice[]): void;
  /** Called after a change is stored. */
  onChange(listener: (change: TopologyChange) => void): void;
}

export function createTopology({ registry, store, clock, limits }: TopologyPorts): Topology {
  const listeners: ((change: TopologyChange) => void)[] = [];

  function emit(kind: "added" | "removed", gateway: DeviceIdentity, devices: readonly DeviceIdentity[], origin: Origin): void {
    if (devices.length === 0) return;
    for (const listener of listeners) listener({ kind, gateway, devices, origin, at: clock.now() });
  }

  async function identify({ productKey, deviceName }: Names): Promise<DeviceIdentity> {
    const { iotId } = await registry.getDevice(productKey, deviceName);
    return { productKey, deviceName, iotId };
  }

  async function needGateway(names: Names): Promise<DeviceIdentity> {
    const gateway = await identify(names);
    const product = await registry.findProduct(names.productKey);
    if (product?.nodeType !== "gateway") throw new PlatformError("registry.not_a_gateway", { ...named(names) });
    return gateway;
  }

  return {
    async add(gatewayNames, names, origin) {
      const gateway = await needGateway(gatewayNames);
      const devices: DeviceIdentity[] = [];
      for (const each of names) {
        const device = await identify(each);
        if (device.iotId === gateway.iotId) throw new PlatformError("registry.gateway_itself", { ...named(each) });
        devices.push(device);
      }
      const outcome = await store.add(gateway, devices, limits.subDevicesPerGatewayMax, clock.now());
      if (outcome.kind === "too_many") {
        throw new PlatformError("registry.too_many_sub_devices", {
          ...named(gatewayNames),
          received: outcome.total,
          expected: limits.subDevicesPerGatewayMax,
        });
      }
      // The gateway that loses a device has not asked for it, whoever did.
      for (const { gateway: former, device } of outcome.moved) emit("removed", former, [device], "cloud");
      emit("added", gateway, devices, origin);
      return devices;
    },

    async remove(gatewayNames, names, origin) {
      const gateway = await identify(gatewayNames);
      const devices: DeviceIdentity[] = [];
      for (const each of names) {
        const device = await identify(each);
        if ((await store.gatewayOf(each))?.iotId !== gateway.iotId) {
          throw new PlatformError("registry.not_a_sub_device", { ...named(each), gateway: gateway.deviceName });
        }
        devices.push(device);
      }
      await store.remove(gateway, devices);
      emit("removed", gateway, devices, origin);
      return devices;
    },

    async list(gatewayNames, page) {
      checkPage(page, limits);
      await identify(gatewayNames);
      const { rows, total } = await store.list(gatewayNames, page);
      return { ...page, items: rows, total };
    },

    async gatewayOf(device) {
      await identify(device);
      return store.gatewayOf(device);
    },

    found(gateway, devices) {
      for (const listener of listeners) listener({ kind: "found", gateway, devices, at: clock.now() });
    },

    onChange(listener) {
      listeners.push(listener);
    },
  };
}

function named({ productKey, deviceName }: Names): { productKey: string; deviceName: string } {
  return { productKey, deviceName };
}
