export interface StoreLimits {
  /** How long an open waits for another process to let go of the database (a restart overlaps for a moment). */
  lockWaitMilliseconds: number;
  /** A database up to this size is checked page by page when it is opened; a larger one would delay the start. */
  checkAtOpenBytesMax: number;
  /** Prepared statements kept. */
  statementsCachedMax: number;
  /** Device log entries deleted by one call of `trim`, so that trimming never holds the database for long. */
  trimEntriesMax: number;
}

export const defaultStoreLimits: StoreLimits = {
  lockWaitMilliseconds: 2_000,
  checkAtOpenBytesMax: 64 * 1024 * 1024,
  statementsCachedMax: 256,
  trimEntriesMax: 5_000,
};
