/** Remote configuration: one JSON file for all devices of a product. */
import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import type { Background } from "./background.ts";
import type { ConfigOffer, Configs, ConfigVersion, ServiceDownlink } from "./device-services.ts";
import type { FileLinks } from "./file-links.ts";
import type { DeviceServicesLimits } from "./limits.ts";
import type { ConfigStore } from "./ports.ts";

export interface ConfigsPorts {
  store: ConfigStore;
  registry: Pick<Registry, "getProduct" | "listDevices">;
  downlink: Pick<ServiceDownlink, "tellConfig">;
  links: Pick<FileLinks, "link">;
  clock: Pick<Clock, "now">;
  limits: DeviceServicesLimits;
  background: Pick<Background, "run" | "pause" | "isClosed">;
}

export function createConfigs(ports: ConfigsPorts): Configs {
  const { store, registry, downlink, links, clock, limits, background } = ports;
  /** The push that runs for a product; a newer one ends it. */
  const pushes = new Map<string, object>();

  const offered = (version: ConfigVersion): ConfigOffer => ({ ...version, url: links.link("c", String(version.id)) });

  async function newest(productKey: string): Promise<ConfigVersion | undefined> {
    return (await store.versions(productKey))[0];
  }

  async function pushAll(productKey: string, version: ConfigVersion, push: object): Promise<void> {
    const pageSize = limits.pushDevicesPerTurn;
    for (let page = 1; pushes.get(productKey) === push && !background.isClosed; page++) {
      const { items, total } = await registry.listDevices(productKey, { page, pageSize }, { status: "ONLINE" });
      const offer = offered(version);
      for (const { deviceName } of items) downlink.tellConfig({ productKey, deviceName }, offer);
      if (items.length === 0 || page * pageSize >= total) break;
      await background.pause(limits.pushPauseMilliseconds);
    }
    if (pushes.get(productKey) === push) pushes.delete(productKey);
  }

  return {
    async state(productKey) {
      await registry.getProduct(productKey);
      const versions = await store.versions(productKey);
      const current = versions[0];
      return { isEnabled: await store.isEnabled(productKey), ...(current === undefined ? {} : { current }), versions };
    },

    async content(productKey, id) {
      await registry.getProduct(productKey);
      const found = await store.content(id);
      if (found?.productKey !== productKey) throw new PlatformError("device_services.config_not_found", { productKey });
      return found.content;
    },

    async save(productKey, content) {
      await registry.getProduct(productKey);
      const bytes = content.byteLength;
      if (bytes > limits.configBytesMax) {
        throw new PlatformError("device_services.config_too_large", { received: bytes, expected: limits.configBytesMax });
      }
      if (!isJson(content)) throw new PlatformError("device_services.config_not_json", { received: `${bytes} bytes` });
      const sha256 = createHash("sha256").update(content).digest("hex");
      return store.insert(productKey, { bytes, sha256, createdAt: clock.now(), content }, limits.configVersionsMax);
    },

    async setEnabled(productKey, isEnabled) {
      await registry.getProduct(productKey);
      await store.setEnabled(productKey, isEnabled);
    },

    async offer(productKey) {
      if (!(await store.isEnabled(productKey))) return "off";
      const version = await newest(productKey);
      return version === undefined ? "none" : offered(version);
    },

    async push(productKey) {
      await registry.getProduct(productKey);
      if (!(await store.isEnabled(productKey))) throw new PlatformError("device_services.config_off", { productKey });
      const version = await newest(productKey);
      if (version === undefined) throw new PlatformError("device_services.config_not_found", { productKey });
      const push = {};
      pushes.set(productKey, push);
      background.run(() => pushAll(productKey, version, push));
      return version;
    },
  };
}

function isJson(content: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
    return true;
  } catch {
    return false;
  }
}
