/** Gateways register devices and say who is behind them (alibaba-device.md, 6.1 and 6.2). */
import {
  type DeviceNames,
  isDeviceName,
  type RegistrationDialect,
  readSubDeviceClaim,
  registrationAnswerOf,
  verifySubDevice,
} from "@thingstead/dialects";
import type { Registrar, SubDevices } from "../../access/index.ts";
import { PlatformError } from "../../errors/index.ts";
import type { DeviceIdentity, Registry, Topology } from "../../registry/index.ts";
import {
  createGatewayHandler,
  type GatewayAction,
  type GatewayAnswerPorts,
  GatewayRefusal,
  readItems,
  readNames,
} from "./gateway-answers.ts";
import type { AlibabaBindingLimits } from "./limits.ts";
import type { UplinkHandlers } from "./uplink.ts";

export interface GatewayTopologyPorts extends GatewayAnswerPorts {
  registration: RegistrationDialect;
  registrar: Pick<Registrar, "register">;
  registry: Pick<Registry, "findProduct" | "findDevice">;
  topology: Topology;
  subDevices: Pick<SubDevices, "logout">;
  limits: AlibabaBindingLimits;
}

const codeOfError: Readonly<Record<string, number>> = {
  "registry.product_not_found": 6100,
  "registry.device_not_found": 6100,
  "registry.not_a_gateway": 460,
  "registry.gateway_itself": 6402,
  "registry.too_many_sub_devices": 6400,
  "registry.not_a_sub_device": 6401,
};
/** Devices read at a time. */
const pageSize = 500;

