/**
 * Jobs of a fleet: a document for things and groups of things, and for each thing an execution that it reports on (aws-iot.md, 12).
 * Things are known by name alone. Times are milliseconds since the epoch.
 */
import type { JobDetails, JobExecutionStatus } from "@thingstead/dialects";

export type FleetJobStatus = "SCHEDULED" | "IN_PROGRESS" | "COMPLETED" | "CANCELED" | "DELETION_IN_PROGRESS";

export interface FleetJobTarget {
  kind: "thing" | "group";
  name: string;
}

export interface FleetJobRollout {
  perMinuteMax?: number;
  /** Faster with every so many things that were notified or have succeeded. */
  exponential?: {
    basePerMinute: number;
    incrementFactor: number;
    everyNotified?: number;
    everySucceeded?: number;
  };
}

type FleetJobFailure = "FAILED" | "REJECTED" | "TIMED_OUT" | "ALL";

export interface FleetJobAbort {
  failure: FleetJobFailure;
  thresholdPercentage: number;
  executedThingsMin: number;
}

interface FleetJobRetry {
  failure: "FAILED" | "TIMED_OUT" | "ALL";
  retries: number;
}

/** What can be changed while a job runs. */
export interface FleetJobSettings {
  description?: string;
  timeoutMinutes?: number;
  rollout?: FleetJobRollout;
  abort?: readonly FleetJobAbort[];
  retry?: readonly FleetJobRetry[];
  /** What its maker wants kept with it. */
  notes?: Readonly<Record<string, unknown>>;
}

export interface NewFleetJob extends FleetJobSettings {
  id: string;
  targets: readonly FleetJobTarget[];
  /** `CONTINUOUS`: things that join a targeted group later get it too. */
  selection?: "SNAPSHOT" | "CONTINUOUS";
  /** JSON text. */
  document: string;
  /** Fill the document's placeholders. */
  parameters?: Readonly<Record<string, string>>;
  startsAt?: number;
  end?: { at: number; behavior: "STOP_ROLLOUT" | "CANCEL" | "FORCE_CANCEL" };
}

export interface FleetJob extends Required<Omit<NewFleetJob, "timeoutMinutes" | "startsAt" | "end">> {
  timeoutMinutes?: number;
  startsAt?: number;
  end?: NonNullable<NewFleetJob["end"]>;
  status: FleetJobStatus;
  isForceCanceled: boolean;
  reasonCode?: string;
  comment?: string;
  createdAt: number;
  modifiedAt: number;
  completedAt?: number;
}

export type ExecutionCounts = Readonly<Partial<Record<JobExecutionStatus, number>>>;

/** Of each thing the latest execution is counted. */
export interface CountedFleetJob extends FleetJob {
  counts: ExecutionCounts;
}

export interface JobExecution {
  jobId: string;
  thingName: string;
  /** From 1; grows when the job is tried again. */
  executionNumber: number;
  retryAttempt: number;
  status: JobExecutionStatus;
  statusDetails: JobDetails;
  queuedAt: number;
  startedAt?: number;
  updatedAt: number;
  /** From 1; grows with every change. */
  versionNumber: number;
  isForceCanceled: boolean;
  /** When the earlier of its two timers ends. */
  deadlineAt?: number;
}

/** With the document, placeholders filled. */
export interface OfferedExecution extends JobExecution {
  document: string;
}

interface ExecutionReport {
  status: JobExecutionStatus;
  statusDetails?: JobDetails;
  /** -1 ends the timer; absent leaves it. */
  stepTimeoutMinutes?: number;
  expectedVersion?: number;
  executionNumber?: number;
}

export type ReportOutcome =
  | { kind: "done"; execution: OfferedExecution }
  | { kind: "unknown" }
  | { kind: "version_conflict"; execution: JobExecution }
  | { kind: "invalid_transition"; execution: JobExecution };

