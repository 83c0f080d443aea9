export interface HistoryLimits {
  /** What is older is out of sight at once and deleted by the day [alibaba-server 6]. */
  retentionDays: number;
  /** Least time between the beginnings of two commits. */
  gatherMilliseconds: number;
  /** The same after a batch of `busyBatchRecords` and more: fewer commits write the same pages fewer times. */
  gatherBusyMilliseconds: number;
  busyBatchRecords: number;
  /** A batch of this size does not wait for more. */
  gatherRecordsMax: number;
  /** Values, events and calls that wait for the disk, long ones counted for each 256 characters; beyond it reports are refused as busy. */
  waitingRecordsMax: number;
  /** After a commit that failed. */
  retryMilliseconds: number;
  /** After the death of a worker; doubles with each further one. */
  restartMilliseconds: number;
  restartMillisecondsMax: number;
  /** How long an orderly end waits for the disk. */
  closeMilliseconds: number;
  /** How long an open waits for another process to let go of the file. */
  lockWaitMilliseconds: number;
  /** Largest file. When it is reached nothing more is acknowledged until something is forgotten. */
  fileBytesMax: number;
  /** Pages of the file that each of the two threads keeps in memory. */
  cacheBytes: number;
  /** Devices whose current values the writer keeps in memory. */
  devicesCachedMax: number;
  /** Different properties of one device that are kept, whatever it sends. */
  seriesPerDeviceMax: number;
  /** What was committed to the log is sorted into the tables after this time at the latest, … */
  sortMilliseconds: number;
  /** … or when it is so much, long ones counted for each 256 characters. Twice as much, and commits wait for the sorting. */
  sortRecordsMax: number;
  /** Records sorted in between two commits. */
  sliceRecords: number;
  /** Rows of a deleted device removed between two batches. */
  forgetRowsMax: number;
  /** How often the days past retention are deleted. */
  trimSeconds: number;
  /** Reads under way; more are refused as busy. */
  readsWaitingMax: number;
}

export const defaultHistoryLimits: HistoryLimits = {
  retentionDays: 30,
  gatherMilliseconds: 1,
  gatherBusyMilliseconds: 4,
  busyBatchRecords: 30,
  gatherRecordsMax: 4_000,
  waitingRecordsMax: 200_000,
  retryMilliseconds: 500,
  restartMilliseconds: 250,
  restartMillisecondsMax: 30_000,
  closeMilliseconds: 10_000,
  lockWaitMilliseconds: 2_000,
  fileBytesMax: 64 * 1024 * 1024 * 1024,
  cacheBytes: 16 * 1024 * 1024,
  devicesCachedMax: 20_000,
  seriesPerDeviceMax: 2_000,
  sortMilliseconds: 1_000,
  sortRecordsMax: 40_000,
  sliceRecords: 500,
  forgetRowsMax: 2_000,
  trimSeconds: 60 * 60,
  readsWaitingMax: 1_000,
};