export function createGatewayTopologyHandlers(ports: GatewayTopologyPorts): UplinkHandlers {
  const { registry, topology, limits } = ports;

  const namesOf = ({ productKey, deviceName }: DeviceNames): DeviceNames => ({ productKey, deviceName });

  /** The registry's "no" in the cloud's numbers. */
  async function orRefusal<T>(work: Promise<T>): Promise<T | GatewayRefusal> {
    try {
      return await work;
    } catch (error) {
      const code = error instanceof PlatformError ? codeOfError[error.code] : undefined;
      if (code === undefined) throw error;
      return new GatewayRefusal(code, (error as PlatformError).message);
    }
  }

  /** The gateway is trusted: nothing is signed. */
  const register: GatewayAction = async ({ device: gateway }, params) => {
    const names = readNames(params, limits.gatewayItemsMax);
    if (names instanceof GatewayRefusal) return names;
    const registered: object[] = [];
    for (const each of names) {
      const product = await registry.findProduct(each.productKey);
      if (product === undefined) return new GatewayRefusal(5005, `product not found: ${each.productKey}`);
      if (!product.isRegistrationOpen) return new GatewayRefusal(6288, `dynamic registration of ${each.productKey} is closed`);
      const device = await registry.findDevice(each.productKey, each.deviceName);
      if (device === undefined) return new GatewayRefusal(6100, `device not found: ${each.deviceName}`);
      if (!device.isEnabled) return new GatewayRefusal(6204, `device disabled: ${each.deviceName}`);
      const other = await topology.gatewayOf(each);
      if (other !== undefined && other.iotId !== gateway.iotId)
        return new GatewayRefusal(6619, `bound to another gateway: ${each.deviceName}`);
      registered.push({ iotId: device.iotId, ...namesOf(each), deviceSecret: device.deviceSecret });
    }
    return registered;
  };

  const unregister: GatewayAction = async ({ device: gateway }, params) => {
    const names = readNames(params, limits.gatewayItemsMax);
    if (names instanceof GatewayRefusal) return names;
    for (const each of names) {
      if ((await registry.findDevice(each.productKey, each.deviceName)) === undefined) continue;
      if ((await topology.gatewayOf(each))?.iotId !== gateway.iotId) continue;
      ports.subDevices.logout(gateway, [each]);
      await topology.remove(gateway, [each], "gateway");
    }
    return {};
  };

  /** Each device proves itself with the secret of its product; some may succeed while others fail. */
  const registerByProduct: GatewayAction = async ({ device: gateway }, params) => {
    const items = readItems((params as { proxieds?: unknown } | null)?.proxieds, limits.gatewayItemsMax);
    if (items instanceof GatewayRefusal) return items;
    const remoteAddress = (await registry.findDevice(gateway.productKey, gateway.deviceName))?.remoteAddress ?? "";
    const successes: object[] = [];
    const failures: object[] = [];
    for (const item of items) {
      const claim = ports.registration.read(textsOf(item));
      const outcome = claim.kind === "refused" ? claim : await ports.registrar.register(ports.registration, claim, remoteAddress);
      const { productKey, deviceName } = textsOf(item);
      if (outcome.kind === "refused") failures.push({ productKey, deviceName, errorDetail: registrationAnswerOf(outcome.code) });
      else successes.push({ productKey, deviceName, deviceSecret: outcome.device.deviceSecret });
    }
    return { successes, failures };
  };

  const add: GatewayAction = async ({ device: gateway }, params) => {
    const items = readItems(params, limits.gatewayItemsMax);
    if (items instanceof GatewayRefusal) return items;
    const names: DeviceNames[] = [];
    for (const item of items) {
      const claim = readSubDeviceClaim(item);
      if (claim.kind === "refused") return new GatewayRefusal(460, `${claim.received}; expected ${claim.expected}`);
      const device = await registry.findDevice(claim.productKey, claim.deviceName);
      if (device === undefined) return new GatewayRefusal(6100, `device not found: ${claim.deviceName}`);
      if (!device.isEnabled) return new GatewayRefusal(6204, `device disabled: ${claim.deviceName}`);
      if (verifySubDevice(claim, device.deviceSecret).kind === "refused") {
        return new GatewayRefusal(401, `invalid sign; the signed text is ${claim.signedText}`);
      }
      names.push(namesOf(claim));
    }
    const added = await orRefusal(topology.add(gateway, names, "gateway"));
    return added instanceof GatewayRefusal ? added : names;
  };

  const remove: GatewayAction = async ({ device: gateway }, params) => {
    const names = readNames(params, limits.gatewayItemsMax);
    if (names instanceof GatewayRefusal) return names;
    for (const each of names) {
      const found = await orRefusal(topology.gatewayOf(each));
      if (found instanceof GatewayRefusal) return found;
      if (found?.iotId !== gateway.iotId) return new GatewayRefusal(6401, `topo relation not exist: ${each.deviceName}`);
    }
    for (const each of names) ports.subDevices.logout(gateway, [each]);
    const removed = await orRefusal(topology.remove(gateway, names, "gateway"));
    return removed instanceof GatewayRefusal ? removed : names;
  };

  const list: GatewayAction = async ({ device: gateway }) => {
    const all: DeviceIdentity[] = [];
    for (let page = 1; ; page++) {
      const { items, total } = await topology.list(gateway, { page, pageSize });
      all.push(...items);
      if (items.length === 0 || all.length >= total) return all.map(namesOf);
    }
  };

  const found: GatewayAction = async ({ device: gateway }, params) => {
    const names = readNames(params, limits.gatewayItemsMax);
    if (names instanceof GatewayRefusal) return names;
    const devices: (DeviceNames & { iotId?: string })[] = [];
    for (const each of names) {
      if ((await registry.findProduct(each.productKey)) === undefined)
        return new GatewayRefusal(6250, `product not found: ${each.productKey}`);
      if (!isDeviceName(each.deviceName)) return new GatewayRefusal(6280, `malformed device name: ${each.deviceName}`);
      const device = await registry.findDevice(each.productKey, each.deviceName);
      devices.push(device === undefined ? each : { ...each, iotId: device.iotId });
    }
    topology.found(identityOf(gateway), devices);
    return {};
  };

  const paths: readonly (readonly [path: string, action: GatewayAction])[] = [
    ["thing/sub/register", register],
    ["thing/sub/unregister", unregister],
    ["thing/proxy/provisioning/product_register", registerByProduct],
    ["thing/topo/add", add],
    ["thing/topo/delete", remove],
    ["thing/topo/get", list],
    ["thing/list/found", found],
  ];
  return Object.fromEntries(
    paths.map(([path, action]) => [
      `/sys/\${productKey}/\${deviceName}/${path}`,
      createGatewayHandler(ports, action, path.replaceAll("/", ".")),
    ]),
  );
}

function identityOf({ productKey, deviceName, iotId }: DeviceIdentity): DeviceIdentity {
  return { productKey, deviceName, iotId };
}

/** The members of an item that are texts. */
function textsOf(item: unknown): Record<string, string> {
  if (typeof item !== "object" || item === null) return {};
  return Object.fromEntries(Object.entries(item).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
