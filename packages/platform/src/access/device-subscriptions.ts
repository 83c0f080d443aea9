/** What one device has subscribed, whoever's connection it uses. */
import type { Dialect } from "@thingstead/dialects";
import type { Broker } from "@thingstead/mqtt";
import type { SubDevices } from "./sub-devices.ts";
import { sessionIdOf } from "./subject.ts";

export interface DeviceSubscriptionsPorts {
  broker: Pick<Broker, "subscriptionsOf">;
  subDevices: Pick<SubDevices, "routeOf">;
  dialects: readonly Pick<Dialect, "deviceOf">[];
}

/** Filters, in no order. A gateway's own list has none of its sub-devices' topics. */
export type DeviceSubscriptions = (productKey: string, deviceName: string) => string[];

export function createDeviceSubscriptions({ broker, subDevices, dialects }: DeviceSubscriptionsPorts): DeviceSubscriptions {
  const ownerOf = (filter: string) => {
    for (const dialect of dialects) {
      const owner = dialect.deviceOf(filter);
      if (owner !== undefined) return sessionIdOf(owner.productKey, owner.deviceName);
    }
    return undefined;
  };
  return (productKey, deviceName) => {
    const own = sessionIdOf(productKey, deviceName);
    const sessionId = subDevices.routeOf(productKey, deviceName)?.sessionId ?? own;
    const filters = broker.subscriptionsOf(sessionId).map(({ filter }) => filter);
    return filters.filter((filter) => (ownerOf(filter) ?? sessionId) === own);
  };
}
