/** Changes tasks: decides by the table, saves before anybody hears of it, and looks again when others were faster. */
import { PlatformError } from "../errors/index.ts";
import { createBatcher } from "./batcher.ts";
import type { JobBook } from "./job-book.ts";
import type { OtaChange, OtaTask } from "./ota.ts";
import type { OtaPorts, TaskRow } from "./ports.ts";
import { advanceTask, isOpen, type TaskEvent } from "./task-machine.ts";

export interface TaskKeeper {
  /** The task as it is afterwards, changed or not. */
  apply(task: TaskRow, event: TaskEvent): Promise<TaskRow>;
  /** Resolves when nothing is being written. */
  idle(): Promise<void>;
}

export interface TaskKeeperPorts extends Pick<OtaPorts, "store" | "clock" | "limits"> {
  jobs: Pick<JobBook, "get">;
  tell(change: OtaChange): void;
  /** A task has ended: its job may have, too. */
  taskEnded(jobId: number): void;
  /** A task waits for a time that may be the next one. */
  taskTimed(at: number): void;
}

/** Tasks of one commit. */
const tasksPerCommitMax = 1_000;

/** What others may see of a task. */
export function toTask({ revision: _, retriesLeft: __, retryAt: ___, isOwed: ____, ...task }: TaskRow): OtaTask {
  return task;
}

export function createTaskKeeper(ports: TaskKeeperPorts): TaskKeeper {
  const { store, clock, limits, jobs } = ports;
  const writes = createBatcher<TaskRow, boolean>((tasks) => store.saveTasks(tasks), tasksPerCommitMax);

  function follow(before: TaskRow, after: TaskRow): void {
    if (after.status !== before.status) {
      ports.tell({ kind: "task", task: toTask(after), previous: before.status, time: after.modifiedAt });
      if (!isOpen(after.status)) ports.taskEnded(after.jobId);
    }
    if (after.timeoutAt !== undefined) ports.taskTimed(after.timeoutAt);
    if (after.retryAt !== undefined) ports.taskTimed(after.retryAt);
  }

  return {
    async apply(task, event) {
      let current = task;
      for (let conflicts = 0; conflicts < limits.conflictsMax; conflicts++) {
        const terms = await jobs.get(current.jobId);
        const next = advanceTask(current, event, terms, clock.now());
        if (next === undefined) return current;
        if (await writes.add(next)) {
          const saved = { ...next, revision: next.revision + 1 };
          follow(current, saved);
          return saved;
        }
        const fresh = await store.findTask(current.id);
        if (fresh === undefined) throw new PlatformError("ota.task_not_found", { taskId: current.id });
        current = fresh;
      }
      throw new PlatformError("ota.task_conflict", { taskId: task.id, count: limits.conflictsMax });
    },
    idle: () => writes.idle(),
  };
}
