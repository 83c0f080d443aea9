/** What names, versions and options of firmware updates may be. Source: alibaba-device.md, 7.4; alibaba-server.md, 4.13. */
import { PlatformError } from "../errors/index.ts";
import type { OtaLimits } from "./limits.ts";
import type { JobOptions, NewUpgradeJob } from "./ota.ts";

function refuse(what: string, received: string | number, expected: string): never {
  const shown = typeof received === "string" ? JSON.stringify(received.slice(0, 80)) : received;
  throw new PlatformError("ota.value_invalid", { what, received: shown, expected });
}

const versionPattern = /^[A-Za-z0-9._-]{1,64}$/;

export function checkVersion(version: string, what = "version"): void {
  if (!versionPattern.test(version)) refuse(what, version, "1 to 64 letters, digits, `.`, `_` or `-`");
}

export function checkModuleName(name: string): void {
  if (!versionPattern.test(name)) refuse("module", name, "1 to 64 letters, digits, `.`, `_` or `-`");
}

export function checkText(what: string, text: string, charactersMin: number, charactersMax: number): void {
  const count = [...text].length;
  if (count < charactersMin || count > charactersMax) refuse(what, text, `${charactersMin} to ${charactersMax} characters`);
}

function checkNumber(what: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isFinite(value) || value < minimum || value > maximum) refuse(what, value, `${minimum} to ${maximum}`);
}

function checkWhole(what: string, value: number, minimum: number, maximum: number): void {
  checkNumber(what, value, minimum, maximum);
  if (!Number.isInteger(value)) refuse(what, value, "a whole number");
}

/** Options with their defaults, checked. */
export function completeOptions(given: Partial<JobOptions>, limits: OtaLimits): JobOptions {
  const { timeoutMinutes, failureStop } = given;
  const options: JobOptions = {
    sourceVersions: [...new Set(given.sourceVersions ?? [])],
    pushesPerMinuteMax: given.pushesPerMinuteMax ?? 0,
    ...(timeoutMinutes === undefined ? {} : { timeoutMinutes }),
    retryCount: given.retryCount ?? 0,
    retryIntervalMinutes: given.retryIntervalMinutes ?? 0,
    isOverwriting: given.isOverwriting ?? false,
    needsConfirm: given.needsConfirm ?? false,
    isPushed: given.isPushed ?? true,
    isMultiModule: given.isMultiModule ?? false,
    protocol: given.protocol ?? "https",
    tags: given.tags ?? {},
    ...(failureStop === undefined ? {} : { failureStop }),
  };
  for (const version of options.sourceVersions) checkVersion(version, "sourceVersions");
  checkWhole("number of sourceVersions", options.sourceVersions.length, 0, limits.sourceVersionsMax);
  checkWhole("pushesPerMinuteMax", options.pushesPerMinuteMax, 0, limits.pushesPerMinuteMax);
  if (timeoutMinutes !== undefined) checkNumber("timeoutMinutes", timeoutMinutes, 1 / 60, limits.timeoutMinutesMax);
  checkWhole("retryCount", options.retryCount, 0, limits.retryCountMax);
  checkNumber("retryIntervalMinutes", options.retryIntervalMinutes, 0, limits.retryIntervalMinutesMax);
  checkTags(options.tags, limits);
  if (failureStop !== undefined) {
    checkNumber("failureStop.failedPercent", failureStop.failedPercent, 0, 100);
    checkWhole("failureStop.endedCountMin", failureStop.endedCountMin, 1, limits.jobDevicesMax);
  }
  return options;
}

function checkTags(tags: Readonly<Record<string, string>>, limits: OtaLimits): void {
  checkWhole("number of tags", Object.keys(tags).length, 0, limits.tagsMax);
  for (const [key, value] of Object.entries(tags)) {
    if (!/^[\w.:-]{1,30}$/.test(key) || key === "_package_udi") refuse("tag", key, "1 to 30 letters, digits, `.`, `_`, `:` or `-`");
    checkText(`tag ${key}`, value, 1, 1_024);
  }
}

const minute = 60_000;
const day = 1_440 * minute;

/** Plans of a job: the limits are the vendor's where they bound, not where they hinder a small fleet. */
export function checkSchedule(
  { selection, target, isNewOnly, scheduledAt, scheduledEndAt }: NewUpgradeJob,
  now: number,
  limits: OtaLimits,
): void {
  if (selection === "dynamic") {
    if (target.kind === "gray" || target.kind === "specific") refuse("target", target.kind, "all or group, for a dynamic job");
    if (scheduledAt !== undefined || scheduledEndAt !== undefined) refuse("scheduledAt", "a time", "none, for a dynamic job");
  } else if (isNewOnly === true) {
    refuse("isNewOnly", "true", "false, for a static job");
  }
  if (target.kind === "gray") checkNumber("target.percent", target.percent, 0.01, 100);
  if (scheduledAt !== undefined && scheduledAt > now + limits.scheduleAheadDaysMax * day) {
    refuse("scheduledAt", new Date(scheduledAt).toISOString(), `at most ${limits.scheduleAheadDaysMax} days ahead`);
  }
  if (scheduledEndAt === undefined) return;
  const begin = Math.max(scheduledAt ?? now, now);
  if (scheduledEndAt <= begin || scheduledEndAt > begin + limits.scheduleDaysMax * day) {
    refuse("scheduledEndAt", new Date(scheduledEndAt).toISOString(), `after the begin, at most ${limits.scheduleDaysMax} days`);
  }
}
