/** Sustained entries per second, and how many at once after a quiet time. */
export interface LogRate {
  entriesPerSecondMax: number;
  burstEntriesMax: number;
}

export interface DeviceLogLimits {
  /** Messages (publish, deliver, forward) of one device. */
  messageRatePerDevice: LogRate;
  /** Messages of all devices together. */
  messageRate: LogRate;
  /** Everything else of one device: connects, subscriptions, disconnects, refusals. */
  sessionRatePerDevice: LogRate;
  /** Failures from one address, whatever device they claim to be: names can be made up. */
  failureRatePerAddress: LogRate;
  /** Everything but messages together. */
  sessionRate: LogRate;
  /** Devices and addresses whose rate is remembered. */
  ratesTrackedMax: number;
  /** How often what was not logged is summed up. */
  summaryMilliseconds: number;
  /** Devices named by one round of summaries; the rest is one entry. */
  summariesMax: number;
  /** Entries written by one transaction. */
  batchEntries: number;
  /** How long an entry waits for others to be written with. */
  flushMilliseconds: number;
  /** Pause after a failed write. */
  retryMilliseconds: number;
  /** Entries kept in memory while the store does not take them; beyond, the oldest are lost. */
  unflushedEntriesMax: number;
  /** Entries stored; beyond, the oldest go. */
  entriesMax: number;
  ageMilliseconds: number;
  trimMilliseconds: number;
  /** Of every text of an entry. */
  textCharactersMax: number;
  pageSizeDefault: number;
  pageSizeMax: number;
  followersMax: number;
}

export const defaultDeviceLogLimits: DeviceLogLimits = {
  messageRatePerDevice: { entriesPerSecondMax: 20, burstEntriesMax: 100 },
  messageRate: { entriesPerSecondMax: 200, burstEntriesMax: 2_000 },
  sessionRatePerDevice: { entriesPerSecondMax: 10, burstEntriesMax: 200 },
  failureRatePerAddress: { entriesPerSecondMax: 10, burstEntriesMax: 300 },
  sessionRate: { entriesPerSecondMax: 1_000, burstEntriesMax: 20_000 },
  ratesTrackedMax: 50_000,
  summaryMilliseconds: 10_000,
  summariesMax: 100,
  batchEntries: 500,
  flushMilliseconds: 200,
  retryMilliseconds: 5_000,
  unflushedEntriesMax: 10_000,
  entriesMax: 1_000_000,
  ageMilliseconds: 7 * 24 * 60 * 60 * 1_000,
  trimMilliseconds: 60_000,
  textCharactersMax: 1_024,
  pageSizeDefault: 100,
  pageSizeMax: 1_000,
  followersMax: 100,
};
