/** Test doubles of the rooms below the API: small, in memory, faithful to the contracts where the API depends on them. */
import { pino } from "pino";
import type { DeviceCertificates } from "../access/index.ts";
import { type Clock, systemRandom } from "../clock.ts";
import type { DeviceLog, LogEntry, LogQuery } from "../device-log/index.ts";
import type { DeviceServices } from "../device-services/index.ts";
import { PlatformError } from "../errors/index.ts";
import type { Fleet, QuickStart } from "../fleet/index.ts";
import type { CloudPublish, Messages } from "../messages/index.ts";
import type { Ota } from "../ota/index.ts";
import {
  createMqttUsers,
  type Device,
  type Groups,
  type MqttUserRow,
  type MqttUsers,
  type NewDevice,
  type Page,
  type Paged,
  type Product,
  type Registry,
  type Tags,
  type TopicClassRecord,
  type Topology,
} from "../registry/index.ts";
import type { DeadLetter, NewRule, Rule, RuleEngine } from "../rules/index.ts";
import { createThings, type ThingDownlink, type Things } from "../things/index.ts";
import { createAccessKeys } from "./access-keys.ts";
import type { FirmwareUploads, ScriptLinks } from "./alibaba/index.ts";
import { createAwsApi, defaultAwsApiLimits } from "./aws/index.ts";
import { createFailedAuthCounter } from "./failed-auth.ts";
import { createInMemoryScripts } from "./in-memory-scripts.ts";
import { createInMemoryHistory, createInMemoryThingModels } from "./in-memory-things.ts";
import { type ApiLimits, defaultApiLimits } from "./limits.ts";
import type { ApiPorts } from "./ports.ts";
import type { RawApiRequest } from "./raw-request.ts";

