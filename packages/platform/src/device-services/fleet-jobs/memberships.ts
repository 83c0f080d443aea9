/** Continuous jobs follow their groups: who joins gets them, who leaves or is gone is rid of them. */
import type { Background } from "../background.ts";
import { createTurns } from "../turns.ts";
import type { FleetJob, JobTargets } from "./fleet-jobs.ts";
import type { FleetJobLimits } from "./limits.ts";
import type { FleetJobStore } from "./ports.ts";
import type { Rollout } from "./rollout.ts";

export interface MembershipsPorts {
  store: FleetJobStore;
  directory: JobTargets;
  executions: { remove(jobId: string, thingName: string): Promise<void> };
  rollout: Pick<Rollout, "go">;
  background: Pick<Background, "run">;
  limits: FleetJobLimits;
}

export interface Memberships {
  /** Of any job: only continuous ones with groups are followed. */
  follow(job: FleetJob): void;
  forget(jobId: string): void;
  start(): void;
}

export function createMemberships(ports: MembershipsPorts): Memberships {
  const { store, directory, executions, rollout, background, limits } = ports;
  const turns = createTurns();
  const followed = new Map<string, { groups: readonly string[]; things: readonly string[] }>();

  async function joinOrLeave(thingName: string): Promise<void> {
    if (followed.size === 0) return;
    const groups = await directory.groupsOf(thingName);
    for (const [jobId, targets] of [...followed]) {
      if (targets.things.includes(thingName) || targets.groups.some((name) => groups.has(name))) {
        await store.addWaiting(jobId, [thingName]);
        rollout.go(jobId);
      } else {
        await store.removeWaiting({ jobId, thingName });
        await executions.remove(jobId, thingName);
      }
    }
  }

  async function removeAll(thingName: string): Promise<void> {
    await store.removeWaiting({ thingName });
    for (;;) {
      const pending = await store.pending(thingName, limits.pendingExecutionsShownMax);
      for (const { jobId } of pending) await executions.remove(jobId, thingName);
      if (pending.length < limits.pendingExecutionsShownMax) return;
    }
  }

  return {
    follow({ id, selection, targets }) {
      const named = (wanted: "thing" | "group") => targets.filter(({ kind }) => kind === wanted).map(({ name }) => name);
      const groups = named("group");
      if (selection === "CONTINUOUS" && groups.length > 0) followed.set(id, { groups, things: named("thing") });
    },
    forget: (jobId) => void followed.delete(jobId),
    start() {
      directory.onChange(({ thingName, isGone }) => {
        background.run(() => turns.take(thingName, () => (isGone ? removeAll(thingName) : joinOrLeave(thingName))));
      });
    },
  };
}
