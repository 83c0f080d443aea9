/** What the registry knows and does. Products own devices and topic classes; a device is found by its two names or its iotId. */
import type { Operation } from "@thingstead/dialects";

export interface Product {
  productKey: string;
  /** Clear text in memory only; encrypted at rest. */
  productSecret: string;
  name: string;
  description: string;
  nodeType: "device" | "gateway";
  /** `user`: /pk/dn/user/update, update/error, get. `legacy`: /pk/dn/update, update/error, get. `none`: no default classes. */
  topicStyle: "user" | "legacy" | "none";
  /** 0 = raw bytes, 1 = Alink JSON. */
  dataFormat: 0 | 1;
  /** How its devices prove who they are. */
  authType: "secret" | "x509";
  /** Devices that were registered here may fetch their secret with the product's, until their first connection. */
  isRegistrationOpen: boolean;
  /** Devices that nobody registered may do so themselves with the product's secret. */
  isSelfRegistrationOpen: boolean;
  /** Its thing model cannot be changed. */
  isReleased?: boolean;
  /** Who issues the certificates of its devices; absent: whoever. */
  certificateIssuer?: "platform" | "other";
  createdAt: number;
}

/** What may change about a product. */
export type ProductChange = Partial<
  Pick<Product, "name" | "description" | "isRegistrationOpen" | "isSelfRegistrationOpen" | "isReleased" | "certificateIssuer">
>;

export type DeviceStatus = "UNACTIVE" | "ONLINE" | "OFFLINE" | "DISABLE";

export interface Device {
  iotId: string;
  productKey: string;
  deviceName: string;
  /** Clear text in memory only; encrypted at rest. */
  deviceSecret: string;
  nickname: string;
  /** DISABLE wins over ONLINE/OFFLINE. */
  status: DeviceStatus;
  isEnabled: boolean;
  /** Milliseconds since the epoch. */
  createdAt: number;
  modifiedAt: number;
  activatedAt?: number;
  lastOnlineAt?: number;
  lastOfflineAt?: number;
  /** Address of the last connection. */
  remoteAddress?: string;
}

/** A device as others refer to it. */
export type DeviceIdentity = Pick<Device, "productKey" | "deviceName" | "iotId">;

export interface TopicClassRecord {
  id: number;
  productKey: string;
  /** With `${productKey}` and `${deviceName}` literally in it, e.g. `/${productKey}/${deviceName}/user/get`. */
  template: string;
  operation: Operation;
  description: string;
  createdAt: number;
}

export interface Page {
  /** From 1. */
  page: number;
  pageSize: number;
}

export interface Paged<T> extends Page {
  items: T[];
  total: number;
}

export interface NewProduct {
  name: string;
  description?: string;
  nodeType?: Product["nodeType"];
  topicStyle?: Product["topicStyle"];
  dataFormat?: 0 | 1;
  authType?: Product["authType"];
  isRegistrationOpen?: boolean;
  isSelfRegistrationOpen?: boolean;
  /** Given keys: a fleet that moves keeps its identities. */
  productKey?: string;
  productSecret?: string;
}

export interface NewDevice {
  /** Absent = generated. */
  deviceName?: string;
  deviceSecret?: string;
  iotId?: string;
  nickname?: string;
}

/** A batch by count, by names or with given keys; all or nothing. */
export type DeviceBatch = { count: number } | { devices: NewDevice[] };

export interface NewTopicClass {
  /**
   * `data`, `update/error` or `user/x` (put below `/${productKey}/${deviceName}/`) or a whole template. On a product of
   * style `user` a short name without `user/` is taken as written, so that seeds' `/pk/dn/data` can be made anywhere.
   */
  topic: string;
  operation: Operation;
  description?: string;
}

export type RegistryChange =
  | {
      kind: "device.created" | "device.deleted" | "device.disabled" | "device.enabled" | "device.reset";
      productKey: string;
      deviceName: string;
      iotId: string;
      /** Behind which one a deleted or reset device was: the relation is gone. */
      gateway?: DeviceIdentity;
    }
  | { kind: "product.created" | "product.deleted" | "topics.changed"; productKey: string };

/**
 * The registry's door. Every method that takes names throws `registry.product_not_found` / `registry.device_not_found`
 * when they are unknown, and `registry.invalid_*` for a malformed value, saying what came and what was expected.
 */
export interface Registry {
  createProduct(product: NewProduct): Promise<Product>;
  findProduct(productKey: string): Promise<Product | undefined>;
  /** The product when it is in memory; says nothing about one that is not. */
  peekProduct(productKey: string): Product | undefined;
  getProduct(productKey: string): Promise<Product & { deviceCount: number }>;
  listProducts(page: Page, filter?: { dataFormat?: Product["dataFormat"] }): Promise<Paged<Product & { deviceCount: number }>>;
  updateProduct(productKey: string, change: ProductChange): Promise<Product>;
  /** Refused with `registry.product_has_devices` while devices exist. */
  deleteProduct(productKey: string): Promise<void>;

  createDevice(productKey: string, device: NewDevice): Promise<Device>;
  /** At most `registry.batchDevicesMax` (10,000) at once; all or nothing. */
  createDevices(productKey: string, batch: DeviceBatch): Promise<Device[]>;
  /** Fast path of every connect: answered from a bounded cache when possible. */
  findDevice(productKey: string, deviceName: string): Promise<Device | undefined>;
  /** The device when it is in memory, as `findDevice` would answer; says nothing about one that is not. */
  peekDevice(productKey: string, deviceName: string): Device | undefined;
  findDeviceByIotId(iotId: string): Promise<Device | undefined>;
  getDevice(productKey: string, deviceName: string): Promise<Device>;
  listDevices(productKey: string | undefined, page: Page, filter?: { status?: DeviceStatus; namePrefix?: string }): Promise<Paged<Device>>;
  updateDevice(productKey: string, deviceName: string, change: { nickname?: string }): Promise<Device>;
  setDeviceEnabled(productKey: string, deviceName: string, isEnabled: boolean): Promise<Device>;
  deleteDevice(productKey: string, deviceName: string): Promise<void>;
  /** A new secret for a device that has never connected; undefined when it has. The old one is worth nothing from then on. */
  renewDeviceSecret(productKey: string, deviceName: string): Promise<Device | undefined>;
  /** As if it had never connected: it may register itself again, and is behind no gateway. Tells `device.reset`. */
  resetDevice(productKey: string, deviceName: string): Promise<Device>;

  /** Status of a connection; written behind (batched), visible at once to reads through this registry. */
  markOnline(productKey: string, deviceName: string, at: number, remoteAddress: string): void;
  markOffline(productKey: string, deviceName: string, at: number): void;

  createTopicClass(productKey: string, topicClass: NewTopicClass): Promise<TopicClassRecord>;
  listTopicClasses(productKey: string): Promise<TopicClassRecord[]>;
  /** Sessions lose what they may no longer do. A description that is left out stays. */
  updateTopicClass(id: number, topicClass: NewTopicClass): Promise<TopicClassRecord>;
  deleteTopicClass(id: number): Promise<void>;

  /** Called after a change is stored. */
  onChange(listener: (change: RegistryChange) => void): void;
  /** Writes what is pending; after a crash, devices left ONLINE are marked OFFLINE by `start`. */
  start(): Promise<void>;
  close(): Promise<void>;
}
