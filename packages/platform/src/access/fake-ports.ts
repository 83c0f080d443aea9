/** In-memory ports for the tests of this folder: a registry of plain rows, a log that is a list, a clock that is told. */
import { alibabaDialect, alibabaKeepAlivePolicy } from "@thingstead/dialects";
import type { ConnectionFacts, ConnectPacket } from "@thingstead/mqtt";
import type { NewLogEntry } from "../device-log/index.ts";
import type { Device, NewDevice, Product, RegistryChange, TopicClassRecord } from "../registry/index.ts";
import { defaultAccessLimits, defaultGatewayLimits, defaultSessionLimits } from "./limits.ts";
import { createRegistrar } from "./registrar.ts";
import type { DeviceTokenStore, TokenStore } from "./tokens.ts";
import { createTopicBook } from "./topic-book.ts";

export function device(change: Partial<Device> = {}): Device {
  return {
    iotId: "iotIdOfDev1",
    productKey: "pk",
    deviceName: "dev1",
    deviceSecret: "secret",
    nickname: "",
    status: "OFFLINE",
    isEnabled: true,
    createdAt: 0,
    modifiedAt: 0,
    ...change,
  };
}

export function topicClass(suffix: string, operation: TopicClassRecord["operation"]): TopicClassRecord {
  return { id: 1, productKey: "pk", template: `/\${productKey}/\${deviceName}/${suffix}`, operation, description: "", createdAt: 0 };
}

export function product(change: Partial<Product> = {}): Product {
  return {
    productKey: "pk",
    productSecret: "psecret",
    name: "p",
    description: "",
    nodeType: "device",
    topicStyle: "none",
    dataFormat: 1,
    authType: "secret",
    isRegistrationOpen: false,
    isSelfRegistrationOpen: false,
    createdAt: 0,
    ...change,
  };
}

class FakeRegistry {
  products: Product[] = [product()];
  devices: Device[] = [device()];
  classes: TopicClassRecord[] = [topicClass("update", "PUB"), topicClass("get", "SUB"), topicClass("data", "ALL")];
  marks: string[] = [];
  listCalls = 0;
  findCalls = 0;
  failure: Error | undefined;
  /** As if everything had been asked for before. */
  isInMemory = false;
  #listeners: ((change: RegistryChange) => void)[] = [];

  async findDevice(productKey: string, deviceName: string): Promise<Device | undefined> {
    this.findCalls++;
    if (this.failure !== undefined) throw this.failure;
    return this.devices.find((each) => each.productKey === productKey && each.deviceName === deviceName);
  }

  async findProduct(productKey: string): Promise<Product | undefined> {
    return this.products.find((each) => each.productKey === productKey);
  }

  peekDevice(productKey: string, deviceName: string): Device | undefined {
    if (!this.isInMemory) return undefined;
    return this.devices.find((each) => each.productKey === productKey && each.deviceName === deviceName);
  }

  peekProduct(productKey: string): Product | undefined {
    return this.isInMemory ? this.products.find((each) => each.productKey === productKey) : undefined;
  }

  async createDevice(productKey: string, { deviceName = "made" }: NewDevice): Promise<Device> {
    const made = device({ productKey, deviceName, iotId: `iotIdOf${deviceName}`, status: "UNACTIVE" });
    this.devices.push(made);
    return made;
  }

  async renewDeviceSecret(productKey: string, deviceName: string): Promise<Device | undefined> {
    const found = await this.findDevice(productKey, deviceName);
    if (found === undefined || found.activatedAt !== undefined) return undefined;
    return Object.assign(found, { deviceSecret: `${found.deviceSecret}+` });
  }

  async listTopicClasses(): Promise<TopicClassRecord[]> {
    this.listCalls++;
    return [...this.classes];
  }

  markOnline(productKey: string, deviceName: string, at: number, remoteAddress: string): void {
    this.marks.push(`online ${productKey}/${deviceName} ${at} ${remoteAddress}`);
  }

  markOffline(productKey: string, deviceName: string, at: number): void {
    this.marks.push(`offline ${productKey}/${deviceName} ${at}`);
  }

