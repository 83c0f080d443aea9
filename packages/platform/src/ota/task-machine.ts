/** What happens to a task, as a table. Pure. Source: alibaba-device.md, 7.3. */
import type { OtaJob, TaskStatus } from "./ota.ts";
import type { TaskRow } from "./ports.ts";

export type TaskEvent =
  | { kind: "confirmed" }
  /** An offer was sent, or the device asked and got it. */
  | { kind: "offered" }
  | { kind: "progress"; step: number; description: string }
  | { kind: "version"; version: string }
  | { kind: "timeout" }
  | { kind: "retry_due" }
  | { kind: "overwritten" }
  /** Only in these states: one that has begun meanwhile goes on when it was not meant. */
  | { kind: "canceled"; reason: string; statuses: readonly TaskStatus[] }
  /** Somebody wants it tried once more after its end. */
  | { kind: "again" };

/** What of the job a task's way depends on. */
export type TaskTerms = Pick<OtaJob, "timeoutMinutes" | "retryIntervalMinutes" | "retryCount" | "sourceVersions">;

type Change = Partial<Omit<TaskRow, "retryAt" | "timeoutAt" | "reason">> & { retryAt?: number | undefined } & {
  timeoutAt?: number | undefined;
} & { reason?: string | undefined };

type Step<K extends TaskEvent["kind"]> = (
  task: TaskRow,
  event: Extract<TaskEvent, { kind: K }>,
  terms: TaskTerms,
  now: number,
) => Change | undefined;

type Table = { readonly [K in TaskEvent["kind"]]: Partial<Record<TaskStatus, Step<K>>> };

export const openStatuses: readonly TaskStatus[] = ["CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS"];
/** What a newer job may take the place of; a task in progress never. */
export const overwritableStatuses: readonly TaskStatus[] = ["CONFIRM", "QUEUED", "NOTIFIED"];

export function isOpen(status: TaskStatus): boolean {
  return openStatuses.includes(status);
}

const ended = { timeoutAt: undefined, retryAt: undefined, isOwed: false } as const;

/** Codes of the steps that tell a failure; another negative one counts as the first. */
const failureReasons: Readonly<Record<number, string>> = {
  [-1]: "ota.upgrade_failed",
  [-2]: "ota.download_failed",
  [-3]: "ota.verification_failed",
  [-4]: "ota.burning_failed",
};

function fail(reason: string, description: string): Change {
  return { status: "FAILED", reason, description, ...ended };
}

/** Fails, or waits for another try in the state it is in: only where source versions were given and tries are left. */
function failOrRetry(task: TaskRow, reason: string, description: string, terms: TaskTerms, now: number): Change | undefined {
  const isWaiting = task.retryAt !== undefined || task.isOwed;
  // The same failure told twice, or the device's old version after a failure, costs no further try.
  if (isWaiting) return undefined;
  if (task.retriesLeft === 0 || terms.sourceVersions.length === 0) return fail(reason, description);
  return {
    retriesLeft: task.retriesLeft - 1,
    retryAt: now + terms.retryIntervalMinutes * 60_000,
    timeoutAt: undefined,
    reason,
    description,
  };
}

const succeed: Change = { status: "SUCCEEDED", progress: 100, reason: undefined, description: "success", ...ended };

function begin(task: TaskRow, step: number, description: string, terms: TaskTerms, now: number): Change {
  const { timeoutMinutes } = terms;
  const isTimed = task.timeoutAt === undefined && timeoutMinutes !== undefined;
  return {
    status: "IN_PROGRESS",
    progress: step,
    description,
    reason: undefined,
    retryAt: undefined,
    isOwed: false,
    // From the first progress on, and anew for each try.
    ...(isTimed ? { timeoutAt: now + timeoutMinutes * 60_000 } : {}),
  };
}

