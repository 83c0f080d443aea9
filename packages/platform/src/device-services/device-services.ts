/** What this room does for devices and programs. Times are milliseconds since the epoch unless told otherwise. */
import type { NamedShadows } from "./named-shadow.ts";
import type { ShadowDocument, ShadowValues } from "./shadow-document.ts";

export interface DeviceNames {
  readonly productKey: string;
  readonly deviceName: string;
}

/** What devices are told; each cloud's binding has its own words for it. */
export interface ServiceDownlink {
  isOnline(productKey: string, deviceName: string): boolean;
  tellShadow(device: DeviceNames, document: ShadowDocument): void;
  tellConfig(device: DeviceNames, offer: ConfigOffer): void;
  tellLogSwitch(device: DeviceNames, isWanted: boolean): void;
  /** False when it reached nobody. */
  tellTask(device: DeviceNames, task: OfferedTask): boolean;
}

export type ShadowChange =
  | { kind: "update"; reported?: ShadowValues; clearsDesired: boolean; version: number }
  | { kind: "delete"; reported: "all" | ShadowValues; version: number };

export type ShadowOutcome =
  | { kind: "done"; version: number }
  | { kind: "refused"; reason: "version_conflict" | "too_many_attributes" | "too_deep" | "too_large" | "throttled"; version?: number };

export interface Shadows {
  /** For programs; an empty one when nothing was written. Throws `registry.device_not_found`. */
  read(device: DeviceNames): Promise<ShadowDocument>;
  /** For the device; undefined when nothing was written. */
  ask(device: DeviceNames): Promise<ShadowDocument | "throttled" | undefined>;
  /** By the device. Stored when it resolves. Version -1 is not compared and sets 0. */
  report(device: DeviceNames, change: ShadowChange): Promise<ShadowOutcome>;
  /**
   * By a program; null clears. `isDelta` keeps what is not named. Without a version (or with 0) the stored one is counted up.
   * Throws `registry.device_not_found`, `device_services.shadow_*`.
   */
  desire(device: DeviceNames, wish: { desired: ShadowValues | null; isDelta: boolean; version?: number }): Promise<ShadowDocument>;
}

export interface ConfigVersion {
  id: number;
  bytes: number;
  /** Lower-case hexadecimal. */
  sha256: string;
  createdAt: number;
}

export interface ConfigOffer extends ConfigVersion {
  url: string;
}

/** One configuration per product: a JSON file. */
export interface Configs {
  /** Throws `registry.product_not_found`. */
  state(productKey: string): Promise<{ isEnabled: boolean; current?: ConfigVersion; versions: ConfigVersion[] }>;
  /** Throws `device_services.config_not_found`. */
  content(productKey: string, id: number): Promise<Buffer>;
  /** The newest from now on. Throws `device_services.config_too_large`, `device_services.config_not_json`. */
  save(productKey: string, content: Uint8Array): Promise<ConfigVersion>;
  setEnabled(productKey: string, isEnabled: boolean): Promise<void>;
  /** For a device. */
  offer(productKey: string): Promise<ConfigOffer | "off" | "none">;
  /** Begins to tell every device that is online. Throws `device_services.config_off`, `device_services.config_not_found`. */
  push(productKey: string): Promise<ConfigVersion>;
}

export interface LogLine {
  /** As the device wrote it; absent when it wrote none. */
  utcTime?: string;
  level: string;
  module: string;
  code: string;
  traceContext?: string;
  content: string;
}

export interface StoredLogLine extends LogLine, DeviceNames {
  id: number;
  receivedAt: number;
}

export interface LogLineQuery {
  productKey?: string;
  deviceName?: string;
  level?: string;
  module?: string;
  text?: string;
  since?: number;
  until?: number;
  /** Older than this one. */
  beforeId?: number;
  limit: number;
}

/** Logs that devices write themselves. */
export interface DeviceLines {
  /** False when too many wait to be written. */
  take(device: DeviceNames, lines: readonly LogLine[]): boolean;
  /** Newest first. */
  query(query: LogLineQuery): Promise<StoredLogLine[]>;
  isWanted(device: DeviceNames): Promise<boolean>;
  /** Throws `registry.device_not_found`. */
  setWanted(device: DeviceNames, isWanted: boolean): Promise<void>;
}

export interface Diagnostic {
  receivedAt: number;
  report: unknown;
}

export interface Diagnostics {
  /** False when it is too large. */
  take(device: DeviceNames, report: unknown): Promise<boolean>;
  /** Newest first. Throws `registry.device_not_found`. */
  list(device: DeviceNames, limit: number): Promise<Diagnostic[]>;
}

export interface DeviceFile extends DeviceNames {
  uploadId: string;
  name: string;
  /** -1 until the end of a stream of unknown length. */
  bytes: number;
  storedBytes: number;
  isComplete: boolean;
  createdAt: number;
  modifiedAt: number;
}

export type UploadRefusal =
  | "file_too_large"
  | "block_too_large"
  | "offset_mismatch"
  | "block_too_small"
  | "block_damaged"
  | "upload_unknown"
  | "name_taken"
  | "upload_finished"
  | "invalid"
  | "storage_full";

export type Upload<T> = T | { refused: UploadRefusal; reason: string };

