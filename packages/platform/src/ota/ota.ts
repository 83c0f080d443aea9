/**
 * Packages of firmware, the jobs that bring them to devices, and one task for each device of a job. Knows no cloud's words:
 * a binding translates payloads and topics into these calls and back (alibaba-device.md, 7; alibaba-server.md, 1.8.M).
 */

type PackageKind = "full" | "differential";
type SignMethod = "MD5" | "SHA256";
/** `exempt`: made without need of verification. */
export type PackageStatus = "unverified" | "verifying" | "verified" | "failed" | "exempt";
type JobKind = "verify" | "upgrade";
export type JobStatus = "PLANNED" | "IN_PROGRESS" | "COMPLETED" | "CANCELED";
export type TaskStatus = "CONFIRM" | "QUEUED" | "NOTIFIED" | "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "CANCELED";
type DownloadProtocol = "https" | "mqtt";

/** The module that stands for the whole device. */
export const defaultModule = "default";

/** The device that speaks. */
export interface OtaDevice {
  productKey: string;
  deviceName: string;
  iotId: string;
}

export interface OtaModule {
  productKey: string;
  name: string;
  alias: string;
  description: string;
  createdAt: number;
  modifiedAt: number;
}

/** One uploaded file: kept once, however many packages hold it. */
export interface FirmwareFile {
  id: number;
  bytes: number;
  /** Lower-case hex. */
  md5: string;
  sha256: string;
  createdAt: number;
}

export interface PackageFile extends FirmwareFile {
  name: string;
}

export interface OtaPackage {
  id: number;
  productKey: string;
  name: string;
  description: string;
  module: string;
  kind: PackageKind;
  /** Of a differential package: the version it starts from. */
  sourceVersion?: string;
  version: string;
  signMethod: SignMethod;
  files: readonly PackageFile[];
  /** Signature of the digest, as the uploader computed it: passed on to devices. */
  digestSign?: string;
  /** Free text for the device (the vendor's `udi`). */
  userInfo?: string;
  status: PackageStatus;
  createdAt: number;
  modifiedAt: number;
}

export interface NewPackage {
  productKey: string;
  name: string;
  description?: string;
  module?: string;
  kind?: PackageKind;
  sourceVersion?: string;
  version: string;
  signMethod?: SignMethod;
  /** Ids of uploaded files, at least one. */
  files: readonly { id: number; name?: string; expectedSign?: string; expectedBytes?: number }[];
  digestSign?: string;
  userInfo?: string;
  /** Default true. */
  needsVerification?: boolean;
}

/** Who gets a package. */
export type JobTarget =
  | { kind: "all" }
  | { kind: "specific"; deviceNames: readonly string[] }
  /** Percent of the devices that match, rounded down, at least one. */
  | { kind: "gray"; percent: number }
  | { kind: "group"; groupId: string };

/** Cancels what has not begun when too much of what ended has failed. */
interface FailureStop {
  /** Of the tasks that have succeeded or failed. */
  failedPercent: number;
  /** Not before so many have ended. */
  endedCountMin: number;
}

export interface JobOptions {
  /** Only devices on one of these versions; empty = any. */
  sourceVersions: readonly string[];
  /** 0 = as fast as possible. */
  pushesPerMinuteMax: number;
  /** Minutes from the first progress; absent = no time-out. */
  timeoutMinutes?: number;
  /** Further tries after a failure that the device told; only with source versions. */
  retryCount: number;
  retryIntervalMinutes: number;
  /** Takes the place of a task that waits or was pushed; never of one in progress. */
  isOverwriting: boolean;
  /** Waits for `confirm` before anything is pushed. */
  needsConfirm: boolean;
  /** False: devices are told only when they ask. */
  isPushed: boolean;
  /** True: one unfinished task for each module of a device instead of one in all. */
  isMultiModule: boolean;
  protocol: DownloadProtocol;
  /** Handed to the device with the package. */
  tags: Readonly<Record<string, string>>;
  failureStop?: FailureStop;
}

