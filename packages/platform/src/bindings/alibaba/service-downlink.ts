/** What the room of device services tells devices, in this cloud's words. Source: alibaba-device.md, 8.1, 8.6, 8.7, 8.11. */
import { formatAlinkRequest, formatShadowControl } from "@thingstead/dialects";
import { isDeviceSubject, type SessionListener } from "../../access/index.ts";
import type { Clock } from "../../clock.ts";
import type { DeviceNames, Jobs, ServiceDownlink } from "../../device-services/index.ts";
import type { Downlink } from "../../messages/index.ts";
import { configMembers, logSwitchMembers } from "./config.ts";
import { jobNotifyPath, reachesJobTopic, taskMembers } from "./jobs.ts";
import { shadowTopic } from "./shadow.ts";

export interface ServiceDownlinkPorts {
  downlink: Pick<Downlink, "send" | "isOnline">;
  nextMessageId: () => string;
  clock: Pick<Clock, "now">;
}

export function createServiceDownlink({ downlink, nextMessageId, clock }: ServiceDownlinkPorts): ServiceDownlink {
  function ask({ productKey, deviceName }: DeviceNames, path: string, params: unknown, qos: 0 | 1 = 1): boolean {
    const payload = formatAlinkRequest({ id: shortId(nextMessageId()), method: path.replaceAll("/", "."), params });
    const topic = `/sys/${productKey}/${deviceName}/${path}`;
    const { delivered, queued } = downlink.send({ productKey, deviceName, topic, payload, qos });
    return delivered + queued > 0;
  }

  return {
    isOnline: (productKey, deviceName) => downlink.isOnline(productKey, deviceName),
    tellShadow({ productKey, deviceName }, document) {
      const payload = formatShadowControl(document, Math.floor(clock.now() / 1000));
      downlink.send({ productKey, deviceName, topic: shadowTopic(productKey, deviceName), payload, qos: 1 });
    },
    tellConfig: (device, offer) => void ask(device, "thing/config/push", configMembers(offer)),
    tellLogSwitch: (device, isWanted) => void ask(device, "thing/config/log/push", logSwitchMembers(isWanted)),
    tellTask: (device, task) => ask(device, jobNotifyPath, { task: taskMembers(task) }, task.qos),
  };
}

/** Ids are digits up to 4294967295 (5.1). */
function shortId(messageId: string): string {
  return String(BigInt(messageId) % 4_294_967_296n);
}

/** Given to the engine's observer before the room is open. */
export function createJobSessions(jobs: () => Pick<Jobs, "reachable">): SessionListener {
  return {
    connected({ subject }) {
      if (isDeviceSubject(subject)) jobs().reachable(subject);
    },
    subscribed({ subject, filter }) {
      if (isDeviceSubject(subject) && reachesJobTopic(filter)) jobs().reachable(subject);
    },
  };
}
