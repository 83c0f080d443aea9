/** Who is told of what: a thing of what it has to do, listeners of jobs and executions. */
import { fillDocument, isJobExecutionPending, type JobExecutionStatus } from "@thingstead/dialects";
import type { FleetJobChange, FleetJobOperation, JobExecutionOperation, OfferedExecution } from "./fleet-jobs.ts";
import type { FleetJobLimits } from "./limits.ts";
import type { FleetJobStore, StoredExecution } from "./ports.ts";

/** One execution, from one status to another; absent: it was or is not there. */
interface Move {
  execution: StoredExecution;
  before?: JobExecutionStatus;
  after?: JobExecutionStatus;
}

export interface Notices {
  onChange(listener: (change: FleetJobChange) => void): void;
  /** After the store has it. */
  moved(thingName: string, moves: readonly Move[]): Promise<void>;
  ended(execution: StoredExecution, operation?: JobExecutionOperation): void;
  job(jobId: string, operation: FleetJobOperation): Promise<void>;
  offer(execution: StoredExecution): Promise<OfferedExecution | undefined>;
  forget(jobId: string): void;
}

const operations: Readonly<Partial<Record<JobExecutionStatus, JobExecutionOperation>>> = {
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  REJECTED: "rejected",
  CANCELED: "canceled",
  TIMED_OUT: "timed_out",
  REMOVED: "removed",
};

const documentsCachedMax = 100;

export interface NoticesPorts {
  store: FleetJobStore;
  limits: FleetJobLimits;
  onFailure(error: unknown): void;
}

export function createNotices({ store, limits, onFailure }: NoticesPorts): Notices {
  const listeners: ((change: FleetJobChange) => void)[] = [];
  /** Filled documents of jobs lately told of: they never change. */
  const documents = new Map<string, string>();

  function tell(change: FleetJobChange): void {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        onFailure(error);
      }
    }
  }

  async function documentOf(jobId: string): Promise<string | undefined> {
    const known = documents.get(jobId);
    if (known !== undefined) return known;
    const job = await store.find(jobId);
    if (job === undefined) return undefined;
    const document = fillDocument(job.document, job.parameters);
    if (documents.size >= documentsCachedMax) documents.clear();
    documents.set(jobId, document);
    return document;
  }

  async function offer(execution: StoredExecution): Promise<OfferedExecution | undefined> {
    const document = await documentOf(execution.jobId);
    return document === undefined ? undefined : { ...execution, document };
  }

  return {
    onChange: (listener) => void listeners.push(listener),

    async moved(thingName, moves) {
      const pending = await store.pending(thingName, limits.noticeExecutionsMax + moves.length);
      const isListOther = moves.some(({ before, after }) => isPending(before) !== isPending(after));
      if (isListOther) tell({ kind: "pending", thingName, executions: pending.slice(0, limits.noticeExecutionsMax) });
      const first = pending[0];
      if (firstBefore(pending, moves) === first?.row) return;
      const execution = first && (await offer(first));
      tell({ kind: "next", thingName, ...(execution === undefined ? {} : { execution }) });
    },

    ended(execution, operation = operations[execution.status]) {
      if (operation !== undefined) tell({ kind: "execution", operation, execution });
    },

    async job(jobId, operation) {
      const job = await store.find(jobId);
      if (job !== undefined) tell({ kind: "job", operation, job: { ...job, counts: await store.counts(jobId) } });
    },

    offer,
    forget: (jobId) => void documents.delete(jobId),
  };
}

function isPending(status: JobExecutionStatus | undefined): boolean {
  return status !== undefined && isJobExecutionPending(status);
}

/** Which execution was the first before these moves: what runs comes before what waits, then the older one. */
function firstBefore(pending: readonly StoredExecution[], moves: readonly Move[]): number | undefined {
  const moved = new Set(moves.map(({ execution }) => execution.row));
  const candidates = pending.filter(({ row }) => !moved.has(row)).map(({ row, status }) => ({ row, status }));
  for (const { execution, before } of moves) {
    if (before !== undefined && isPending(before)) candidates.push({ row: execution.row, status: before });
  }
  const rank = (status: JobExecutionStatus) => (status === "IN_PROGRESS" ? 0 : 1);
  candidates.sort((one, other) => rank(one.status) - rank(other.status) || one.row - other.row);
  return candidates[0]?.row;
}
