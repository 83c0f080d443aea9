import type { QoS } from "../codec/index.ts";

/** Math.min that stays a QoS. */
export function lowerQos(one: QoS, other: QoS): QoS {
  if (one < other) return one;
  return other;
}
