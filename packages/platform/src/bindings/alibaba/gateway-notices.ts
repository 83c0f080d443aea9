/** What gateways are told of their sub-devices (alibaba-device.md, 6.2, 6.6 and 6.7). */
import { formatAlinkReply, formatAlinkRequest } from "@thingstead/dialects";
import type { SubDeviceEnd, SubDevices } from "../../access/index.ts";
import type { Downlink } from "../../messages/index.ts";
import type { DeviceIdentity, Registry, RegistryChange, Topology } from "../../registry/index.ts";
import type { UplinkHandlers } from "./uplink.ts";

export interface GatewayNoticesPorts {
  downlink: Pick<Downlink, "send" | "push">;
  registry: Pick<Registry, "onChange">;
  topology: Pick<Topology, "gatewayOf" | "onChange">;
  subDevices: Pick<SubDevices, "end" | "onChange">;
  onFailure(error: unknown): void;
}

export interface GatewayNotices {
  /** Asks a gateway to add these devices; it does so with `thing/topo/add`. Answers the id of the message. */
  notifyAdd(gateway: Names, devices: readonly Names[]): string;
  handlers: UplinkHandlers;
}

type Names = Pick<DeviceIdentity, "productKey" | "deviceName">;

const errorOfEnd: Readonly<Partial<Record<SubDeviceEnd, readonly [code: number, message: string]>>> = {
  another_login: [427, "device kicked by another login"],
  deleted: [521, "device deleted"],
  disabled: [522, "device forbidden"],
  not_in_topology: [6401, "topo relation not exist"],
};

/** `status` of `thing/topo/change`. */
const topologyStatus = { created: 0, deleted: 1, enabled: 2, disabled: 8 } as const;

const answeredPaths = ["thing/topo/add/notify", "thing/topo/change", "thing/disable", "thing/enable", "thing/delete"];

/** Works from the moment it is created. */
export function createGatewayNotices({ downlink, registry, topology, subDevices, onFailure }: GatewayNoticesPorts): GatewayNotices {
  let messageId = 0;
  const nextId = () => String(++messageId);
  const namesOf = ({ productKey, deviceName }: Names) => ({ productKey, deviceName });

  function sendError(gateway: Names, device: Names, [code, message]: readonly [number, string]): void {
    const payload = formatAlinkReply({ id: nextId(), code, message, data: namesOf(device) });
    downlink.send({ ...namesOf(gateway), topic: `/ext/error/${gateway.productKey}/${gateway.deviceName}`, payload, qos: 0 });
  }

  function request(to: Names, path: string, params: unknown): { id: string; topic: string; payload: Uint8Array } {
    const id = nextId();
    const payload = formatAlinkRequest({ id, method: path.replaceAll("/", "."), params });
    return { id, topic: `/sys/${to.productKey}/${to.deviceName}/${path}`, payload };
  }

  function sendChange(gateway: Names, devices: readonly Names[], status: number): void {
    const { topic, payload } = request(gateway, "thing/topo/change", { status, subList: devices.map(namesOf) });
    downlink.send({ ...namesOf(gateway), topic, payload, qos: 1 });
  }

  /** On the sub-device's topic, over the gateway's connection, whether it subscribed or not. */
  function pushThing(gateway: Names, device: Names, verb: "disable" | "enable" | "delete"): void {
    const { topic, payload } = request(device, `thing/${verb}`, {});
    downlink.push({ ...namesOf(gateway), topic, payload, qos: 1 });
  }

  async function followEnabled(device: Names, verb: "disable" | "enable"): Promise<void> {
    const gateway = await topology.gatewayOf(device);
    if (gateway === undefined) return;
    pushThing(gateway, device, verb);
    sendChange(gateway, [device], verb === "enable" ? topologyStatus.enabled : topologyStatus.disabled);
  }

  function followDeleted(device: Names, gateway: Names | undefined): void {
    if (gateway === undefined) return;
    pushThing(gateway, device, "delete");
    sendChange(gateway, [device], topologyStatus.deleted);
    subDevices.end(device, "deleted");
  }

  function followRegistry(change: RegistryChange): void {
    if (!("deviceName" in change)) return;
    const { productKey, deviceName } = change;
    const device = { productKey, deviceName };
    if (change.kind === "device.deleted") followDeleted(device, change.gateway);
    if (change.kind === "device.reset") {
      subDevices.end(device, "not_in_topology");
      if (change.gateway !== undefined) sendChange(change.gateway, [device], topologyStatus.deleted);
    }
    if (change.kind === "device.enabled") followEnabled(device, "enable").catch(onFailure);
    if (change.kind === "device.disabled") {
      followEnabled(device, "disable")
        .catch(onFailure)
        .finally(() => subDevices.end(device, "disabled"));
    }
  }

  registry.onChange(followRegistry);
  topology.onChange((change) => {
    if (change.kind === "found") return;
    if (change.kind === "removed") for (const device of change.devices) subDevices.end(device, "not_in_topology");
    if (change.origin === "gateway") return;
    const { created, deleted } = topologyStatus;
    sendChange(change.gateway, change.devices, change.kind === "added" ? created : deleted);
  });
  subDevices.onChange({
    closing({ gateway, device }, end) {
      const error = errorOfEnd[end];
      if (error !== undefined) sendError(gateway, device, error);
    },
    missing(gateway, device) {
      sendError(gateway, device, [520, "device no session"]);
    },
  });

  return {
    notifyAdd(gateway, devices) {
      const { id, topic, payload } = request(gateway, "thing/topo/add/notify", devices.map(namesOf));
      downlink.send({ ...namesOf(gateway), topic, payload, qos: 1 });
      return id;
    },
    // Their answers say nothing that anybody waits for.
    handlers: Object.fromEntries(answeredPaths.map((path) => [`/sys/\${productKey}/\${deviceName}/${path}_reply`, () => undefined])),
  };
}
