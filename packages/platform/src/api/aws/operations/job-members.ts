/** Jobs between the members of the API and ours (aws-iot.md, 12.2 and 16). */
import { type AwsAccount, arnOf, formatJobTarget, jobProcessDetails, parseJobTarget } from "@thingstead/dialects";
import type {
  CountedFleetJob,
  FleetJob,
  FleetJobRollout,
  FleetJobSettings,
  FleetJobTarget,
  JobExecution,
  NewFleetJob,
} from "../../../device-services/index.ts";
import { PlatformError } from "../../../errors/index.ts";
import { type MemberReader, type Members, refuseMember } from "../members.ts";
import { toSeconds } from "./iot-operation.ts";

export const jobArn = (account: AwsAccount, jobId: string): string => arnOf(account, `job/${jobId}`);

export function readTargets(members: MemberReader, account: AwsAccount): FleetJobTarget[] {
  const arns = members.textList("targets") ?? members.refuse("targets", "a list of ARNs");
  const expected = `ARNs like ${formatJobTarget(account, { kind: "thing", name: "…" })} or ${formatJobTarget(account, { kind: "group", name: "…" })}`;
  return arns.map((arn) => parseJobTarget(account, arn) ?? refuseMember("targets", arn, expected));
}

/** Undefined: there is none. */
export function readDocument(members: MemberReader): string | undefined {
  const source = members.text("documentSource");
  const document = members.text("document");
  if (document === undefined && source !== undefined)
    throw new PlatformError("fleet_jobs.document_source", { received: source.slice(0, 200) });
  return document;
}

const wholeNumber = (members: MemberReader, name: string): number => members.integer(name) ?? members.refuse(name, "a whole number");
const anyNumber = (members: MemberReader, name: string): number => members.number(name) ?? members.refuse(name, "a number");

function readRollout(config: MemberReader): FleetJobRollout {
  const perMinuteMax = config.integer("maximumPerMinute");
  const exponential = config.object("exponentialRate");
  const rollout: FleetJobRollout = perMinuteMax === undefined ? {} : { perMinuteMax };
  if (exponential === undefined) return rollout;
  const criteria = exponential.requiredObject("rateIncreaseCriteria");
  const everyNotified = criteria.integer("numberOfNotifiedThings");
  const everySucceeded = criteria.integer("numberOfSucceededThings");
  return {
    ...rollout,
    exponential: {
      basePerMinute: wholeNumber(exponential, "baseRatePerMinute"),
      incrementFactor: anyNumber(exponential, "incrementFactor"),
      ...(everyNotified === undefined ? {} : { everyNotified }),
      ...(everySucceeded === undefined ? {} : { everySucceeded }),
    },
  };
}

function required<T extends string>(members: MemberReader, name: string, choices: readonly T[]): T {
  return members.choice(name, choices) ?? members.refuse(name, `one of ${choices.join(", ")}`);
}

const criteriaOf = (config: MemberReader): MemberReader[] => config.objectList("criteriaList") ?? config.refuse("criteriaList", "a list");

/** Members that are kept as they came. */
const noteNames = ["presignedUrlConfig", "destinationPackageVersions", "namespaceId", "jobTemplateArn", "schedulingConfig"] as const;

export function readNotes(body: Members): Record<string, unknown> {
  return Object.fromEntries(noteNames.flatMap((name) => (body[name] === undefined || body[name] === null ? [] : [[name, body[name]]])));
}

export function readSettings(members: MemberReader): Omit<FleetJobSettings, "notes"> {
  const description = members.text("description");
  const timeout = members.object("timeoutConfig")?.integer("inProgressTimeoutInMinutes");
  const rollout = members.object("jobExecutionsRolloutConfig");
  const abort = members.object("abortConfig");
  const retry = members.object("jobExecutionsRetryConfig");
  return {
    ...(description === undefined ? {} : { description }),
    ...(timeout === undefined ? {} : { timeoutMinutes: timeout }),
    ...(rollout === undefined ? {} : { rollout: readRollout(rollout) }),
    ...(abort === undefined
      ? {}
      : {
          abort: criteriaOf(abort).map((criterion) => {
            required(criterion, "action", ["CANCEL"]);
            return {
              failure: required(criterion, "failureType", ["FAILED", "REJECTED", "TIMED_OUT", "ALL"]),
              thresholdPercentage: anyNumber(criterion, "thresholdPercentage"),
              executedThingsMin: wholeNumber(criterion, "minNumberOfExecutedThings"),
            };
          }),
        }),
    ...(retry === undefined
      ? {}
      : {
          retry: criteriaOf(retry).map((criterion) => ({
            failure: required(criterion, "failureType", ["FAILED", "TIMED_OUT", "ALL"]),
            retries: wholeNumber(criterion, "numberOfRetries"),
          })),
        }),
  };
}

function readTime(members: MemberReader, name: string): number | undefined {
  const text = members.text(name);
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  return Number.isFinite(time) ? time : members.refuse(name, "a time like 2030-12-31T10:00Z");
}

