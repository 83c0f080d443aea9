/** Writes the history in a thread of its own, so that a slow disk stops nobody. One batch is one commit. */
import { parentPort, workerData } from "node:worker_threads";
import type Database from "better-sqlite3";
import { systemClock } from "../../clock.ts";
import { changeDesired } from "./desired-values.ts";
import { ForgottenDevices } from "./forgotten-devices.ts";
import { driverCodeOf, openToWrite } from "./history-file.ts";
import { RecordSorter } from "./record-sorter.ts";
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
  const sorter = new RecordSorter(database, settings, (iotId, error) =>
    report({ name: "dropped", iotId, problem: problemOf(error).problem }),
  );
  const { applier } = sorter;
  const forgotten = new ForgottenDevices(database, settings.forgetRowsMax);
  let isFailing = false;
  let isClosed = false;
  let isSortDue = false;
  let isSortRunning = false;

  /** Told once until something succeeds. */
  function fail(error: unknown): void {
    if (!isFailing) report({ name: "failed", ...problemOf(error) });
    isFailing = true;
  }

  function commit(batch: Batch): void {
    if (isClosed) return;
    try {
      sorter.commit(batch);
    } catch (error) {
      // Nothing is acknowledged meanwhile.
      fail(error);
      systemClock.after(settings.retryMilliseconds, () => commit(batch));
      return;
    }
    isFailing = false;
    report({ name: "committed", sequence: batch.sequence, refusedSeries: applier.takeRefusedSeries() });
    sortLater();
  }

  function sortLater(): void {
    if (isSortRunning) return;
    if (sorter.isTooMuch) sort();
    else if (!isSortDue) {
      isSortDue = true;
      systemClock.after(settings.sortMilliseconds, () => {
        isSortDue = false;
        if (!isSortRunning) sort();
      });
    }
  }

  /** A slice, and the next one after what came in the meantime. */
  function sort(): void {
    isSortRunning = false;
    if (isClosed) return;
    try {
      if (sorter.sortSome() && (sorter.isSorting || sorter.isTooMuch)) {
        isSortRunning = true;
        systemClock.soon(sort);
        return;
      }
    } catch (error) {
      fail(error);
      isSortRunning = true;
      systemClock.after(settings.retryMilliseconds, sort);
      return;
    }
    if (!sorter.isEmpty) sortLater();
  }

  function answer(id: number, work: () => DesiredAnswer | undefined): void {
    try {
      report({ name: "answer", id, value: work() });
    } catch (error) {
      applier.forgetAll();
      report({ name: "requestFailed", id, ...problemOf(error) });
    }
  }

  const cleaner = createCleaner(() => !isClosed && forgotten.removeSome(), fail);

  const handlers: { [Name in WriterRequest["name"]]: (request: Extract<WriterRequest, { name: Name }>) => void } = {
    write: commit,
    desired: (request) =>
      answer(request.id, database.transaction(() => changeDesired(database, applier.deviceId(request.iotId), request)).immediate),
    settle: ({ id, iotId }) =>
      answer(id, () => {
        sorter.settle(iotId);
        return undefined;
      }),
    forget({ id, iotId }) {
      answer(id, () => {
        // What the log has of it must not bring it back.
        sorter.sortAll();
        forgotten.hide(iotId);
        return undefined;
      });
      applier.forgetDevice(iotId);
      cleaner();
    },
    trim({ now }) {
      try {
        database.transaction(() => applier.trim(now - settings.retentionMilliseconds)).immediate();
      } catch (error) {
        applier.forgetAll();
        fail(error);
      }
    },
    close() {
      isClosed = true;
      try {
        sorter.sortAll();
      } catch {
        // It is in the log.
      }
      database.close();
      // Ends this thread alone, with the timers it has.
      process.exit();
    },
  };
  port?.on("message", (request: WriterRequest) => (handlers[request.name] as (given: WriterRequest) => void)(request));
  report({ name: "opened", sequence: sorter.sequence });
  if (!sorter.isEmpty) sort();
  cleaner();
}

/** Repeats `removeSome` with pauses until it says false. */
function createCleaner(removeSome: () => boolean, fail: (error: unknown) => void): () => void {
  let isCleaning = false;
  const step = (): void => {
    try {
      if (removeSome()) {
        systemClock.after(cleanPauseMilliseconds, step);
        return;
      }
    } catch (error) {
      fail(error);
    }
    isCleaning = false;
  };
  return () => {
    if (isCleaning) return;
    isCleaning = true;
    systemClock.after(cleanPauseMilliseconds, step);
  };
}

try {
  serve(openToWrite(settings));
} catch (error) {
  report({ name: "openFailed", ...problemOf(error) });
}
