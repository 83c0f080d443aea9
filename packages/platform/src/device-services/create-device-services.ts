/** Wires the services of this room and lets time pass for them. */
import type { Clock, Random } from "../clock.ts";
import type { Registry } from "../registry/index.ts";
import { createConfigs } from "./configs.ts";
import { createDeviceFiles } from "./device-files.ts";
import { createDeviceLines } from "./device-lines.ts";
import type { DeviceServices, ServiceDownlink } from "./device-services.ts";
import { createDiagnostics } from "./diagnostics.ts";
import { createFileLinks } from "./file-links.ts";
import { createJobs } from "./jobs.ts";
import type { DeviceServicesLimits } from "./limits.ts";
import { createLinkedFiles, type LinkedFiles } from "./linked-files.ts";
import type { ConfigStore, DeviceFileStore, DeviceLineStore, DiagnosticStore, FileFolder, JobStore, ShadowStore } from "./ports.ts";
import { createShadows } from "./shadows.ts";

export interface DeviceServicesPorts {
  stores: {
    shadows: ShadowStore;
    configs: ConfigStore;
    deviceLines: DeviceLineStore;
    diagnostics: DiagnosticStore;
    deviceFiles: DeviceFileStore;
    jobs: JobStore;
  };
  folder: FileFolder;
  registry: Pick<Registry, "getDevice" | "getProduct" | "listDevices">;
  downlink: ServiceDownlink;
  /** Where links lead, `https://host:port`. */
  origin(): string;
  /** Signs links. */
  linkKey: Uint8Array;
  clock: Clock;
  random: Random;
  limits: DeviceServicesLimits;
  onFailure(error: unknown): void;
}

const cleaningMilliseconds = 3_600_000;

export function createDeviceServices(ports: DeviceServicesPorts): { deviceServices: DeviceServices; linkedFiles: LinkedFiles } {
  const { stores, folder, origin, linkKey, clock, limits, onFailure } = ports;
  const links = createFileLinks({ origin, key: linkKey, clock, linkHours: limits.linkHours });
  const shadows = createShadows({ ...ports, store: stores.shadows });
  const configs = createConfigs({ ...ports, store: stores.configs, links });
  const lines = createDeviceLines({ ...ports, store: stores.deviceLines });
  const diagnostics = createDiagnostics({ ...ports, store: stores.diagnostics });
  const files = createDeviceFiles({ ...ports, store: stores.deviceFiles, links });
  const jobs = createJobs({ ...ports, store: stores.jobs, links });
  const timers = new Set<() => void>();
  let isClosed = false;

  /** One run after the other: a slow one is not overtaken. */
  function every(milliseconds: number, work: () => Promise<void>): void {
    if (isClosed) return;
    const cancel = clock.after(milliseconds, () => {
      timers.delete(cancel);
      work()
        .catch(onFailure)
        .finally(() => every(milliseconds, work));
    });
    timers.add(cancel);
  }

  async function clean(): Promise<void> {
    await files.clean();
    await lines.trim();
  }

  return {
    deviceServices: {
      shadows,
      configs,
      lines,
      diagnostics,
      files,
      jobs,
      async start() {
        await jobs.start();
        await jobs.sweep();
        clean().catch(onFailure);
        every(limits.jobSweepSeconds * 1000, jobs.sweep);
        every(cleaningMilliseconds, clean);
      },
      async close() {
        isClosed = true;
        for (const cancel of timers) cancel();
        configs.close();
        jobs.close();
        await lines.close();
      },
    },
    linkedFiles: createLinkedFiles({ links, configs: stores.configs, jobs: stores.jobs, files: stores.deviceFiles, folder }),
  };
}