export interface OtaJob extends JobOptions {
  id: number;
  packageId: number;
  productKey: string;
  module: string;
  version: string;
  kind: JobKind;
  selection: "static" | "dynamic";
  target: JobTarget;
  /** Of a dynamic job: only devices that report a version after it began. */
  isNewOnly: boolean;
  /** Still takes devices that begin to match; false for a static job. */
  isSelecting: boolean;
  status: JobStatus;
  /** Code of why it was stopped. */
  reason?: string;
  /** Planned begin and end; absent = at once, open. */
  scheduledAt?: number;
  scheduledEndAt?: number;
  createdAt: number;
  modifiedAt: number;
  startedAt?: number;
  endedAt?: number;
}

export interface NewVerifyJob extends Partial<Pick<JobOptions, "timeoutMinutes" | "needsConfirm" | "isPushed" | "protocol" | "tags">> {
  packageId: number;
  deviceNames: readonly string[];
}

export interface NewUpgradeJob extends Partial<JobOptions> {
  packageId: number;
  selection: "static" | "dynamic";
  target: JobTarget;
  isNewOnly?: boolean;
  scheduledAt?: number;
  scheduledEndAt?: number;
}

export interface OtaTask {
  id: number;
  jobId: number;
  packageId: number;
  productKey: string;
  deviceName: string;
  iotId: string;
  module: string;
  /** The version the device had; absent when it never told one. */
  sourceVersion?: string;
  version: string;
  status: TaskStatus;
  /** 0…100, as the device told it last. */
  progress: number;
  /** Code of the outcome, as `ota.task_timeout`; the device's own words in `description`. */
  reason?: string;
  description: string;
  timeoutAt?: number;
  createdAt: number;
  modifiedAt: number;
}

export interface ModuleVersion {
  productKey: string;
  deviceName: string;
  iotId: string;
  module: string;
  version: string;
  reportedAt: number;
}

export interface OtaPage {
  /** From 1. */
  page: number;
  pageSize: number;
}

interface OtaPaged<T> extends OtaPage {
  items: T[];
  total: number;
}

/** What a device is told: everything it needs to fetch and check a package. */
export interface UpgradeOffer {
  taskId: number;
  device: OtaDevice;
  module: string;
  version: string;
  isDifferential: boolean;
  signMethod: SignMethod;
  digestSign?: string;
  tags: Readonly<Record<string, string>>;
  userInfo?: string;
  protocol: DownloadProtocol;
  /** `url` is absent for a download over MQTT. */
  files: readonly { index: number; name: string; bytes: number; md5: string; sha256: string; url?: string }[];
}

/** How offers reach a device; a binding is behind it. */
export interface OtaDownlink {
  isOnline(productKey: string, deviceName: string): boolean;
  /** False: nobody took it, because the device is offline or has not subscribed yet. */
  offer(offer: UpgradeOffer): boolean;
}

export type OtaChange =
  | { kind: "version"; device: OtaDevice; module: string; version: string; time: number }
  /** `isSilent`: it failed only because an older task was unfinished; the vendor forwards nothing then. */
  | { kind: "task"; task: OtaTask; previous?: TaskStatus; isSilent?: boolean; time: number }
  | { kind: "progress"; task: OtaTask; step: number; description: string; time: number }
  | { kind: "job"; job: OtaJob; time: number };

interface StatusCounts {
  total: number;
  byStatus: Readonly<Record<TaskStatus, number>>;
}

export interface Ota {
  modules: {
    create(module: { productKey: string; name: string; alias?: string; description?: string }): Promise<OtaModule>;
    update(productKey: string, name: string, change: { alias?: string; description?: string }): Promise<OtaModule>;
    /** Refused with `ota.module_in_use` while packages exist. */
    delete(productKey: string, name: string): Promise<void>;
    /** The default module first. */
    list(productKey: string): Promise<OtaModule[]>;
  };

