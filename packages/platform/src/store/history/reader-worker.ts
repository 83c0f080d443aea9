/** Reads the history in a thread of its own: a long question stops neither the devices nor the writer. */
import { parentPort, workerData } from "node:worker_threads";
import { driverCodeOf, openToRead } from "./history-file.ts";
import { createReads } from "./read-history.ts";
import type { ReadAnswers, ReaderReport, ReaderRequest, ReadName, ReadRequests, WorkerSettings } from "./worker-messages.ts";

const port = parentPort;
if (port === null) throw new Error("this file is run as a worker");

function report(message: ReaderReport): void {
  port?.postMessage(message);
}

const database = openToRead(workerData as WorkerSettings);
const reads = createReads(database);
// One transaction for each question: all days as of one moment.
const answer = database.transaction((name: ReadName, request: ReadRequests[ReadName]): ReadAnswers[ReadName] =>
  (reads[name] as (given: ReadRequests[ReadName]) => ReadAnswers[ReadName])(request),
);

port.on("message", (message: ReaderRequest) => {
  if (message.name === "close") {
    database.close();
    port.close();
    return;
  }
  const { id, name, request } = message;
  try {
    report({ name: "answer", id, value: answer(name, request) });
  } catch (error) {
    report({ name: "requestFailed", id, driverCode: driverCodeOf(error), problem: error instanceof Error ? error.message : String(error) });
  }
});
