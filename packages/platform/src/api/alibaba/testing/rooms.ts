/** The rooms behind this one, for its tests: the real registry, rules and store in a directory of their own; messages are collected. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDeviceCertificates,
  createDeviceClients,
  type DeviceCertificates,
  type DeviceTokenStore,
  defaultAccessLimits,
} from "../../../access/index.ts";
import { type Clock, systemClock, systemRandom } from "../../../clock.ts";
import { createDeviceServices, createFileFolder, defaultDeviceServicesLimits } from "../../../device-services/index.ts";
import { PlatformError } from "../../../errors/index.ts";
import type { CloudPublish, Messages } from "../../../messages/index.ts";
import { createMessageIds } from "../../../messages/index.ts";
import { createFirmwareFolder, createOta, defaultOtaLimits } from "../../../ota/index.ts";
import {
  createGroups,
  createRegistrationBatches,
  createRegistry,
  createTags,
  createTopology,
  defaultRegistryLimits,
} from "../../../registry/index.ts";
import { createRuleEngine } from "../../../rules/index.ts";
import { defaultHistoryLimits, loadMasterKey, openStore, SqliteHistory } from "../../../store/index.ts";
import { createThings, type ThingDownlink } from "../../../things/index.ts";
import type { AlibabaApiPorts } from "../alibaba-api.ts";
import { createFirmwareUploads } from "../firmware-uploads.ts";
import { defaultAlibabaApiLimits } from "../limits.ts";
import { createScriptLinks } from "../script-links.ts";

export const accessKeyId = "testid";
export const accessKeySecret = "testsecret";
export const startTime = Date.UTC(2024, 0, 2, 3, 4, 5);

export interface Rooms {
  ports: AlibabaApiPorts;
  deviceCertificates: DeviceCertificates;
  deviceTokens: DeviceTokenStore;
  /** Gateways that were asked to add devices. */
  notified: { gateway: string; devices: string[] }[];
  /** What was handed to devices. */
  published: CloudPublish[];
  /** What devices were asked: `set` or a service, with its values. A synchronous service answers `{ echo: … }`. */
  called: { deviceName: string; identifier: string; input: unknown }[];
  close(): Promise<void>;
}

