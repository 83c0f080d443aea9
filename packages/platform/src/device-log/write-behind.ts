/** Entries on their way to the store: kept in memory until stored, written many at a time, tried again when that fails. */
import type { Clock } from "../clock.ts";
import type { LogEntry } from "./device-log.ts";
import type { DeviceLogLimits } from "./limits.ts";
import type { DeviceLogStore } from "./ports.ts";

export interface WriteBehindPorts {
  store: DeviceLogStore;
  clock: Clock;
  limits: DeviceLogLimits;
  /** Called at the first failure of a series. */
  onFailed(cause: unknown): void;
  /** The store takes entries again after `count` were lost. */
  onRecovered(lostEntries: number): void;
}

export interface WriteBehind {
  push(entry: LogEntry): void;
  /** Oldest first: what is not known to be stored. */
  unflushed(): LogEntry[];
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function createWriteBehind({ store, clock, limits, onFailed, onRecovered }: WriteBehindPorts): WriteBehind {
  let waiting: LogEntry[] = [];
  let inFlight: LogEntry[] = [];
  let running: Promise<void> | undefined;
  let cancelTimer: (() => void) | undefined;
  let hasFailed = false;
  let lostEntries = 0;
  let isClosed = false;

  function schedule(milliseconds: number): void {
    if (cancelTimer !== undefined || isClosed) return;
    cancelTimer = clock.after(milliseconds, () => {
      cancelTimer = undefined;
      void flush();
    });
  }

  function flush(): Promise<void> {
    running ??= writeAll().finally(() => {
      running = undefined;
    });
    return running;
  }

  async function writeAll(): Promise<void> {
    cancelTimer?.();
    cancelTimer = undefined;
    while (waiting.length > 0) {
      inFlight = waiting.slice(0, limits.batchEntries);
      waiting = waiting.slice(limits.batchEntries);
      const failure = await insertInFlight();
      if (failure !== undefined) {
        if (!hasFailed) onFailed(failure.cause);
        hasFailed = true;
        schedule(limits.retryMilliseconds);
        return;
      }
      hasFailed = false;
      if (lostEntries > 0) {
        const count = lostEntries;
        lostEntries = 0;
        onRecovered(count);
      }
      // A long series of batches lets sockets have their turn in between.
      if (waiting.length > 0) await new Promise<void>((resolve) => clock.soon(resolve));
    }
  }

  async function insertInFlight(): Promise<{ cause: unknown } | undefined> {
    try {
      await store.insert(inFlight);
      inFlight = [];
      return undefined;
    } catch (cause) {
      waiting = [...inFlight, ...waiting];
      inFlight = [];
      dropSurplus();
      return { cause };
    }
  }

  function dropSurplus(): void {
    const surplus = waiting.length + inFlight.length - limits.unflushedEntriesMax;
    if (surplus <= 0) return;
    // Dropping copies the list: a tenth more goes, so that a store that stays away does not cost a copy for every entry.
    const dropped = Math.min(waiting.length, surplus + Math.floor(limits.unflushedEntriesMax / 10));
    lostEntries += dropped;
    waiting = waiting.slice(dropped);
  }

  return {
    push(entry) {
      if (isClosed) return;
      waiting.push(entry);
      dropSurplus();
      if (hasFailed) schedule(limits.retryMilliseconds);
      else if (waiting.length === limits.batchEntries && running === undefined) clock.soon(() => void flush());
      else schedule(limits.flushMilliseconds);
    },

    unflushed: () => [...inFlight, ...waiting],

    flush,

    async close() {
      // A flush that was already running may have ended before the last entries came.
      await flush();
      await flush();
      isClosed = true;
      cancelTimer?.();
      cancelTimer = undefined;
    },
  };
}
