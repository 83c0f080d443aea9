/** Formats of the names a device is known by. Source: alibaba-device.md, 1.1. */
import type { DeviceNames } from "../dialect.ts";
import { systemTopicFamilies } from "./system-topics.ts";

/** Letters and digits; 11 in every sample, 20 in the C SDK's buffer. */
const productKeyPattern = /^[A-Za-z0-9]{1,20}$/;
const deviceNamePattern = /^[A-Za-z0-9_@.:-]{4,32}$/;
/** On the wire anything that could be looked up is let through: a fleet that moved in may have names shorter than the rule. */
const wireDeviceNamePattern = /^[A-Za-z0-9_@.:-]{1,64}$/;
const iotIdPattern = /^[A-Za-z0-9]{1,64}$/;

export const isProductKey = (text: string): boolean => productKeyPattern.test(text);
export const isDeviceName = (text: string): boolean => deviceNamePattern.test(text);
export const isIotId = (text: string): boolean => iotIdPattern.test(text);

/** `${deviceName}&${productKey}` into its parts; undefined for every other text. */
export function parseUserName(userName: string): DeviceNames | undefined {
  const at = userName.indexOf("&");
  if (at < 0) return undefined;
  const deviceName = userName.slice(0, at);
  const productKey = userName.slice(at + 1);
  if (!wireDeviceNamePattern.test(deviceName) || !isProductKey(productKey)) return undefined;
  return { productKey, deviceName };
}

/** The owner of a `/${productKey}/${deviceName}/…` topic. Families of system topics have names that no ProductKey has. */
export function parseTopicOwner(topic: string): DeviceNames | undefined {
  const [root, productKey, deviceName, first] = topic.split("/", 4);
  if (root !== "" || productKey === undefined || deviceName === undefined || first === undefined) return undefined;
  if (systemTopicFamilies.has(productKey) || !isProductKey(productKey) || !wireDeviceNamePattern.test(deviceName)) return undefined;
  return { productKey, deviceName };
}
