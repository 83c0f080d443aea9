/** The registry: rules and events above the store, a cache for connects, connection states written behind. */
import type { Clock, Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import { buildDeviceRows, checkNickname, devicesPerPiece, wishesOf } from "./device-batch.ts";
import { checkChoice, checkIdentityValue, checkText, generate } from "./identity-values.ts";
import { checkPage, defaultRegistryLimits, type RegistryLimits } from "./limits.ts";
import { LoadingCache } from "./loading-cache.ts";
import type { DeviceNaming, DeviceRow, DeviceStatusWrite, RegistryStore } from "./ports.ts";
import type { Device, NewDevice, NewProduct, Product, Registry, RegistryChange, TopicClassRecord } from "./registry.ts";
import { applyStatus, createStatusBoard } from "./status-board.ts";
import { defaultTopicClasses, parseTopicTemplate } from "./topic-templates.ts";

export interface RegistryPorts {
  store: RegistryStore;
  clock: Clock;
  random: Random;
  limits?: Partial<RegistryLimits>;
  /** By product key, for products whose devices are not named as the vendor's are. */
  namings?: Readonly<Record<string, DeviceNaming>>;
  /** Hears of what no caller can be told: `registry.status_write_failed`, `registry.listener_failed`. */
  report?: (problem: PlatformError) => void;
}

/** Tries with freshly drawn values before a clash of generated values is taken for something else. */
const drawsMax = 5;

/**
 * @example
 * const registry = createRegistry({ store: store.registry, clock: systemClock, random: systemRandom });
 * await registry.start();
 */
export function createRegistry({ store, clock, random, limits: given = {}, namings = {}, report = () => {} }: RegistryPorts): Registry {
  const limits = { ...defaultRegistryLimits, ...given };
  const devices = new LoadingCache<DeviceRow>(limits.devicesCachedMax);
  const products = new LoadingCache<Product>(limits.productsCachedMax);
  const topicClasses = new LoadingCache<readonly TopicClassRecord[]>(limits.productsCachedMax);
  const listeners: ((change: RegistryChange) => void)[] = [];
  const inTurn = createTurns();
  const statuses = createStatusBoard({
    store,
    clock,
    limits,
    onWritten(keys) {
      for (const key of keys) devices.doubt(key);
    },
    onFailed(count, cause) {
      report(new PlatformError("registry.status_write_failed", { devices: count, problem: textOf(cause) }, { cause }));
    },
  });

  function emit(change: RegistryChange): void {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (cause) {
        // The change is stored: the caller must not be told otherwise, nor the other listeners go without.
        report(new PlatformError("registry.listener_failed", { change: change.kind, problem: textOf(cause) }, { cause }));
      }
    }
  }

  function findProduct(productKey: string): Promise<Product | undefined> {
    return products.get(productKey, async () => {
      const product = await store.findProduct(productKey);
      // Many callers share it.
      return product && Object.freeze(product);
    });
  }

  async function needProduct(productKey: string): Promise<Product> {
    const product = await findProduct(productKey);
    if (product === undefined) throw new PlatformError("registry.product_not_found", { productKey });
    return product;
  }

  function findRow(productKey: string, deviceName: string): Promise<DeviceRow | undefined> {
    const key = keyOf(productKey, deviceName);
    return devices.get(key, async () => {
      const row = await store.findDevice(productKey, deviceName);
      return row && statuses.overlay(key, row);
    });
  }

  async function needDevice(productKey: string, deviceName: string): Promise<Device> {
    const row = await findRow(productKey, deviceName);
    if (row !== undefined) return deviceOf(row);
    await needProduct(productKey);
    throw new PlatformError("registry.device_not_found", { productKey, deviceName });
  }

  function mark(write: DeviceStatusWrite): void {
    const key = keyOf(write.productKey, write.deviceName);
    statuses.mark(key, write);
    devices.amend(key, (row) => applyStatus(row, write));
  }

  async function insertProduct(wish: NewProduct): Promise<Product> {
    const style = checkChoice("registry.invalid_topic_style", wish.topicStyle ?? "user", ["user", "legacy", "none"]);
    const checked = {
      name: checkProductName(wish.name, limits),
      description: checkDescription(wish.description ?? "", limits),
      nodeType: checkChoice("registry.invalid_node_type", wish.nodeType ?? "device", ["device", "gateway"]),
      topicStyle: style,
      dataFormat: checkChoice("registry.invalid_data_format", wish.dataFormat ?? 1, [0, 1]),
      authType: checkChoice("registry.invalid_auth_type", wish.authType ?? "secret", ["secret", "x509"]),
      isRegistrationOpen: wish.isRegistrationOpen ?? false,
      isSelfRegistrationOpen: wish.isSelfRegistrationOpen ?? false,
      createdAt: clock.now(),
    };
    const { total } = await store.listProducts({ page: 1, pageSize: 1 });
    if (total >= limits.productsMax) throw new PlatformError("registry.too_many_products", { expected: limits.productsMax });

    for (let draw = 1; ; draw++) {
      const productKey = wish.productKey === undefined ? generate.productKey(random) : checkIdentityValue("productKey", wish.productKey);
      const productSecret =
        wish.productSecret === undefined ? generate.productSecret(random) : checkIdentityValue("productSecret", wish.productSecret);
      const product: Product = { productKey, productSecret, ...checked };
      const classes = defaultTopicClasses[style].map((row) => ({ ...row, productKey, description: "", createdAt: checked.createdAt }));
      const outcome = await store.insertProduct(product, classes);
      if (outcome === "ok") return product;
      if (outcome === "duplicate_name") throw new PlatformError("registry.product_name_taken", { name: wish.name });
      if (wish.productKey !== undefined || draw === drawsMax) throw new PlatformError("registry.product_key_taken", { productKey });
    }
  }

  async function insertDevices(productKey: string, wishes: readonly NewDevice[]): Promise<DeviceRow[]> {
    const received = (await store.countDevices(productKey)) + wishes.length;
    if (received > limits.devicesPerProductMax) {
      throw new PlatformError("registry.too_many_devices", { productKey, received, expected: limits.devicesPerProductMax });
    }
    for (let draw = 1; ; draw++) {
      const rows = await buildDeviceRows(productKey, wishes, clock.now(), random, limits, pause, namings[productKey]);
      const outcome = await store.insertDevices(rows);
      if (outcome.kind === "ok") return rows;
      const { deviceName } = outcome;
      const index = rows.findIndex((row) => row.deviceName === deviceName);
      const isNameTaken = (await store.findDevice(productKey, deviceName)) !== undefined;
      const isGiven = isNameTaken ? wishes[index]?.deviceName !== undefined : wishes[index]?.iotId !== undefined;
      if (!isGiven && draw < drawsMax) continue;
      if (isNameTaken) throw new PlatformError("registry.device_name_taken", { productKey, deviceName });
      throw new PlatformError("registry.iot_id_taken", { iotId: rows[index]?.iotId ?? "", deviceName });
    }
  }

  /** Sockets have their turn. */
  const pause = () => new Promise<void>((resolve) => clock.soon(resolve));

  async function createDevices(productKey: string, wishes: readonly NewDevice[]): Promise<Device[]> {
    const rows = await inTurn(async () => {
      await needProduct(productKey);
      return insertDevices(productKey, wishes);
    });
    for (const [index, row] of rows.entries()) {
      if (index > 0 && index % devicesPerPiece === 0) await pause();
      devices.forget(keyOf(productKey, row.deviceName));
      emit({ kind: "device.created", productKey, deviceName: row.deviceName, iotId: row.iotId });
    }
    return rows.map(deviceOf);
  }

  return {
    async createProduct(wish) {
      const product = await inTurn(() => insertProduct(wish));
      products.forget(product.productKey);
      topicClasses.forget(product.productKey);
      emit({ kind: "product.created", productKey: product.productKey });
      return product;
    },

    findProduct,
    peekProduct: (productKey) => products.peek(productKey),

    async getProduct(productKey) {
      const product = await needProduct(productKey);
      return { ...product, deviceCount: await store.countDevices(productKey) };
    },

    async listProducts(page, filter) {
      const { rows, total } = await store.listProducts(checkPage(page, limits), filter);
      return { ...page, items: rows, total };
    },

    async updateProduct(productKey, change) {
      if (change.name !== undefined) checkProductName(change.name, limits);
      if (change.description !== undefined) checkDescription(change.description, limits);
      await needProduct(productKey);
      const outcome = await store.updateProduct(productKey, change);
      if (outcome === "duplicate_name") throw new PlatformError("registry.product_name_taken", { name: change.name ?? "" });
      products.forget(productKey);
      return needProduct(productKey);
    },

    async deleteProduct(productKey) {
      await inTurn(async () => {
        await needProduct(productKey);
        if ((await store.countDevices(productKey)) > 0) throw new PlatformError("registry.product_has_devices", { productKey });
        await store.deleteProduct(productKey);
      });
      products.forget(productKey);
      topicClasses.forget(productKey);
      emit({ kind: "product.deleted", productKey });
    },

    async createDevice(productKey, wish) {
      const [device] = await createDevices(productKey, [wish]);
      if (device === undefined) throw new Error("one device was asked for and none was made");
      return device;
    },

    async createDevices(productKey, batch) {
      return createDevices(productKey, wishesOf(batch, limits.batchDevicesMax));
    },

    async findDevice(productKey, deviceName) {
      const row = await findRow(productKey, deviceName);
      return row && deviceOf(row);
    },

    peekDevice(productKey, deviceName) {
      const row = devices.peek(keyOf(productKey, deviceName));
      return row && deviceOf(row);
    },

    async findDeviceByIotId(iotId) {
      const named = await store.findDeviceByIotId(iotId);
      // Again by its names: that way joins the cache and the states on their way.
      const row = named && (await findRow(named.productKey, named.deviceName));
      return row?.iotId === iotId ? deviceOf(row) : undefined;
    },

    getDevice: needDevice,

    async listDevices(productKey, page, filter = {}) {
      checkPage(page, limits);
      if (productKey !== undefined) await needProduct(productKey);
      // The database filters by status, so it must know what is on its way.
      await statuses.flush();
      const { rows, total } = await store.listDevices(productKey, page, filter);
      const items = rows.map((row) => deviceOf(statuses.overlay(keyOf(row.productKey, row.deviceName), row)));
      return { ...page, items, total };
    },

    async updateDevice(productKey, deviceName, change) {
      if (change.nickname !== undefined) checkNickname(change.nickname, limits);
      await needDevice(productKey, deviceName);
      await store.updateDevice(productKey, deviceName, { ...change, modifiedAt: clock.now() });
      devices.forget(keyOf(productKey, deviceName));
      return needDevice(productKey, deviceName);
    },

    async setDeviceEnabled(productKey, deviceName, isEnabled) {
      const before = await needDevice(productKey, deviceName);
      if (before.isEnabled === isEnabled) return before;
      await store.updateDevice(productKey, deviceName, { isEnabled, modifiedAt: clock.now() });
      devices.forget(keyOf(productKey, deviceName));
      emit({ kind: isEnabled ? "device.enabled" : "device.disabled", productKey, deviceName, iotId: before.iotId });
      return needDevice(productKey, deviceName);
    },

    async deleteDevice(productKey, deviceName) {
      const { iotId } = await needDevice(productKey, deviceName);
      const { gateway } = await store.deleteDevice(productKey, deviceName);
      const key = keyOf(productKey, deviceName);
      statuses.forget(key);
      devices.forget(key);
      emit({ kind: "device.deleted", productKey, deviceName, iotId, ...(gateway === undefined ? {} : { gateway }) });
    },

    async renewDeviceSecret(productKey, deviceName) {
      const { activatedAt } = await needDevice(productKey, deviceName);
      if (activatedAt !== undefined) return undefined;
      const isReplaced = await store.replaceSecret(productKey, deviceName, generate.deviceSecret(random), clock.now());
      devices.forget(keyOf(productKey, deviceName));
      return isReplaced ? needDevice(productKey, deviceName) : undefined;
    },

    async resetDevice(productKey, deviceName) {
      const { iotId } = await needDevice(productKey, deviceName);
      // What is on its way would activate it again.
      await statuses.flush();
      const { gateway } = await store.resetDevice(productKey, deviceName, clock.now());
      devices.forget(keyOf(productKey, deviceName));
      emit({ kind: "device.reset", productKey, deviceName, iotId, ...(gateway === undefined ? {} : { gateway }) });
      return needDevice(productKey, deviceName);
    },

    markOnline(productKey, deviceName, at, remoteAddress) {
      mark({ productKey, deviceName, isOnline: true, activatedAt: at, lastOnlineAt: at, remoteAddress });
    },

    markOffline(productKey, deviceName, at) {
      mark({ productKey, deviceName, isOnline: false, lastOfflineAt: at });
    },

    async createTopicClass(productKey, wish) {
      const template = parseTopicTemplate(wish.topic, wish.operation, productKey, limits);
      const description = checkDescription(wish.description ?? "", limits);
      const record = await inTurn(async () => {
        await needProduct(productKey);
        if ((await store.listTopicClasses(productKey)).length >= limits.topicClassesPerProductMax) {
          throw new PlatformError("registry.too_many_topic_classes", { productKey, expected: limits.topicClassesPerProductMax });
        }
        return store.insertTopicClass({ productKey, template, operation: wish.operation, description, createdAt: clock.now() });
      });
      if (record === "duplicate") throw new PlatformError("registry.topic_class_taken", { productKey, template });
      topicClasses.forget(productKey);
      emit({ kind: "topics.changed", productKey });
      return record;
    },

    async listTopicClasses(productKey) {
      await needProduct(productKey);
      return [...((await topicClasses.get(productKey, () => store.listTopicClasses(productKey))) ?? [])];
    },

    async updateTopicClass(id, wish) {
      const record = await store.findTopicClass(id);
      if (record === undefined) throw new PlatformError("registry.topic_class_not_found", { id });
      const { productKey } = record;
      const template = parseTopicTemplate(wish.topic, wish.operation, productKey, limits);
      const description = checkDescription(wish.description ?? record.description, limits);
      const change = { template, operation: wish.operation, description };
      if ((await store.updateTopicClass(id, change)) === "duplicate")
        throw new PlatformError("registry.topic_class_taken", { productKey, template });
      topicClasses.forget(productKey);
      emit({ kind: "topics.changed", productKey });
      return { ...record, ...change };
    },

    async deleteTopicClass(id) {
      const record = await store.findTopicClass(id);
      if (record === undefined) throw new PlatformError("registry.topic_class_not_found", { id });
      await store.deleteTopicClass(id);
      topicClasses.forget(record.productKey);
      emit({ kind: "topics.changed", productKey: record.productKey });
    },

    onChange(listener) {
      listeners.push(listener);
    },

    async start() {
      await store.markAllOffline(clock.now());
    },

    close: () => statuses.close(),
  };
}

function keyOf(productKey: string, deviceName: string): string {
  return `${productKey}/${deviceName}`;
}

function deviceOf({ isOnline, ...row }: DeviceRow): Device {
  return { ...row, status: statusOf(row, isOnline) };
}

function statusOf(row: Pick<Device, "isEnabled" | "activatedAt">, isOnline: boolean): Device["status"] {
  if (!row.isEnabled) return "DISABLE";
  if (isOnline) return "ONLINE";
  return row.activatedAt === undefined ? "UNACTIVE" : "OFFLINE";
}

function checkProductName(name: string, limits: RegistryLimits): string {
  return checkText("registry.invalid_product_name", name, 1, limits.productNameCharactersMax);
}

function checkDescription(description: string, limits: RegistryLimits): string {
  return checkText("registry.invalid_description", description, 0, limits.descriptionCharactersMax);
}

/** Counting and inserting must not interleave with another caller's, or both pass a limit that has room for one. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work, work);
    last = result;
    return result;
  };
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