  files: {
    /**
     * Takes one file, in pieces: hashed while it is written, safe on the disk when this resolves. A file that no package
     * takes is deleted after `ota.uploadKeptMinutes`. `expected` is compared with what came.
     */
    upload(pieces: AsyncIterable<Uint8Array>, expected?: { bytes?: number; md5?: string; sha256?: string }): Promise<FirmwareFile>;
    find(id: number): Promise<FirmwareFile | undefined>;
    /** Signed link for people and programs, as devices get it. */
    link(fileId: number): string;
  };

  packages: {
    create(pack: NewPackage): Promise<OtaPackage>;
    update(id: number, change: { name?: string; description?: string; userInfo?: string }): Promise<OtaPackage>;
    get(id: number): Promise<OtaPackage>;
    list(page: OtaPage, filter?: { productKey?: string; version?: string; module?: string }): Promise<OtaPaged<OtaPackage>>;
    /** Refused with `ota.package_in_use` while a job of it is unfinished. */
    delete(id: number): Promise<void>;
  };

  jobs: {
    verify(job: NewVerifyJob): Promise<OtaJob>;
    create(job: NewUpgradeJob): Promise<OtaJob>;
    get(id: number): Promise<OtaJob>;
    list(
      page: OtaPage,
      filter?: { packageId?: number; productKey?: string; status?: JobStatus; deviceName?: string },
    ): Promise<OtaPaged<OtaJob>>;
    counts(id: number): Promise<StatusCounts>;
    /**
     * Cancels tasks in the given states and, of a dynamic job, stops taking devices. The job is CANCELED, unless tasks in
     * progress are left. Default: all but what is in progress.
     */
    cancel(id: number, statuses?: readonly TaskStatus[]): Promise<OtaJob>;
    /** A dynamic job takes no further devices; its tasks go on. `ota.job_not_dynamic` for another one. */
    stopSelecting(id: number): Promise<OtaJob>;
  };

  tasks: {
    get(id: number): Promise<OtaTask>;
    list(
      page: OtaPage,
      filter: {
        jobId?: number;
        productKey?: string;
        deviceName?: string;
        deviceNames?: readonly string[];
        module?: string;
        statuses?: readonly TaskStatus[];
      },
    ): Promise<OtaPaged<OtaTask>>;
    /** CONFIRM -> QUEUED. */
    confirm(ids: readonly number[]): Promise<void>;
    cancel(ids: readonly number[]): Promise<void>;
    /** FAILED or CANCELED -> QUEUED, once more. */
    upgradeAgain(jobId: number, ids: readonly number[]): Promise<void>;
  };

  versions: {
    ofDevice(productKey: string, deviceName: string): Promise<ModuleVersion[]>;
    /** Devices by version, most used first. */
    distribution(productKey: string, module?: string): Promise<{ version: string; deviceCount: number }[]>;
  };

  // What devices say. Each resolves when it is stored.
  reportVersion(device: OtaDevice, report: { module: string; version: string }): Promise<void>;
  /** `step` 1…100 percent; negative = failed. Resolves false when no unfinished task is there for it. */
  reportProgress(device: OtaDevice, report: { module?: string; step: number; description: string }): Promise<boolean>;
  /** The device asks; undefined = nothing for it now. */
  pull(device: OtaDevice, module: string): Promise<UpgradeOffer | undefined>;
  /** Bytes of a file over MQTT; `taskId` and `index` as offered. Refused with `ota.download_*`. */
  readBlock(
    device: OtaDevice,
    request: { taskId: number; index: number; offset: number; bytes: number },
  ): Promise<{ fileBytes: number; block: Uint8Array }>;
  /** The device has connected. */
  connected(productKey: string, deviceName: string): void;
  /** The device may be reached now: it has subscribed where offers are sent. */
  reachable(productKey: string, deviceName: string): void;
  deviceDeleted(productKey: string, deviceName: string): Promise<void>;

  /** Told after the commit. The returned function ends it. */
  onChange(listener: (change: OtaChange) => void): () => void;
  /** Takes up what was running when the server ended. */
  start(): Promise<void>;
  close(): Promise<void>;
}
