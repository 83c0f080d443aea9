/** What devices hear of their jobs, as JSON. Source: aws-iot.md, 12.1. */
import type { JobDetails, JobRejectionCode } from "./job-requests.ts";
import type { JobExecutionStatus } from "./job-states.ts";

/** One thing's execution of a job; times in milliseconds since the epoch. */
export interface JobExecutionFacts {
  jobId: string;
  thingName: string;
  status: JobExecutionStatus;
  statusDetails: JobDetails;
  queuedAt: number;
  startedAt?: number;
  updatedAt: number;
  versionNumber: number;
  executionNumber: number;
  /** When it times out. */
  deadlineAt?: number;
}

/** The document is JSON as its maker wrote it: numbers of any size stay what they are. */
export interface JobExecutionOffer extends JobExecutionFacts {
  document?: string;
}

interface Stamp {
  now: number;
  clientToken?: string | undefined;
}

/** Whole seconds: what the live service sends. */
const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

function stampMembers({ now, clientToken }: Stamp): object {
  return { timestamp: seconds(now), ...(clientToken === undefined ? {} : { clientToken }) };
}

function timeMembers({ queuedAt, startedAt, updatedAt, versionNumber, executionNumber }: JobExecutionFacts): object {
  return {
    queuedAt: seconds(queuedAt),
    ...(startedAt === undefined ? {} : { startedAt: seconds(startedAt) }),
    lastUpdatedAt: seconds(updatedAt),
    versionNumber,
    executionNumber,
  };
}

function jobSummary(execution: JobExecutionFacts): object {
  return { jobId: execution.jobId, ...timeMembers(execution) };
}

/** Without the document. */
export function jobExecutionMembers(execution: JobExecutionFacts, now: number): object {
  const { jobId, thingName, status, statusDetails, deadlineAt } = execution;
  return {
    jobId,
    thingName,
    status,
    ...(Object.keys(statusDetails).length === 0 ? {} : { statusDetails }),
    ...timeMembers(execution),
    ...(deadlineAt === undefined ? {} : { approximateSecondsBeforeTimedOut: Math.max(0, seconds(deadlineAt - now)) }),
  };
}

export function jobStateMembers({ status, statusDetails, versionNumber }: JobExecutionFacts): object {
  return { status, statusDetails, versionNumber };
}

/** Both kinds of pending executions in their order. */
export function splitPending(executions: readonly JobExecutionFacts[]): { inProgressJobs: object[]; queuedJobs: object[] } {
  const summaries = (wanted: JobExecutionStatus) => executions.filter(({ status }) => status === wanted).map(jobSummary);
  return { inProgressJobs: summaries("IN_PROGRESS"), queuedJobs: summaries("QUEUED") };
}

/** `members` with the document put in as it is written. */
function withDocument(members: object, document: string | undefined): string {
  const text = JSON.stringify(members);
  if (document === undefined) return text;
  return `${text.slice(0, -1)}${text === "{}" ? "" : ","}"jobDocument":${document}}`;
}

function executionText(offer: JobExecutionOffer, now: number): string {
  return withDocument(jobExecutionMembers(offer, now), offer.document);
}

export function formatPendingJobs(executions: readonly JobExecutionFacts[], stamp: Stamp): string {
  return JSON.stringify({ ...splitPending(executions), ...stampMembers(stamp) });
}

/** For `start-next`, `get` and `notify-next`; without an execution when there is none. */
export function formatJobExecution(offer: JobExecutionOffer | undefined, stamp: Stamp): string {
  const text = JSON.stringify(stampMembers(stamp));
  return offer === undefined ? text : `{"execution":${executionText(offer, stamp.now)},${text.slice(1)}`;
}

export function formatJobUpdated(shown: { state?: JobExecutionFacts | undefined; document?: string | undefined }, stamp: Stamp): string {
  const { state, document } = shown;
  return withDocument({ ...(state === undefined ? {} : { executionState: jobStateMembers(state) }), ...stampMembers(stamp) }, document);
}

/** `notify`: an empty object of jobs when none are pending. */
export function formatJobsChanged(executions: readonly JobExecutionFacts[], now: number): string {
  const { inProgressJobs, queuedJobs } = splitPending(executions);
  const jobs = {
    ...(queuedJobs.length === 0 ? {} : { QUEUED: queuedJobs }),
    ...(inProgressJobs.length === 0 ? {} : { IN_PROGRESS: inProgressJobs }),
  };
  return JSON.stringify({ timestamp: seconds(now), jobs });
}

export function formatJobRejection(
  rejection: { code: JobRejectionCode; message: string; state?: JobExecutionFacts | undefined },
  stamp: Stamp,
): string {
  const { code, message, state } = rejection;
  return JSON.stringify({
    code,
    message,
    ...stampMembers(stamp),
    ...(state === undefined ? {} : { executionState: jobStateMembers(state) }),
  });
}
