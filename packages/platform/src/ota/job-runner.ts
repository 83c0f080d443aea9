/** Keeps jobs going: begins planned ones, pushes to whom it is the turn, ends time-outs, and closes what is done. */
import { isUnfinished, type JobBook } from "./job-book.ts";
import type { Jobs } from "./jobs.ts";
import type { Offers } from "./offers.ts";
import type { OtaJob, TaskStatus } from "./ota.ts";
import type { Packages } from "./packages.ts";
import type { OtaPorts, TaskRow } from "./ports.ts";
import type { TaskKeeper } from "./task-keeper.ts";

export interface JobRunner {
  /** Pushes to all devices of the job that can be reached, as its rate allows. */
  sweep(job: OtaJob): void;
  /** One of the job's tasks has ended. */
  taskEnded(jobId: number): void;
  /** Look again at this time. */
  wakeAt(time: number): void;
  /** A device waits for the job's next turn. */
  turnMissed(job: OtaJob, at: number): void;
  start(): void;
  close(): Promise<void>;
}

export interface JobRunnerPorts extends Pick<OtaPorts, "store" | "clock" | "limits" | "onFailure" | "downlink"> {
  book: JobBook;
  packages: Pick<Packages, "setStatus">;
  keeper: TaskKeeper;
  offers: Offers;
  cancelTasks: Jobs["cancelTasks"];
  /** In the turn of the task's device, with the task as it is then. */
  inTurn(task: TaskRow, work: (task: TaskRow) => Promise<unknown>): Promise<unknown>;
  /** Looks after uploaded files. */
  clean(): Promise<void>;
}

const dueTasksPerRead = 500;
/** Ended tasks of a job are looked at together after this time. */
const settleMilliseconds = 50;

