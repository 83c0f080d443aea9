/** The way of a whole job: its things are found, get their executions at its rate, and one day all is over. A turn at a time. */
import { isJobExecutionPending, type JobExecutionStatus } from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import type { Background } from "../background.ts";
import { createTurns } from "../turns.ts";
import type { JobTargets } from "./fleet-jobs.ts";
import type { FleetJobLimits } from "./limits.ts";
import type { Notices } from "./notices.ts";
import type { FleetJobPatch, FleetJobStore } from "./ports.ts";
import { isAbortDue, pendingCount, ratePerMinute } from "./steps.ts";

export interface RolloutPorts {
  store: FleetJobStore;
  directory: JobTargets;
  notices: Notices;
  clock: Clock;
  limits: FleetJobLimits;
  background: Pick<Background, "run" | "pause" | "isClosed">;
}

export interface Rollout {
  /** What is stored goes on; the first turn is done when it resolves. */
  begin(jobId: string): Promise<void>;
  /** Things wait: in the background. */
  go(jobId: string): void;
  cancel(jobId: string, how: { isForced: boolean; reasonCode?: string; comment?: string }): Promise<void>;
  /** Goes on with a cancellation. */
  finishCancel(jobId: string): Promise<void>;
  delete(jobId: string): Promise<void>;
  /** Nobody new from now on. */
  stop(jobId: string): Promise<void>;
  /** An execution is over. */
  check(jobId: string): Promise<void>;
}

const minuteMilliseconds = 60_000;
const abortReason = "ABORT_CRITERIA_MET";

