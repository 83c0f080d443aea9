/** Everything firmware updates bound. Merged from the configuration under `limits.ota`. */
export interface OtaLimits {
  /** One uploaded file (alibaba-device.md, 7.4: 1000 MB). */
  fileBytesMax: number;
  /** Files of one package. */
  packageFilesMax: number;
  packagesMax: number;
  modulesPerProductMax: number;
  /** Free text for the device. */
  userInfoCharactersMax: number;
  /** An uploaded file that no package took is deleted after this time. */
  uploadKeptMinutes: number;
  /** Uploads under way at the same time. */
  uploadsMax: number;
  /** Devices that one job takes. */
  jobDevicesMax: number;
  verifyDevicesMax: number;
  specificDevicesMax: number;
  sourceVersionsMax: number;
  tagsMax: number;
  /** Minutes: alibaba-device.md, 7.3. */
  timeoutMinutesMax: number;
  retryCountMax: number;
  retryIntervalMinutesMax: number;
  pushesPerMinuteMax: number;
  scheduleAheadDaysMax: number;
  scheduleDaysMax: number;
  /** Tasks that a job looks at before it lets others have their turn. */
  sweepTasksMax: number;
  /** An offer that a device has just taken is not sent again within this time, unless it connects anew. */
  offerAgainMilliseconds: number;
  /** Unfinished tasks and job states are looked after this often at least. */
  recheckMilliseconds: number;
  /** How often two writers may change a task under each other's hands before it is a failure. */
  conflictsMax: number;
  /** A signed link is good for this long (7.1: 24 h). */
  linkHours: number;
  /** Downloads under way at the same time; further ones are answered 503. */
  downloadsMax: number;
  /** A download whose reader takes nothing for so long is cut. */
  downloadIdleMilliseconds: number;
  /** Bytes of one piece: what a download that stands still keeps in memory at most. 64 KB cost 16 % more CPU over HTTPS. */
  downloadPieceBytes: number;
  /** Pieces kept for all downloads together. */
  downloadCacheBytesMax: number;
  /**
   * Plain bytes of one TLS record of a download: with its overhead it stays below 4 KiB (7.2; the seed's error 0x7200). 16384
   * suits fleets without small buffers; a client that negotiates max_fragment_length gets what it asked for anyway.
   */
  downloadRecordBytesMax: number;
  /** Bytes of a file in one message. */
  mqttBlockBytesMax: number;
  /** Largest file for a download over MQTT. */
  mqttFileBytesMax: number;
}

export const defaultOtaLimits: OtaLimits = {
  fileBytesMax: 1000 * 1024 * 1024,
  packageFilesMax: 20,
  packagesMax: 500,
  modulesPerProductMax: 100,
  userInfoCharactersMax: 4_096,
  uploadKeptMinutes: 60,
  uploadsMax: 8,
  jobDevicesMax: 100_000,
  verifyDevicesMax: 10,
  specificDevicesMax: 10_000,
  sourceVersionsMax: 10,
  tagsMax: 10,
  timeoutMinutesMax: 1_440,
  retryCountMax: 5,
  retryIntervalMinutesMax: 1_440,
  pushesPerMinuteMax: 10_000,
  scheduleAheadDaysMax: 7,
  scheduleDaysMax: 30,
  sweepTasksMax: 200,
  offerAgainMilliseconds: 3_000,
  recheckMilliseconds: 60_000,
  conflictsMax: 10,
  linkHours: 24,
  downloadsMax: 2_000,
  downloadIdleMilliseconds: 60_000,
  downloadPieceBytes: 128 * 1024,
  downloadCacheBytesMax: 32 * 1024 * 1024,
  downloadRecordBytesMax: 4_000,
  mqttBlockBytesMax: 128 * 1024,
  mqttFileBytesMax: 16 * 1024 * 1024,
};
