/** What this room asks of the store. Everything of a device goes with the device, everything of a product with the product. */
import type {
  ConfigVersion,
  DeviceFile,
  DeviceNames,
  Diagnostic,
  JobChange,
  JobFile,
  JobRollout,
  JobTaskQuery,
  LogLine,
  LogLineQuery,
  StoredLogLine,
  TaskStatus,
} from "./device-services.ts";
import type { ShadowDocument } from "./shadow-document.ts";

export interface ShadowStore {
  load(device: DeviceNames): Promise<ShadowDocument | undefined>;
  /** Durable when it resolves. A device that is gone is not written. */
  save(device: DeviceNames, document: ShadowDocument): Promise<void>;
}

export interface ConfigStore {
  isEnabled(productKey: string): Promise<boolean>;
  setEnabled(productKey: string, isEnabled: boolean): Promise<void>;
  /** Newest first. */
  versions(productKey: string): Promise<ConfigVersion[]>;
  content(id: number): Promise<{ productKey: string; content: Buffer } | undefined>;
  /** Keeps the newest `versionsMax`. */
  insert(productKey: string, config: Omit<ConfigVersion, "id"> & { content: Uint8Array }, versionsMax: number): Promise<ConfigVersion>;
}

export interface NewLogLine extends LogLine, DeviceNames {
  receivedAt: number;
}

export interface DeviceLineStore {
  /** All or none; lines of devices that are gone are left out. */
  insert(lines: readonly NewLogLine[]): Promise<void>;
  query(query: LogLineQuery): Promise<StoredLogLine[]>;
  /** Deletes what is older than `before` and what is more than `linesMax`. */
  trim(before: number, linesMax: number): Promise<void>;
  isWanted(device: DeviceNames): Promise<boolean>;
  setWanted(device: DeviceNames, isWanted: boolean): Promise<void>;
}

export interface DiagnosticStore {
  /** Keeps the newest `reportsMax` of the device. */
  insert(device: DeviceNames, diagnostic: Diagnostic, reportsMax: number): Promise<void>;
  list(device: DeviceNames, limit: number): Promise<Diagnostic[]>;
}

export interface DeviceFileStore {
  find(device: DeviceNames, uploadId: string): Promise<DeviceFile | undefined>;
  /** By the id alone, for signed links. */
  findByUploadId(uploadId: string): Promise<DeviceFile | undefined>;
  /** The newest of that name. */
  findByName(device: DeviceNames, name: string): Promise<DeviceFile | undefined>;
  othersOfName(device: DeviceNames, name: string, uploadId: string): Promise<DeviceFile[]>;
  insert(file: DeviceFile): Promise<void>;
  update(uploadId: string, change: Pick<DeviceFile, "storedBytes" | "isComplete" | "bytes" | "modifiedAt">): Promise<void>;
  delete(uploadId: string): Promise<void>;
  /** Newest first. */
  list(device: DeviceNames, page: { page: number; pageSize: number }): Promise<{ rows: DeviceFile[]; total: number }>;
  /** Unfinished and not touched since. */
  stale(before: number): Promise<DeviceFile[]>;
  /** Of all devices; an unfinished file counts what it will have. */
  totalBytes(): Promise<number>;
}

export interface JobRow {
  id: string;
  name: string;
  description: string;
  document: Readonly<Record<string, unknown>>;
  /** Beside `content` it has no address. */
  file?: JobFile;
  content?: { bytes: Buffer; sha256: string };
  timeoutMinutes?: number;
  rollout: JobRollout;
  notes: Readonly<Record<string, unknown>>;
  isCancelled: boolean;
  createdAt: number;
  modifiedAt: number;
}

export interface JobListRow extends Omit<JobRow, "file" | "content"> {
  hasFile: boolean;
  status: TaskStatus;
  counts: Partial<Record<TaskStatus, number>>;
}

export interface TaskRow extends DeviceNames {
  taskId: string;
  jobId: string;
  status: TaskStatus;
  progress: number;
  details: unknown;
  queuedAt: number;
  modifiedAt: number;
  /** When a task in progress has failed. */
  deadlineAt?: number;
}

export interface StoredTaskRow extends TaskRow {
  id: number;
}

export interface JobStore {
  /** All or nothing. */
  insert(job: JobRow, tasks: readonly TaskRow[]): Promise<void>;
  find(jobId: string): Promise<JobListRow | undefined>;
  /** With what a device needs. */
  load(jobId: string): Promise<JobRow | undefined>;
  list(page: { page: number; pageSize: number; status?: TaskStatus }): Promise<{ rows: JobListRow[]; total: number }>;
  change(jobId: string, change: JobChange & { modifiedAt: number }): Promise<void>;
  /** FAILED, REJECTED, TIMED_OUT and CANCELLED become QUEUED, and the job is not cancelled. All or nothing; these tasks. */
  requeue(jobId: string, at: number): Promise<StoredTaskRow[]>;
  tasks(jobId: string, page: { page: number; pageSize: number; status?: TaskStatus }): Promise<{ rows: StoredTaskRow[]; total: number }>;
  findTask(device: DeviceNames, taskId: string): Promise<TaskRow | undefined>;
  findTaskById(taskId: string): Promise<StoredTaskRow | undefined>;
  /** Oldest first. */
  findTasks(query: JobTaskQuery): Promise<StoredTaskRow[]>;
  /** Not over, oldest first. */
  pending(device: DeviceNames, limit: number): Promise<TaskRow[]>;
  /** Products with tasks that are QUEUED. */
  queuedProducts(): Promise<string[]>;
  /** Not over, of a job. */
  unfinished(jobId: string): Promise<TaskRow[]>;
  updateTask(
    taskId: string,
    change: Pick<TaskRow, "status" | "progress" | "details" | "modifiedAt"> & { deadlineAt: number | null },
  ): Promise<void>;
  /** QUEUED becomes SENT, anything else stays. */
  markSent(taskId: string, at: number): Promise<void>;
  /** The number of tasks that became TIMED_OUT. */
  timeOut(now: number): Promise<number>;
  cancel(jobId: string, at: number): Promise<void>;
  delete(jobId: string): Promise<void>;
}

/** Bytes of files of devices on the disk. */
export interface FileFolder {
  /** Durable when it resolves. */
  write(uploadId: string, offset: number, bytes: Uint8Array): Promise<void>;
  read(uploadId: string, offset: number, bytes: number): Promise<Buffer>;
  delete(uploadId: string): Promise<void>;
  /** Ids of what is there. */
  list(): Promise<string[]>;
}