export function createRollout(ports: RolloutPorts): Rollout {
  const { store, directory, notices, clock, limits, background } = ports;
  const turns = createTurns();
  const going = new Set<string>();
  /** How many got theirs in the running minute. */
  const minutes = new Map<string, { endsAt: number; released: number }>();

  /** Sockets get their turn. */
  const breathe = () => new Promise<void>((resolve) => clock.soon(resolve));
  const patch = (jobId: string, change: Omit<FleetJobPatch, "modifiedAt">) => store.patch(jobId, { ...change, modifiedAt: clock.now() });

  async function expand(jobId: string): Promise<void> {
    const job = await store.find(jobId);
    if (job === undefined || job.status !== "IN_PROGRESS") return;
    const things = job.targets.filter(({ kind }) => kind === "thing").map(({ name }) => name);
    if (things.length > 0) await store.addWaiting(jobId, things);
    for (const { kind, name } of job.targets) {
      if (kind !== "group") continue;
      let nextToken: string | undefined;
      do {
        const page = await directory.thingsOf(name, nextToken);
        if (page.items.length > 0) await store.addWaiting(jobId, page.items);
        nextToken = page.nextToken;
        await breathe();
      } while (nextToken !== undefined && !background.isClosed);
      if (background.isClosed) return;
    }
    // Targets that came meanwhile are for the next time.
    const now = await store.find(jobId);
    if (now !== undefined && now.targets.length === job.targets.length) await patch(jobId, { isExpanded: true });
  }

  /** Milliseconds until the next turn; undefined: nobody waits. */
  const release = (jobId: string): Promise<number | undefined> =>
    turns.take(jobId, async () => {
      const job = await store.find(jobId);
      if (job === undefined || job.status !== "IN_PROGRESS") return undefined;
      const now = clock.now();
      const known = minutes.get(jobId);
      const minute = known !== undefined && known.endsAt > now ? known : { endsAt: now + minuteMilliseconds, released: 0 };
      minutes.set(jobId, minute);
      const hasRate = job.rollout.perMinuteMax !== undefined || job.rollout.exponential !== undefined;
      const rate = hasRate ? ratePerMinute(job.rollout, await store.counts(jobId)) : Number.POSITIVE_INFINITY;
      const free = Math.min(limits.executionsPerTurn, rate - minute.released);
      if (free <= 0) return (await store.hasWaiting(jobId)) ? minute.endsAt - now : undefined;
      const made = await store.release(jobId, free, now);
      minute.released += made.length;
      for (const execution of made) await notices.moved(execution.thingName, [{ execution, after: execution.status }]);
      return made.length === 0 ? undefined : 0;
    });

  function go(jobId: string): void {
    if (going.has(jobId)) return;
    going.add(jobId);
    background.run(async () => {
      try {
        for (;;) {
          if (background.isClosed) return;
          const wait = await release(jobId);
          if (wait === undefined) break;
          await (wait === 0 ? breathe() : background.pause(wait));
        }
      } finally {
        going.delete(jobId);
        minutes.delete(jobId);
      }
      // Somebody may have begun to wait between the last look and now.
      if (await store.hasWaiting(jobId)) {
        if ((await store.find(jobId))?.status === "IN_PROGRESS") go(jobId);
      } else await check(jobId);
    });
  }

  const check = (jobId: string): Promise<void> =>
    turns.take(jobId, async () => {
      const job = await store.find(jobId);
      if (job === undefined || job.status !== "IN_PROGRESS") return;
      const counts = await store.counts(jobId);
      if (isAbortDue(job.abort, counts)) {
        background.run(() => cancel(jobId, { isForced: false, reasonCode: abortReason }));
        return;
      }
      if (job.selection === "CONTINUOUS" || !job.isExpanded || pendingCount(counts) > 0 || (await store.hasWaiting(jobId))) return;
      await patch(jobId, { status: "COMPLETED", completedAt: clock.now() });
      await notices.job(jobId, "completed");
    });

  async function cancel(jobId: string, { isForced, reasonCode, comment }: Parameters<Rollout["cancel"]>[1]): Promise<void> {
    await patch(jobId, {
      status: "CANCELED",
      isForceCanceled: isForced,
      completedAt: clock.now(),
      ...(reasonCode === undefined ? {} : { reasonCode }),
      ...(comment === undefined ? {} : { comment }),
    });
    await notices.job(jobId, "cancellation_in_progress");
    await finishCancel(jobId);
  }

  async function finishCancel(jobId: string): Promise<void> {
    await store.removeWaiting({ jobId });
    await inTurns(
      () => cancelTurn(jobId),
      () => notices.job(jobId, "canceled"),
    );
  }

  /** False: none are left. */
  const cancelTurn = (jobId: string): Promise<boolean> =>
    turns.take(jobId, async () => {
      const job = await store.find(jobId);
      if (job?.status !== "CANCELED") return false;
      const isForced = job.isForceCanceled;
      const statuses: JobExecutionStatus[] = isForced ? ["QUEUED", "IN_PROGRESS"] : ["QUEUED"];
      const ended = await store.cancelSome(jobId, { statuses, isForced, at: clock.now(), limit: limits.executionsPerTurn });
      for (const { before, execution } of ended) {
        await notices.moved(execution.thingName, [{ execution, before, after: execution.status }]);
        notices.ended(execution);
      }
      return ended.length === limits.executionsPerTurn;
    });

  const deleteTurn = (jobId: string): Promise<boolean> =>
    turns.take(jobId, async () => {
      const gone = await store.deleteSome(jobId, limits.executionsPerTurn);
      for (const execution of gone) {
        if (!isJobExecutionPending(execution.status)) continue;
        await notices.moved(execution.thingName, [{ execution, before: execution.status }]);
        notices.ended(execution, "deleted");
      }
      return gone.length > 0;
    });

  /** The first turn now, all others in the background. */
  async function inTurns(turn: () => Promise<boolean>, end: () => Promise<void>): Promise<void> {
    if (!(await turn())) return end();
    background.run(async () => {
      do {
        await breathe();
        if (background.isClosed) return;
      } while (await turn());
      await end();
    });
  }

  return {
    async begin(jobId) {
      const job = await store.find(jobId);
      if (job === undefined) return;
      const hasGroups = job.targets.some(({ kind }) => kind === "group");
      if (hasGroups) {
        background.run(async () => {
          await expand(jobId);
          go(jobId);
        });
        return;
      }
      await expand(jobId);
      await release(jobId);
      go(jobId);
    },

    go,
    cancel,
    finishCancel,
    check,

    async delete(jobId) {
      await store.removeWaiting({ jobId });
      await inTurns(
        () => deleteTurn(jobId),
        async () => {
          await notices.job(jobId, "deleted");
          await store.delete(jobId);
          notices.forget(jobId);
        },
      );
    },

    async stop(jobId) {
      await store.removeWaiting({ jobId });
      await patch(jobId, { isExpanded: true });
      await check(jobId);
    },
  };
}
