/**
 * The journal's worker thread as the journal sees it: commits one batch at a time, and when the thread dies starts another,
 * which takes over the batch that was not confirmed. After `restartsMax` deaths without a commit between it gives up.
 */
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Clock } from "../../clock.ts";
import type { PlatformError } from "../../errors/index.ts";
import { problemOf } from "./journal-problems.ts";
import type { JournalLimits } from "./limits.ts";
import type { WorkerReport, WorkerRequest, WorkerSettings } from "./worker-messages.ts";

export interface Batch {
  number: number;
  memory: SharedArrayBuffer;
  length: number;
  forgetUpTo: number;
}

export interface JournalThreadOptions {
  file: string;
  newFileId: number;
  clock: Clock;
  limits: JournalLimits;
  /** Starts a thread; tests see the threads this way. */
  startWorker?: (settings: WorkerSettings) => Worker;
  report(problem: PlatformError): void;
  committed(batch: Batch): void;
  /** Nothing will be committed any more. */
  gaveUp(problem: PlatformError): void;
}

const workerFile = new URL("./journal-worker.ts", import.meta.url);

/** Starts the thread that owns the file. */
export function startJournalWorker(workerData: WorkerSettings): Worker {
  // The worker takes no flags of the process: a loader or an inspector of the main thread is none of its business.
  // Without the cache of compiled code it would load a type stripper of its own: 17 MB.
  const cache = getCompileCacheDir();
  const env = cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) };
  return new Worker(workerFile, { workerData, execArgv: [], env, name: "journal" });
}

export class JournalThread {
  readonly #options: JournalThreadOptions;
  #phase: "new" | "open" | "closed" = "new";
  /** The thread that serves; none while one is being started. */
  #worker: Worker | undefined;
  #starting: Worker | undefined;
  #running: Batch | undefined;
  #committed = 0;
  #fileId = 0;
  /** Deaths since the last commit. */
  #deaths = 0;
  #isTold = false;
  #cancelRestart: (() => void) | undefined;

  constructor(options: JournalThreadOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  /** Mark of the file, the same as long as the file is. */
  get fileId(): number {
    return this.#fileId;
  }

  /** Opens the file and hands over what is in it. @throws PlatformError, or what `take` throws */
  async open(take: (number: number, bytes: Uint8Array) => void): Promise<void> {
    const { file } = this.#options;
    const worker = this.#spawn(false);
    try {
      await new Promise<void>((resolve, reject) => {
        worker.on("error", (error) => reject(problemOf(file, "", error.message)));
        worker.on("exit", () => reject(problemOf(file, "", "its thread ended")));
        worker.on("message", (report: WorkerReport) => {
          if (report.name === "damaged") reject(problemOf(file, "SQLITE_CORRUPT", report.problem));
          else if (report.name === "gaveUp") reject(problemOf(file, report.driverCode, report.problem));
          else if (report.name === "opened") {
            this.#fileId = report.fileId;
            this.#committed = report.last;
            resolve();
          } else if (report.name === "batch") {
            try {
              take(report.number, report.bytes);
            } catch (error) {
              reject(error);
            }
          }
        });
      });
    } catch (error) {
      await worker.terminate();
      throw error;
    }
    this.#phase = "open";
    this.#worker = worker;
    this.#watch(worker);
  }

  /** Once at a time; `committed` is told when it is safe. */
  commit(batch: Batch): void {
    this.#running = batch;
    this.#post(batch);
  }

  /** Lets go of the file; what runs is not waited for. */
  async close(): Promise<void> {
    if (this.#phase !== "open") return;
    this.#phase = "closed";
    this.#cancelRestart?.();
    await this.#starting?.terminate();
    const worker = this.#worker;
    if (worker === undefined) return;
    const exit = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    this.#ask(worker, { name: "close" });
    const { clock, limits } = this.#options;
    const cancel = clock.after(limits.closeMilliseconds, () => void worker.terminate());
    await exit;
    cancel();
  }

  #spawn(isSuccessor: boolean): Worker {
    const { file, newFileId, limits, startWorker = startJournalWorker } = this.#options;
    const { lockWaitMilliseconds, retryMilliseconds, fileBytesMax } = limits;
    return startWorker({ file, lockWaitMilliseconds, retryMilliseconds, fileBytesMax, newFileId, isSuccessor });
  }

  #post({ number, memory, length, forgetUpTo }: Batch): void {
    if (this.#worker !== undefined) this.#ask(this.#worker, { name: "commit", number, memory, length, forgetUpTo });
  }

  #ask(worker: Worker, request: WorkerRequest): void {
    worker.postMessage(request);
  }

  /** Follows a thread until its end. */
  #watch(worker: Worker): void {
    let [driverCode, problem] = ["", "its thread ended"];
    worker.on("message", (report: WorkerReport) => {
      if (this.#phase !== "open") return;
      if (report.name === "committed") this.#take(report.number);
      else if (report.name === "failed") this.#options.report(problemOf(this.#options.file, report.driverCode, report.problem));
      else if (report.name === "opened") this.#succeed(worker, report.fileId, report.last);
      else if (report.name === "gaveUp") [driverCode, problem] = [report.driverCode, report.problem];
    });
    worker.on("error", (error) => {
      problem = error.message;
    });
    worker.once("exit", () => {
      this.#worker = undefined;
      this.#starting = undefined;
      if (this.#phase === "open") this.#restart(driverCode, problem);
    });
  }

  #take(number: number): void {
    const batch = this.#running;
    if (batch?.number !== number) return;
    this.#running = undefined;
    this.#committed = number;
    this.#deaths = 0;
    this.#isTold = false;
    this.#options.committed(batch);
  }

  #restart(driverCode: string, problem: string): void {
    const { clock, limits, file, report } = this.#options;
    // A full disk is waited for as long as it takes.
    const isFull = /^SQLITE_FULL/.test(driverCode);
    if (!isFull) this.#deaths += 1;
    if (this.#deaths > limits.restartsMax) {
      this.#giveUp(problem);
      return;
    }
    if (!this.#isTold) report(problemOf(file, isFull ? driverCode : "stopped", problem));
    this.#isTold = true;
    const backOff = Math.min(limits.restartMilliseconds * 2 ** (this.#deaths - 1), limits.restartMillisecondsMax);
    const milliseconds = isFull ? limits.retryMilliseconds : backOff;
    this.#cancelRestart = clock.after(milliseconds, () => {
      this.#starting = this.#spawn(true);
      this.#watch(this.#starting);
    });
  }

  /** A new thread has the file: goes on where the last one stopped. */
  #succeed(worker: Worker, fileId: number, last: number): void {
    const running = this.#running;
    const isCommitted = running?.number === last;
    if (fileId !== this.#fileId || (last !== this.#committed && !isCommitted)) {
      this.#giveUp("the file is not the one that was open before");
      void worker.terminate();
      return;
    }
    this.#starting = undefined;
    this.#worker = worker;
    // The commit may have been the last that the dead one did, and only the word of it was lost.
    if (isCommitted) this.#take(last);
    else if (running !== undefined) this.#post(running);
  }

  #giveUp(problem: string): void {
    this.#phase = "closed";
    this.#options.gaveUp(problemOf(this.#options.file, "lost", problem));
  }
}
