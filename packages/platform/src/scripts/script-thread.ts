/** The worker thread as the room sees it: one job at a time, each product in its turn; a thread that hangs is ended. */
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Clock } from "../clock.ts";
import type { ScriptLimits } from "./limits.ts";
import type { JobOutcome, ScriptJob, ThreadLimits } from "./worker-messages.ts";

export type ThreadOutcome = Exclude<JobOutcome, { kind: "code_needed" }> | { kind: "busy" } | { kind: "closed" };

/** What the room needs of a worker; tests give one of their own. */
export interface ThreadWorker {
  postMessage(job: ScriptJob): void;
  terminate(): Promise<unknown>;
  unref(): void;
  on(event: "message", listener: (outcome: JobOutcome) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "exit", listener: () => void): unknown;
}

export interface ScriptThreadPorts {
  clock: Pick<Clock, "after">;
  limits: ScriptLimits;
  startWorker?: (limits: ThreadLimits) => ThreadWorker;
}

interface QueuedJob {
  job: ScriptJob & { code: string };
  settle(outcome: ThreadOutcome): void;
}

const workerFile = new URL("./script-worker.ts", import.meta.url);

function startScriptWorker(workerData: ThreadLimits): Worker {
  const cache = getCompileCacheDir();
  // The worker gets nothing of the process: no flags, no environment but the cache of compiled code.
  const env = cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) };
  return new Worker(workerFile, { workerData, execArgv: [], env, name: "scripts" });
}

export class ScriptThread {
  readonly #ports: ScriptThreadPorts;
  /** Jobs by script, in the order of whose turn it is. */
  readonly #queues = new Map<string, QueuedJob[]>();
  #waiting = 0;
  #worker: ThreadWorker | undefined;
  #running: { entry: QueuedJob; cancelKill: () => void } | undefined;
  #cancelIdle: (() => void) | undefined;
  #isClosed = false;

  constructor(ports: ScriptThreadPorts) {
    this.#ports = ports;
  }

  perform(job: ScriptJob & { code: string }): Promise<ThreadOutcome> {
    const { pendingRunsMax, pendingRunsPerProductMax } = this.#ports.limits;
    if (this.#isClosed) return Promise.resolve({ kind: "closed" });
    const queue = this.#queues.get(job.key);
    if (this.#waiting >= pendingRunsMax || (queue?.length ?? 0) >= pendingRunsPerProductMax) return Promise.resolve({ kind: "busy" });
    return new Promise((settle) => {
      const entry: QueuedJob = { job, settle };
      if (queue === undefined) this.#queues.set(job.key, [entry]);
      else queue.push(entry);
      this.#waiting += 1;
      this.#next();
    });
  }

  /** What waits for this script is answered as if it had found no place. */
  dropWaiting(key: string): void {
    const queue = this.#queues.get(key) ?? [];
    this.#queues.delete(key);
    this.#waiting -= queue.length;
    for (const { settle } of queue) settle({ kind: "busy" });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelIdle?.();
    const running = this.#running;
    this.#running = undefined;
    running?.cancelKill();
    running?.entry.settle({ kind: "closed" });
    for (const queue of this.#queues.values()) for (const { settle } of queue) settle({ kind: "closed" });
    this.#queues.clear();
    this.#waiting = 0;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #next(): void {
    if (this.#running !== undefined || this.#isClosed) return;
    const entry = this.#take();
    if (entry === undefined) {
      this.#rest();
      return;
    }
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    const { runMillisecondsMax, killGraceMilliseconds } = this.#ports.limits;
    // A thread that was just started loads the sandbox first: its time is in the grace.
    const cancelKill = this.#ports.clock.after(runMillisecondsMax + killGraceMilliseconds, () => this.#kill("did not come back in time"));
    this.#running = { entry, cancelKill };
    // Most of the time the thread has the script: its code is sent only when it asks.
    const { code: _code, ...job } = entry.job;
    this.#workerNow().postMessage(job);
  }

  /** The product that waits longest; what more it has goes to the end. */
  #take(): QueuedJob | undefined {
    for (const [key, queue] of this.#queues) {
      this.#queues.delete(key);
      const entry = queue.shift();
      if (entry === undefined) continue;
      if (queue.length > 0) this.#queues.set(key, queue);
      this.#waiting -= 1;
      return entry;
    }
    return undefined;
  }

  #workerNow(): ThreadWorker {
    if (this.#worker !== undefined) return this.#worker;
    const { limits, startWorker = startScriptWorker } = this.#ports;
    const { memoryBytesMax, stackBytesMax, runMillisecondsMax, loadedScriptsMax, outputBytesMax } = limits;
    const worker = startWorker({ memoryBytesMax, stackBytesMax, runMillisecondsMax, loadedScriptsMax, outputBytesMax });
    worker.on("message", (outcome: JobOutcome) => this.#answered(worker, outcome));
    worker.on("error", (error: Error) => this.#died(worker, error.message));
    worker.on("exit", () => this.#died(worker, "its thread ended"));
    // It alone does not keep the process alive.
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  #answered(worker: ThreadWorker, outcome: JobOutcome): void {
    const running = this.#running;
    if (worker !== this.#worker || running === undefined) return;
    if (outcome.kind === "code_needed") {
      worker.postMessage(running.entry.job);
      return;
    }
    this.#finish(outcome);
  }

  #finish(outcome: ThreadOutcome): void {
    const running = this.#running;
    this.#running = undefined;
    running?.cancelKill();
    running?.entry.settle(outcome);
    // After whoever waited: it may drop what else waits for this script.
    queueMicrotask(() => this.#next());
  }

  #kill(reason: string): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    this.#finish({ kind: "threw", message: reason, isOverrun: true });
  }

  /** Whatever ran is to blame; the others get a new thread. */
  #died(worker: ThreadWorker, reason: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    if (this.#running !== undefined) this.#finish({ kind: "threw", message: reason, isOverrun: true });
  }

  #rest(): void {
    if (this.#worker === undefined || this.#cancelIdle !== undefined) return;
    this.#cancelIdle = this.#ports.clock.after(this.#ports.limits.idleSeconds * 1000, () => {
      this.#cancelIdle = undefined;
      const worker = this.#worker;
      this.#worker = undefined;
      void worker?.terminate();
    });
  }
}