export type FleetJobOperation = "completed" | "canceled" | "deleted" | "cancellation_in_progress" | "deletion_in_progress";
export type JobExecutionOperation = "succeeded" | "failed" | "rejected" | "canceled" | "timed_out" | "removed" | "deleted";

export type FleetJobChange =
  | { kind: "job"; operation: FleetJobOperation; job: CountedFleetJob }
  | { kind: "execution"; operation: JobExecutionOperation; execution: JobExecution }
  /** The set of pending executions of a thing is another one. */
  | { kind: "pending"; thingName: string; executions: readonly JobExecution[] }
  /** The first pending execution is another one, or there is none left. */
  | { kind: "next"; thingName: string; execution?: OfferedExecution };

export interface JobsPage {
  maxResults?: number;
  /** Throws `fleet_jobs.invalid_token` when it is none of ours. */
  nextToken?: string;
}

export interface JobsPaged<T> {
  items: T[];
  nextToken?: string;
}

/** Throws `fleet_jobs.*`. Stored when it resolves. */
export interface FleetJobs {
  create(job: NewFleetJob): Promise<FleetJob>;
  /** What `create` would refuse in these; nothing is stored. */
  check(template: FleetJobSettings & Pick<NewFleetJob, "document" | "parameters">): void;
  get(jobId: string): Promise<CountedFleetJob>;
  list(
    page: JobsPage,
    filter?: { status?: FleetJobStatus; selection?: FleetJob["selection"]; groupName?: string },
  ): Promise<JobsPaged<FleetJob>>;
  update(jobId: string, change: FleetJobSettings): Promise<void>;
  /** QUEUED executions end at once or soon; `isForced`: those in progress too. */
  cancel(jobId: string, how: { isForced: boolean; reasonCode?: string; comment?: string }): Promise<FleetJob>;
  /** Executions go with it, at once or soon. One that runs only `isForced`. */
  delete(jobId: string, isForced: boolean): Promise<void>;
  /** Of a continuous job. */
  addTargets(jobId: string, targets: readonly FleetJobTarget[], comment?: string): Promise<FleetJob>;
  execution(jobId: string, thingName: string, executionNumber?: number): Promise<JobExecution>;
  executions(
    of: { jobId: string } | { thingName: string; jobId?: string },
    page: JobsPage,
    status?: JobExecutionStatus,
  ): Promise<JobsPaged<JobExecution>>;
  cancelExecution(
    jobId: string,
    thingName: string,
    how: { isForced: boolean; expectedVersion?: number; statusDetails?: JobDetails },
  ): Promise<void>;
  deleteExecution(jobId: string, thingName: string, executionNumber: number, isForced: boolean): Promise<void>;

  /** For the thing: in progress first, then oldest first. */
  pending(thingName: string): Promise<JobExecution[]>;
  /** For the thing; without a job the first pending one. Undefined: there is none. */
  offer(thingName: string, jobId?: string, executionNumber?: number): Promise<OfferedExecution | undefined>;
  /** One that is in progress already is answered as it is. */
  startNext(thingName: string, start: Pick<ExecutionReport, "statusDetails" | "stepTimeoutMinutes">): Promise<OfferedExecution | undefined>;
  report(thingName: string, jobId: string, report: ExecutionReport): Promise<ReportOutcome>;

  /** Called after a change is stored. */
  onChange(listener: (change: FleetJobChange) => void): void;
  /** Goes on with what was begun before the last stop. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Things and groups, kept elsewhere. */
export interface JobTargets {
  hasThing(name: string): Promise<boolean>;
  hasGroup(name: string): Promise<boolean>;
  /** Of a group and the groups in it, a page at a time. */
  thingsOf(groupName: string, nextToken?: string): Promise<{ items: string[]; nextToken?: string }>;
  /** Groups of a thing with all above them. */
  groupsOf(thingName: string): Promise<ReadonlySet<string>>;
  /** A thing joined or left a group, or is gone. */
  onChange(listener: (change: { thingName: string; isGone: boolean }) => void): void;
}
