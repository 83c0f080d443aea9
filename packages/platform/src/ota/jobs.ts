/** Makes jobs and ends them. */
import { PlatformError } from "../errors/index.ts";
import { checkSchedule, completeOptions } from "./checks.ts";
import { isUnfinished, type JobBook } from "./job-book.ts";
import { makeTasks, selectCandidates, sourceVersionsOf } from "./job-selection.ts";
import type { JobOptions, NewUpgradeJob, NewVerifyJob, Ota, OtaChange, OtaJob, OtaPackage, TaskStatus } from "./ota.ts";
import type { Packages } from "./packages.ts";
import type { NewTask, OtaPorts } from "./ports.ts";
import { type TaskKeeper, toTask } from "./task-keeper.ts";
import { openStatuses } from "./task-machine.ts";
import { createTurns } from "./turns.ts";

export interface JobsPorts extends Pick<OtaPorts, "store" | "registry" | "groups" | "clock" | "random" | "limits"> {
  book: JobBook;
  packages: Packages;
  keeper: Pick<TaskKeeper, "apply">;
  tell(change: OtaChange): void;
  /** A job has begun, or is planned. */
  jobMade(job: OtaJob): void;
}

export interface Jobs {
  door: Ota["jobs"];
  /** Ends the tasks in these states. */
  cancelTasks(jobId: number, statuses: readonly TaskStatus[], reason: string): Promise<void>;
}

/** What `cancel` ends when it is not told otherwise. */
const canceledByDefault: readonly TaskStatus[] = ["CONFIRM", "QUEUED", "NOTIFIED"];
const tasksPerRead = 500;
const emptyCounts: Readonly<Record<TaskStatus, number>> = {
  CONFIRM: 0,
  QUEUED: 0,
  NOTIFIED: 0,
  IN_PROGRESS: 0,
  SUCCEEDED: 0,
  FAILED: 0,
  CANCELED: 0,
};

