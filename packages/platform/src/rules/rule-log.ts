/** Entries of kind `forward` in the device log: what became of a message in a rule. */
import type { DeviceLog, NewLogEntry } from "../device-log/index.ts";
import type { DeviceOfTopic } from "./compile/index.ts";
import { forwardingTopic } from "./topic-filter.ts";

interface ForwardEvent {
  topic: string;
  code: string;
  isSuccess: boolean;
  reason: string;
  qos?: number;
  payloadBytes?: number;
  /** Where the topic names none: whose client sent the message. */
  device?: DeviceOfTopic | undefined;
}

export interface RuleLog {
  write(event: ForwardEvent): void;
}

export function createRuleLog(deviceLog: Pick<DeviceLog, "write" | "wants">): RuleLog {
  return {
    write({ device: sender, ...event }) {
      const device = deviceOfTopic(event.topic) ?? sender;
      if (!deviceLog.wants("forward", device?.productKey ?? "", device?.deviceName ?? "")) return;
      const entry: NewLogEntry = { kind: "forward", ...event };
      deviceLog.write(device === undefined ? entry : { ...entry, ...device });
    },
  };
}

/** Every topic that a rule may read names its device by position [alibaba-server 2.5]. */
export function deviceOfTopic(topic: string): DeviceOfTopic | undefined {
  const match = /^(?:\/as\/mqtt\/status)?\/([^/]+)\/([^/]+)/.exec(forwardingTopic(topic));
  const [, productKey, deviceName] = match ?? [];
  return productKey === undefined || deviceName === undefined ? undefined : { productKey, deviceName };
}