export const testKey = { id: "root", secret: "s3cret-of-the-root-key" };
const testTime = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** A clock that moves only when told. */
function createManualClock(): Clock & { advance(milliseconds: number): void } {
  let now = testTime;
  let timers: { at: number; task: () => void }[] = [];
  return {
    now: () => now,
    after(milliseconds, task) {
      const timer = { at: now + milliseconds, task };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    soon: (task) => task(),
    advance(milliseconds) {
      now += milliseconds;
      const due = timers.filter((timer) => timer.at <= now);
      timers = timers.filter((timer) => timer.at > now);
      for (const { task } of due) task();
    },
  };
}

function pageOf<T>(items: T[], { page, pageSize }: Page): Paged<T> {
  return { items: items.slice((page - 1) * pageSize, page * pageSize), page, pageSize, total: items.length };
}

function unused(name: string): never {
  throw new Error(`the API must not call ${name}`);
}

/** The real room over a store that is a map. */
function createInMemoryMqttUsers(): MqttUsers {
  const users = new Map<string, MqttUserRow>();
  return createMqttUsers({
    clock: { now: () => testTime },
    random: systemRandom,
    store: {
      async insert(user) {
        if (users.has(user.userName)) return "duplicate";
        users.set(user.userName, user);
        return "ok";
      },
      find: async (userName) => users.get(userName),
      list: async (page) => ({ rows: pageOf([...users.values()], page).items, total: users.size }),
      update: async (userName, change) => {
        const user = users.get(userName);
        if (user !== undefined) users.set(userName, { ...user, ...change });
        return user !== undefined;
      },
      remove: async (userName) => users.delete(userName),
    },
  });
}

function createInMemoryRegistry(): Registry {
  const products = new Map<string, Product>();
  const devices = new Map<string, Device>();
  const topicClasses: TopicClassRecord[] = [];
  let count = 0;

  function product(productKey: string): Product {
    const found = products.get(productKey);
    if (found === undefined) throw new PlatformError("registry.product_not_found", { productKey });
    return found;
  }

  function device(productKey: string, deviceName: string): Device {
    product(productKey);
    const found = devices.get(`${productKey}/${deviceName}`);
    if (found === undefined) throw new PlatformError("registry.device_not_found", { productKey, deviceName });
    return found;
  }

  function add(productKey: string, wish: NewDevice): Device {
    product(productKey);
    count += 1;
    const made: Device = {
      iotId: wish.iotId ?? `iot${count}`,
      productKey,
      deviceName: wish.deviceName ?? `device${count}`,
      deviceSecret: wish.deviceSecret ?? `secret${count}`,
      nickname: wish.nickname ?? "",
      status: "UNACTIVE",
      isEnabled: true,
      createdAt: testTime,
      modifiedAt: testTime,
    };
    devices.set(`${productKey}/${made.deviceName}`, made);
    return made;
  }

  const countOf = (productKey: string) => [...devices.values()].filter((one) => one.productKey === productKey).length;

  return {
    async createProduct(wish) {
      count += 1;
      const made: Product = {
        productKey: wish.productKey ?? `pk${count}`,
        productSecret: wish.productSecret ?? `productSecret${count}`,
        name: wish.name,
        description: wish.description ?? "",
        nodeType: wish.nodeType ?? "device",
        topicStyle: wish.topicStyle ?? "user",
        dataFormat: wish.dataFormat ?? 1,
        authType: wish.authType ?? "secret",
        isRegistrationOpen: wish.isRegistrationOpen ?? false,
        isSelfRegistrationOpen: wish.isSelfRegistrationOpen ?? false,
        createdAt: testTime,
      };
      products.set(made.productKey, made);
      return made;
    },
    findProduct: async (productKey) => products.get(productKey),
    peekProduct: (productKey) => products.get(productKey),
    getProduct: async (productKey) => ({ ...product(productKey), deviceCount: countOf(productKey) }),
    listProducts: async (page, { dataFormat } = {}) =>
      pageOf(
        [...products.values()]
          .filter((one) => dataFormat === undefined || one.dataFormat === dataFormat)
          .map((one) => ({ ...one, deviceCount: countOf(one.productKey) })),
        page,
      ),
    updateProduct: async (productKey, change) => Object.assign(product(productKey), change),
    async deleteProduct(productKey) {
      product(productKey);
      products.delete(productKey);
    },
    createDevice: async (productKey, wish) => add(productKey, wish),
    createDevices: async (productKey, batch) =>
      "count" in batch
        ? Array.from({ length: batch.count }, () => add(productKey, {}))
        : batch.devices.map((wish) => add(productKey, wish)),
    findDevice: async (productKey, deviceName) => devices.get(`${productKey}/${deviceName}`),
    peekDevice: (productKey, deviceName) => devices.get(`${productKey}/${deviceName}`),
    findDeviceByIotId: async (iotId) => [...devices.values()].find((one) => one.iotId === iotId),
    getDevice: async (productKey, deviceName) => device(productKey, deviceName),
    async listDevices(productKey, page, filter = {}) {
      if (productKey !== undefined) product(productKey);
      const fits = [...devices.values()].filter(
        (one) =>
          (productKey === undefined || one.productKey === productKey) &&
          (filter.status === undefined || one.status === filter.status) &&
          (filter.namePrefix === undefined || one.deviceName.startsWith(filter.namePrefix)),
      );
      return pageOf(fits, page);
    },
    updateDevice: async (productKey, deviceName, change) => Object.assign(device(productKey, deviceName), change),
    setDeviceEnabled: async (productKey, deviceName, isEnabled) =>
      Object.assign(device(productKey, deviceName), { isEnabled, status: isEnabled ? "OFFLINE" : "DISABLE" }),
    async deleteDevice(productKey, deviceName) {
      device(productKey, deviceName);
      devices.delete(`${productKey}/${deviceName}`);
    },
    renewDeviceSecret: () => unused("renewDeviceSecret"),
    resetDevice: async (productKey, deviceName) => device(productKey, deviceName),
    markOnline: () => unused("markOnline"),
    markOffline: () => unused("markOffline"),
    async createTopicClass(productKey, { topic, operation, description }) {
      product(productKey);
      const template = topic.startsWith("/") ? topic : `/\${productKey}/\${deviceName}/${topic}`;
      const made = { id: topicClasses.length + 1, productKey, template, operation, description: description ?? "", createdAt: testTime };
      topicClasses.push(made);
      return made;
    },
    async listTopicClasses(productKey) {
      product(productKey);
      return topicClasses.filter((one) => one.productKey === productKey);
    },
    updateTopicClass: () => unused("updateTopicClass"),
    async deleteTopicClass(id) {
      topicClasses.splice(
        topicClasses.findIndex((one) => one.id === id),
        1,
      );
    },
    onChange: () => unused("onChange"),
    start: async () => {},
    close: async () => {},
  };
}

function createInMemoryRules(): RuleEngine & { deadLetters: DeadLetter[] } {
  const rules = new Map<number, Rule>();
  const deadLetters: DeadLetter[] = [];
  let count = 0;

  function rule(id: number): Rule {
    const found = rules.get(id);
    if (found === undefined) throw new PlatformError("rules.not_found", { id });
    return found;
  }

  const numberActions = (ruleId: number, actions: NewRule["actions"] = []) =>
    actions.map((action, index) => ({ id: ruleId * 100 + index, ruleId, action }));

  return {
    deadLetters,
    async create(wish) {
      count += 1;
      const made: Rule = {
        id: count,
        name: wish.name,
        description: wish.description ?? "",
        language: wish.language ?? "alibaba",
        sqlVersion: wish.sqlVersion,
        errorAction: wish.errorAction,
        sql: wish.sql ?? "",
        dataType: wish.dataType ?? "json",
        isRunning: wish.isRunning ?? false,
        actions: numberActions(count, wish.actions),
        createdAt: testTime,
        modifiedAt: testTime,
        statistics: { matched: 0, passed: 0, failed: 0, deadLetters: 0, dropped: 0 },
      };
      rules.set(made.id, made);
      return made;
    },
    get: async (id) => rule(id),
    find: (name) => [...rules.values()].find((each) => each.name === name),
    list: async (page, language) =>
      pageOf(
        [...rules.values()].filter((each) => language === undefined || each.language === language),
        page,
      ),
    update: async (id, { actions, errorAction, ...change }) =>
      Object.assign(
        rule(id),
        change,
        actions === undefined ? {} : { actions: numberActions(id, actions) },
        errorAction === undefined ? {} : { errorAction: errorAction ?? undefined },
      ),
    async delete(id) {
      rule(id);
      rules.delete(id);
    },
    start: async (id) => Object.assign(rule(id), { isRunning: true }),
    stop: async (id) => Object.assign(rule(id), { isRunning: false }),
    addAction: () => unused("addAction"),
    updateAction: () => unused("updateAction"),
    removeAction: () => unused("removeAction"),
    check: (sql, sample) =>
      sql.startsWith("SELECT")
        ? { problems: [], ...(sample === undefined ? {} : { isMatch: true, result: { text: Buffer.from(sample.payload).toString() } }) }
        : { problems: [{ message: "expected SELECT", line: 1, column: 1 }] },
    listDeadLetters: async (ruleId, page) =>
      pageOf(
        deadLetters.filter((letter) => letter.ruleId === ruleId),
        page,
      ),
    async retryDeadLetter(id) {
      if (!deadLetters.some((letter) => letter.id === id)) throw new PlatformError("rules.dead_letter_not_found", { id });
    },
    async deleteDeadLetter(id) {
      deadLetters.splice(
        deadLetters.findIndex((letter) => letter.id === id),
        1,
      );
    },
    ingest: () => unused("ingest"),
    tapsFor: () => unused("tapsFor"),
    onChange: () => unused("onChange"),
    offer: () => unused("offer"),
    open: async () => {},
    close: async () => {},
  };
}

function createInMemoryDeviceLog(): DeviceLog & { followers: Set<(entry: LogEntry) => void> } {
  const entries: LogEntry[] = [];
  const followers = new Set<(entry: LogEntry) => void>();

  const fits = (entry: LogEntry, query: LogQuery) =>
    (query.productKey === undefined || entry.productKey === query.productKey) &&
    (query.deviceName === undefined || entry.deviceName === query.deviceName) &&
    (query.kind === undefined || entry.kind === query.kind) &&
    (query.code === undefined || entry.code === query.code) &&
    (query.isSuccess === undefined || entry.isSuccess === query.isSuccess) &&
    (query.since === undefined || entry.time >= query.since) &&
    (query.until === undefined || entry.time <= query.until) &&
    (query.beforeId === undefined || entry.id < query.beforeId) &&
    (query.afterId === undefined || entry.id > query.afterId);

  return {
    followers,
    write(entry) {
      const written: LogEntry = { time: testTime, ...entry, id: entries.length + 1 };
      entries.push(written);
      for (const follower of followers) follower(written);
    },
    wants: () => true,
    refusesMessages: () => false,
    query: async (query) =>
      entries
        .filter((entry) => fits(entry, query))
        .reverse()
        .slice(0, query.limit ?? 100),
    follow(filter, listener) {
      const follower = (entry: LogEntry) => {
        if (fits(entry, filter)) listener(entry);
      };
      followers.add(follower);
      return () => followers.delete(follower);
    },
    close: async () => {},
  };
}

/** The real room over stores that are maps, with a device that answers every call at once. */
function createInMemoryThings(registry: Registry, sent: unknown[]): Things {
  const downlink: ThingDownlink = {
    setProperties: async (_device, request) => void sent.push(request),
    callService: async (_device, request) => void sent.push(request),
    callServiceAndWait: async (_device, { input }) => ({ code: 200, output: input }),
  };
  return createThings({
    store: createInMemoryThingModels(),
    history: createInMemoryHistory(),
    registry: { findProduct: registry.findProduct, onChange: () => {} },
    downlink,
    clock: { now: () => testTime },
    report: (problem) => {
      throw problem;
    },
  });
}

/** Its routes are tried over the room itself (`rest/ota.test.ts`). */
const noOta = unusedRoom<Ota>("ota");
const noDeviceServices: DeviceServices = {
  shadows: unusedRoom("shadows"),
  configs: unusedRoom("configs"),
  lines: unusedRoom("lines"),
  diagnostics: unusedRoom("diagnostics"),
  files: unusedRoom("files"),
  jobs: unusedRoom("jobs"),
  namedShadows: unusedRoom("namedShadows"),
  start: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Its routes are tried over the room itself (`rest/fleet.test.ts`). */
const unusedFleet: Fleet = {
  productKey: "aws",
  things: unusedRoom("fleet.things"),
  types: unusedRoom("fleet.types"),
  groups: unusedRoom("fleet.groups"),
  certificates: unusedRoom("fleet.certificates"),
  authorities: unusedRoom("fleet.authorities"),
  policies: unusedRoom("fleet.policies"),
  records: unusedRoom("fleet.records"),
  resourceTags: unusedRoom("fleet.resourceTags"),
  factsOf: () => unused("fleet.factsOf"),
  onChange: () => unused("fleet.onChange"),
  start: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

function unusedRoom<Room extends object>(room: string): Room {
  return new Proxy<Room>(Object.create(null), { get: (_target, name) => unused(`${room}.${String(name)}`) });
}

export function createTestPorts(limits: Partial<ApiLimits> = {}) {
  const published: CloudPublish[] = [];
  const vendorCalls: RawApiRequest[] = [];
  const logLines: string[] = [];
  const messages: Messages = {
    async publish(message) {
      published.push(message);
      return { messageId: "1234567890123456789", delivered: 1, queued: 0 };
    },
  };
  const registry = createInMemoryRegistry();
  const requested: unknown[] = [];
  const clock = createManualClock();
  const accessKeys = createAccessKeys({ rootKey: testKey });
  const failedAuth = createFailedAuthCounter(clock, { ...defaultApiLimits, ...limits });
  const ports = {
    registry,
    failedAuth,
    aws: createAwsApi({
      operations: [],
      account: { region: "us-east-1", accountId: "000000000000" },
      accessKeys,
      failedAuth,
      clock,
      random: systemRandom,
      limits: defaultAwsApiLimits,
    }),
    mqttUsers: createInMemoryMqttUsers(),
    rules: createInMemoryRules(),
    messages,
    things: createInMemoryThings(registry, requested),
    scripts: createInMemoryScripts(registry),
    ota: noOta,
    deviceServices: noDeviceServices,
    firmwareUploads: unusedRoom<FirmwareUploads>("firmwareUploads"),
    scriptLinks: unusedRoom<ScriptLinks>("scriptLinks"),
    topology: unusedRoom<Topology>("topology"),
    deviceCertificates: unusedRoom<DeviceCertificates>("deviceCertificates"),
    fleet: unusedFleet,
    quickStart: unusedRoom<QuickStart>("quickStart"),
    fleetDoor: { account: { region: "us-east-2", accountId: "123456789012" }, host: "things.example", caPem: () => "the CA" },
    tags: unusedRoom<Tags>("tags"),
    groups: unusedRoom<Groups>("groups"),
    deviceLog: createInMemoryDeviceLog(),
    accessKeys,
    status: () => ({
      status: "ok" as const,
      version: "1.2.3",
      listen: { device: ["127.0.0.1:1883", "127.0.0.1:8883"], http: ["127.0.0.1:8080"], amqp: [] },
    }),
    alibaba: async (request: RawApiRequest) => {
      vendorCalls.push(request);
      return { status: 200, headers: { "content-type": "application/json" }, body: '{"Success":true}' };
    },
    host: "things.example",
    limits: { ...defaultApiLimits, ...limits },
    logger: pino({ level: "debug" }, { write: (line: string) => logLines.push(line) }),
    clock,
  } satisfies ApiPorts;
  return { ports, published, requested, vendorCalls, logLines };
}
