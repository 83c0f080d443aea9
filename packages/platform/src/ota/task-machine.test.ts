import fc from "fast-check";
import { expect, test } from "vitest";
import type { TaskStatus } from "./ota.ts";
import type { TaskRow } from "./ports.ts";
import { advanceTask, isOpen, openStatuses, type TaskEvent, type TaskTerms } from "./task-machine.ts";

const statuses: TaskStatus[] = ["CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "CANCELED"];
const terms: TaskTerms = { timeoutMinutes: 10, retryIntervalMinutes: 30, retryCount: 2, sourceVersions: [] };
const retrying: TaskTerms = { ...terms, sourceVersions: ["1.0"] };

function taskIn(status: TaskStatus, change: Partial<TaskRow> = {}): TaskRow {
  return {
    id: 1,
    jobId: 1,
    packageId: 1,
    productKey: "pk",
    deviceName: "dn",
    iotId: "iot",
    module: "default",
    sourceVersion: "1.0",
    version: "2.0",
    status,
    progress: 0,
    description: "",
    createdAt: 0,
    modifiedAt: 0,
    revision: 0,
    retriesLeft: 0,
    isOwed: false,
    ...change,
  };
}

const progress = (step: number): TaskEvent => ({ kind: "progress", step, description: "" });
const version = (text: string): TaskEvent => ({ kind: "version", version: text });
const cancel: TaskEvent = { kind: "canceled", reason: "ota.task_canceled", statuses: openStatuses };

/** Every event in every state; what is not named leaves the state as it is. */
const expectations: [string, TaskEvent, Partial<Record<TaskStatus, TaskStatus>>][] = [
  ["the app confirms", { kind: "confirmed" }, { CONFIRM: "QUEUED" }],
  ["a push is sent", { kind: "offered" }, { QUEUED: "NOTIFIED" }],
  ["progress 0", progress(0), {}],
  ["the first progress", progress(1), { NOTIFIED: "IN_PROGRESS" }],
  ["progress 100 is not enough", progress(100), { NOTIFIED: "IN_PROGRESS" }],
  ["progress -1", progress(-1), { NOTIFIED: "FAILED", IN_PROGRESS: "FAILED" }],
  ["progress -4", progress(-4), { NOTIFIED: "FAILED", IN_PROGRESS: "FAILED" }],
  ["any other negative progress", progress(-77), { NOTIFIED: "FAILED", IN_PROGRESS: "FAILED" }],
  ["the target version", version("2.0"), { QUEUED: "SUCCEEDED", NOTIFIED: "SUCCEEDED", IN_PROGRESS: "SUCCEEDED" }],
  ["the source version", version("1.0"), {}],
  ["a third version", version("1.5"), { IN_PROGRESS: "FAILED" }],
  ["the time-out", { kind: "timeout" }, { IN_PROGRESS: "FAILED" }],
  ["a newer job overwrites", { kind: "overwritten" }, { CONFIRM: "CANCELED", QUEUED: "CANCELED", NOTIFIED: "CANCELED" }],
  ["somebody cancels", cancel, { CONFIRM: "CANCELED", QUEUED: "CANCELED", NOTIFIED: "CANCELED", IN_PROGRESS: "CANCELED" }],
  ["once more", { kind: "again" }, { FAILED: "QUEUED", CANCELED: "QUEUED" }],
];

test.each(expectations)("7.3: %s", (_name, event, changes) => {
  for (const status of statuses) {
    const after = advanceTask(taskIn(status), event, terms, 5) ?? taskIn(status);
    expect([status, after.status]).toEqual([status, changes[status] ?? status]);
  }
});

test("7.3: the timer starts with the first progress and not again with the next", () => {
  const begun = advanceTask(taskIn("NOTIFIED"), progress(1), terms, 1_000);
  expect(begun).toMatchObject({ timeoutAt: 1_000 + 600_000, progress: 1 });
  expect(advanceTask(begun ?? taskIn("FAILED"), progress(2), terms, 9_000)).toMatchObject({ timeoutAt: 601_000, progress: 2 });
});

test("7.3: a failure is tried again only where source versions were given; the state shown stays", () => {
  const running = taskIn("IN_PROGRESS", { retriesLeft: 1, timeoutAt: 99 });
  expect(advanceTask(running, progress(-2), terms, 0)).toMatchObject({ status: "FAILED", reason: "ota.download_failed" });
  const waiting = advanceTask(running, progress(-2), retrying, 0);
  expect(waiting).toMatchObject({ status: "IN_PROGRESS", retriesLeft: 0, retryAt: 1_800_000, reason: "ota.download_failed" });
  expect(waiting).not.toHaveProperty("timeoutAt");
  // Told twice, or the old version after it: no further try is used up.
  expect(advanceTask(waiting ?? running, progress(-2), retrying, 1)).toBeUndefined();
  expect(advanceTask(waiting ?? running, version("1.5"), retrying, 1)).toBeUndefined();
  const due = advanceTask(waiting ?? running, { kind: "retry_due" }, retrying, 1_800_000);
  expect(due).toMatchObject({ isOwed: true, status: "IN_PROGRESS" });
  const offered = advanceTask(due ?? running, { kind: "offered" }, retrying, 1_800_001);
  expect(advanceTask(offered ?? running, progress(-3), retrying, 2_000_000)).toMatchObject({
    status: "FAILED",
    reason: "ota.verification_failed",
  });
});

test("7.3: a time-out is never tried again", () => {
  expect(advanceTask(taskIn("IN_PROGRESS", { retriesLeft: 2, timeoutAt: 5 }), { kind: "timeout" }, retrying, 6)).toMatchObject({
    status: "FAILED",
    reason: "ota.task_timeout",
    retriesLeft: 2,
  });
});

const anyEvent = fc.oneof(
  fc.constantFrom<TaskEvent>(
    { kind: "confirmed" },
    { kind: "offered" },
    { kind: "timeout" },
    { kind: "retry_due" },
    { kind: "overwritten" },
    { kind: "again" },
    cancel,
  ),
  fc.integer({ min: -5, max: 100 }).map(progress),
  fc.constantFrom("1.0", "2.0", "3.0").map(version),
);

test("whatever comes in whatever order, a task keeps its promises", () => {
  fc.assert(
    fc.property(
      fc.array(anyEvent, { maxLength: 40 }),
      fc.boolean(),
      fc.constantFrom("CONFIRM", "QUEUED" as const),
      (events, isRetrying, first) => {
        const given = isRetrying ? retrying : terms;
        let task = taskIn(first as TaskStatus, { retriesLeft: given.retryCount });
        let tries = 0;
        for (const [index, event] of events.entries()) {
          const before = task;
          const now = index * 60_000;
          task = advanceTask(task, event, given, now) ?? task;
          if (event.kind === "again" && task !== before) tries = 0;
          if (task.retryAt !== undefined && before.retryAt === undefined) tries++;
          // Success is the target version and nothing else.
          if (task.status === "SUCCEEDED" && before.status !== "SUCCEEDED") expect(event).toEqual(version("2.0"));
          if (before.status === "SUCCEEDED") expect(task).toBe(before);
          if (!isOpen(before.status) && task !== before) expect(event.kind).toBe("again");
          if (before.status === "IN_PROGRESS") expect(event.kind === "overwritten" ? task : before).toBe(before);
          if (event.kind === "timeout" && before.status === "IN_PROGRESS") expect(task.status).toBe("FAILED");
          if (before.status === "CONFIRM" && task.status === "QUEUED") expect(event.kind).toBe("confirmed");
          // Timers belong to what is unfinished; a try costs one of those that were given.
          if (!isOpen(task.status)) expect([task.timeoutAt, task.retryAt, task.isOwed]).toEqual([undefined, undefined, false]);
          if (task.timeoutAt !== undefined) expect(task.status).toBe("IN_PROGRESS");
          expect(tries).toBeLessThanOrEqual(isRetrying ? given.retryCount : 0);
          expect(task.retriesLeft).toBe(given.retryCount - tries);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
