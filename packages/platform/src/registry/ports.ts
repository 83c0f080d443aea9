/** What the registry asks of the store. Rows carry secrets in clear text: the store encrypts them at rest. */
import type { Random } from "../clock.ts";
import type { Group, GroupCounts, GroupJoin } from "./groups.ts";
import type { Device, DeviceIdentity, DeviceStatus, Page, Product, ProductChange, TopicClassRecord } from "./registry.ts";
import type { TagMap } from "./tags.ts";

export type DeviceRow = Omit<Device, "status"> & { isOnline: boolean };

export interface DeviceStatusWrite {
  productKey: string;
  deviceName: string;
  isOnline: boolean;
  activatedAt?: number;
  lastOnlineAt?: number;
  lastOfflineAt?: number;
  remoteAddress?: string;
}

/** How the devices of one product are named, when not as the vendor's are. */
export interface DeviceNaming {
  pattern: RegExp;
  /** What the pattern asks for, for people. */
  expected: string;
  newIotId(random: Random): string;
}

/** Unique-key violations come back as `"duplicate"`, never as a driver's error. */
export interface RegistryStore {
  insertProduct(product: Product, topicClasses: Omit<TopicClassRecord, "id">[]): Promise<"ok" | "duplicate_key" | "duplicate_name">;
  findProduct(productKey: string): Promise<Product | undefined>;
  countDevices(productKey: string): Promise<number>;
  listProducts(
    page: Page,
    filter?: { dataFormat?: Product["dataFormat"] },
  ): Promise<{ rows: (Product & { deviceCount: number })[]; total: number }>;
  updateProduct(productKey: string, change: ProductChange): Promise<"ok" | "duplicate_name">;
  deleteProduct(productKey: string): Promise<void>;
  /** One transaction: all or none. Names the first duplicate. */
  insertDevices(devices: DeviceRow[]): Promise<{ kind: "ok" } | { kind: "duplicate"; deviceName: string }>;
  findDevice(productKey: string, deviceName: string): Promise<DeviceRow | undefined>;
  findDeviceByIotId(iotId: string): Promise<DeviceRow | undefined>;
  listDevices(
    productKey: string | undefined,
    page: Page,
    filter: { status?: DeviceStatus; namePrefix?: string },
  ): Promise<{ rows: DeviceRow[]; total: number }>;
  updateDevice(
    productKey: string,
    deviceName: string,
    change: { nickname?: string; isEnabled?: boolean; modifiedAt: number },
  ): Promise<void>;
  /** Its relation to a gateway goes with it. */
  deleteDevice(productKey: string, deviceName: string): Promise<{ gateway?: DeviceIdentity }>;
  /** False when the device was activated meanwhile, or is gone. */
  replaceSecret(productKey: string, deviceName: string, deviceSecret: string, modifiedAt: number): Promise<boolean>;
  /** Forgets when it was activated; its tokens and its relation to a gateway go too. */
  resetDevice(productKey: string, deviceName: string, modifiedAt: number): Promise<{ gateway?: DeviceIdentity }>;
  writeStatuses(writes: DeviceStatusWrite[]): Promise<void>;
  /** After a crash: nobody is connected. */
  markAllOffline(at: number): Promise<number>;
  insertTopicClass(topicClass: Omit<TopicClassRecord, "id">): Promise<TopicClassRecord | "duplicate">;
  listTopicClasses(productKey: string): Promise<TopicClassRecord[]>;
  findTopicClass(id: number): Promise<TopicClassRecord | undefined>;
  updateTopicClass(id: number, change: Pick<TopicClassRecord, "template" | "operation" | "description">): Promise<"ok" | "duplicate">;
  deleteTopicClass(id: number): Promise<void>;
}

type Names = Pick<Device, "productKey" | "deviceName">;

export interface TopologyStore {
  /** One transaction. `moved`: those that were behind another gateway before. */
  add(
    gateway: DeviceIdentity,
    devices: readonly DeviceIdentity[],
    subDevicesMax: number,
    createdAt: number,
  ): Promise<{ kind: "ok"; moved: { gateway: DeviceIdentity; device: DeviceIdentity }[] } | { kind: "too_many"; total: number }>;
  remove(gateway: DeviceIdentity, devices: readonly DeviceIdentity[]): Promise<void>;
  list(gateway: Names, page: Page): Promise<{ rows: DeviceIdentity[]; total: number }>;
  gatewayOf(device: Names): Promise<DeviceIdentity | undefined>;
}

export interface TagStore {
  deviceTags(productKey: string, deviceName: string): Promise<TagMap>;
  setDeviceTags(productKey: string, deviceName: string, tags: TagMap, tagsMax: number): Promise<"ok" | "too_many">;
  /** Keys that were there. */
  deleteDeviceTags(productKey: string, deviceName: string, keys: readonly string[]): Promise<string[]>;
  productTags(productKey: string): Promise<TagMap>;
  setProductTags(productKey: string, tags: TagMap, tagsMax: number): Promise<"ok" | "too_many">;
  deleteProductTags(productKey: string, keys: readonly string[]): Promise<void>;
  devicesByTags(tags: TagMap, page: Page): Promise<{ rows: DeviceIdentity[]; total: number }>;
  productsByTags(tags: TagMap, page: Page): Promise<{ rows: string[]; total: number }>;
}

export interface GroupStore {
  insert(group: Group): Promise<"ok" | "duplicate_id" | "duplicate_name">;
  find(groupId: string): Promise<Group | undefined>;
  count(): Promise<number>;
  counts(groupId: string): Promise<GroupCounts>;
  list(page: Page, filter: { superGroupId?: string; name?: string }): Promise<{ rows: Group[]; total: number }>;
  update(groupId: string, description: string): Promise<void>;
  remove(groupId: string): Promise<"ok" | "has_groups">;
  addDevices(
    groupId: string,
    devices: readonly Names[],
    limits: { devicesMax: number; groupsMax: number },
  ): Promise<GroupJoin | "too_many">;
  removeDevices(groupId: string, devices: readonly Names[]): Promise<number>;
  devices(groupId: string, page: Page): Promise<{ rows: DeviceIdentity[]; total: number }>;
  groupsOf(device: Names): Promise<Group[]>;
  tags(groupId: string): Promise<TagMap>;
  setTags(groupId: string, tags: TagMap): Promise<void>;
  byTags(tags: TagMap, page: Page): Promise<{ rows: Group[]; total: number }>;
}