export function createJobRunner(ports: JobRunnerPorts): JobRunner {
  const { store, clock, limits, book, keeper, offers, onFailure } = ports;
  let isClosed = false;
  let wake: { at: number; cancel: () => void } | undefined;
  const sweeping = new Map<number, { again: boolean }>();
  /** Jobs with devices that were passed over: their rate was used up, or nobody has looked yet. */
  const unswept = new Set<number>();
  const settling = new Map<number, () => void>();
  const working = new Set<Promise<unknown>>();

  function run(work: () => Promise<unknown>): void {
    if (isClosed) return;
    const doing = work().catch(onFailure);
    working.add(doing);
    void doing.then(() => working.delete(doing));
  }

  function wakeAt(time: number): void {
    if (isClosed || (wake !== undefined && wake.at <= time)) return;
    wake?.cancel();
    const cancel = clock.after(Math.max(0, time - clock.now()), () => {
      wake = undefined;
      run(tick);
    });
    wake = { at: time, cancel };
  }

  async function tick(): Promise<void> {
    try {
      await endDueTasks();
      for (const job of [...book.unfinished()]) await checkTimes(job);
      await ports.clean();
    } finally {
      wakeAt(clock.now() + limits.recheckMilliseconds);
    }
    const next = await store.nextDueAt();
    if (next !== undefined) wakeAt(next);
  }

  async function endDueTasks(): Promise<void> {
    for (;;) {
      const due = await store.dueTasks(clock.now(), dueTasksPerRead);
      await Promise.all(due.map((task) => ports.inTurn(task, endDue)));
      if (isClosed || due.length < dueTasksPerRead) return;
    }
  }

  async function endDue(task: TaskRow): Promise<void> {
    const now = clock.now();
    if (task.timeoutAt !== undefined && task.timeoutAt <= now) await keeper.apply(task, { kind: "timeout" });
    else if (task.retryAt !== undefined && task.retryAt <= now) await offers.send(await keeper.apply(task, { kind: "retry_due" }));
  }

  async function checkTimes(job: OtaJob): Promise<void> {
    const now = clock.now();
    const { scheduledAt = 0, scheduledEndAt } = job;
    if (scheduledEndAt !== undefined && scheduledEndAt <= now) {
      // What has begun goes on to its own end.
      await ports.cancelTasks(job.id, ["CONFIRM", "QUEUED", "NOTIFIED"], "ota.job_window_over");
      await settle(job.id);
      return;
    }
    if (job.status === "PLANNED") {
      if (scheduledAt > now) wakeAt(scheduledAt);
      else sweep(await book.update(job, { status: "IN_PROGRESS", startedAt: now }));
    }
    if (scheduledEndAt !== undefined) wakeAt(scheduledEndAt);
    const turnAt = offers.nextTurnAt(job);
    if (turnAt !== undefined) wakeAt(turnAt);
    else if (unswept.has(job.id)) sweep(job);
  }

  function sweep(job: OtaJob): void {
    if (isClosed || job.status !== "IN_PROGRESS" || !job.isPushed) return;
    unswept.add(job.id);
    const running = sweeping.get(job.id);
    if (running !== undefined) {
      running.again = true;
      return;
    }
    const state = { again: false };
    sweeping.set(job.id, state);
    run(async () => {
      try {
        do {
          state.again = false;
          await sweepOnce(job.id);
        } while (state.again && !isClosed);
      } finally {
        sweeping.delete(job.id);
      }
    });
  }

  async function sweepOnce(jobId: number): Promise<void> {
    for (let afterId = 0; ; ) {
      const job = await book.get(jobId);
      if (isClosed || job.status !== "IN_PROGRESS") return;
      const tasks = await store.queuedTasks(jobId, afterId, limits.sweepTasksMax);
      // Who is away is told when it comes.
      const here = tasks.filter(({ productKey, deviceName }) => ports.downlink.isOnline(productKey, deviceName));
      await Promise.all(here.map((task) => ports.inTurn(task, (fresh) => offers.send(fresh))));
      const turnAt = offers.nextTurnAt(job);
      if (turnAt !== undefined) {
        wakeAt(turnAt);
        return;
      }
      const last = tasks.at(-1);
      if (last === undefined || tasks.length < limits.sweepTasksMax) {
        unswept.delete(jobId);
        return;
      }
      afterId = last.id;
      // Others have their turn between two reads.
      await new Promise<void>((resolve) => clock.soon(resolve));
    }
  }

  function taskEnded(jobId: number): void {
    if (isClosed || settling.has(jobId)) return;
    const cancel = clock.after(settleMilliseconds, () => {
      settling.delete(jobId);
      run(() => settle(jobId));
    });
    settling.set(jobId, cancel);
  }

  async function settle(jobId: number): Promise<void> {
    const job = await book.get(jobId);
    if (!isUnfinished(job)) return;
    const counts = await store.countTasks(jobId);
    const count = (status: TaskStatus): number => counts.get(status) ?? 0;
    if (hasFailedTooOften(job, count("SUCCEEDED"), count("FAILED"))) {
      await book.update(job, { status: "CANCELED", isSelecting: false, endedAt: clock.now(), reason: "ota.job_stopped" });
      await ports.cancelTasks(jobId, ["CONFIRM", "QUEUED", "NOTIFIED"], "ota.job_stopped");
      await closeVerification(job, false);
      return;
    }
    const openCount = count("CONFIRM") + count("QUEUED") + count("NOTIFIED") + count("IN_PROGRESS");
    if (openCount > 0 || job.isSelecting) return;
    await closeVerification(job, count("FAILED") + count("CANCELED") === 0 && count("SUCCEEDED") > 0);
    await book.update(job, { status: "COMPLETED", endedAt: clock.now() });
  }

  /** 7.4: all of the test devices must succeed. */
  async function closeVerification(job: OtaJob, isVerified: boolean): Promise<void> {
    if (job.kind === "verify") await ports.packages.setStatus(job.packageId, isVerified ? "verified" : "failed");
  }

  return {
    sweep,
    taskEnded,
    wakeAt,
    turnMissed(job, at) {
      unswept.add(job.id);
      wakeAt(at);
    },

    start() {
      for (const job of book.unfinished()) {
        taskEnded(job.id);
        unswept.add(job.id);
      }
      wakeAt(clock.now());
    },

    async close() {
      isClosed = true;
      wake?.cancel();
      for (const cancel of settling.values()) cancel();
      await Promise.all(working);
    },
  };
}

function hasFailedTooOften({ failureStop }: OtaJob, succeeded: number, failed: number): boolean {
  if (failureStop === undefined || failed === 0) return false;
  const ended = succeeded + failed;
  return ended >= failureStop.endedCountMin && (failed / ended) * 100 >= failureStop.failedPercent;
}
