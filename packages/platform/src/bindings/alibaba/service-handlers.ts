/** Families of the other device services. Source: alibaba-device.md, 8. */
import type { Clock } from "../../clock.ts";
import type { DeviceLog } from "../../device-log/index.ts";
import type { DeviceServices } from "../../device-services/index.ts";
import type { Downlink } from "../../messages/index.ts";
import { createConfigHandlers } from "./config.ts";
import { createDeviceLogHandlers } from "./device-logs.ts";
import { createDeviceProblems } from "./device-problems.ts";
import { createFileUploadHandlers } from "./file-upload.ts";
import { createJobHandlers } from "./jobs.ts";
import type { AlibabaBindingLimits } from "./limits.ts";
import { createNtpHandlers } from "./ntp.ts";
import { createShadowHandlers } from "./shadow.ts";
import type { UplinkHandlers } from "./uplink.ts";

export interface ServiceHandlersPorts {
  deviceServices: Pick<DeviceServices, "shadows" | "configs" | "lines" | "diagnostics" | "files" | "jobs">;
  downlink: Pick<Downlink, "send">;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  clock: Pick<Clock, "now">;
  limits: AlibabaBindingLimits;
}

export function createServiceHandlers(ports: ServiceHandlersPorts): UplinkHandlers[] {
  const { deviceServices, downlink, clock, limits } = ports;
  const problems = createDeviceProblems(ports.deviceLog);
  const shared = { ...deviceServices, downlink, problems, clock, limits };
  return [
    createShadowHandlers(shared),
    createNtpHandlers(shared),
    createConfigHandlers(shared),
    createDeviceLogHandlers(shared),
    createFileUploadHandlers(shared),
    createJobHandlers(shared),
  ];
}