export interface DeviceFiles {
  begin(
    device: DeviceNames,
    request: { name: string; bytes: number; ifExists: "overwrite" | "append" | "reject" },
  ): Promise<Upload<{ file: DeviceFile }>>;
  /** `bytes` are copied before anything waits. */
  append(
    device: DeviceNames,
    block: { uploadId: string; offset: number; bytes: Uint8Array; isComplete: boolean; isIntact: boolean },
  ): Promise<Upload<{ file: DeviceFile }>>;
  cancel(device: DeviceNames, uploadId: string): Promise<Upload<{ uploadId: string }>>;
  /** Throws `registry.device_not_found`. */
  list(device: DeviceNames, page: { page: number; pageSize: number }): Promise<{ items: DeviceFile[]; total: number }>;
  /** A signed link. Throws `device_services.file_not_found`. */
  link(device: DeviceNames, uploadId: string): Promise<{ file: DeviceFile; url: string }>;
  /** Its bytes, some at a time. Throws `device_services.file_not_found`, `device_services.file_unfinished`. */
  open(device: DeviceNames, uploadId: string): Promise<{ file: DeviceFile; pieces: AsyncIterable<Buffer> }>;
  remove(device: DeviceNames, uploadId: string): Promise<void>;
}

export type TaskStatus = "QUEUED" | "SENT" | "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "REJECTED" | "TIMED_OUT" | "CANCELLED";

export interface JobFile {
  url: string;
  signMethod: "Md5" | "Sha256";
  sign: string;
}

export interface OfferedTask {
  taskId: string;
  status: TaskStatus;
  document: Readonly<Record<string, unknown>>;
  file?: JobFile;
  /** How it is told; absent = 1. */
  qos?: 0 | 1;
}

/** How a job reaches its devices. */
export interface JobRollout {
  /** Devices told in one minute; absent = as fast as it goes. A device that connects or asks is not counted. */
  perMinuteMax?: number;
  qos?: 0 | 1;
}

export interface Job {
  id: string;
  name: string;
  description: string;
  document: Readonly<Record<string, unknown>>;
  hasFile: boolean;
  timeoutMinutes?: number;
  rollout: JobRollout;
  /** What its maker wanted kept with it. */
  notes: Readonly<Record<string, unknown>>;
  isCancelled: boolean;
  /** Of its tasks: the one that is farthest from its end; of a cancelled job CANCELLED. */
  status: TaskStatus;
  createdAt: number;
  modifiedAt: number;
  counts: Readonly<Partial<Record<TaskStatus, number>>>;
}

export interface JobTask extends DeviceNames {
  /** Later ones have higher numbers. */
  id: number;
  taskId: string;
  jobId: string;
  status: TaskStatus;
  progress: number;
  details: unknown;
  queuedAt: number;
  modifiedAt: number;
}

export interface NewJob {
  name: string;
  description?: string;
  document: Readonly<Record<string, unknown>>;
  /** Either bytes that this server serves, or a file elsewhere. */
  file?: { content: Uint8Array; signMethod?: JobFile["signMethod"] } | JobFile;
  devices: readonly DeviceNames[];
  /** A task that is in progress for longer has failed. */
  timeoutMinutes?: number;
  rollout?: JobRollout;
  notes?: Readonly<Record<string, unknown>>;
}

/** What is absent stays. */
export interface JobChange {
  description?: string;
  timeoutMinutes?: number;
  rollout?: JobRollout;
}

export interface JobTaskQuery {
  jobId?: string;
  device?: DeviceNames;
  status?: TaskStatus;
  /** Later ones than this. */
  afterId?: number;
  limit: number;
}

export interface Jobs {
  /** Throws `device_services.job_*`, `registry.device_not_found`. */
  create(job: NewJob): Promise<Job>;
  list(page: { page: number; pageSize: number; status?: TaskStatus }): Promise<{ items: Job[]; total: number }>;
  get(jobId: string): Promise<Job>;
  /** With a signed link, where this server has the bytes. */
  file(jobId: string): Promise<JobFile | undefined>;
  /** A time limit is of those tasks that begin from now on. Throws `device_services.job_*`. */
  change(jobId: string, change: JobChange): Promise<Job>;
  /** Tasks that ended otherwise than well are queued again. */
  rerun(jobId: string): Promise<Job>;
  /** Throws `device_services.task_not_found`. */
  findTask(taskId: string): Promise<JobTask>;
  /** Oldest first; `nextId` when there are more. */
  findTasks(query: JobTaskQuery): Promise<{ items: JobTask[]; nextId?: number }>;
  tasks(jobId: string, page: { page: number; pageSize: number; status?: TaskStatus }): Promise<{ items: JobTask[]; total: number }>;
  /** Of its tasks, those that are not over. */
  cancel(jobId: string): Promise<Job>;
  remove(jobId: string): Promise<void>;
  /** For the device: one, or the oldest that is not over. */
  task(device: DeviceNames, taskId: string | "next"): Promise<OfferedTask | undefined>;
  pending(device: DeviceNames): Promise<{ taskId: string; status: TaskStatus }[]>;
  update(
    device: DeviceNames,
    report: { taskId: string; status: string; progress?: number; details?: unknown },
  ): Promise<"done" | "unknown" | "over" | "invalid">;
  /** It is there (again) and hears of jobs. */
  reachable(device: DeviceNames): void;
}

export interface DeviceServices {
  shadows: Shadows;
  configs: Configs;
  lines: DeviceLines;
  diagnostics: Diagnostics;
  files: DeviceFiles;
  jobs: Jobs;
  namedShadows: NamedShadows;
  start(): Promise<void>;
  close(): Promise<void>;
}
