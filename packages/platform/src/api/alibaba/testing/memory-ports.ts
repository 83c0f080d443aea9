/** The domain rooms in memory, for tests of this room: real behaviour on plain maps, no store. */
import type { Tap } from "@thingstead/mqtt";
import type { Clock, Random } from "../../../clock.ts";
import { PlatformError } from "../../../errors/index.ts";
import type { CloudPublish, Messages } from "../../../messages/index.ts";
import type { Device, Page, Paged, Product, Registry, TopicClassRecord } from "../../../registry/index.ts";
import type { Rule, RuleEngine } from "../../../rules/index.ts";
import type { AlibabaApiPorts } from "../alibaba-api.ts";
import { defaultAlibabaApiLimits } from "../limits.ts";

export const accessKeyId = "testid";
export const accessKeySecret = "testsecret";
export const startTime = Date.UTC(2024, 0, 2, 3, 4, 5);

export interface MemoryPorts extends AlibabaApiPorts {
  published: CloudPublish[];
  /** Changes a stored device past the registry's door, as connections do. */
  devices: Map<string, Device>;
}

export function createMemoryPorts({ clock }: { clock: Clock }): MemoryPorts {
  let count = 0;
  const random: Random = { bytes: (length) => Buffer.alloc(length, ++count) };
  const published: CloudPublish[] = [];
  const devices = new Map<string, Device>();
  return {
    registry: createMemoryRegistry(devices, clock),
    rules: createMemoryRules(clock),
    messages: createMemoryMessages(published),
    accessKeys: { findSecret: (keyId) => (keyId === accessKeyId ? accessKeySecret : undefined) },
    clock,
    random,
    limits: defaultAlibabaApiLimits,
    region: "cn-shanghai",
    instanceIds: ["iot-06z00test"],
    published,
    devices,
  };
}

function pageOf<T>(all: readonly T[], { page, pageSize }: Page): Paged<T> {
  return { page, pageSize, total: all.length, items: all.slice((page - 1) * pageSize, page * pageSize) };
}

function createMemoryMessages(published: CloudPublish[]): Messages {
  return {
    async publish(message) {
      if (message.topic.includes("refused"))
        throw new PlatformError("registry.invalid_topic", { received: message.topic, expected: "another" });
      published.push(message);
      return { messageId: "1234567890123456789", delivered: 1, queued: 0 };
    },
  };
}

