/** What the registry asks of the store. Rows carry secrets in clear text: the store encrypts them at rest. */
import type { Device, DeviceStatus, Page, Product, ProductChange, TopicClassRecord } from "./registry.ts";

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
  deleteDevice(productKey: string, deviceName: string): Promise<void>;
  /** False when the device was activated meanwhile, or is gone. */
  replaceSecret(productKey: string, deviceName: string, deviceSecret: string, modifiedAt: number): Promise<boolean>;
  /** Forgets when it was activated; its tokens go too. */
  resetDevice(productKey: string, deviceName: string, modifiedAt: number): Promise<void>;
  writeStatuses(writes: DeviceStatusWrite[]): Promise<void>;
  /** After a crash: nobody is connected. */
  markAllOffline(at: number): Promise<number>;
  insertTopicClass(topicClass: Omit<TopicClassRecord, "id">): Promise<TopicClassRecord | "duplicate">;
  listTopicClasses(productKey: string): Promise<TopicClassRecord[]>;
  findTopicClass(id: number): Promise<TopicClassRecord | undefined>;
  deleteTopicClass(id: number): Promise<void>;
}
