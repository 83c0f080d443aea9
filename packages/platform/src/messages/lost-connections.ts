/** Devices whose connection broke without a word a moment ago: they may be back at once (alibaba-device.md, 8.4). */
import type { Clock } from "../clock.ts";
import type { MessageLimits } from "./limits.ts";

export interface LostConnections {
  /** A session ended; `subject` names its device. */
  disconnected(event: { subject: unknown; reason: string }): void;
  has(productKey: string, deviceName: string): boolean;
}

export function createLostConnections(
  clock: Pick<Clock, "now">,
  limits: Pick<MessageLimits, "rrpcHalfConnectedSeconds" | "rrpcLostConnectionsMax">,
): LostConnections {
  /** In the order of the losses, so that the oldest goes first. */
  const times = new Map<string, number>();
  const keyOf = (productKey: string, deviceName: string) => `${productKey}/${deviceName}`;
  return {
    disconnected({ subject, reason }) {
      if (!isDevice(subject)) return;
      const key = keyOf(subject.productKey, subject.deviceName);
      times.delete(key);
      // It came back since, and left in order.
      if (!brokenReasons.has(reason)) return;
      times.set(key, clock.now());
      if (times.size <= limits.rrpcLostConnectionsMax) return;
      for (const oldest of times.keys()) {
        times.delete(oldest);
        break;
      }
    },
    has(productKey, deviceName) {
      const lostAt = times.get(keyOf(productKey, deviceName));
      return lostAt !== undefined && clock.now() - lostAt < limits.rrpcHalfConnectedSeconds * 1000;
    },
  };
}

/** The device said nothing before it went. */
const brokenReasons: ReadonlySet<string> = new Set(["connection_closed", "keep_alive_timeout"]);

function isDevice(subject: unknown): subject is { productKey: string; deviceName: string } {
  return typeof subject === "object" && subject !== null && "productKey" in subject && "deviceName" in subject;
}
