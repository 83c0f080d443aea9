/** Whose topic a topic is, of every family. Source: alibaba-device.md, 4.3. */
import type { DeviceNames } from "../dialect.ts";
import { isProductKey, parseUserName } from "./identity.ts";

/** Level at which the ProductKey stands, by the topic's first levels; custom topics have it first. */
const placeOfPrefix: readonly (readonly [prefix: string, level: number])[] = [
  ["/sys/", 2],
  ["/ext/session/", 3],
  ["/ext/error/", 3],
  ["/ext/ntp/", 3],
  ["/ext/rrpc/", 4],
  ["/ota/device/", 4],
  ["/shadow/", 3],
];

/** The device that a topic or filter names; undefined when it names none, or a wildcard stands in its place. */
export function deviceOfTopic(topic: string): DeviceNames | undefined {
  const level = placeOfPrefix.find(([prefix]) => topic.startsWith(prefix))?.[1] ?? 1;
  const levels = topic.split("/", level + 2);
  const productKey = levels[level] ?? "";
  const deviceName = levels[level + 1] ?? "";
  return isProductKey(productKey) ? parseUserName(`${deviceName}&${productKey}`) : undefined;
}
