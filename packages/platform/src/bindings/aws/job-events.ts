/** What happened to jobs, told by whoever keeps them. Published only while the account has switched such events on. */

/** Topics `$aws/events/job/{jobId}/{operation}`. (AWS reference, job events) */
interface AwsJobEvent {
  readonly operation: "completed" | "canceled" | "deleted" | "cancellation_in_progress" | "deletion_in_progress";
  readonly jobId: string;
  /** `IN_PROGRESS`, `COMPLETED`, `CANCELED`, `DELETION_IN_PROGRESS`, … */
  readonly status: string;
  readonly targetSelection: "SNAPSHOT" | "CONTINUOUS";
  /** ARNs. */
  readonly targets: readonly string[];
  readonly description?: string;
  /** Milliseconds since the epoch, here and below. */
  readonly createdAt: number;
  readonly lastUpdatedAt: number;
  readonly completedAt?: number;
  readonly comment?: string;
  /** `numberOfSucceededThings`, … */
  readonly jobProcessDetails?: Readonly<Record<string, unknown>>;
}

/** Topics `$aws/events/jobExecution/{jobId}/{operation}`. */
interface AwsJobExecutionEvent {
  readonly operation: "succeeded" | "failed" | "rejected" | "canceled" | "timed_out" | "removed" | "deleted";
  readonly jobId: string;
  readonly thingName: string;
  readonly status: string;
  readonly statusDetails?: Readonly<Record<string, string>>;
}

/** Neither waits nor throws. */
export interface AwsJobEvents {
  publishJobEvent(event: AwsJobEvent): void;
  publishJobExecutionEvent(event: AwsJobExecutionEvent): void;
}
