/** Everything between gateways and the rooms that know of sub-devices. */
import type { DeviceLog } from "../../device-log/index.ts";
import { createDeviceProblems } from "./device-problems.ts";
import { createGatewayNotices, type GatewayNotices, type GatewayNoticesPorts } from "./gateway-notices.ts";
import { createGatewaySessionHandlers, type GatewaySessionsPorts } from "./gateway-sessions.ts";
import { createGatewayTopologyHandlers, type GatewayTopologyPorts } from "./gateway-topology.ts";
import type { SubDeviceLookup } from "./thing-actions.ts";
import type { UplinkHandlers } from "./uplink.ts";

export type GatewayPorts = Omit<GatewayTopologyPorts & GatewaySessionsPorts & GatewayNoticesPorts, "problems"> & {
  deviceLog: Pick<DeviceLog, "write" | "wants">;
};

export interface GatewayBinding extends Pick<GatewayNotices, "notifyAdd"> {
  /** Families for the uplink router. */
  families: UplinkHandlers[];
}

/** @example for (const family of createGatewayBinding(ports).families) uplinks.add(family) */
export function createGatewayBinding(ports: GatewayPorts): GatewayBinding {
  const notices = createGatewayNotices(ports);
  const withProblems = { ...ports, problems: createDeviceProblems(ports.deviceLog) };
  return {
    notifyAdd: notices.notifyAdd,
    families: [createGatewayTopologyHandlers(withProblems), createGatewaySessionHandlers(withProblems), notices.handlers],
  };
}

/** Whether a gateway may speak for a device that is named in its own messages. */
export function createSubDeviceLookup({ registry, topology }: Pick<GatewayTopologyPorts, "registry" | "topology">): SubDeviceLookup {
  return async (gateway, productKey, deviceName) => {
    const device = await registry.findDevice(productKey, deviceName);
    if (device === undefined) return "unknown";
    const found = await topology.gatewayOf({ productKey, deviceName });
    return found?.iotId === gateway.iotId ? { productKey, deviceName, iotId: device.iotId } : "no_topology";
  };
}
