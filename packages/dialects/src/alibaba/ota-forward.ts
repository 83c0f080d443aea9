/** Bodies of what is told about firmware. Source: alibaba-device.md, 9.2 (OTA). Jobs, packages and tasks are named by text. */
import type { ForwardDevice } from "./forward.ts";

export function formatOtaVersion(event: { device: ForwardDevice; module: string; version: string; time: number }): object {
  const { iotId, deviceName, productKey } = event.device;
  return { iotId, deviceName, productKey, moduleName: event.module, moduleVersion: event.version, messageCreateTime: event.time };
}

export interface ForwardedTask {
  device: ForwardDevice;
  module: string;
  sourceVersion?: string;
  version: string;
  jobId: string;
  taskId: string;
}

export function formatOtaTask(event: ForwardedTask & { status: string; description: string; time: number }): object {
  const { iotId, productKey, deviceName } = event.device;
  return {
    iotId,
    productKey,
    deviceName,
    moduleName: event.module,
    status: event.status,
    messageCreateTime: event.time,
    srcVersion: event.sourceVersion,
    destVersion: event.version,
    desc: event.description,
    jobId: event.jobId,
    taskId: event.taskId,
  };
}

export function formatOtaProgressReport(event: ForwardedTask & { step: number; description: string; time: number }): object {
  const { iotId, productKey, deviceName } = event.device;
  return {
    iotId,
    productKey,
    deviceName,
    moduleName: event.module,
    srcVersion: event.sourceVersion,
    destVersion: event.version,
    step: String(event.step),
    desc: event.description,
    jobId: event.jobId,
    taskId: event.taskId,
    messageCreateTime: event.time,
  };
}

export function formatOtaJob(event: {
  productKey: string;
  module: string;
  packageId: string;
  jobId: string;
  status: string;
  time: number;
}): object {
  const { productKey, module, packageId, jobId, status, time } = event;
  return { productKey, moduleName: module, packageId, jobId, status, messageCreateTime: time };
}
