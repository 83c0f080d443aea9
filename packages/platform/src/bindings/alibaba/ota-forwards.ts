/** Tells rules and subscriptions about firmware (alibaba-device.md, 9.1 and 9.2), and the room about connections. */
import {
  alibabaForwardTopics,
  type ForwardedTask,
  formatOtaJob,
  formatOtaProgressReport,
  formatOtaTask,
  formatOtaVersion,
} from "@thingstead/dialects";
import { isDeviceSubject, type SessionListener } from "../../access/index.ts";
import type { DeviceEvents } from "../../messages/index.ts";
import type { Ota, OtaChange, OtaTask } from "../../ota/index.ts";
import { reachesUpgradeTopic } from "./ota.ts";

export interface OtaForwardsPorts {
  events: Pick<DeviceEvents, "tell">;
  /** What is owed to a rule could not be made safe: nobody waits for it. */
  onFailure(error: unknown): void;
}

/** Ends that are told; the vendor tells no others. */
const toldStatuses: readonly string[] = ["SUCCEEDED", "FAILED", "CANCELED"];

function toForwarded(task: OtaTask): ForwardedTask {
  const { productKey, deviceName, iotId, module, sourceVersion, version, jobId, id } = task;
  const source = sourceVersion === undefined ? {} : { sourceVersion };
  return { device: { productKey, deviceName, iotId }, module, ...source, version, jobId: String(jobId), taskId: String(id) };
}

export function createOtaForwards({ events, onFailure }: OtaForwardsPorts): (change: OtaChange) => void {
  function tell(event: Parameters<DeviceEvents["tell"]>[0]): void {
    events.tell(event)?.catch(onFailure);
  }

  return (change) => {
    const { time } = change;
    switch (change.kind) {
      case "version": {
        const { device } = change;
        const { productKey, deviceName } = device;
        const topic = alibabaForwardTopics.otaVersion(device);
        tell({ kind: "ota_version", productKey, deviceName, topic, qos: 1, time, body: () => formatOtaVersion(change) });
        return;
      }
      case "task": {
        const { task } = change;
        // One that failed only because an older task is unfinished is not told (9.2).
        if (change.isSilent === true || !toldStatuses.includes(task.status)) return;
        const { productKey, deviceName, status, description } = task;
        const topic = alibabaForwardTopics.otaTask(task);
        const body = () => formatOtaTask({ ...toForwarded(task), status, description: description || (task.reason ?? ""), time });
        tell({ kind: "ota", productKey, deviceName, topic, qos: 1, time, body });
        return;
      }
      case "progress": {
        const { task, step, description } = change;
        const { productKey, deviceName } = task;
        const topic = alibabaForwardTopics.otaProgress(task);
        const body = () => formatOtaProgressReport({ ...toForwarded(task), step, description, time });
        tell({ kind: "ota", productKey, deviceName, topic, qos: 1, time, body });
        return;
      }
      case "job": {
        const { productKey, module, status, packageId, id } = change.job;
        const names = { productKey, module, packageId: String(packageId), jobId: String(id) };
        const topic = alibabaForwardTopics.otaJob(productKey, names.packageId, names.jobId);
        tell({ kind: "ota_job", productKey, topic, qos: 1, time, body: () => formatOtaJob({ ...names, status, time }) });
        return;
      }
    }
  };
}

/** Given to the engine's observer before the room is open. */
export function createOtaSessions(ota: () => Pick<Ota, "connected" | "reachable">): SessionListener {
  return {
    connected({ subject }) {
      if (isDeviceSubject(subject)) ota().connected(subject.productKey, subject.deviceName);
    },
    subscribed({ subject, filter }) {
      if (!isDeviceSubject(subject) || !reachesUpgradeTopic(filter)) return;
      // A gateway subscribes for its sub-devices: the filter says for whom, unless it is open.
      const [, , , , productKey = "", deviceName = ""] = filter.split("/");
      const isNamed = productKey !== "" && deviceName !== "" && !/[+#]/.test(filter);
      if (isNamed) ota().reachable(productKey, deviceName);
      else ota().reachable(subject.productKey, subject.deviceName);
    },
  };
}
