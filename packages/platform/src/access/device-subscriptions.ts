/** What one device has subscribed, whoever's connection it uses. */
import type { Dialect } from "@thingstead/dialects";
import type { Broker } from "@thingstead/mqtt";
import { PlatformError } from "../errors/index.ts";
import type { SubDevices } from "./sub-devices.ts";
import { sessionIdOf } from "./subject.ts";

export interface DeviceSubscriptionsPorts {
  broker: Pick<Broker, "subscriptionsOf" | "subscribe" | "unsubscribe" | "committed">;
  subDevices: Pick<SubDevices, "routeOf">;
  dialects: readonly Pick<Dialect, "deviceOf">[];
}

export interface DeviceSubscriptions {
  /** Filters, in no order. A gateway's own list has none of its sub-devices' topics. */
  list(productKey: string, deviceName: string): string[];
  /**
   * On the device's behalf and with its rights, all or none; stored when it resolves. Throws `access.no_session` for a device that has not
   * connected since the start, `access.*` and `mqtt.*` for a filter that is refused.
   */
  subscribe(productKey: string, deviceName: string, filters: readonly string[]): Promise<void>;
  /** What is not subscribed is passed over. Throws `access.no_session`. */
  unsubscribe(productKey: string, deviceName: string, filters: readonly string[]): Promise<void>;
}

export function createDeviceSubscriptions({ broker, subDevices, dialects }: DeviceSubscriptionsPorts): DeviceSubscriptions {
  const ownerOf = (filter: string) => {
    for (const dialect of dialects) {
      const owner = dialect.deviceOf(filter);
      if (owner !== undefined) return sessionIdOf(owner.productKey, owner.deviceName);
    }
    return undefined;
  };
  const sessionOf = (productKey: string, deviceName: string) =>
    subDevices.routeOf(productKey, deviceName)?.sessionId ?? sessionIdOf(productKey, deviceName);

  function check(outcome: ReturnType<Broker["subscribe"]>, deviceName: string): void {
    if (outcome === "no_session") throw new PlatformError("access.no_session", { received: deviceName });
    if (outcome === "ok") return;
    const { code, received = "a topic", expected = "another topic" } = outcome;
    throw new PlatformError(code, { received, expected });
  }

  /** Through a gateway's session everything that the gateway may do would be allowed. */
  function refuseOthers(own: string, filters: readonly string[]): void {
    const foreign = filters.find((filter) => (ownerOf(filter) ?? own) !== own);
    if (foreign !== undefined) throw new PlatformError("access.topic_foreign", { received: foreign, expected: `a topic of ${own}` });
  }

  return {
    list(productKey, deviceName) {
      const own = sessionIdOf(productKey, deviceName);
      const sessionId = sessionOf(productKey, deviceName);
      const filters = broker.subscriptionsOf(sessionId).map(({ filter }) => filter);
      return filters.filter((filter) => (ownerOf(filter) ?? sessionId) === own);
    },
    async subscribe(productKey, deviceName, filters) {
      refuseOthers(sessionIdOf(productKey, deviceName), filters);
      // The QoS of a delivery is its publisher's.
      check(broker.subscribe(sessionOf(productKey, deviceName), filters, 1), deviceName);
      await broker.committed();
    },
    async unsubscribe(productKey, deviceName, filters) {
      refuseOthers(sessionIdOf(productKey, deviceName), filters);
      check(broker.unsubscribe(sessionOf(productKey, deviceName), filters), deviceName);
      await broker.committed();
    },
  };
}
