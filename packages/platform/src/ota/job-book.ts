/** Jobs in memory: all unfinished ones, and lately used others. */
import { PlatformError } from "../errors/index.ts";
import type { OtaChange, OtaJob } from "./ota.ts";
import type { OtaStore } from "./ports.ts";

const endedJobsCachedMax = 500;

export interface JobBook {
  get(id: number): Promise<OtaJob>;
  /** Unfinished ones. */
  unfinished(): Iterable<OtaJob>;
  /** Dynamic jobs that still take devices of this product and module. */
  selecting(productKey: string, module: string): OtaJob[];
  hasUnfinished(productKey: string): boolean;
  remember(job: OtaJob): void;
  /** Stored, remembered and told. */
  update(job: OtaJob, change: Partial<OtaJob>): Promise<OtaJob>;
  load(): Promise<void>;
}

export function isUnfinished({ status }: Pick<OtaJob, "status">): boolean {
  return status === "PLANNED" || status === "IN_PROGRESS";
}

export function createJobBook(store: OtaStore, now: () => number, tell: (change: OtaChange) => void): JobBook {
  const unfinished = new Map<number, OtaJob>();
  const ended = new Map<number, OtaJob>();

  function remember(job: OtaJob): void {
    if (isUnfinished(job)) {
      unfinished.set(job.id, job);
      ended.delete(job.id);
      return;
    }
    unfinished.delete(job.id);
    if (ended.size >= endedJobsCachedMax) ended.clear();
    ended.set(job.id, job);
  }

  return {
    remember,

    async get(id) {
      const known = unfinished.get(id) ?? ended.get(id);
      if (known !== undefined) return known;
      const job = await store.findJob(id);
      if (job === undefined) throw new PlatformError("ota.job_not_found", { jobId: id });
      // Others may have remembered a newer one meanwhile.
      const newer = unfinished.get(id) ?? ended.get(id);
      if (newer !== undefined) return newer;
      remember(job);
      return job;
    },

    unfinished: () => unfinished.values(),

    selecting(productKey, module) {
      if (unfinished.size === 0) return [];
      return [...unfinished.values()].filter((job) => {
        return job.isSelecting && job.status === "IN_PROGRESS" && job.productKey === productKey && job.module === module;
      });
    },

    hasUnfinished(productKey) {
      for (const job of unfinished.values()) if (job.productKey === productKey) return true;
      return false;
    },

    async update(job, change) {
      const updated: OtaJob = { ...job, ...change, modifiedAt: now() };
      remember(updated);
      await store.updateJob(updated);
      if (updated.status !== job.status) tell({ kind: "job", job: updated, time: updated.modifiedAt });
      return updated;
    },

    async load() {
      for (const job of await store.loadUnfinishedJobs()) remember(job);
    },
  };
}
