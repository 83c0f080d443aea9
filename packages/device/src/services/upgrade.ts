/** One package that the cloud offers: fetching it and telling how it goes. Source: alibaba-device.md, 7.1, 7.2, 7.5. */
import { formatOtaProgress, type OtaPush, type OtaPushFile, otaDefaultModule } from "@thingstead/dialects";
import { type DownloadOptions, downloadFile, type FileSink } from "../download.ts";
import { DeviceError } from "../errors.ts";
import type { Link } from "../link.ts";
import type { Requests } from "../requests.ts";
import { downloadBlocks } from "./block-download.ts";

/** What went wrong, and the step that says so. */
const upgradeFailures = { upgrade: -1, download: -2, verify: -3, burn: -4 } as const;
export type UpgradeFailure = keyof typeof upgradeFailures;

export interface UpgradeFile {
  name: string;
  bytes: number;
  signMethod: "MD5" | "SHA256";
  /** Lower-case hexadecimal digest. */
  digest: string;
}

export class Upgrade {
  readonly module: string;
  /** The version that the device shall have. */
  readonly version: string;
  readonly isDifferential: boolean;
  readonly files: readonly UpgradeFile[];
  /** Of the batch, for the device's use. */
  readonly tags: Readonly<Record<string, string>>;
  /** Free text that the package's owner gave. */
  readonly userInfo: string | undefined;
  readonly #link: Link;
  readonly #requests: Requests;
  readonly #push: OtaPush;
  #reportedPercent = 0;

  constructor(link: Link, requests: Requests, push: OtaPush) {
    this.#link = link;
    this.#requests = requests;
    this.#push = push;
    this.module = push.module;
    this.version = push.version;
    this.isDifferential = push.isDifferential;
    this.tags = push.tags ?? {};
    this.userInfo = push.userInfo;
    this.files = push.files.map((file) => ({ ...file, signMethod: push.signMethod, digest: digestOf(push, file) }));
  }

  /**
   * Fetches file number `index` into `sink`, reports progress on the way, and checks length and digest. Over HTTPS a download
   * that breaks goes on where it stopped; over MQTT blocks are asked for again.
   *
   * @throws DeviceError `device.download_*`, `device.file_mismatch`, `device.file_too_large`. They are not reported to the
   *   cloud: {@link fail} does that
   */
  async download(sink: FileSink, options: DownloadOptions & { index?: number } = {}): Promise<void> {
    const index = options.index ?? 0;
    const file = this.files[index];
    const source = this.#push.files[index];
    if (file === undefined || source === undefined) {
      throw new DeviceError("device.argument_invalid", { argument: "index", received: index, expected: `below ${this.files.length}` });
    }
    const limit = this.#link.limits.firmwareBytesMax;
    if (file.bytes > limit)
      throw new DeviceError("device.file_too_large", { received: file.bytes, limit: "limits.firmwareBytesMax", expected: limit });
    const before = this.files.slice(0, index).reduce((sum, { bytes }) => sum + bytes, 0);
    const all = this.files.reduce((sum, { bytes }) => sum + bytes, 0);
    const onProgress = (progress: { receivedBytes: number; totalBytes: number }) => {
      this.#reportPercent(Math.floor(((before + progress.receivedBytes) * 100) / all));
      options.onProgress?.(progress);
    };
    if (source.url !== undefined) return downloadFile(this.#link, { ...file, url: source.url }, sink, { ...options, onProgress });
    const { stream } = this.#push;
    if (stream === undefined) {
      throw new DeviceError("device.reply_malformed", { topic: "/ota/device/upgrade", expected: "url, or streamId with dProtocol mqtt" });
    }
    await downloadBlocks(this.#link, this.#requests, { ...file, ...stream }, sink, { ...options, onProgress });
  }

  /** The same into memory. For what is small. */
  async read(options: DownloadOptions & { index?: number } = {}): Promise<Buffer> {
    const pieces: Buffer[] = [];
    await this.download((piece) => void pieces.push(Buffer.from(piece)), options);
    return Buffer.concat(pieces);
  }

  /** Tells a percentage, 1 to 100. Success is not 100 percent but the new version: `ota.inform`. */
  async report(percent: number, description = ""): Promise<void> {
    await this.#send(Math.min(100, Math.max(1, Math.floor(percent))), description);
  }

  /** Tells that it did not work. */
  async fail(failure: UpgradeFailure, description = ""): Promise<void> {
    await this.#send(upgradeFailures[failure], description);
  }

  #reportPercent(percent: number): void {
    const isDue =
      percent >= this.#reportedPercent + this.#link.limits.progressStepPercent || (percent === 100 && this.#reportedPercent < 100);
    if (!isDue) return;
    this.#reportedPercent = percent;
    // The download does not wait for it, and does not end with it.
    this.report(percent).catch((error: unknown) => {
      if (error instanceof DeviceError && error.code !== "device.ended") this.#link.tell(error);
    });
  }

  async #send(step: number, description: string): Promise<void> {
    const { productKey, deviceName } = this.#link;
    const module = this.module === otaDefaultModule ? {} : { module: this.module };
    const payload = formatOtaProgress(this.#requests.nextId(), { step, description, ...module });
    await this.#link.publish(`/ota/device/progress/${productKey}/${deviceName}`, payload, { qos: 1 });
  }
}

function digestOf(push: OtaPush, file: OtaPushFile): string {
  return push.signMethod === "MD5" ? file.md5 : file.sha256;
}