  onChange(listener: (change: RegistryChange) => void): void {
    this.#listeners.push(listener);
  }

  emit(change: RegistryChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

export class FakeTokens implements TokenStore {
  rows: { tokenHash: string; iotId: string; productKey: string; deviceName: string; expiresAt: number }[] = [];

  async insert(token: (typeof this.rows)[number]): Promise<void> {
    this.rows.push(token);
  }

  async find(tokenHash: string) {
    return this.rows.find((row) => row.tokenHash === tokenHash);
  }

  async deleteExpired(now: number): Promise<number> {
    const before = this.rows.length;
    this.rows = this.rows.filter((row) => row.expiresAt > now);
    return before - this.rows.length;
  }

  async deleteForDevice(productKey: string, deviceName: string): Promise<void> {
    this.rows = this.rows.filter((row) => row.productKey !== productKey || row.deviceName !== deviceName);
  }
}

class FakeDeviceTokens implements DeviceTokenStore {
  rows: Parameters<DeviceTokenStore["insert"]>[0][] = [];

  async insert(row: Parameters<DeviceTokenStore["insert"]>[0], clientsMax: number) {
    if ((await this.list(row.productKey, row.deviceName)).length >= clientsMax) return "too_many" as const;
    this.rows.push(row);
    return "ok" as const;
  }

  async find(productKey: string, deviceName: string, clientId: string) {
    return this.rows.find((row) => row.productKey === productKey && row.deviceName === deviceName && row.clientId === clientId)?.tokenHash;
  }

  async list(productKey: string, deviceName: string) {
    return this.rows.filter((row) => row.productKey === productKey && row.deviceName === deviceName);
  }

  async deleteAll() {
    this.rows = [];
  }
}

class FakeLog {
  entries: NewLogEntry[] = [];
  isWanted = true;

  write(entry: NewLogEntry): void {
    this.entries.push(entry);
  }

  wants(): boolean {
    return this.isWanted;
  }

  refusesMessages(): boolean {
    return false;
  }
}

class FakeClock {
  time = 1_700_000_000_000;
  #tasks: { at: number; task: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(milliseconds: number, task: () => void): () => void {
    const entry = { at: this.time + milliseconds, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((each) => each !== entry);
    };
  }

  advance(milliseconds: number): void {
    this.time += milliseconds;
    const due = this.#tasks.filter(({ at }) => at <= this.time);
    this.#tasks = this.#tasks.filter(({ at }) => at > this.time);
    for (const { task } of due) task();
  }
}

export const facts: ConnectionFacts = { remoteAddress: "192.0.2.7", remotePort: 4000, localPort: 1883, carrier: "tcp" };

export function connectPacket(change: Partial<ConnectPacket> = {}): ConnectPacket {
  return { type: "connect", protocolVersion: 4, clientId: "mac", isCleanStart: true, keepAliveSeconds: 60, ...change };
}

/** Everything a gatekeeper asks for, with one device that is known. */
export function fakePorts() {
  const registry = new FakeRegistry();
  const failures: unknown[] = [];
  const deviceTokens = new FakeDeviceTokens();
  const deviceLog = new FakeLog();
  const clock = new FakeClock();
  const onFailure = (error: unknown) => {
    failures.push(error);
  };
  let drawn = 0;
  const random = { bytes: (count: number) => Buffer.alloc(count, ++drawn) };
  return {
    deviceTokens,
    deviceCertificates: { find: async () => undefined },
    random,
    gatewayLimits: defaultGatewayLimits,
    registrar: createRegistrar({ registry, deviceTokens, deviceLog, clock, random, limits: defaultAccessLimits, onFailure }),
    dialects: [alibabaDialect],
    registry,
    topicBook: createTopicBook({ registry }),
    tokens: new FakeTokens(),
    deviceLog,
    grants: { tapsFor: () => [] },
    limits: defaultSessionLimits,
    keepAlivePolicy: alibabaKeepAlivePolicy,
    clock,
    failures,
    onFailure,
  };
}
