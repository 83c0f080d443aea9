/** Wires the services of this room and lets time pass for them. */
import type { Clock, Random } from "../clock.ts";
import type { Registry } from "../registry/index.ts";
import { createBackground } from "./background.ts";
import { createConfigs } from "./configs.ts";
import { createDeviceFiles } from "./device-files.ts";
import { createDeviceLines } from "./device-lines.ts";
import type { DeviceServices, ServiceDownlink } from "./device-services.ts";
import { createDiagnostics } from "./diagnostics.ts";
import { createFileLinks } from "./file-links.ts";
import { createJobs } from "./jobs.ts";
import type { DeviceServicesLimits } from "./limits.ts";
import { createLinkedFiles, type LinkedFiles } from "./linked-files.ts";
import type { NamedShadowStore } from "./named-shadow.ts";
import { createNamedShadows } from "./named-shadows.ts";
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
    namedShadows: NamedShadowStore;
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
  const { stores, folder, origin, linkKey, clock, limits } = ports;
  const links = createFileLinks({ origin, key: linkKey, clock, linkHours: limits.linkHours });
  const background = createBackground(ports);
  const shadows = createShadows({ ...ports, store: stores.shadows });
  const configs = createConfigs({ ...ports, store: stores.configs, links, background });
  const lines = createDeviceLines({ ...ports, store: stores.deviceLines });
  const diagnostics = createDiagnostics({ ...ports, store: stores.diagnostics });
  const files = createDeviceFiles({ ...ports, store: stores.deviceFiles, links });
  const jobs = createJobs({ ...ports, store: stores.jobs, links, background });
  const namedShadows = createNamedShadows({ ...ports, store: stores.namedShadows });
  async function clean(): Promise<void> {
    await files.clean();
    await lines.trim();
    await namedShadows.clean();
  }

  return {
    deviceServices: {
      shadows,
      configs,
      lines,
      diagnostics,
      files,
      jobs,
      namedShadows,
      async start() {
        await namedShadows.start();
        await jobs.start();
        await jobs.sweep();
        background.run(clean);
        background.every(limits.jobSweepSeconds * 1000, jobs.sweep);
        background.every(cleaningMilliseconds, clean);
      },
      async close() {
        await namedShadows.close();
        await background.close();
        await lines.close();
      },
    },
    linkedFiles: createLinkedFiles({ links, configs: stores.configs, jobs: stores.jobs, files: stores.deviceFiles, folder }),
  };
}
