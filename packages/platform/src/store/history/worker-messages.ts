/** What the history and its two threads say to each other. */
import type { AggregateFunction, DesiredValue, StoredCall, StoredEvent, StoredValue, TimePage, TimeRange } from "../../things/index.ts";

export interface WorkerSettings {
  file: string;
  lockWaitMilliseconds: number;
  retryMilliseconds: number;
  fileBytesMax: number;
  cacheBytes: number;
  retentionMilliseconds: number;
  devicesCachedMax: number;
  seriesPerDeviceMax: number;
  forgetRowsMax: number;
  sortMilliseconds: number;
  sortRecordsMax: number;
  sliceRecords: number;
}

/** A value at rest: a number as it is, everything else as JSON text. */
export type StoredCell = number | string;

/** Records of a batch, one after the other in one flat list, which is JSON between the threads and in the log. */
export const operations = {
  /** iotId: whom the following records are about. */
  device: 0,
  /** identifier, time, cell, 1 when it may be the current value. */
  value: 1,
  /** sequence, time, identifier, type, cell. */
  event: 2,
  /** sequence, time, identifier, cell of the input. */
  call: 3,
  /** sequence, time, answered at, code, cell of the output. */
  answer: 4,
} as const;

export type BatchItem = number | string;

const lengths: Readonly<Record<number, number>> = {
  [operations.device]: 2,
  [operations.value]: 5,
  [operations.event]: 6,
  [operations.call]: 5,
  [operations.answer]: 6,
};

/** So many characters of texts are in the record that limits count by; whatever is longer counts for several. */
const charactersPerRecord = 256;

/** What a record with texts of so many characters counts for: limits bound memory, and one value may be as long as a message. */
export function recordWeight(characters: number): number {
  return characters < charactersPerRecord ? 1 : 1 + Math.floor(characters / charactersPerRecord);
}

/** Items of a record with its operation. */
export function recordLength(operation: BatchItem | undefined): number {
  const length = lengths[Number(operation)];
  if (length === undefined) throw new TypeError(`a batch has the operation ${operation}`);
  return length;
}

export interface Batch {
  name: "write";
  /** Greatest sequence number of the batch: the file knows by it what it has. */
  sequence: number;
  /** JSON of a list of `BatchItem`. */
  items: string;
  now: number;
}

export interface DesiredChange {
  iotId: string;
  entries: readonly { identifier: string; cell?: StoredCell; version?: number }[];
  time: number;
  isStrict: boolean;
}

export type DesiredAnswer =
  | { kind: "ok"; values: Record<string, DesiredValue> }
  | { kind: "conflict"; identifier: string; current: number };

export type WriterRequest =
  | Batch
  | ({ name: "desired"; id: number } & DesiredChange)
  /** What was saved of the device is put where the reader finds it. */
  | { name: "settle"; id: number; iotId: string }
  | { name: "forget"; id: number; iotId: string }
  | { name: "trim"; now: number }
  | { name: "close" };

export type WriterReport =
  | { name: "opened"; sequence: number }
  | { name: "openFailed"; driverCode: string; problem: string }
  | { name: "committed"; sequence: number; refusedSeries: number }
  | { name: "failed"; driverCode: string; problem: string }
  /** Records that no table takes: a fault of ours. */
  | { name: "dropped"; iotId: string; problem: string }
  | { name: "answer"; id: number; value: DesiredAnswer | undefined }
  | { name: "requestFailed"; id: number; driverCode: string; problem: string };

/** Times are already within retention. */
export interface ReadRange extends Omit<TimeRange, "cursor"> {
  cursor: readonly number[] | undefined;
}

export interface ReadRequests {
  currentValues: { iotId: string };
  desired: { iotId: string };
  values: { iotId: string; identifier: string; range: ReadRange };
  aggregate: {
    iotId: string;
    identifier: string;
    query: { from: number; to: number; bucketMilliseconds: number; function: AggregateFunction };
    visibleFrom: number;
  };
  events: { iotId: string; filter: { identifier?: string; type?: string }; range: ReadRange };
  calls: { iotId: string; filter: { identifier?: string }; range: ReadRange };
}

export interface ReadAnswers {
  currentValues: Record<string, StoredValue>;
  desired: Record<string, DesiredValue>;
  values: TimePage<StoredValue>;
  aggregate: { time: number; value: unknown; count: number }[];
  events: TimePage<Omit<StoredEvent, "name">>;
  calls: TimePage<Omit<StoredCall, "name">>;
}

export type ReadName = keyof ReadRequests;

export type ReaderRequest = { [Name in ReadName]: { id: number; name: Name; request: ReadRequests[Name] } }[ReadName] | { name: "close" };

export type ReaderReport =
  | { name: "answer"; id: number; value: ReadAnswers[ReadName] }
  | { name: "requestFailed"; id: number; driverCode: string; problem: string };
