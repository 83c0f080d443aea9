export interface JournalLimits {
  /** One batch is one commit. At this size it is closed, as soon as the engine has written what belongs together. */
  batchBytesMax: number;
  /** Bytes that wait for the disk above which the publishers that cause them are not read. */
  unsafeBytesSoftMax: number;
  /** Least time between the beginnings of two commits: a fast disk is not asked for every message. */
  gatherMilliseconds: number;
  /**
   * The same after a batch of `busyBatchBytes` and more: handing a batch over costs both threads about 50 µs, which is 1 to 2 µs
   * of the 18 that a message costs at 50,000 a second, and nobody notices 4 ms there.
   */
  gatherBusyMilliseconds: number;
  busyBatchBytes: number;
  /** A batch of this size does not wait for more. */
  gatherBytesMax: number;
  /** What nobody waits for is committed after this time at the latest. */
  idleMilliseconds: number;
  /** After a commit that failed. */
  retryMilliseconds: number;
  /** Before a thread that died is replaced; doubled with every further death. */
  restartMilliseconds: number;
  restartMillisecondsMax: number;
  /** Deaths without a commit between, after which the server ends: it could no longer keep its promise. */
  restartsMax: number;
  /** How long an orderly end waits for the disk. */
  closeMilliseconds: number;
  /** How long an open waits for another process to let go of the file. */
  lockWaitMilliseconds: number;
  /** Largest file. When it is reached nothing more is acknowledged until something is forgotten. */
  fileBytesMax: number;
  /** The log is kept in segments of about this size; its oldest is forgotten as a whole. */
  segmentBytes: number;
  /** Below this size the log is not compacted. */
  compactBytesMin: number;
  /** The log is compacted when it is this many times as large as what is alive in it. */
  compactRatio: number;
}

export const defaultJournalLimits: JournalLimits = {
  batchBytesMax: 4 * 1024 * 1024,
  unsafeBytesSoftMax: 16 * 1024 * 1024,
  gatherMilliseconds: 1,
  gatherBusyMilliseconds: 4,
  busyBatchBytes: 8 * 1024,
  gatherBytesMax: 256 * 1024,
  idleMilliseconds: 100,
  retryMilliseconds: 500,
  restartMilliseconds: 100,
  restartMillisecondsMax: 5_000,
  restartsMax: 8,
  closeMilliseconds: 10_000,
  lockWaitMilliseconds: 2_000,
  fileBytesMax: 16 * 1024 * 1024 * 1024,
  segmentBytes: 1024 * 1024,
  compactBytesMin: 64 * 1024 * 1024,
  compactRatio: 3,
};