function createMemoryRegistry(devices: Map<string, Device>, clock: Clock): Registry {
  const products = new Map<string, Product>();
  const topicClasses: TopicClassRecord[] = [];
  let count = 0;

  const devicesOf = (productKey: string) => [...devices.values()].filter((device) => device.productKey === productKey);
  const getProduct: Registry["getProduct"] = async (productKey) => {
    const product = products.get(productKey);
    if (product === undefined) throw new PlatformError("registry.product_not_found", { productKey });
    return { ...product, deviceCount: devicesOf(productKey).length };
  };
  const getDevice: Registry["getDevice"] = async (productKey, deviceName) => {
    await getProduct(productKey);
    const device = devices.get(`${productKey}/${deviceName}`);
    if (device === undefined) throw new PlatformError("registry.device_not_found", { productKey, deviceName });
    return device;
  };
  const createDevice: Registry["createDevice"] = async (productKey, { deviceName = `generated${++count}`, nickname = "" }) => {
    await getProduct(productKey);
    const key = `${productKey}/${deviceName}`;
    if (devices.has(key)) throw new PlatformError("registry.device_name_taken", { productKey, deviceName });
    const [iotId, deviceSecret, now] = [`iot${++count}`, `secret-of-${deviceName}`, clock.now()];
    const times = { createdAt: now, modifiedAt: now };
    devices.set(key, { iotId, productKey, deviceName, deviceSecret, nickname, status: "UNACTIVE", isEnabled: true, ...times });
    return getDevice(productKey, deviceName);
  };

  return {
    async createProduct(product) {
      if ([...products.values()].some(({ name }) => name === product.name)) {
        throw new PlatformError("registry.product_name_taken", { name: product.name });
      }
      const productKey = product.productKey ?? `a1Test${++count}`;
      const { name, description = "", nodeType = "device", topicStyle = "user", dataFormat = 0 } = product;
      products.set(productKey, {
        ...{ productKey, name, description, nodeType, topicStyle, dataFormat },
        productSecret: "product-secret",
        createdAt: clock.now(),
      });
      return getProduct(productKey);
    },
    findProduct: async (productKey) => products.get(productKey),
    getProduct,
    listProducts: async (page) => pageOf(await Promise.all([...products.keys()].map(getProduct)), page),
    async updateProduct(productKey, change) {
      Object.assign(products.get(productKey) ?? (await getProduct(productKey)), change);
      return getProduct(productKey);
    },
    async deleteProduct(productKey) {
      const { deviceCount } = await getProduct(productKey);
      if (deviceCount > 0) throw new PlatformError("registry.product_has_devices", { productKey });
      products.delete(productKey);
    },
    createDevice,
    async createDevices(productKey, batch) {
      const wanted = "count" in batch ? Array.from({ length: batch.count }, () => ({})) : batch.devices;
      return Promise.all(wanted.map((device) => createDevice(productKey, device)));
    },
    findDevice: async (productKey, deviceName) => devices.get(`${productKey}/${deviceName}`),
    findDeviceByIotId: async (iotId) => [...devices.values()].find((device) => device.iotId === iotId),
    getDevice,
    async listDevices(productKey, page) {
      if (productKey === undefined) return pageOf([...devices.values()], page);
      await getProduct(productKey);
      return pageOf(devicesOf(productKey), page);
    },
    async updateDevice(productKey, deviceName, change) {
      return Object.assign(await getDevice(productKey, deviceName), change);
    },
    async setDeviceEnabled(productKey, deviceName, isEnabled) {
      const device = await getDevice(productKey, deviceName);
      return Object.assign(device, { isEnabled, status: isEnabled ? "OFFLINE" : "DISABLE", modifiedAt: clock.now() });
    },
    async deleteDevice(productKey, deviceName) {
      await getDevice(productKey, deviceName);
      devices.delete(`${productKey}/${deviceName}`);
    },
    markOnline: () => {},
    markOffline: () => {},
    async createTopicClass(productKey, { topic, operation, description = "" }) {
      await getProduct(productKey);
      const template = `/\${productKey}/\${deviceName}/${topic}`;
      const record = { id: ++count, productKey, template, operation, description, createdAt: clock.now() };
      topicClasses.push(record);
      return record;
    },
    async listTopicClasses(productKey) {
      await getProduct(productKey);
      return topicClasses.filter((topicClass) => topicClass.productKey === productKey);
    },
    async deleteTopicClass(id) {
      const at = topicClasses.findIndex((topicClass) => topicClass.id === id);
      if (at < 0) throw new PlatformError("registry.topic_class_not_found", { id });
      topicClasses.splice(at, 1);
    },
    onChange: () => {},
    start: async () => {},
    close: async () => {},
  };
}

function createMemoryRules(clock: Clock): RuleEngine {
  const rules = new Map<number, Rule>();
  let count = 0;
  const get: RuleEngine["get"] = async (id) => {
    const rule = rules.get(id);
    if (rule === undefined) throw new PlatformError("rules.not_found", { id });
    return rule;
  };
  return {
    async create({ name, description = "", sql = "", dataType = "json" }) {
      const id = ++count;
      const statistics = { matched: 0, passed: 0, failed: 0, dropped: 0, deadLetters: 0 };
      const times = { createdAt: clock.now(), modifiedAt: clock.now() };
      rules.set(id, { id, name, description, sql, dataType, isRunning: false, actions: [], statistics, ...times });
      return get(id);
    },
    get,
    list: async (page) => pageOf([...rules.values()], page),
    update: async (id, { actions: _, ...change }) => Object.assign(await get(id), change),
    async delete(id) {
      if ((await get(id)).isRunning) throw new PlatformError("rules.running", { id });
      rules.delete(id);
    },
    async start(id) {
      const rule = await get(id);
      if (rule.actions.length === 0) throw new PlatformError("rules.no_action", { id });
      if (rule.isRunning) throw new PlatformError("rules.already_running", { id });
      return Object.assign(rule, { isRunning: true });
    },
    stop: async (id) => Object.assign(await get(id), { isRunning: false }),
    async addAction(ruleId, action) {
      const record = { id: ++count, ruleId, action };
      (await get(ruleId)).actions.push(record);
      return record;
    },
    async removeAction(actionId) {
      for (const rule of rules.values()) rule.actions = rule.actions.filter(({ id }) => id !== actionId);
    },
    check: () => ({ problems: [] }),
    listDeadLetters: async (_ruleId, page) => pageOf([], page),
    retryDeadLetter: async () => {},
    deleteDeadLetter: async () => {},
    tapsFor: (): readonly Tap[] => [],
    onChange: () => {},
    offer: () => {},
    open: async () => {},
    close: async () => {},
  };
}
