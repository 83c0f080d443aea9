/** How jobs, their targets and their progress are written for people and programs. Source: aws-iot.md, 12 and 16. */
import { type AwsAccount, arnOf, resourceOf } from "./arn.ts";
import { type JobExecutionStatus, jobExecutionStatuses } from "./job-states.ts";

export interface JobTargetName {
  kind: "thing" | "group";
  name: string;
}

const heads = { thing: "thing/", group: "thinggroup/" } as const;

export function formatJobTarget(account: AwsAccount, { kind, name }: JobTargetName): string {
  return arnOf(account, `${heads[kind]}${name}`);
}

/** Undefined: no ARN of a thing or a group of this account. */
export function parseJobTarget(account: AwsAccount, arn: string): JobTargetName | undefined {
  const resource = resourceOf(account, arn);
  for (const kind of ["thing", "group"] as const) {
    const head = heads[kind];
    if (resource?.startsWith(head) === true && resource.length > head.length) return { kind, name: resource.slice(head.length) };
  }
  return undefined;
}

const processNames: Readonly<Record<JobExecutionStatus, string>> = {
  QUEUED: "numberOfQueuedThings",
  IN_PROGRESS: "numberOfInProgressThings",
  SUCCEEDED: "numberOfSucceededThings",
  FAILED: "numberOfFailedThings",
  REJECTED: "numberOfRejectedThings",
  TIMED_OUT: "numberOfTimedOutThings",
  CANCELED: "numberOfCanceledThings",
  REMOVED: "numberOfRemovedThings",
};

/** `jobProcessDetails`. */
export function jobProcessDetails(counts: Readonly<Partial<Record<JobExecutionStatus, number>>>): Record<string, number> {
  return Object.fromEntries(jobExecutionStatuses.map((status) => [processNames[status], counts[status] ?? 0]));
}
