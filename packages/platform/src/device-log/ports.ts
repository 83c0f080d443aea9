import type { LogEntry, LogQuery } from "./device-log.ts";

export interface DeviceLogStore {
  /** Highest id stored, 0 when empty. */
  lastId(): Promise<number>;
  insert(entries: LogEntry[]): Promise<void>;
  /** Newest first. */
  query(query: LogQuery & { limit: number }): Promise<LogEntry[]>;
  /** Deletes the oldest beyond `entriesMax` and all older than `olderThan`; returns how many went. */
  trim(entriesMax: number, olderThan: number): Promise<number>;
}