export async function openRooms(clock: Clock): Promise<Rooms> {
  const dataDir = mkdtempSync(join(tmpdir(), "thingstead-alibaba-api-"));
  const store = await openStore({ dataDir, masterKey: loadMasterKey(dataDir) });
  const random = systemRandom;
  const registry = createRegistry({ store: store.registry, clock, random });
  const rules = createRuleEngine({
    store: store.rules,
    republisher: { republish: async () => {} },
    http: { send: () => Promise.reject(new Error("no webhook is called here")), close: async () => {} },
    deviceLog: { write: () => {}, wants: () => false },
    clock,
    random,
    addressPolicy: { isAllowed: () => true },
  });
  await registry.start();
  await rules.open();
  const published: CloudPublish[] = [];
  const called: Rooms["called"] = [];
  const things = createThings({
    store: store.thingModels,
    history: new SqliteHistory({ dataDir, clock: systemClock, limits: defaultHistoryLimits, report: () => {} }),
    registry,
    downlink: createCollectingDownlink(called),
    clock,
    report: () => {},
  });
  await things.open();
  const { ota } = createOta({
    store: store.ota,
    firmware: createFirmwareFolder({ folder: join(dataDir, "firmware"), random, limits: defaultOtaLimits }),
    registry,
    groups: { deviceNamesOf: async () => [] },
    downlink: { isOnline: () => false, offer: () => false },
    downloadOrigin: () => "https://things.example",
    linkKey: Buffer.alloc(32),
    clock,
    random,
    limits: defaultOtaLimits,
    onFailure(error) {
      throw error;
    },
  });
  await ota.start();
  const { deviceServices } = createDeviceServices({
    stores: store,
    folder: createFileFolder(join(dataDir, "device-files")),
    registry,
    downlink: {
      isOnline: () => false,
      tellShadow: () => {},
      tellConfig: () => {},
      tellLogSwitch: () => {},
      tellTask: () => false,
    },
    origin: () => "https://things.example",
    linkKey: Buffer.alloc(32),
    clock,
    random,
    limits: defaultDeviceServicesLimits,
    onFailure(error) {
      throw error;
    },
  });
  const notified: Rooms["notified"] = [];
  const scripts = createScriptShelf();
  const deviceCertificates = createDeviceCertificates({
    registry,
    store: store.deviceCertificates,
    issue: () => Promise.reject(new Error("no certificate is issued here")),
    clock,
    limits: defaultAccessLimits,
  });
  const ports: AlibabaApiPorts = {
    registry,
    rules,
    messages: createCollectingMessages(published),
    things,
    rrpc: createEchoingRrpc(),
    broadcast: {
      async toProduct(_productKey, payload) {
        published.push({ topic: "every device", payload, qos: 0 });
        return { messageId: "1234567890123456789", delivered: 1 };
      },
      async toSubscribers(topic, payload) {
        published.push({ topic, payload, qos: 0 });
        return { messageId: "1234567890123456789", delivered: 1 };
      },
    },
    scripts,
    tags: createTags({ registry, store: store.tags, limits: defaultRegistryLimits }),
    groups: createGroups({ store: store.groups, clock, random, limits: defaultRegistryLimits }),
    gatewayNotices: {
      notifyAdd(gateway, devices) {
        notified.push({ gateway: gateway.deviceName, devices: devices.map(({ deviceName }) => deviceName) });
        return String(notified.length);
      },
    },
    deviceClients: createDeviceClients({ registry, store: store.deviceTokens, broker: { kick: () => false } }),
    deviceCertificates,
    deviceSubscriptions: createSubscriptionList(),
    topology: createTopology({ registry, store: store.topology, clock, limits: defaultRegistryLimits }),
    registrationBatches: createRegistrationBatches({
      registry,
      store: store.registrationBatches,
      clock,
      limits: defaultRegistryLimits,
      onFailure(error) {
        throw error;
      },
    }),
    ota,
    deviceServices,
    scriptLinks: createScriptLinks({ scripts, clock, random, limits: defaultAlibabaApiLimits }),
    firmwareUploads: createFirmwareUploads({ ota, clock, random, limits: defaultAlibabaApiLimits }),
    nextMessageId: createMessageIds(clock),
    accessKeys: { findSecret: (keyId) => (keyId === accessKeyId ? accessKeySecret : undefined) },
    clock,
    random,
    limits: defaultAlibabaApiLimits,
    region: "cn-shanghai",
    instanceIds: ["iot-06z00test"],
  };
  return {
    ports,
    deviceCertificates,
    deviceTokens: store.deviceTokens,
    notified,
    published,
    called,
    async close() {
      await ota.close();
      await things.close();
      await rules.close();
      await registry.close();
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Takes every message but those to topics with `refused` in them. */
function createCollectingMessages(published: CloudPublish[]): Messages {
  return {
    async publish(message) {
      if (message.topic.includes("refused")) {
        throw new PlatformError("messages.invalid_topic", { received: message.topic, expected: "another" });
      }
      published.push(message);
      return { messageId: "1234567890123456789", delivered: 1, queued: 0 };
    },
  };
}

/** Every device is reached but one called `offline`. */
function createCollectingDownlink(called: Rooms["called"]): ThingDownlink {
  const reach = (deviceName: string, identifier: string, input: unknown) => {
    if (deviceName === "offline") throw new PlatformError("things.device_offline", { deviceName });
    called.push({ deviceName, identifier, input });
  };
  return {
    setProperties: async ({ deviceName }, { values }) => reach(deviceName, "set", values),
    callService: async ({ deviceName }, { identifier, input }) => reach(deviceName, identifier, input),
    async callServiceAndWait({ deviceName }, { identifier, input }) {
      reach(deviceName, identifier, input);
      return { code: 200, output: { echo: input } };
    },
  };
}

/** A device's answer is what it was asked; a device called `offline` or `slow` gives none. */
function createEchoingRrpc(): AlibabaApiPorts["rrpc"] {
  return {
    async call({ deviceName, payload }) {
      const messageId = "1234567890123456789";
      if (deviceName === "offline") return { kind: "offline", messageId };
      if (deviceName === "slow") return { kind: "timeout", messageId };
      return { kind: "success", messageId, payload: Buffer.from(payload) };
    },
  };
}

function createScriptShelf(): AlibabaApiPorts["scripts"] {
  const shelf = new Map<string, { code: string; modifiedAt: number }>();
  return {
    find: async (productKey) => shelf.get(productKey),
    async save(productKey, code) {
      const script = { code, modifiedAt: startTime };
      shelf.set(productKey, script);
      return script;
    },
  };
}

/** One list for all devices; a filter with `refused` in it is refused. */
function createSubscriptionList(): AlibabaApiPorts["deviceSubscriptions"] {
  const filters = new Set<string>();
  return {
    list: () => [...filters],
    async subscribe(_productKey, _deviceName, added) {
      for (const received of added) {
        if (received.includes("refused")) throw new PlatformError("access.topic_foreign", { received, expected: "another" });
        filters.add(received);
      }
    },
    async unsubscribe(_productKey, _deviceName, removed) {
      for (const filter of removed) filters.delete(filter);
    },
  };
}
