/** The device log: numbers entries, holds back floods, writes behind, and tells followers at once. */
import type { Clock } from "../clock.ts";
import { formatError, PlatformError } from "../errors/index.ts";
import type { DeviceLog, LogEntry, LogQuery, NewLogEntry } from "./device-log.ts";
import { type DeviceLogLimits, defaultDeviceLogLimits } from "./limits.ts";
import type { DeviceLogStore } from "./ports.ts";
import { createRateGate } from "./rate-gate.ts";
import { createWriteBehind } from "./write-behind.ts";

export interface DeviceLogPorts {
  store: DeviceLogStore;
  clock: Clock;
  limits?: Partial<DeviceLogLimits>;
  /** Hears of what no caller can be told: `device_log.store_failed`, once for a series of failures. */
  report?: (problem: PlatformError) => void;
}

type Followed = Parameters<DeviceLog["follow"]>[0];

/** @example const log = await createDeviceLog({ store: store.deviceLog, clock: systemClock }) */
export async function createDeviceLog({ store, clock, limits: given = {}, report = () => {} }: DeviceLogPorts): Promise<DeviceLog> {
  const limits = { ...defaultDeviceLogLimits, ...given };
  const gate = createRateGate(clock, limits);
  const followers = new Set<{ query: Followed; listener: (entry: LogEntry) => void }>();
  let lastId = await store.lastId();
  let isClosed = false;
  let cancelSummary: (() => void) | undefined;
  let cancelTrim: (() => void) | undefined;

  const behind = createWriteBehind({
    store,
    clock,
    limits,
    onFailed: reportStoreFailure,
    onRecovered(count) {
      append(summary("device_log.lost", count));
    },
  });

  function reportStoreFailure(cause: unknown): void {
    const problem = cause instanceof Error ? cause.message : String(cause);
    report(new PlatformError("device_log.store_failed", { problem }, { cause }));
  }

  function append(entry: NewLogEntry): void {
    const stored: LogEntry = { ...bounded(entry, limits.textCharactersMax), id: ++lastId, time: entry.time ?? clock.now() };
    behind.push(stored);
    for (const follower of followers) {
      if (!matches(stored, follower.query)) continue;
      try {
        follower.listener(stored);
      } catch {
        // A follower that fails is gone (its socket, mostly); logging must not suffer for it.
        followers.delete(follower);
      }
    }
  }

  function summarise(): void {
    cancelSummary?.();
    cancelSummary = undefined;
    for (const { count, ...device } of gate.drain()) append({ ...summary("device_log.suppressed", count), ...device });
  }

  function expectSummary(): void {
    cancelSummary ??= clock.after(limits.summaryMilliseconds, summarise);
  }

  function trimLater(): void {
    cancelTrim = clock.after(limits.trimMilliseconds, () => void trim());
  }

  /** The store deletes a bounded number at a time; sockets have their turn in between. */
  async function trim(): Promise<void> {
    try {
      while (!isClosed && (await store.trim(limits.entriesMax, clock.now() - limits.ageMilliseconds)) > 0) {
        await new Promise<void>((resolve) => clock.soon(resolve));
      }
    } catch (cause) {
      reportStoreFailure(cause);
    }
    if (!isClosed) trimLater();
  }

  trimLater();

  return {
    write(entry) {
      if (isClosed) return;
      if (gate.take(entry)) append(entry);
      else expectSummary();
    },

    refusesMessages() {
      if (!gate.refusesMessages()) return false;
      expectSummary();
      return true;
    },

    wants(kind, productKey, deviceName) {
      if (isClosed) return false;
      const isWanted = gate.wants(kind, productKey, deviceName);
      if (!isWanted) expectSummary();
      return isWanted;
    },

    async query(query) {
      const limit = query.limit ?? limits.pageSizeDefault;
      if (!Number.isSafeInteger(limit) || limit < 1 || limit > limits.pageSizeMax) {
        throw new PlatformError("device_log.invalid_limit", { received: limit, expected: limits.pageSizeMax });
      }
      const inMemory = behind.unflushed().filter((entry) => matches(entry, query));
      const stored = await store.query({ ...query, limit });
      // An entry may have been stored between the two looks: by its number it is one.
      const byId = new Map([...stored, ...inMemory].map((entry) => [entry.id, entry]));
      return [...byId.values()].sort((a, b) => b.id - a.id).slice(0, limit);
    },

    follow(query, listener) {
      if (followers.size >= limits.followersMax) {
        throw new PlatformError("device_log.too_many_followers", { expected: limits.followersMax });
      }
      const follower = { query, listener };
      followers.add(follower);
      return () => void followers.delete(follower);
    },

    async close() {
      if (isClosed) return;
      summarise();
      isClosed = true;
      cancelTrim?.();
      followers.clear();
      await behind.close();
    },
  };
}

function summary(code: "device_log.suppressed" | "device_log.lost", count: number): NewLogEntry {
  return { kind: "drop", code, isSuccess: false, received: String(count), reason: formatError(code, { count }, "en") };
}

const textFields = ["topic", "remoteAddress", "clientId", "reason", "received", "expected", "productKey", "deviceName"] as const;

/** Peers choose some of these texts: none may grow an entry without end. */
function bounded(entry: NewLogEntry, charactersMax: number): NewLogEntry {
  const isLong = textFields.some((field) => (entry[field]?.length ?? 0) > charactersMax);
  if (!isLong) return entry;
  const short = { ...entry };
  for (const field of textFields) {
    const text = entry[field];
    if (text !== undefined && text.length > charactersMax) short[field] = `${text.slice(0, charactersMax - 1)}…`;
  }
  return short;
}

function matches(entry: LogEntry, query: LogQuery): boolean {
  return (
    (query.productKey === undefined || entry.productKey === query.productKey) &&
    (query.deviceName === undefined || entry.deviceName === query.deviceName) &&
    (query.clientId === undefined || (entry.clientId === query.clientId && entry.productKey === undefined)) &&
    (query.kind === undefined || entry.kind === query.kind) &&
    (query.code === undefined || entry.code === query.code) &&
    (query.isSuccess === undefined || entry.isSuccess === query.isSuccess) &&
    (query.since === undefined || entry.time >= query.since) &&
    (query.until === undefined || entry.time <= query.until) &&
    (query.beforeId === undefined || entry.id < query.beforeId) &&
    (query.afterId === undefined || entry.id > query.afterId)
  );
}