export function createJobs(ports: JobsPorts): Jobs {
  const { store, clock, limits, book, packages, keeper } = ports;
  /** Jobs of one product are made one after the other: each sees the tasks of the one before. */
  const turns = createTurns();

  async function make(job: Omit<OtaJob, "id">, tasks: readonly NewTask[]): Promise<OtaJob> {
    const inserted = await store.insertJob(job, tasks, "ota.task_overwritten", "ota.task_unfinished_exists");
    const time = inserted.job.createdAt;
    book.remember(inserted.job);
    ports.tell({ kind: "job", job: inserted.job, time });
    for (const task of inserted.overwritten) ports.tell({ kind: "task", task: toTask(task), time });
    for (const task of inserted.failed) ports.tell({ kind: "task", task: toTask(task), isSilent: true, time });
    ports.jobMade(inserted.job);
    return inserted.job;
  }

  function shape(
    pack: OtaPackage,
    options: JobOptions,
    given: Omit<NewUpgradeJob, keyof JobOptions>,
    kind: OtaJob["kind"],
  ): Omit<OtaJob, "id"> {
    const now = clock.now();
    const { scheduledAt, scheduledEndAt } = given;
    const isPlanned = scheduledAt !== undefined && scheduledAt > now;
    return {
      ...options,
      packageId: pack.id,
      productKey: pack.productKey,
      module: pack.module,
      version: pack.version,
      kind,
      selection: given.selection,
      target: given.target,
      isNewOnly: given.isNewOnly ?? false,
      isSelecting: given.selection === "dynamic",
      status: isPlanned ? "PLANNED" : "IN_PROGRESS",
      ...(scheduledAt === undefined ? {} : { scheduledAt }),
      ...(scheduledEndAt === undefined ? {} : { scheduledEndAt }),
      createdAt: now,
      modifiedAt: now,
      ...(isPlanned ? {} : { startedAt: now }),
    };
  }

  async function verify(given: NewVerifyJob): Promise<OtaJob> {
    const pack = await packages.get(given.packageId);
    if (pack.status === "verifying") throw new PlatformError("ota.verification_running", { packageId: pack.id });
    const { verifyDevicesMax } = limits;
    if (given.deviceNames.length > verifyDevicesMax) {
      const expected = `at most ${verifyDevicesMax}`;
      throw new PlatformError("ota.value_invalid", { what: "number of deviceNames", received: given.deviceNames.length, expected });
    }
    const options = completeOptions(given, limits);
    const target = { kind: "specific", deviceNames: given.deviceNames } as const;
    const candidates = await selectCandidates(ports, pack, target, sourceVersionsOf(pack, []));
    if (candidates.length < new Set(given.deviceNames).size) {
      const reason = `${candidates.length} of the chosen devices can take version ${pack.version}; the others run it already or have another version than the package starts from`;
      throw new PlatformError("ota.no_device_matches", { reason });
    }
    const tasks = await makeTasks(ports, pack, candidates, options, clock.now());
    const job = await make(shape(pack, options, { packageId: pack.id, selection: "static", target }, "verify"), tasks);
    await packages.setStatus(pack.id, "verifying");
    return job;
  }

  async function create(given: NewUpgradeJob): Promise<OtaJob> {
    const pack = await packages.get(given.packageId);
    if (pack.status !== "verified" && pack.status !== "exempt") {
      throw new PlatformError("ota.package_not_verified", { packageId: pack.id, received: pack.status });
    }
    checkSchedule(given, clock.now(), limits);
    const options = completeOptions(given, limits);
    const sourceVersions = sourceVersionsOf(pack, options.sourceVersions);
    if (given.selection === "dynamic") checkDynamic(given, pack, sourceVersions);
    const isLater = given.selection === "dynamic" && given.isNewOnly === true;
    const candidates = isLater ? [] : await selectCandidates(ports, pack, given.target, sourceVersions);
    if (given.selection === "static" && candidates.length === 0) {
      const versions = sourceVersions.length === 0 ? `another version than ${pack.version}` : `version ${sourceVersions.join(" or ")}`;
      throw new PlatformError("ota.no_device_matches", { reason: `none in the target has ${versions} of module ${pack.module}` });
    }
    const complete = { ...options, sourceVersions };
    const tasks = await makeTasks(ports, pack, candidates, complete, clock.now());
    return make(shape(pack, complete, given, "upgrade"), tasks);
  }

  function checkDynamic(given: NewUpgradeJob, pack: OtaPackage, sourceVersions: readonly string[]): void {
    if (sourceVersions.length === 0 && given.target.kind !== "group") {
      throw new PlatformError("ota.value_invalid", {
        what: "sourceVersions",
        received: 0,
        expected: "at least one, for a dynamic job without a group",
      });
    }
    for (const job of book.unfinished()) {
      if (job.packageId === pack.id && job.isSelecting)
        throw new PlatformError("ota.dynamic_job_exists", { packageId: pack.id, jobId: job.id });
    }
  }

  async function cancelTasks(jobId: number, statuses: readonly TaskStatus[], reason: string): Promise<void> {
    let afterId = 0;
    for (;;) {
      const tasks = await store.tasksOfJob(jobId, statuses, afterId, tasksPerRead);
      // Together: one commit for all of them.
      await Promise.all(tasks.map((task) => keeper.apply(task, { kind: "canceled", reason, statuses })));
      const last = tasks.at(-1);
      if (last === undefined || tasks.length < tasksPerRead) return;
      afterId = last.id;
    }
  }

  return {
    cancelTasks,
    door: {
      async verify(given) {
        const { productKey } = await packages.get(given.packageId);
        return turns.take(productKey, () => verify(given));
      },

      async create(given) {
        const { productKey } = await packages.get(given.packageId);
        return turns.take(productKey, () => create(given));
      },

      get: (id) => book.get(id),

      async list(page, filter = {}) {
        const { rows, total } = await store.listJobs(page, filter);
        return { ...page, items: rows, total };
      },

      async counts(id) {
        await book.get(id);
        const counts = await store.countTasks(id);
        const byStatus = { ...emptyCounts, ...Object.fromEntries(counts) };
        return { total: [...counts.values()].reduce((sum, count) => sum + count, 0), byStatus };
      },

      async cancel(id, statuses = canceledByDefault) {
        const job = await book.get(id);
        if (!isUnfinished(job)) throw new PlatformError("ota.job_ended", { jobId: id, received: job.status });
        // First the job, so that nothing is pushed or taken while its tasks end.
        const endsAll = canceledByDefault.every((status) => statuses.includes(status));
        const ended = { status: "CANCELED", isSelecting: false, endedAt: clock.now(), reason: "ota.task_canceled" } as const;
        if (endsAll) await book.update(job, ended);
        // What is left of it proves nothing.
        if (endsAll && job.kind === "verify") await packages.setStatus(job.packageId, "unverified");
        await cancelTasks(id, statuses, "ota.task_canceled");
        if (!endsAll && job.selection === "static") {
          const counts = await store.countTasks(id);
          const isLeft = openStatuses.some((status) => (counts.get(status) ?? 0) > 0);
          const current = await book.get(id);
          if (!isLeft && isUnfinished(current)) await book.update(current, ended);
        }
        return book.get(id);
      },

      async stopSelecting(id) {
        const job = await book.get(id);
        if (job.selection !== "dynamic") throw new PlatformError("ota.job_not_dynamic", { jobId: id });
        if (!isUnfinished(job)) throw new PlatformError("ota.job_ended", { jobId: id, received: job.status });
        const stopped = await book.update(job, { isSelecting: false });
        ports.jobMade(stopped);
        return stopped;
      },
    },
  };
}