/** Where the source is not known, no version is a wrong one. */
function isWrongVersion(task: TaskRow, version: string, terms: TaskTerms): boolean {
  return task.sourceVersion !== undefined && version !== task.sourceVersion && !terms.sourceVersions.includes(version);
}

const cancel: Step<"canceled"> = (task, { reason, statuses }) =>
  statuses.includes(task.status) ? { status: "CANCELED", reason, ...ended } : undefined;
const overwrite: Step<"overwritten"> = () => ({ status: "CANCELED", reason: "ota.task_overwritten", ...ended });
const again: Step<"again"> = (_task, _event, terms) => ({
  status: "QUEUED",
  progress: 0,
  reason: undefined,
  description: "",
  retriesLeft: terms.retryCount,
  ...ended,
});

/** What is not in the table changes nothing. */
const taskTable: Table = {
  confirmed: { CONFIRM: () => ({ status: "QUEUED" }) },
  offered: {
    QUEUED: () => ({ status: "NOTIFIED", isOwed: false }),
    NOTIFIED: (task) => (task.isOwed ? { isOwed: false } : undefined),
    IN_PROGRESS: (task) => (task.isOwed ? { isOwed: false } : undefined),
  },
  progress: {
    NOTIFIED(task, { step, description }, terms, now) {
      if (step < 0) return failOrRetry(task, failureReasons[step] ?? "ota.upgrade_failed", description, terms, now);
      // 0 says that the device has heard, not that it has begun.
      return step === 0 ? undefined : begin(task, step, description, terms, now);
    },
    IN_PROGRESS(task, { step, description }, terms, now) {
      if (step < 0) return failOrRetry(task, failureReasons[step] ?? "ota.upgrade_failed", description, terms, now);
      const isSame = task.progress === step && task.description === description && task.retryAt === undefined && !task.isOwed;
      return isSame ? undefined : begin(task, step, description, terms, now);
    },
  },
  version: {
    // Upgraded by other hands while it waited: there is nothing left to push.
    QUEUED: (task, { version }) => (version === task.version ? succeed : knowSource(task, version)),
    NOTIFIED: (task, { version }) => (version === task.version ? succeed : knowSource(task, version)),
    IN_PROGRESS(task, { version }, terms, now) {
      if (version === task.version) return succeed;
      if (!isWrongVersion(task, version, terms)) return undefined;
      return failOrRetry(task, "ota.version_unexpected", `reported version ${version}`, terms, now);
    },
  },
  // Never tried again.
  timeout: { IN_PROGRESS: () => fail("ota.task_timeout", "timeout") },
  retry_due: {
    NOTIFIED: (task) => (task.retryAt === undefined ? undefined : { retryAt: undefined, isOwed: true }),
    IN_PROGRESS: (task) => (task.retryAt === undefined ? undefined : { retryAt: undefined, isOwed: true }),
  },
  overwritten: { CONFIRM: overwrite, QUEUED: overwrite, NOTIFIED: overwrite },
  canceled: { CONFIRM: cancel, QUEUED: cancel, NOTIFIED: cancel, IN_PROGRESS: cancel },
  again: { FAILED: again, CANCELED: again },
};

function knowSource(task: TaskRow, version: string): Change | undefined {
  return task.sourceVersion === undefined ? { sourceVersion: version } : undefined;
}

/** The task after the event; undefined when it changes nothing. */
export function advanceTask(task: TaskRow, event: TaskEvent, terms: TaskTerms, now: number): TaskRow | undefined {
  // The table's rows are keyed by the kind of their events, which the compiler cannot follow through the index.
  const step = taskTable[event.kind][task.status] as Step<TaskEvent["kind"]> | undefined;
  const change = step?.(task, event, terms, now);
  if (change === undefined) return undefined;
  const { retryAt, timeoutAt, reason, ...kept } = { ...task, ...change };
  return {
    ...kept,
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(timeoutAt === undefined ? {} : { timeoutAt }),
    ...(reason === undefined ? {} : { reason }),
    modifiedAt: now,
  };
}
