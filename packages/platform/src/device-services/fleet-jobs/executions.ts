/** What becomes of one execution: the thing reports, the maker cancels, time runs out, the thing goes. */
import { isJobExecutionPending, mayDeviceSet } from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { Background } from "../background.ts";
import { createTurns } from "../turns.ts";
import type { FleetJobs, OfferedExecution, ReportOutcome } from "./fleet-jobs.ts";
import type { FleetJobLimits } from "./limits.ts";
import type { Notices } from "./notices.ts";
import type { ExecutionChange, FleetJobStore, StoredExecution } from "./ports.ts";
import { retryOf, type Step, takeStep } from "./steps.ts";
import { createWriteBatches } from "./write-batches.ts";

export interface ExecutionsPorts {
  store: FleetJobStore;
  notices: Notices;
  clock: Clock;
  limits: FleetJobLimits;
  background: Pick<Background, "run">;
  /** One that was pending is over. */
  onEnded(jobId: string): void;
  onDeadline(at: number | undefined): void;
}

type Executions = Pick<FleetJobs, "cancelExecution" | "deleteExecution" | "pending" | "offer" | "startNext" | "report"> & {
  /** Ends what is due, at most so many; true when there may be more. */
  timeOut(limit: number): Promise<boolean>;
  remove(jobId: string, thingName: string): Promise<void>;
};

/** Somebody else wrote in between. */
const triesMax = 5;

export function createExecutions(ports: ExecutionsPorts): Executions {
  const { store, notices, clock, limits, background, onEnded, onDeadline } = ports;
  const turns = createTurns();
  const save = createWriteBatches<ExecutionChange, boolean>(clock, (changes) => store.save(changes), limits.executionsPerTurn);

  /** Undefined: it has another version by now. */
  async function move(execution: StoredExecution, step: Step): Promise<StoredExecution | undefined> {
    const now = clock.now();
    const job = await store.find(execution.jobId);
    const changed = takeStep(execution, step, now, job?.timeoutMinutes);
    const retry = job === undefined || !execution.isLatest ? undefined : retryOf(changed, job, now);
    if (retry !== undefined) changed.isLatest = false;
    const isSaved = await save({ execution: changed, previousVersion: execution.versionNumber, ...(retry === undefined ? {} : { retry }) });
    if (!isSaved) return undefined;
    onDeadline(changed.deadlineAt);
    // The answer does not wait for those who are told.
    background.run(async () => {
      const next = retry && (await store.findExecution(retry.jobId, retry.thingName, retry.executionNumber));
      const moves = [{ execution: changed, before: execution.status, after: changed.status }];
      await notices.moved(changed.thingName, next === undefined ? moves : [...moves, { execution: next, after: next.status }]);
      if (isJobExecutionPending(changed.status)) return;
      notices.ended(changed);
      onEnded(changed.jobId);
    });
    return changed;
  }

  /** `attempt` answers undefined when it has to be tried again. */
  function change<T>(thingName: string, jobId: string, attempt: () => Promise<T | undefined>): Promise<T> {
    return turns.take(thingName, async () => {
      for (let tries = 0; tries < triesMax; tries++) {
        const result = await attempt();
        if (result !== undefined) return result;
      }
      throw new PlatformError("fleet_jobs.busy", { thingName, jobId });
    });
  }

  async function need(jobId: string, thingName: string, executionNumber?: number): Promise<StoredExecution> {
    const execution = await store.findExecution(jobId, thingName, executionNumber);
    if (execution === undefined) throw new PlatformError("fleet_jobs.execution_not_found", { jobId, thingName });
    return execution;
  }

  async function end(
    execution: Pick<StoredExecution, "jobId" | "thingName" | "executionNumber">,
    isDue: (now: StoredExecution) => boolean,
    step: Step,
  ) {
    const { jobId, thingName, executionNumber } = execution;
    await change(thingName, jobId, async () => {
      const current = await store.findExecution(jobId, thingName, executionNumber);
      if (current === undefined || !isJobExecutionPending(current.status) || !isDue(current)) return true;
      return (await move(current, step)) === undefined ? undefined : true;
    });
  }

  return {
    pending: (thingName) => store.pending(thingName, limits.pendingExecutionsShownMax),

    async offer(thingName, jobId, executionNumber) {
      const execution =
        jobId === undefined ? (await store.pending(thingName, 1))[0] : await store.findExecution(jobId, thingName, executionNumber);
      return execution && notices.offer(execution);
    },

    async startNext(thingName, start) {
      const started = await change<{ offer?: OfferedExecution }>(thingName, "$next", async () => {
        const [first] = await store.pending(thingName, 1);
        if (first === undefined) return {};
        const current = first.status === "QUEUED" ? await move(first, { status: "IN_PROGRESS", ...start }) : first;
        const offer = current && (await notices.offer(current));
        return offer && { offer };
      });
      return started.offer;
    },

    report: (thingName, jobId, { expectedVersion, executionNumber, ...step }) =>
      change<ReportOutcome>(thingName, jobId, async () => {
        const execution = await store.findExecution(jobId, thingName, executionNumber);
        if (execution === undefined) return { kind: "unknown" };
        if (expectedVersion !== undefined && expectedVersion !== execution.versionNumber) return { kind: "version_conflict", execution };
        if (!mayDeviceSet(execution.status, step.status)) return { kind: "invalid_transition", execution };
        const changed = await move(execution, step);
        if (changed === undefined) return undefined;
        const offer = await notices.offer(changed);
        return offer === undefined ? { kind: "unknown" } : { kind: "done", execution: offer };
      }),

    async cancelExecution(jobId, thingName, { isForced, expectedVersion, statusDetails }) {
      await change(thingName, jobId, async () => {
        const execution = await need(jobId, thingName);
        const { status, versionNumber } = execution;
        if (expectedVersion !== undefined && expectedVersion !== versionNumber) {
          throw new PlatformError("fleet_jobs.version_conflict", { received: expectedVersion, expected: versionNumber });
        }
        if (!isJobExecutionPending(status) || (status === "IN_PROGRESS" && !isForced))
          throw notIn("QUEUED", status, "IN_PROGRESS with force");
        return move(execution, { status: "CANCELED", statusDetails, isForced });
      });
    },

    deleteExecution: (jobId, thingName, executionNumber, isForced) =>
      turns.take(thingName, async () => {
        const execution = await need(jobId, thingName, executionNumber);
        if (execution.status === "IN_PROGRESS" && !isForced) throw notIn("QUEUED or over", execution.status, "IN_PROGRESS with force");
        await store.deleteExecution(execution);
        background.run(async () => {
          await notices.moved(thingName, [{ execution, before: execution.status }]);
          notices.ended(execution, "deleted");
          onEnded(jobId);
        });
      }),

    async timeOut(limit) {
      const due = await store.due(clock.now(), limit);
      for (const execution of due) {
        await end(execution, ({ deadlineAt }) => deadlineAt !== undefined && deadlineAt <= clock.now(), { status: "TIMED_OUT" });
      }
      return due.length === limit;
    },

    async remove(jobId, thingName) {
      const latest = await store.findExecution(jobId, thingName);
      if (latest !== undefined) await end(latest, () => true, { status: "REMOVED" });
    },
  };
}

function notIn(expected: string, received: string, otherwise: string): PlatformError {
  return new PlatformError("fleet_jobs.invalid_state", { what: "The execution", received, expected: `${expected}, or ${otherwise}` });
}
