/** What the journal and its worker say to each other. */
export interface WorkerSettings {
  file: string;
  lockWaitMilliseconds: number;
  retryMilliseconds: number;
  fileBytesMax: number;
  /** Marks a file that has no mark yet: a positive 31-bit number. */
  newFileId: number;
  /** A worker that takes over from one that died hands nothing over: what was in the file is known. */
  isSuccessor: boolean;
}

/** The memory is shared, not handed over: a worker that dies takes nothing with it. */
export type CommitRequest = { name: "commit"; number: number; memory: SharedArrayBuffer; length: number; forgetUpTo: number };

export type WorkerRequest = CommitRequest | { name: "close" };

export type WorkerReport =
  | { name: "batch"; number: number; bytes: Uint8Array }
  /** The file's mark, and the number of its last batch, 0 when it has none. */
  | { name: "opened"; fileId: number; last: number }
  | { name: "damaged"; problem: string }
  | { name: "committed"; number: number }
  /** The commit is tried again until it succeeds. */
  | { name: "failed"; driverCode: string; problem: string }
  /** The file could not be opened or no longer be written; the worker ends. */
  | { name: "gaveUp"; driverCode: string; problem: string };
