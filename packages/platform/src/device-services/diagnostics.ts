/** What devices say about their network: the latest reports of each. */
import type { Clock } from "../clock.ts";
import type { Registry } from "../registry/index.ts";
import type { Diagnostics } from "./device-services.ts";
import { jsonBytes } from "./json-bytes.ts";
import type { DeviceServicesLimits } from "./limits.ts";
import type { DiagnosticStore } from "./ports.ts";

export interface DiagnosticsPorts {
  store: DiagnosticStore;
  registry: Pick<Registry, "getDevice">;
  clock: Pick<Clock, "now">;
  limits: DeviceServicesLimits;
}

export function createDiagnostics({ store, registry, clock, limits }: DiagnosticsPorts): Diagnostics {
  return {
    async take(device, report) {
      if (jsonBytes(report) > limits.diagnosticBytesMax) return false;
      await store.insert(device, { receivedAt: clock.now(), report }, limits.diagnosticReportsMax);
      return true;
    },
    async list(device, limit) {
      await registry.getDevice(device.productKey, device.deviceName);
      return store.list(device, Math.min(limit, limits.diagnosticReportsMax));
    },
  };
}
