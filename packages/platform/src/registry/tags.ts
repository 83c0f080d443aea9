/** Tags of devices and products: what their owners want to remember of them and find them by. */
import { PlatformError } from "../errors/index.ts";
import { checkText, shown } from "./identity-values.ts";
import { checkPage, type RegistryLimits } from "./limits.ts";
import type { TagStore } from "./ports.ts";
import type { DeviceIdentity, Page, Paged, Registry } from "./registry.ts";

export type TagMap = Readonly<Record<string, string>>;

export interface TagsPorts {
  registry: Pick<Registry, "getDevice" | "findProduct">;
  store: TagStore;
  limits: RegistryLimits;
}

export interface TagsChange {
  device: DeviceIdentity;
  /** What was set; undefined = deleted. */
  tags: Readonly<Record<string, string | undefined>>;
}

/**
 * Throws `registry.product_not_found`, `registry.device_not_found`, `registry.invalid_tag_key`, `registry.invalid_tag_value`,
 * `registry.too_many_tags`; nothing is stored then.
 */
export interface Tags {
  deviceTags(productKey: string, deviceName: string): Promise<TagMap>;
  /** Adds and replaces; others stay. */
  setDeviceTags(productKey: string, deviceName: string, tags: TagMap): Promise<TagMap>;
  /** Keys that are not there are left alone. */
  deleteDeviceTags(productKey: string, deviceName: string, keys: readonly string[]): Promise<void>;
  productTags(productKey: string): Promise<TagMap>;
  setProductTags(productKey: string, tags: TagMap): Promise<TagMap>;
  deleteProductTags(productKey: string, keys: readonly string[]): Promise<void>;
  /** Devices that have all of these tags, by product and name. */
  devicesByTags(tags: TagMap, page: Page): Promise<Paged<DeviceIdentity>>;
  /** Keys of products that have all of these tags. */
  productsByTags(tags: TagMap, page: Page): Promise<Paged<string>>;
  /** A device's tags were changed. */
  onChange(listener: (change: TagsChange) => void): void;
}

export function createTags({ registry, store, limits }: TagsPorts): Tags {
  const listeners: ((change: TagsChange) => void)[] = [];
  const emit = (change: TagsChange) => {
    for (const listener of listeners) listener(change);
  };

  async function needProduct(productKey: string): Promise<void> {
    if ((await registry.findProduct(productKey)) === undefined) throw new PlatformError("registry.product_not_found", { productKey });
  }

  async function identify(productKey: string, deviceName: string): Promise<DeviceIdentity> {
    const { iotId } = await registry.getDevice(productKey, deviceName);
    return { productKey, deviceName, iotId };
  }

  function refuseTooMany(outcome: "ok" | "too_many"): void {
    if (outcome === "too_many") throw new PlatformError("registry.too_many_tags", { expected: limits.tagsPerObjectMax });
  }

  return {
    async deviceTags(productKey, deviceName) {
      await identify(productKey, deviceName);
      return store.deviceTags(productKey, deviceName);
    },
    async setDeviceTags(productKey, deviceName, tags) {
      checkTags(tags, limits);
      const device = await identify(productKey, deviceName);
      refuseTooMany(await store.setDeviceTags(productKey, deviceName, tags, limits.tagsPerObjectMax));
      emit({ device, tags });
      return store.deviceTags(productKey, deviceName);
    },
    async deleteDeviceTags(productKey, deviceName, keys) {
      const device = await identify(productKey, deviceName);
      const deleted = await store.deleteDeviceTags(productKey, deviceName, keys);
      if (deleted.length > 0) emit({ device, tags: Object.fromEntries(deleted.map((key) => [key, undefined])) });
    },
    async productTags(productKey) {
      await needProduct(productKey);
      return store.productTags(productKey);
    },
    async setProductTags(productKey, tags) {
      checkTags(tags, limits);
      await needProduct(productKey);
      refuseTooMany(await store.setProductTags(productKey, tags, limits.tagsPerObjectMax));
      return store.productTags(productKey);
    },
    async deleteProductTags(productKey, keys) {
      await needProduct(productKey);
      await store.deleteProductTags(productKey, keys);
    },
    async devicesByTags(tags, page) {
      checkTags(tags, limits);
      const { rows, total } = await store.devicesByTags(tags, checkPage(page, limits));
      return { ...page, items: rows, total };
    },
    async productsByTags(tags, page) {
      checkTags(tags, limits);
      const { rows, total } = await store.productsByTags(tags, checkPage(page, limits));
      return { ...page, items: rows, total };
    },
    onChange(listener) {
      listeners.push(listener);
    },
  };
}

const keyPattern = /^[A-Za-z0-9_.:@-]+$/;

/** Throws `registry.invalid_tag_key`, `registry.invalid_tag_value`, `registry.too_many_tags`. */
export function checkTags(tags: TagMap, limits: RegistryLimits): void {
  const entries = Object.entries(tags);
  if (entries.length > limits.tagsPerObjectMax) throw new PlatformError("registry.too_many_tags", { expected: limits.tagsPerObjectMax });
  for (const [key, value] of entries) {
    if (!keyPattern.test(key) || key.length > limits.tagKeyCharactersMax) {
      const expected = `1 to ${limits.tagKeyCharactersMax} letters, digits, "_", "-", ".", ":" or "@"`;
      throw new PlatformError("registry.invalid_tag_key", { received: shown(key), expected });
    }
    checkText("registry.invalid_tag_value", value, 1, limits.tagValueCharactersMax);
  }
}
