/** What happened to a device, with codes: the source of every "why". Bounded, queryable, followable. */

export type LogKind =
  | "connect"
  | "refuse"
  | "subscribe"
  | "unsubscribe"
  | "publish"
  | "deliver"
  | "forward"
  | "disconnect"
  | "drop"
  | "auth";

export interface LogEntry {
  /** Grows; the cursor of queries and of the event stream. */
  id: number;
  /** Milliseconds since the epoch. */
  time: number;
  kind: LogKind;
  /** `device.connected`, `access.signature_mismatch`, … */
  code: string;
  /** False for refusals and failures. */
  isSuccess: boolean;
  productKey?: string;
  deviceName?: string;
  topic?: string;
  qos?: number;
  payloadBytes?: number;
  remoteAddress?: string;
  clientId?: string;
  /** Why, in one English sentence; the code is what programs read. */
  reason?: string;
  received?: string;
  expected?: string;
}

export type NewLogEntry = Omit<LogEntry, "id" | "time"> & { time?: number };

export interface LogQuery {
  productKey?: string;
  deviceName?: string;
  /** Of generic clients; a device's entries are found by its names. */
  clientId?: string;
  kind?: LogKind;
  code?: string;
  isSuccess?: boolean;
  since?: number;
  until?: number;
  /** Entries with a smaller id (older) only: paging towards the past. */
  beforeId?: number;
  /** Entries with a larger id only: resuming a stream. */
  afterId?: number;
  /** At most `deviceLog.pageSizeMax`. */
  limit?: number;
}

export interface DeviceLog {
  /** Never throws, never blocks: kept in memory, written behind in batches; over the rate limit counted and summarised. */
  write(entry: NewLogEntry): void;
  /** Hot-path gate: false = this device is over its rate, do not build an entry (it is counted as suppressed). */
  wants(kind: LogKind, productKey: string, deviceName: string): boolean;
  /** Asked before `wants`: true = all messages together are over their rate. Counted, and whose it is need not be looked up. */
  refusesMessages(): boolean;
  /** Newest first. Sees what `write` took, stored yet or not. */
  query(query: LogQuery): Promise<LogEntry[]>;
  /** Calls `listener` for every new entry that matches; the returned function ends it. At most `deviceLog.followersMax`. */
  follow(
    query: Pick<LogQuery, "productKey" | "deviceName" | "clientId" | "kind" | "isSuccess">,
    listener: (entry: LogEntry) => void,
  ): () => void;
  close(): Promise<void>;
}