export function readSchedule(members: MemberReader): Pick<NewFleetJob, "startsAt" | "end"> {
  const config = members.object("schedulingConfig");
  if (config === undefined) return {};
  const startsAt = readTime(config, "startTime");
  const endsAt = readTime(config, "endTime");
  if ((config.objectList("maintenanceWindows") ?? []).length > 0) config.refuse("maintenanceWindows", "none: they are not supported");
  const behavior = config.choice("endBehavior", ["STOP_ROLLOUT", "CANCEL", "FORCE_CANCEL"]);
  return {
    ...(startsAt === undefined ? {} : { startsAt }),
    ...(endsAt === undefined ? {} : { end: { at: endsAt, behavior: behavior ?? "STOP_ROLLOUT" } }),
  };
}

/** Members of a job that a template has too. */
export function settingMembers({ timeoutMinutes, rollout, abort, retry, notes }: FleetJob): Record<string, unknown> {
  const { perMinuteMax, exponential } = rollout;
  return {
    ...notes,
    ...(timeoutMinutes === undefined ? {} : { timeoutConfig: { inProgressTimeoutInMinutes: timeoutMinutes } }),
    ...(Object.keys(rollout).length === 0
      ? {}
      : {
          jobExecutionsRolloutConfig: {
            ...(perMinuteMax === undefined ? {} : { maximumPerMinute: perMinuteMax }),
            ...(exponential === undefined
              ? {}
              : {
                  exponentialRate: {
                    baseRatePerMinute: exponential.basePerMinute,
                    incrementFactor: exponential.incrementFactor,
                    rateIncreaseCriteria: {
                      ...(exponential.everyNotified === undefined ? {} : { numberOfNotifiedThings: exponential.everyNotified }),
                      ...(exponential.everySucceeded === undefined ? {} : { numberOfSucceededThings: exponential.everySucceeded }),
                    },
                  },
                }),
          },
        }),
    ...(abort.length === 0
      ? {}
      : {
          abortConfig: {
            criteriaList: abort.map(({ failure, thresholdPercentage, executedThingsMin }) => ({
              failureType: failure,
              action: "CANCEL",
              thresholdPercentage,
              minNumberOfExecutedThings: executedThingsMin,
            })),
          },
        }),
    ...(retry.length === 0
      ? {}
      : {
          jobExecutionsRetryConfig: {
            criteriaList: retry.map(({ failure, retries }) => ({ failureType: failure, numberOfRetries: retries })),
          },
        }),
  };
}

/** `JobSummary`. */
export function summaryMembers(account: AwsAccount, job: FleetJob): Record<string, unknown> {
  const { id, selection, status, createdAt, modifiedAt, completedAt } = job;
  return {
    jobArn: jobArn(account, id),
    jobId: id,
    targetSelection: selection,
    status,
    createdAt: toSeconds(createdAt),
    lastUpdatedAt: toSeconds(modifiedAt),
    ...(completedAt === undefined ? {} : { completedAt: toSeconds(completedAt) }),
    isConcurrent: false,
  };
}

export function jobMembers(account: AwsAccount, job: CountedFleetJob): object {
  const { targets, description, reasonCode, comment, isForceCanceled, parameters, counts } = job;
  return {
    ...summaryMembers(account, job),
    ...settingMembers(job),
    targets: targets.map((target) => formatJobTarget(account, target)),
    ...(description === "" ? {} : { description }),
    ...(isForceCanceled ? { forceCanceled: true } : {}),
    ...(reasonCode === undefined ? {} : { reasonCode }),
    ...(comment === undefined ? {} : { comment }),
    ...(Object.keys(parameters).length === 0 ? {} : { documentParameters: parameters }),
    jobProcessDetails: jobProcessDetails(counts),
  };
}

function executionTimes({ queuedAt, startedAt, updatedAt, executionNumber }: JobExecution): object {
  return {
    queuedAt: toSeconds(queuedAt),
    ...(startedAt === undefined ? {} : { startedAt: toSeconds(startedAt) }),
    lastUpdatedAt: toSeconds(updatedAt),
    executionNumber,
  };
}

export function executionSummary(execution: JobExecution): object {
  return { status: execution.status, ...executionTimes(execution), retryAttempt: execution.retryAttempt };
}

export function executionMembers(account: AwsAccount, execution: JobExecution, now: number): object {
  const { jobId, thingName, status, statusDetails, versionNumber, isForceCanceled, deadlineAt } = execution;
  return {
    jobId,
    thingArn: formatJobTarget(account, { kind: "thing", name: thingName }),
    status,
    statusDetails: { detailsMap: statusDetails },
    ...executionTimes(execution),
    versionNumber,
    forceCanceled: isForceCanceled,
    ...(deadlineAt === undefined ? {} : { approximateSecondsBeforeTimedOut: Math.max(0, Math.floor((deadlineAt - now) / 1000)) }),
  };
}
