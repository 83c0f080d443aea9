/** Sub-devices log in and out over their gateway (alibaba-device.md, 6.3 to 6.5). */
import { readSubDeviceClaim, readSubDeviceNames, type SubDeviceClaim, verifySubDevice } from "@thingstead/dialects";
import type { LoginOutcome, SubDevices } from "../../access/index.ts";
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

export interface GatewaySessionsPorts extends GatewayAnswerPorts {
  registry: Pick<Registry, "findDevice">;
  topology: Pick<Topology, "gatewayOf">;
  subDevices: Pick<SubDevices, "login" | "logout">;
  limits: AlibabaBindingLimits;
}

const refusals: Readonly<Record<Exclude<LoginOutcome, "ok">, readonly [code: number, message: string]>> = {
  too_many: [428, "too many subdevices under gateway"],
  too_often: [429, "rate limit, too many subDeviceOnline msg in one minute"],
  gateway_offline: [500, "the gateway is not connected"],
};

export function createGatewaySessionHandlers(ports: GatewaySessionsPorts): UplinkHandlers {
  const { registry, topology, subDevices, limits } = ports;

  async function check(gateway: DeviceIdentity, claim: SubDeviceClaim): Promise<DeviceIdentity | GatewayRefusal> {
    const { productKey, deviceName } = claim;
    const device = await registry.findDevice(productKey, deviceName);
    if (device === undefined) return new GatewayRefusal(6100, "device not found");
    if (!device.isEnabled) return new GatewayRefusal(522, "device forbidden");
    if (verifySubDevice(claim, device.deviceSecret).kind === "refused") {
      return new GatewayRefusal(6287, `invalid sign; the signed text is ${claim.signedText}`);
    }
    if ((await topology.gatewayOf(claim))?.iotId !== gateway.iotId) return new GatewayRefusal(6401, "topo relation not exist");
    return { productKey, deviceName, iotId: device.iotId };
  }

  /** All or none. Whatever becomes of it, `data` tells whom it was about. */
  async function loginAll(
    gateway: DeviceIdentity,
    items: readonly unknown[],
    shape: (names: unknown[]) => unknown,
  ): Promise<GatewayRefusal | object> {
    const data = shape(items.map((item) => readSubDeviceNames(item) ?? {}));
    const logins: Parameters<SubDevices["login"]>[1][number][] = [];
    for (const item of items) {
      const claim = readSubDeviceClaim(item);
      if (claim.kind === "refused") return new GatewayRefusal(460, `${claim.received}; expected ${claim.expected}`, data);
      const device = await check(gateway, claim);
      if (device instanceof GatewayRefusal) return new GatewayRefusal(device.code, device.message, data);
      logins.push({ device, traits: claim.traits });
    }
    const outcome = await subDevices.login(gateway, logins);
    return outcome === "ok" ? (data as object) : new GatewayRefusal(...refusals[outcome], data);
  }

  const login: GatewayAction = ({ device }, params) => loginAll(identityOf(device), [params], ([first]) => first);

  const batchLogin: GatewayAction = async ({ device }, params) => {
    const items = readItems((params as { deviceList?: unknown } | null)?.deviceList, limits.batchSessionsMax);
    return items instanceof GatewayRefusal ? items : loginAll(identityOf(device), items, (names) => names);
  };

  const logout: GatewayAction = async ({ device }, params) => {
    const names = readSubDeviceNames(params);
    if (names === undefined) return new GatewayRefusal(460, "params must have productKey and deviceName");
    return subDevices.logout(device, [names]) ? names : new GatewayRefusal(520, "device no session", names);
  };

  const batchLogout: GatewayAction = async ({ device }, params) => {
    const names = readNames(params, limits.batchSessionsMax);
    if (names instanceof GatewayRefusal) return names;
    return subDevices.logout(device, names) ? names : new GatewayRefusal(520, "device no session", names);
  };

  const actions = { login, logout, batch_login: batchLogin, batch_logout: batchLogout };
  return Object.fromEntries(
    Object.entries(actions).map(([name, action]) => [
      `/ext/session/\${productKey}/\${deviceName}/combine/${name}`,
      createGatewayHandler(ports, action),
    ]),
  );
}

function identityOf({ productKey, deviceName, iotId }: DeviceIdentity): DeviceIdentity {
  return { productKey, deviceName, iotId };
}
