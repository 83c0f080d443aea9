/** Connection states on their way to the store: written behind, many in one transaction, seen by reads before that. */
import type { Clock } from "../clock.ts";
import type { RegistryLimits } from "./limits.ts";
import type { DeviceRow, DeviceStatusWrite, RegistryStore } from "./ports.ts";

export interface StatusBoardPorts {
  store: RegistryStore;
  clock: Clock;
  limits: RegistryLimits;
  /** These devices' states are in the store now. */
  onWritten(keys: Iterable<string>): void;
  /** Called at the first failure of a series; the states are kept and tried again. */
  onFailed(devices: number, cause: unknown): void;
}

export interface StatusBoard {
  mark(key: string, write: DeviceStatusWrite): void;
  /** The row as it will be once everything is written. */
  overlay(key: string, row: DeviceRow): DeviceRow;
  forget(key: string): void;
  /** Writes what is pending now. Never throws. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function createStatusBoard({ store, clock, limits, onWritten, onFailed }: StatusBoardPorts): StatusBoard {
  // One entry per device: bounded by the number of devices even while the store fails.
  const pending = new Map<string, DeviceStatusWrite>();
  let writing = new Map<string, DeviceStatusWrite>();
  let running: Promise<void> | undefined;
  let cancelTimer: (() => void) | undefined;
  let hasFailed = false;
  let isClosed = false;

  function schedule(milliseconds: number): void {
    if (cancelTimer !== undefined || isClosed) return;
    cancelTimer = clock.after(milliseconds, () => {
      cancelTimer = undefined;
      void flush();
    });
  }

  function flush(): Promise<void> {
    running ??= writePending().finally(() => {
      running = undefined;
    });
    return running;
  }

  async function writePending(): Promise<void> {
    cancelTimer?.();
    cancelTimer = undefined;
    while (pending.size > 0) {
      const isWritten = await writeBatch();
      if (!isWritten) {
        schedule(limits.statusRetryMilliseconds);
        return;
      }
      // A long series of batches lets sockets have their turn in between.
      if (pending.size > 0) await new Promise<void>((resolve) => clock.soon(resolve));
    }
  }

  async function writeBatch(): Promise<boolean> {
    const batch = new Map<string, DeviceStatusWrite>();
    for (const [key, write] of pending) {
      if (batch.size === limits.statusBatchDevices) break;
      batch.set(key, write);
      pending.delete(key);
    }
    writing = batch;
    try {
      await store.writeStatuses([...batch.values()]);
      hasFailed = false;
      return true;
    } catch (cause) {
      for (const [key, write] of batch) {
        const newer = pending.get(key);
        pending.set(key, newer === undefined ? write : merge(write, newer));
      }
      if (!hasFailed) onFailed(pending.size, cause);
      hasFailed = true;
      return false;
    } finally {
      writing = new Map();
      onWritten(batch.keys());
    }
  }

  return {
    mark(key, write) {
      const older = pending.get(key);
      pending.set(key, older === undefined ? write : merge(older, write));
      if (pending.size === limits.statusBatchDevices && !hasFailed) clock.soon(() => void flush());
      else schedule(hasFailed ? limits.statusRetryMilliseconds : limits.statusFlushMilliseconds);
    },

    overlay(key, row) {
      let result = row;
      for (const write of [writing.get(key), pending.get(key)]) if (write !== undefined) result = applyStatus(result, write);
      return result;
    },

    forget(key) {
      pending.delete(key);
    },

    flush,

    async close() {
      await flush();
      isClosed = true;
      cancelTimer?.();
      cancelTimer = undefined;
    },
  };
}

function merge(older: DeviceStatusWrite, newer: DeviceStatusWrite): DeviceStatusWrite {
  const activatedAt = older.activatedAt ?? newer.activatedAt;
  return { ...older, ...newer, ...(activatedAt !== undefined && { activatedAt }) };
}

/** What `writeStatuses` does to a row. */
export function applyStatus<Row extends Omit<DeviceRow, "isOnline">>(row: Row, write: DeviceStatusWrite): Row & { isOnline: boolean } {
  const activatedAt = row.activatedAt ?? write.activatedAt;
  return {
    ...row,
    isOnline: write.isOnline,
    ...(activatedAt !== undefined && { activatedAt }),
    ...(write.lastOnlineAt !== undefined && { lastOnlineAt: write.lastOnlineAt }),
    ...(write.lastOfflineAt !== undefined && { lastOfflineAt: write.lastOfflineAt }),
    ...(write.remoteAddress !== undefined && { remoteAddress: write.remoteAddress }),
  };
}
