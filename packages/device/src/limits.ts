/** Limits of what a device does besides publishing. */
export interface DeviceLimits {
  /** How long a request waits for its answer. */
  requestTimeoutMilliseconds: number;
  /** Requests that may wait for their answers at a time. */
  requestsMax: number;
  /** A remote configuration that is larger is not fetched; the cloud's own limit is 64 KB (8.6). */
  configBytesMax: number;
  /** Firmware that is larger is not fetched. */
  firmwareBytesMax: number;
  /** Silence on a download that ends the try. */
  downloadIdleMilliseconds: number;
  /** Tries of a download that is cut off, each going on where the last one stopped. */
  downloadTries: number;
  /** Block of a download over MQTT (7.5). */
  downloadBlockBytes: number;
  /** Block of a file upload: 256 B to 128 KB (8.9). */
  uploadBlockBytes: number;
  /** Tries of one block, up or down. */
  blockTries: number;
  /** Log lines of one message (8.7). */
  logLinesPerMessage: number;
  /** Percents between two reports of a download's progress. */
  progressStepPercent: number;
}

export const defaultDeviceLimits: DeviceLimits = {
  requestTimeoutMilliseconds: 10_000,
  requestsMax: 100,
  configBytesMax: 64 * 1024,
  firmwareBytesMax: 1_000 * 1024 * 1024,
  downloadIdleMilliseconds: 30_000,
  downloadTries: 8,
  downloadBlockBytes: 5 * 1024,
  uploadBlockBytes: 64 * 1024,
  blockTries: 4,
  logLinesPerMessage: 40,
  progressStepPercent: 5,
};
