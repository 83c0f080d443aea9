/** One execution's next state, computed without asking anybody. */
import { isJobExecutionPending, type JobDetails, type JobExecutionStatus } from "@thingstead/dialects";
import type { ExecutionCounts, FleetJob, FleetJobAbort, FleetJobRollout } from "./fleet-jobs.ts";
import type { StoredExecution } from "./ports.ts";

const minuteMilliseconds = 60_000;

export interface Step {
  status: JobExecutionStatus;
  statusDetails?: JobDetails | undefined;
  stepTimeoutMinutes?: number | undefined;
  isForced?: boolean;
}

export function takeStep(execution: StoredExecution, step: Step, now: number, timeoutMinutes: number | undefined): StoredExecution {
  const { jobDeadlineAt, stepDeadlineAt, deadlineAt: _, startedAt, ...rest } = execution;
  const began = step.status === "IN_PROGRESS" ? (startedAt ?? now) : startedAt;
  const next: StoredExecution = {
    ...rest,
    status: step.status,
    statusDetails: step.statusDetails ?? execution.statusDetails,
    ...(began === undefined ? {} : { startedAt: began }),
    updatedAt: now,
    versionNumber: execution.versionNumber + 1,
    isForceCanceled: execution.isForceCanceled || step.isForced === true,
  };
  if (!isJobExecutionPending(step.status)) return next;
  const isStarting = execution.status === "QUEUED";
  const jobDeadline = isStarting && timeoutMinutes !== undefined ? now + timeoutMinutes * minuteMilliseconds : jobDeadlineAt;
  const stepDeadline = stepDeadlineOf(step.stepTimeoutMinutes, stepDeadlineAt, now);
  const deadlines = [jobDeadline, stepDeadline].filter((at) => at !== undefined);
  return {
    ...next,
    ...(jobDeadline === undefined ? {} : { jobDeadlineAt: jobDeadline }),
    ...(stepDeadline === undefined ? {} : { stepDeadlineAt: stepDeadline }),
    ...(deadlines.length === 0 ? {} : { deadlineAt: Math.min(...deadlines) }),
  };
}

function stepDeadlineOf(minutes: number | undefined, before: number | undefined, now: number): number | undefined {
  if (minutes === undefined) return before;
  return minutes === -1 ? undefined : now + minutes * minuteMilliseconds;
}

/** The execution after one that failed, if the job is to be tried again. */
export function retryOf(
  ended: StoredExecution,
  job: Pick<FleetJob, "retry" | "status">,
  now: number,
): Omit<StoredExecution, "row"> | undefined {
  if (job.status !== "IN_PROGRESS" || (ended.status !== "FAILED" && ended.status !== "TIMED_OUT")) return undefined;
  const retries = job.retry.filter(({ failure }) => failure === "ALL" || failure === ended.status).map((criterion) => criterion.retries);
  if (ended.retryAttempt >= Math.max(0, ...retries)) return undefined;
  return {
    jobId: ended.jobId,
    thingName: ended.thingName,
    executionNumber: ended.executionNumber + 1,
    retryAttempt: ended.retryAttempt + 1,
    isLatest: true,
    status: "QUEUED",
    statusDetails: {},
    queuedAt: now,
    updatedAt: now,
    versionNumber: 1,
    isForceCanceled: false,
  };
}

export function pendingCount({ QUEUED = 0, IN_PROGRESS = 0 }: ExecutionCounts): number {
  return QUEUED + IN_PROGRESS;
}

export function isAbortDue(criteria: readonly FleetJobAbort[], counts: ExecutionCounts): boolean {
  // What was canceled or removed says nothing about the job.
  const { SUCCEEDED = 0, FAILED = 0, REJECTED = 0, TIMED_OUT = 0 } = counts;
  const failures = { FAILED, REJECTED, TIMED_OUT, ALL: FAILED + REJECTED + TIMED_OUT };
  const executed = SUCCEEDED + failures.ALL;
  return criteria.some(
    ({ failure, thresholdPercentage, executedThingsMin }) =>
      executed >= executedThingsMin && failures[failure] * 100 >= thresholdPercentage * executed,
  );
}

/** Executions in this minute; infinite when the job names no rate. */
export function ratePerMinute({ perMinuteMax = Number.POSITIVE_INFINITY, exponential }: FleetJobRollout, counts: ExecutionCounts): number {
  if (exponential === undefined) return perMinuteMax;
  const { basePerMinute, incrementFactor, everyNotified, everySucceeded } = exponential;
  const notified = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const increases =
    everyNotified === undefined ? (counts.SUCCEEDED ?? 0) / (everySucceeded ?? Number.POSITIVE_INFINITY) : notified / everyNotified;
  return Math.min(perMinuteMax, Math.floor(basePerMinute * incrementFactor ** Math.floor(increases)));
}
