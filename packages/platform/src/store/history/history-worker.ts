/** Writes the history in a thread of its own, so that a slow disk stops nobody. One batch is one commit. */
import { parentPort, workerData } from "node:worker_threads";
import type Database from "better-sqlite3";
import { systemClock } from "../../clock.ts";
import { BatchApplier } from "./batch-applier.ts";
import { changeDesired } from "./desired-values.ts";
import { ForgottenDevices } from "./forgotten-devices.ts";
import { driverCodeOf, openToWrite } from "./history-file.ts";
import type { Batch, DesiredAnswer, WorkerSettings, WriterReport, WriterRequest } from "./worker-messages.ts";

const settings = workerData as WorkerSettings;
const port = parentPort;
if (port === null) throw new Error("this file is run as a worker");

/** Between two pieces of cleaning up: batches go first. */
const cleanPauseMilliseconds = 5;

function report(message: WriterReport): void {
  port?.postMessage(message);
}

const problemOf = (error: unknown) => ({
  driverCode: driverCodeOf(error),
  problem: error instanceof Error ? error.message : String(error),
});

function serve(database: Database.Database): void {
  const applier = new BatchApplier(database, settings);
  const forgotten = new ForgottenDevices(database, settings.forgetRowsMax);
  const setSequence = database.prepare("update meta set sequence = ?");
  const sequenceNow = database.prepare<[], number>("select sequence from meta").pluck();
  const write = database.transaction(({ items, now, sequence }: Batch) => {
    applier.apply(items, now);
    setSequence.run(sequence);
  });
  let isFailing = false;
  let isCleaning = false;
  let isClosed = false;

  function commit(batch: Batch): void {
    if (isClosed) return;
    try {
      // Sent again after a death of this thread: it may be there already.
      if (batch.sequence > (sequenceNow.get() ?? 0)) write.immediate(batch);
    } catch (error) {
      applier.forgetAll();
      // Told once; nothing is acknowledged meanwhile.
      if (!isFailing) report({ name: "failed", ...problemOf(error) });
      isFailing = true;
      systemClock.after(settings.retryMilliseconds, () => commit(batch));
      return;
    }
    isFailing = false;
    report({ name: "committed", sequence: batch.sequence, refusedSeries: applier.takeRefusedSeries() });
  }

  function answer(id: number, work: () => DesiredAnswer | undefined): void {
    try {
      report({ name: "answer", id, value: database.transaction(work).immediate() });
    } catch (error) {
      applier.forgetAll();
      report({ name: "requestFailed", id, ...problemOf(error) });
    }
  }

  function clean(): void {
    if (isCleaning) return;
    isCleaning = true;
    const step = (): void => {
      if (isClosed) return;
      try {
        if (forgotten.removeSome()) {
          systemClock.after(cleanPauseMilliseconds, step);
          return;
        }
      } catch (error) {
        report({ name: "failed", ...problemOf(error) });
      }
      isCleaning = false;
    };
    systemClock.after(cleanPauseMilliseconds, step);
  }

  const handlers: { [Name in WriterRequest["name"]]: (request: Extract<WriterRequest, { name: Name }>) => void } = {
    write: commit,
    desired: (request) => answer(request.id, () => changeDesired(database, applier.deviceId(request.iotId), request)),
    forget({ id, iotId }) {
      answer(id, () => {
        forgotten.hide(iotId);
        return undefined;
      });
      applier.forgetDevice(iotId);
      clean();
    },
    trim({ now }) {
      try {
        database.transaction(() => applier.trim(now - settings.retentionMilliseconds)).immediate();
      } catch (error) {
        applier.forgetAll();
        report({ name: "failed", ...problemOf(error) });
      }
    },
    close() {
      isClosed = true;
      database.close();
      port?.close();
    },
  };
  port?.on("message", (request: WriterRequest) => (handlers[request.name] as (given: WriterRequest) => void)(request));
  report({ name: "opened", sequence: sequenceNow.get() ?? 0 });
  clean();
}

try {
  serve(openToWrite(settings));
} catch (error) {
  report({ name: "openFailed", ...problemOf(error) });
}
