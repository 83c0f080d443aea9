/** The states of one thing's execution of a job. Source: aws-iot.md, 12.1. */

export const jobExecutionStatuses = [
  "QUEUED",
  "IN_PROGRESS",
  "SUCCEEDED",
  "FAILED",
  "REJECTED",
  "TIMED_OUT",
  "CANCELED",
  "REMOVED",
] as const;

export type JobExecutionStatus = (typeof jobExecutionStatuses)[number];

/** What a device may make of an execution; QUEUED straight to an end is allowed (UNCONFIRMED). */
const deviceSteps: Readonly<Partial<Record<JobExecutionStatus, readonly JobExecutionStatus[]>>> = {
  QUEUED: ["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"],
  IN_PROGRESS: ["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"],
};

export function isJobExecutionStatus(value: unknown): value is JobExecutionStatus {
  return jobExecutionStatuses.some((status) => status === value);
}

export function isJobExecutionPending(status: JobExecutionStatus): boolean {
  return status === "QUEUED" || status === "IN_PROGRESS";
}

export function mayDeviceSet(from: JobExecutionStatus, to: JobExecutionStatus): boolean {
  return deviceSteps[from]?.includes(to) ?? false;
}
