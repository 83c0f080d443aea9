/** Logs that devices write themselves: taken at once, written a little later, many at a time. */
import type { Clock } from "../clock.ts";
import type { Registry } from "../registry/index.ts";
import type { DeviceLines, ServiceDownlink } from "./device-services.ts";
import type { DeviceServicesLimits } from "./limits.ts";
import type { DeviceLineStore, NewLogLine } from "./ports.ts";

export interface DeviceLinesPorts {
  store: DeviceLineStore;
  registry: Pick<Registry, "getDevice">;
  downlink: Pick<ServiceDownlink, "tellLogSwitch">;
  clock: Clock;
  limits: DeviceServicesLimits;
  onFailure(error: unknown): void;
}

const dayMilliseconds = 86_400_000;

export function createDeviceLines(ports: DeviceLinesPorts): DeviceLines & { trim(): Promise<void>; close(): Promise<void> } {
  const { store, registry, downlink, clock, limits, onFailure } = ports;
  let waiting: NewLogLine[] = [];
  let writing = 0;
  let running: Promise<void> | undefined;
  let cancelTimer: (() => void) | undefined;
  let isClosed = false;

  function schedule(): void {
    if (isClosed || cancelTimer !== undefined) return;
    cancelTimer = clock.after(limits.logFlushMilliseconds, () => {
      cancelTimer = undefined;
      flush().catch(onFailure);
    });
  }

  function flush(): Promise<void> {
    running ??= write().finally(() => {
      running = undefined;
    });
    return running;
  }

  /** What fails is kept and tried again with what came meanwhile. */
  async function write(): Promise<void> {
    const lines = waiting;
    if (lines.length === 0) return;
    waiting = [];
    writing = lines.length;
    try {
      await store.insert(lines);
    } catch (error) {
      waiting = [...lines, ...waiting];
      schedule();
      throw error;
    } finally {
      writing = 0;
    }
  }

  return {
    take({ productKey, deviceName }, lines) {
      if (isClosed || waiting.length + writing + lines.length > limits.logLinesWaitingMax) return false;
      const receivedAt = clock.now();
      for (const line of lines) {
        const content = line.content.slice(0, limits.logLineCharactersMax);
        waiting.push({ ...line, content, productKey, deviceName, receivedAt });
      }
      schedule();
      return true;
    },

    async query(query) {
      await flush();
      return store.query(query);
    },

    isWanted: (device) => store.isWanted(device),

    async setWanted(device, isWanted) {
      await registry.getDevice(device.productKey, device.deviceName);
      await store.setWanted(device, isWanted);
      downlink.tellLogSwitch(device, isWanted);
    },

    trim: () => store.trim(clock.now() - limits.logRetentionDays * dayMilliseconds, limits.logLinesMax),

    async close() {
      isClosed = true;
      cancelTimer?.();
      // The one that runs may have begun before the last lines came.
      await flush();
      await flush();
    },
  };
}
