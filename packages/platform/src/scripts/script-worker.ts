/** Entry of the worker thread: one job at a time, answered in order. */
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import { openSandbox } from "./sandbox.ts";
import type { ScriptJob, ThreadLimits } from "./worker-messages.ts";

const limits: ThreadLimits = workerData;
const sandbox = await openSandbox(limits, systemClock.now);
parentPort?.on("message", (job: ScriptJob) => parentPort?.postMessage(sandbox.perform(job)));
