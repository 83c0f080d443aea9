/** A thread that may be started again, ever more slowly, when it dies. */
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Clock } from "../../clock.ts";
import type { HistoryLimits } from "./limits.ts";
import type { WorkerSettings } from "./worker-messages.ts";

interface ThreadOptions<Report> {
  name: string;
  file: URL;
  settings: WorkerSettings;
  clock: Clock;
  limits: HistoryLimits;
  take(report: Report): void;
  /** It died: what it was asked is not answered. */
  died(problem: string): void;
  /** Whether a new one is started then. */
  isRevived: boolean;
}

export class WorkerThread<Request, Report> {
  readonly #options: ThreadOptions<Report>;
  #worker: Worker | undefined;
  #restartMilliseconds: number;
  #cancelRestart: (() => void) | undefined;
  #isClosing = false;

  constructor(options: ThreadOptions<Report>) {
    this.#options = options;
    this.#restartMilliseconds = options.limits.restartMilliseconds;
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  start(): void {
    this.#cancelRestart?.();
    this.#cancelRestart = undefined;
    const { name, file, settings, take } = this.#options;
    // The worker takes no flags of the process: a loader or an inspector of the main thread is none of its business.
    // Without the cache of compiled code it would load a type stripper of its own: 17 MB.
    const cache = getCompileCacheDir();
    const env = cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) };
    const worker = new Worker(file, { workerData: settings, execArgv: [], env, name });
    let problem = "the thread ended";
    worker.on("message", (report: Report) => take(report));
    worker.on("error", (error) => {
      problem = error.message;
    });
    worker.on("exit", () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      if (!this.#isClosing) this.#revive(problem);
    });
    this.#worker = worker;
  }

  /** It answered: the next death is a first one again. */
  worked(): void {
    this.#restartMilliseconds = this.#options.limits.restartMilliseconds;
  }

  ask(request: Request): void {
    this.#worker?.postMessage(request);
  }

  /** For tests: the thread dies as if by a fault of its own. */
  async kill(): Promise<void> {
    await this.#worker?.terminate();
  }

  async close(request: Request): Promise<void> {
    this.#isClosing = true;
    this.#cancelRestart?.();
    const worker = this.#worker;
    if (worker === undefined) return;
    const exit = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    worker.postMessage(request);
    const cancel = this.#options.clock.after(this.#options.limits.closeMilliseconds, () => void worker.terminate());
    await exit;
    cancel();
  }

  #revive(problem: string): void {
    const { clock, limits, died, isRevived } = this.#options;
    died(problem);
    if (!isRevived) return;
    const wait = this.#restartMilliseconds;
    this.#restartMilliseconds = Math.min(wait * 2, limits.restartMillisecondsMax);
    this.#cancelRestart = clock.after(wait, () => this.start());
  }
}
