/** Fleet jobs and executions between rows and objects. */
import type { JobDetails, JobExecutionStatus } from "@thingstead/dialects";
import type { Insertable, Selectable } from "kysely";
import type {
  FleetJob,
  FleetJobPatch,
  FleetJobSettings,
  FleetJobStatus,
  StoredExecution,
  StoredFleetJob,
} from "../device-services/index.ts";
import type { FleetJobSchema } from "./schema-fleet-jobs.ts";

type JobRow = Selectable<FleetJobSchema["fleet_jobs"]>;
export type ExecutionRow = Selectable<FleetJobSchema["fleet_job_executions"]>;

type StoredSettings = Required<Omit<FleetJobSettings, "timeoutMinutes">> & Pick<FleetJobSettings, "timeoutMinutes">;

/** What is JSON was written by `toJobRow` and by nothing else. */
export function toJob(row: JobRow): StoredFleetJob {
  return {
    row: row.id,
    id: row.job_id,
    selection: row.selection as FleetJob["selection"],
    status: row.status as FleetJobStatus,
    targets: JSON.parse(row.targets) as FleetJob["targets"],
    document: row.document,
    parameters: JSON.parse(row.parameters) as FleetJob["parameters"],
    ...(JSON.parse(row.settings) as StoredSettings),
    ...(row.starts_at === null ? {} : { startsAt: row.starts_at }),
    ...(row.ends_at === null ? {} : { end: { at: row.ends_at, behavior: row.end_behavior as NonNullable<FleetJob["end"]>["behavior"] } }),
    isExpanded: row.is_expanded === 1,
    isForceCanceled: row.is_force_canceled === 1,
    ...(row.reason_code === null ? {} : { reasonCode: row.reason_code }),
    ...(row.comment === null ? {} : { comment: row.comment }),
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    ...(row.completed_at === null ? {} : { completedAt: row.completed_at }),
  };
}

function settingsOf({ description, timeoutMinutes, rollout, abort, retry, notes }: FleetJob): string {
  const settings: StoredSettings = {
    description,
    rollout,
    abort,
    retry,
    notes,
    ...(timeoutMinutes === undefined ? {} : { timeoutMinutes }),
  };
  return JSON.stringify(settings);
}

export function toJobRow(job: Omit<StoredFleetJob, "row">): Insertable<FleetJobSchema["fleet_jobs"]> {
  return {
    job_id: job.id,
    selection: job.selection,
    status: job.status,
    targets: JSON.stringify(job.targets),
    document: job.document,
    parameters: JSON.stringify(job.parameters),
    settings: settingsOf(job),
    starts_at: job.startsAt ?? null,
    ends_at: job.end?.at ?? null,
    end_behavior: job.end?.behavior ?? null,
    is_expanded: job.isExpanded ? 1 : 0,
    is_force_canceled: job.isForceCanceled ? 1 : 0,
    reason_code: job.reasonCode ?? null,
    comment: job.comment ?? null,
    created_at: job.createdAt,
    modified_at: job.modifiedAt,
    completed_at: job.completedAt ?? null,
  };
}

export function patchedJob(job: StoredFleetJob, patch: FleetJobPatch): StoredFleetJob {
  return { ...job, ...patch };
}

export function toExecution(row: ExecutionRow): StoredExecution {
  return {
    row: row.id,
    jobId: row.job_id,
    thingName: row.thing_name,
    executionNumber: row.execution_number,
    isLatest: row.is_latest === 1,
    retryAttempt: row.retry_attempt,
    status: row.status as JobExecutionStatus,
    statusDetails: JSON.parse(row.status_details) as JobDetails,
    queuedAt: row.queued_at,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    updatedAt: row.updated_at,
    versionNumber: row.version_number,
    isForceCanceled: row.is_force_canceled === 1,
    ...(row.job_deadline_at === null ? {} : { jobDeadlineAt: row.job_deadline_at }),
    ...(row.step_deadline_at === null ? {} : { stepDeadlineAt: row.step_deadline_at }),
    ...(row.deadline_at === null ? {} : { deadlineAt: row.deadline_at }),
  };
}

export function toExecutionRow(execution: Omit<StoredExecution, "row">): Insertable<FleetJobSchema["fleet_job_executions"]> {
  return {
    job_id: execution.jobId,
    thing_name: execution.thingName,
    execution_number: execution.executionNumber,
    is_latest: execution.isLatest ? 1 : 0,
    retry_attempt: execution.retryAttempt,
    status: execution.status,
    status_details: JSON.stringify(execution.statusDetails),
    queued_at: execution.queuedAt,
    started_at: execution.startedAt ?? null,
    updated_at: execution.updatedAt,
    version_number: execution.versionNumber,
    is_force_canceled: execution.isForceCanceled ? 1 : 0,
    job_deadline_at: execution.jobDeadlineAt ?? null,
    step_deadline_at: execution.stepDeadlineAt ?? null,
    deadline_at: execution.deadlineAt ?? null,
  };
}
