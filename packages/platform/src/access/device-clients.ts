/** The physical devices behind the names of one that registered itself (alibaba-device.md, 2.6). */
import type { Broker } from "@thingstead/mqtt";
import type { Registry } from "../registry/index.ts";
import { sessionIdOf } from "./subject.ts";
import type { DeviceTokenStore } from "./tokens.ts";

export interface DeviceClientsPorts {
  registry: Pick<Registry, "getDevice">;
  store: Pick<DeviceTokenStore, "list" | "deleteAll">;
  broker: Pick<Broker, "kick">;
}

/** Throws `registry.*` for unknown names. */
export interface DeviceClients {
  list(productKey: string, deviceName: string): Promise<{ clientId: string; createdAt: number }[]>;
  /** Whoever is connected under these names is cut: who has a secret of their own comes back. */
  removeAll(productKey: string, deviceName: string): Promise<void>;
}

export function createDeviceClients({ registry, store, broker }: DeviceClientsPorts): DeviceClients {
  return {
    async list(productKey, deviceName) {
      await registry.getDevice(productKey, deviceName);
      return store.list(productKey, deviceName);
    },
    async removeAll(productKey, deviceName) {
      await registry.getDevice(productKey, deviceName);
      await store.deleteAll(productKey, deviceName);
      const sessionId = sessionIdOf(productKey, deviceName);
      broker.kick(sessionId, "kicked", { code: "access.device_token_invalid", received: sessionId });
    },
  };
}
