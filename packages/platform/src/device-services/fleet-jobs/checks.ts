/** What a job may be, before anything is stored. */
import { documentParameterNames, unfillablePlaceholder } from "@thingstead/dialects";
import { PlatformError } from "../../errors/index.ts";
import type { FleetJobSettings, FleetJobTarget, JobTargets, NewFleetJob } from "./fleet-jobs.ts";
import type { FleetJobLimits } from "./limits.ts";

const jobIdPattern = /^[a-zA-Z0-9_-]+$/;
const receivedCharactersMax = 100;
const endBehaviors: readonly string[] = ["STOP_ROLLOUT", "CANCEL", "FORCE_CANCEL"];
const incrementFactorMax = 5;

export function invalid(what: string, received: unknown, expected: string): never {
  const shown = typeof received === "string" ? received : (JSON.stringify(received) ?? "nothing");
  throw new PlatformError("fleet_jobs.invalid", { what, received: shown.slice(0, receivedCharactersMax), expected });
}

function checkCount(what: string, value: number | undefined, max: number, min = 1): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= min && value <= max)) return;
  invalid(what, value, `a whole number of ${min} to ${max}`);
}

function checkText(what: string, text: string | undefined, max: number): void {
  if (text !== undefined && text.length > max) invalid(what, `${text.length} characters`, `at most ${max} characters`);
}

export function checkComment(comment: string | undefined, limits: FleetJobLimits): void {
  checkText("comment", comment, limits.commentCharactersMax);
}

export function checkSettings(
  { description, timeoutMinutes, rollout = {}, abort = [], retry = [] }: FleetJobSettings,
  limits: FleetJobLimits,
): void {
  const { rolloutPerMinuteMax } = limits;
  checkText("description", description, limits.descriptionCharactersMax);
  checkCount("inProgressTimeoutInMinutes", timeoutMinutes, limits.timeoutMinutesMax);
  checkCount("maximumPerMinute", rollout.perMinuteMax, rolloutPerMinuteMax);
  const { exponential } = rollout;
  if (exponential !== undefined) {
    checkCount("baseRatePerMinute", exponential.basePerMinute, rolloutPerMinuteMax);
    if (!(exponential.incrementFactor >= 1.1 && exponential.incrementFactor <= incrementFactorMax)) {
      invalid("incrementFactor", exponential.incrementFactor, `1.1 to ${incrementFactorMax}`);
    }
    if ((exponential.everyNotified === undefined) === (exponential.everySucceeded === undefined)) {
      invalid("rateIncreaseCriteria", exponential, "one of numberOfNotifiedThings and numberOfSucceededThings");
    }
    checkCount("numberOfNotifiedThings", exponential.everyNotified, Number.MAX_SAFE_INTEGER);
    checkCount("numberOfSucceededThings", exponential.everySucceeded, Number.MAX_SAFE_INTEGER);
  }
  for (const { thresholdPercentage, executedThingsMin } of abort) {
    if (!(thresholdPercentage > 0 && thresholdPercentage <= 100))
      invalid("thresholdPercentage", thresholdPercentage, "more than 0, at most 100");
    checkCount("minNumberOfExecutedThings", executedThingsMin, Number.MAX_SAFE_INTEGER);
  }
  for (const { retries } of retry) checkCount("numberOfRetries", retries, limits.retriesMax, 0);
}

function checkDocument(document: string, limits: FleetJobLimits): void {
  const bytes = Buffer.byteLength(document);
  if (bytes > limits.documentBytesMax) invalid("document", `${bytes} bytes`, `at most ${limits.documentBytesMax} bytes`);
  try {
    JSON.parse(document);
  } catch {
    invalid("document", document, "JSON");
  }
  const placeholder = unfillablePlaceholder(document);
  if (placeholder !== undefined)
    throw new PlatformError("fleet_jobs.placeholder", { received: placeholder.slice(0, receivedCharactersMax) });
}

function checkFilled(document: string, parameters: Readonly<Record<string, string>>): void {
  const missing = documentParameterNames(document).find((name) => !Object.hasOwn(parameters, name));
  if (missing !== undefined) invalid(`documentParameters.${missing}`, undefined, "a text: the document has a place for it");
}

/** Its placeholders may wait for a job. */
export function checkTemplate({ document, ...settings }: FleetJobSettings & Pick<NewFleetJob, "document">, limits: FleetJobLimits): void {
  checkDocument(document, limits);
  checkSettings(settings, limits);
}

export function checkTargetCount(targets: readonly FleetJobTarget[], limits: FleetJobLimits): void {
  if (targets.length > 0 && targets.length <= limits.targetsMax) return;
  invalid("targets", `${targets.length} targets`, `1 to ${limits.targetsMax}`);
}

export function checkJob(job: NewFleetJob, now: number, limits: FleetJobLimits): void {
  const { id, document, parameters = {}, startsAt, end } = job;
  if (!jobIdPattern.test(id) || id.length > limits.jobIdCharactersMax) {
    invalid("jobId", id, `1 to ${limits.jobIdCharactersMax} characters of a-z, A-Z, 0-9, _ and -`);
  }
  checkTargetCount(job.targets, limits);
  checkDocument(document, limits);
  checkFilled(document, parameters);
  checkSettings(job, limits);
  if (end === undefined) return;
  if (!endBehaviors.includes(end.behavior)) invalid("endBehavior", end.behavior, endBehaviors.join(", "));
  if (end.at <= (startsAt ?? now)) invalid("endTime", new Date(end.at).toISOString(), "after the start");
}

/** Throws `fleet_jobs.target_not_found`. */
export async function checkTargets(targets: readonly FleetJobTarget[], directory: JobTargets): Promise<void> {
  for (const { kind, name } of targets) {
    const isThere = kind === "thing" ? await directory.hasThing(name) : await directory.hasGroup(name);
    if (!isThere) throw new PlatformError("fleet_jobs.target_not_found", { kind, name: name.slice(0, receivedCharactersMax) });
  }
}
