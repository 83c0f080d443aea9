/** What firmware updates ask of the rest of the platform. */
import type { Clock, Random } from "../clock.ts";
import type { OtaLimits } from "./limits.ts";
import type {
  FirmwareFile,
  JobStatus,
  ModuleVersion,
  OtaDownlink,
  OtaJob,
  OtaModule,
  OtaPackage,
  OtaPage,
  OtaTask,
  PackageStatus,
  TaskStatus,
} from "./ota.ts";

/** A task with what only its own machinery needs. */
export interface TaskRow extends OtaTask {
  /** Grows with every change: a writer that saw an older one is told so and looks again. */
  revision: number;
  retriesLeft: number;
  /** A failed try is made again then. */
  retryAt?: number;
  /** An offer is to be sent as soon as the device can be reached. */
  isOwed: boolean;
}

export interface NewTask extends Omit<TaskRow, "id" | "jobId" | "revision"> {
  /** Unfinished tasks that this one takes the place of; where one of them has begun, this one fails at once. */
  overwrites: readonly number[];
}

/** A device that a job may take, with its version of the job's module. */
export interface Candidate {
  deviceName: string;
  iotId: string;
  version?: string;
}

interface CandidateQuery {
  productKey: string;
  module: string;
  /** Empty = any, also unknown. */
  sourceVersions: readonly string[];
  deviceNames?: readonly string[];
  /** In the order of names; those after this one. */
  after: string;
  limit: number;
}

interface TaskQuery {
  jobId?: number;
  productKey?: string;
  deviceName?: string;
  deviceNames?: readonly string[];
  module?: string;
  statuses?: readonly TaskStatus[];
}

interface Rows<T> {
  rows: T[];
  total: number;
}

export interface OtaStore {
  insertModule(module: OtaModule): Promise<"ok" | "duplicate">;
  updateModule(
    productKey: string,
    name: string,
    change: { alias?: string; description?: string; modifiedAt: number },
  ): Promise<OtaModule | undefined>;
  deleteModule(productKey: string, name: string): Promise<"ok" | "unknown" | "in_use">;
  listModules(productKey: string): Promise<OtaModule[]>;

  /** A file with the same bytes is the same file; its time is renewed. */
  insertFile(file: Omit<FirmwareFile, "id">): Promise<FirmwareFile>;
  findFile(id: number): Promise<FirmwareFile | undefined>;
  /** Forgets files older than this that no package holds. */
  deleteUnusedFiles(olderThan: number): Promise<FirmwareFile[]>;

  insertPackage(pack: Omit<OtaPackage, "id">): Promise<OtaPackage | "duplicate_name" | "duplicate_version">;
  updatePackage(
    id: number,
    change: { name?: string; description?: string; userInfo?: string; status?: PackageStatus; modifiedAt: number },
  ): Promise<"ok" | "duplicate_name">;
  findPackage(id: number): Promise<OtaPackage | undefined>;
  listPackages(page: OtaPage, filter: { productKey?: string; version?: string; module?: string }): Promise<Rows<OtaPackage>>;
  countPackages(): Promise<number>;
  deletePackage(id: number): Promise<"ok" | "in_use">;

  /** All or nothing, with turns for others in between. Also tells which tasks were overwritten and which failed at once. */
  insertJob(job: Omit<OtaJob, "id">, tasks: readonly NewTask[], reasonOverwritten: string, reasonUnfinished: string): Promise<InsertedJob>;
  updateJob(job: OtaJob): Promise<void>;
  findJob(id: number): Promise<OtaJob | undefined>;
  listJobs(
    page: OtaPage,
    filter: { packageId?: number; productKey?: string; status?: JobStatus; deviceName?: string },
  ): Promise<Rows<OtaJob>>;
  /** PLANNED and IN_PROGRESS. */
  loadUnfinishedJobs(): Promise<OtaJob[]>;

  candidates(query: CandidateQuery): Promise<Candidate[]>;
  /** Undefined when the job has one for this device already. */
  insertTask(jobId: number, task: NewTask): Promise<TaskRow | undefined>;
  findTask(id: number): Promise<TaskRow | undefined>;
  findTasks(ids: readonly number[]): Promise<TaskRow[]>;
  /** CONFIRM, QUEUED, NOTIFIED and IN_PROGRESS. */
  openTasksOf(productKey: string, deviceNames: readonly string[]): Promise<TaskRow[]>;
  listTasks(page: OtaPage, query: TaskQuery): Promise<Rows<TaskRow>>;
  queuedTasks(jobId: number, afterId: number, limit: number): Promise<TaskRow[]>;
  /** Tasks of these states, by id. */
  tasksOfJob(jobId: number, statuses: readonly TaskStatus[], afterId: number, limit: number): Promise<TaskRow[]>;
  /** Saves what still has the revision given, in one commit; false where it had not. */
  saveTasks(tasks: readonly TaskRow[]): Promise<boolean[]>;
  countTasks(jobId: number): Promise<Map<TaskStatus, number>>;
  /** Tasks whose time-out or further try is due, the earliest first. */
  dueTasks(now: number, limit: number): Promise<TaskRow[]>;
  /** When the next one is due. */
  nextDueAt(): Promise<number | undefined>;

  findVersion(productKey: string, deviceName: string, module: string): Promise<string | undefined>;
  saveVersions(versions: readonly ModuleVersion[]): Promise<true[]>;
  versionsOf(productKey: string, deviceName: string): Promise<ModuleVersion[]>;
  distribution(productKey: string, module: string): Promise<{ version: string; deviceCount: number }[]>;
  deleteVersionsOf(productKey: string, deviceName: string): Promise<void>;
}

export interface InsertedJob {
  job: OtaJob;
  overwritten: TaskRow[];
  /** Failed at once, because an older task is unfinished. */
  failed: TaskRow[];
  queuedCount: number;
}

/** Where files lie. */
export interface FirmwareStore {
  /** Throws `ota.file_too_large`, `ota.file_mismatch`, `ota.file_unwritable`; nothing is left then. */
  write(
    pieces: AsyncIterable<Uint8Array>,
    expected: { bytes?: number; md5?: string; sha256?: string },
  ): Promise<Pick<FirmwareFile, "bytes" | "md5" | "sha256">>;
  read(sha256: string, offset: number, bytes: number): Promise<Buffer>;
  delete(sha256: string): Promise<void>;
  /** Deletes what a crash left half-written. */
  clean(): Promise<void>;
}

export interface OtaPorts {
  store: OtaStore;
  firmware: FirmwareStore;
  registry: {
    findProduct(productKey: string): Promise<unknown>;
    findDevice(productKey: string, deviceName: string): Promise<unknown>;
  };
  /** Names of a product's devices in a group; `registry.group_not_found` when there is none. */
  groups: { deviceNamesOf(groupId: string, productKey: string): Promise<readonly string[]> };
  downlink: OtaDownlink;
  /** `https://host:port`, without a slash at its end. */
  downloadOrigin(): string;
  /** Signs links; 32 bytes. */
  linkKey: Uint8Array;
  clock: Clock;
  random: Random;
  limits: OtaLimits;
  /** The store or a listener failed with nobody waiting for it. */
  onFailure(error: unknown): void;
}
