import { PlatformError } from "../errors/index.ts";
import type { Page } from "./registry.ts";

export interface RegistryLimits {
  productsMax: number;
  devicesPerProductMax: number;
  topicClassesPerProductMax: number;
  /** Devices created by one call. */
  batchDevicesMax: number;
  /** Registrations in two steps that can still be asked for. */
  registrationBatchesMax: number;
  productNameCharactersMax: number;
  descriptionCharactersMax: number;
  /** The vendor asks for 4; a fleet from elsewhere may have shorter names. */
  deviceNameCharactersMin: number;
  deviceNameCharactersMax: number;
  nicknameCharactersMax: number;
  /** Of a topic class as written, with the product's key and `${deviceName}` in it. */
  topicBytesMax: number;
  /** Slashes in a topic class. */
  topicLevelsMax: number;
  pageSizeMax: number;
  /** Devices kept in memory for the next connect. */
  devicesCachedMax: number;
  /** Products, and lists of topic classes, kept in memory. */
  productsCachedMax: number;
  /** Connection states written by one transaction; as many waiting start a write at once. */
  statusBatchDevices: number;
  /** How long a connection state waits for others to be written with. */
  statusFlushMilliseconds: number;
  /** Pause after a failed write of connection states. */
  statusRetryMilliseconds: number;
  subDevicesPerGatewayMax: number;
  /** Of one device, product or group. */
  tagsPerObjectMax: number;
  tagKeyCharactersMax: number;
  tagValueCharactersMax: number;
  groupsMax: number;
  groupNameCharactersMax: number;
  /** Groups in groups in groups. */
  groupLevelsMax: number;
  /** Groups directly in one group. */
  groupChildrenMax: number;
  groupsPerDeviceMax: number;
  devicesPerGroupMax: number;
  /** Devices that one call puts into a group. */
  groupBatchDevicesMax: number;
}

/** The vendor's numbers where it has any (device names 4-32, 50 topic classes, 128 bytes, 7 slashes, batches of 10,000,
 * 2,000 sub-devices, 100 tags, 1,000 groups). */
export const defaultRegistryLimits: RegistryLimits = {
  productsMax: 10_000,
  devicesPerProductMax: 1_000_000,
  topicClassesPerProductMax: 50,
  batchDevicesMax: 10_000,
  registrationBatchesMax: 1_000,
  productNameCharactersMax: 64,
  descriptionCharactersMax: 100,
  deviceNameCharactersMin: 4,
  deviceNameCharactersMax: 32,
  nicknameCharactersMax: 64,
  topicBytesMax: 128,
  topicLevelsMax: 7,
  pageSizeMax: 1_000,
  devicesCachedMax: 50_000,
  productsCachedMax: 1_000,
  statusBatchDevices: 500,
  statusFlushMilliseconds: 200,
  statusRetryMilliseconds: 5_000,
  subDevicesPerGatewayMax: 2_000,
  tagsPerObjectMax: 100,
  tagKeyCharactersMax: 64,
  tagValueCharactersMax: 128,
  groupsMax: 1_000,
  groupNameCharactersMax: 30,
  groupLevelsMax: 3,
  groupChildrenMax: 100,
  groupsPerDeviceMax: 10,
  devicesPerGroupMax: 100_000,
  groupBatchDevicesMax: 1_000,
};

/** Throws `registry.invalid_page`. */
export function checkPage(page: Page, limits: RegistryLimits): Page {
  const isWhole = Number.isSafeInteger(page.page) && Number.isSafeInteger(page.pageSize);
  if (isWhole && page.page >= 1 && page.pageSize >= 1 && page.pageSize <= limits.pageSizeMax) return page;
  throw new PlatformError("registry.invalid_page", {
    received: `${page.page} of ${page.pageSize}`,
    expected: `a page from 1 and a size from 1 to ${limits.pageSizeMax}`,
  });
}

export interface MqttUserLimits {
  mqttUsersMax: number;
  /** Rights of one user. */
  mqttRightsMax: number;
  mqttFilterBytesMax: number;
  mqttDescriptionCharactersMax: number;
  mqttPasswordCharactersMin: number;
  mqttPasswordBytesMax: number;
  /** Users whose latest right password is remembered (as an HMAC). */
  verifiedPasswordsMax: number;
  /** Password hashes computed at the same time, about 40 ms of a core and 16 MiB each. */
  passwordChecksAtOnceMax: number;
  /** Connections that wait for theirs; more are told to come again. */
  passwordChecksWaitingMax: number;
}

export const defaultMqttUserLimits: MqttUserLimits = {
  mqttUsersMax: 100_000,
  mqttRightsMax: 100,
  mqttFilterBytesMax: 512,
  mqttDescriptionCharactersMax: 100,
  mqttPasswordCharactersMin: 8,
  mqttPasswordBytesMax: 256,
  verifiedPasswordsMax: 50_000,
  passwordChecksAtOnceMax: 2,
  passwordChecksWaitingMax: 500,
};
