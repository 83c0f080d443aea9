/** What jobs of a fleet ask of the store. */
import type { JobExecutionStatus } from "@thingstead/dialects";
import type { ExecutionCounts, FleetJob, FleetJobStatus, FleetJobTarget, JobExecution } from "./fleet-jobs.ts";

export interface StoredFleetJob extends FleetJob {
  /** Later ones have higher numbers. */
  row: number;
  /** Every thing of its targets waits or has its execution. */
  isExpanded: boolean;
}

export interface StoredExecution extends JobExecution {
  /** Later ones have higher numbers. */
  row: number;
  /** Of this job and thing there is no later one. */
  isLatest: boolean;
  /** `deadlineAt` is the earlier of these. */
  jobDeadlineAt?: number;
  stepDeadlineAt?: number;
}

export type FleetJobPatch = Partial<
  Pick<
    StoredFleetJob,
    | "isExpanded"
    | "description"
    | "timeoutMinutes"
    | "rollout"
    | "abort"
    | "retry"
    | "notes"
    | "targets"
    | "status"
    | "isForceCanceled"
    | "reasonCode"
    | "comment"
    | "completedAt"
  >
> & { modifiedAt: number };

export interface ExecutionChange {
  execution: StoredExecution;
  previousVersion: number;
  /** Made with it, and the latest from then on. */
  retry?: Omit<StoredExecution, "row">;
}

/** Writes are durable when they resolve, and all or nothing. */
export interface FleetJobStore {
  insert(job: Omit<StoredFleetJob, "row">, jobsMax: number): Promise<"done" | "taken" | "full">;
  find(jobId: string): Promise<StoredFleetJob | undefined>;
  patch(jobId: string, patch: FleetJobPatch): Promise<void>;
  /** Newest first. */
  list(query: {
    status?: FleetJobStatus;
    selection?: FleetJob["selection"];
    target?: FleetJobTarget;
    beforeRow?: number;
    limit: number;
  }): Promise<StoredFleetJob[]>;
  counts(jobId: string): Promise<ExecutionCounts>;
  /** The job and what still waits; its executions have to be gone. */
  delete(jobId: string): Promise<void>;

  /** Things that shall get an execution: those that have one are left out, unless it was REMOVED. */
  addWaiting(jobId: string, thingNames: readonly string[]): Promise<void>;
  /** Of a job, of a thing or of both. */
  removeWaiting(of: { jobId?: string; thingName?: string }): Promise<void>;
  hasWaiting(jobId: string): Promise<boolean>;
  /** The first that wait get executions. */
  release(jobId: string, limit: number, at: number): Promise<StoredExecution[]>;

  /** Without a number the latest. */
  findExecution(jobId: string, thingName: string, executionNumber?: number): Promise<StoredExecution | undefined>;
  /** In progress first, then oldest first. */
  pending(thingName: string, limit: number): Promise<StoredExecution[]>;
  /** One after the other, in one commit; false for one whose version is no longer `previousVersion`. */
  save(changes: readonly ExecutionChange[]): Promise<boolean[]>;
  /** The first that have such a status become CANCELED; as they are now. */
  cancelSome(
    jobId: string,
    change: { statuses: readonly JobExecutionStatus[]; isForced: boolean; at: number; limit: number },
  ): Promise<{ before: JobExecutionStatus; execution: StoredExecution }[]>;
  deleteExecution(execution: StoredExecution): Promise<void>;
  /** Of a job, any status; as they were. */
  deleteSome(jobId: string, limit: number): Promise<StoredExecution[]>;
  executions(query: {
    jobId?: string;
    thingName?: string;
    status?: JobExecutionStatus;
    afterRow?: number;
    limit: number;
  }): Promise<StoredExecution[]>;
  /** Pending, with a deadline that is over, the earliest first. */
  due(at: number, limit: number): Promise<StoredExecution[]>;
  nextDeadline(): Promise<number | undefined>;
}
