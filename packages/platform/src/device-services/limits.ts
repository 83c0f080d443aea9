export interface DeviceServicesLimits {
  /** Of a shadow: values in `reported` and `desired` each, those inside objects counted one by one. */
  shadowAttributesMax: number;
  /** State as JSON. */
  shadowBytesMax: number;
  /** Objects and arrays inside each other. */
  shadowDepthMax: number;
  /** Of one device. */
  shadowRequestsPerSecondMax: number;
  /** Devices whose requests of this second are counted. */
  countedDevicesMax: number;
  configBytesMax: number;
  /** Of one product; the oldest go. */
  configVersionsMax: number;
  /** A configuration or a job goes to so many devices at once … */
  pushDevicesPerTurn: number;
  /** … and then pauses. */
  pushPauseMilliseconds: number;
  /** How long a link in a message is good. */
  linkHours: number;
  logLineCharactersMax: number;
  /** Lines kept in memory until they are written; a message beyond is refused. */
  logLinesWaitingMax: number;
  logFlushMilliseconds: number;
  /** Lines kept on the disk, of all devices; the oldest go. */
  logLinesMax: number;
  logRetentionDays: number;
  /** One report. */
  diagnosticBytesMax: number;
  /** Of one device; the oldest go. */
  diagnosticReportsMax: number;
  fileBytesMax: number;
  filesPerDeviceMax: number;
  /** All files of all devices together. */
  filesBytesMax: number;
  fileNameCharactersMax: number;
  blockBytesMin: number;
  blockBytesMax: number;
  /** An unfinished upload can be continued for so long. */
  unfinishedUploadHours: number;
  jobDocumentBytesMax: number;
  jobFileBytesMax: number;
  /** Devices of one job. */
  jobDevicesMax: number;
  /** Tasks in one answer to `$list`. */
  jobListTasksMax: number;
  jobDetailsBytesMax: number;
  /** Tasks that took too long are looked for this often. */
  jobSweepSeconds: number;
  /** Of one thing, the unnamed one included. */
  namedShadowsPerThingMax: number;
  /** All named shadows together, what is remembered of deleted ones included. */
  namedShadowBytesMax: number;
  /** How long the version of a deleted shadow is remembered: one made again counts on. */
  namedShadowVersionHours: number;
  /** Of one thing, all its shadows together. */
  namedShadowRequestsPerSecondMax: number;
  /** Of all things. */
  namedShadowRequestsWaitingMax: number;
  /** Requests whose changes are one commit. */
  namedShadowsPerCommitMax: number;
}

/** The vendor's where it has them (alibaba-device.md, 8; alibaba-server.md, 6; aws-iot.md, 8). */
export const defaultDeviceServicesLimits: DeviceServicesLimits = {
  shadowAttributesMax: 128,
  shadowBytesMax: 16 * 1024,
  shadowDepthMax: 5,
  shadowRequestsPerSecondMax: 20,
  countedDevicesMax: 100_000,
  configBytesMax: 64 * 1024,
  configVersionsMax: 20,
  pushDevicesPerTurn: 100,
  pushPauseMilliseconds: 100,
  linkHours: 24,
  logLineCharactersMax: 4_096,
  logLinesWaitingMax: 20_000,
  logFlushMilliseconds: 500,
  logLinesMax: 1_000_000,
  logRetentionDays: 7,
  diagnosticBytesMax: 16 * 1024,
  diagnosticReportsMax: 100,
  fileBytesMax: 16 * 1024 * 1024,
  filesPerDeviceMax: 1_000,
  filesBytesMax: 1024 * 1024 * 1024,
  fileNameCharactersMax: 128,
  blockBytesMin: 256,
  blockBytesMax: 128 * 1024,
  unfinishedUploadHours: 24,
  jobDocumentBytesMax: 64 * 1024,
  jobFileBytesMax: 1024 * 1024,
  jobDevicesMax: 10_000,
  jobListTasksMax: 100,
  jobDetailsBytesMax: 4 * 1024,
  jobSweepSeconds: 30,
  namedShadowsPerThingMax: 1_000,
  namedShadowBytesMax: 4 * 1024 * 1024 * 1024,
  namedShadowVersionHours: 48,
  namedShadowRequestsPerSecondMax: 20,
  namedShadowRequestsWaitingMax: 20_000,
  namedShadowsPerCommitMax: 1_000,
};
