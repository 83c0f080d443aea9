/** Firmware: telling versions, taking packages. Source: alibaba-device.md, 7. */
import { formatOtaInform, otaDefaultModule, readOtaPush } from "@thingstead/dialects";
import type { DownloadOptions } from "../download.ts";
import { DeviceError } from "../errors.ts";
import type { Link, Stop } from "../link.ts";
import type { Requests } from "../requests.ts";
import type { ReceivedMessage } from "../subscriptions.ts";
import { Upgrade, type UpgradeFailure } from "./upgrade.ts";

/** How a device takes packages by itself. */
export interface UpgradePlan extends Pick<DownloadOptions, "pieceBytesMax" | "signal"> {
  /** The version that runs now. */
  version: string;
  /** Default: the firmware of the whole device. */
  module?: string;
  /** Takes a piece of file `index`; a throw ends the upgrade as a failed burning. */
  write(piece: Buffer, offset: number, upgrade: Upgrade, index: number): void | Promise<void>;
  /** Everything was fetched and is what was announced: makes it run. Resolving says that the new version runs. */
  apply(upgrade: Upgrade): void | Promise<void>;
  /** Told of every step that an owner may want to see. */
  onStep?: (step: UpgradeStep) => void;
}

export type UpgradeStep =
  | { kind: "offered" | "verified" | "applied"; upgrade: Upgrade }
  | { kind: "progress"; upgrade: Upgrade; receivedBytes: number; totalBytes: number }
  | { kind: "failed"; upgrade: Upgrade; failure: UpgradeFailure; error: unknown };

/** `device.ota`. */
export class OtaClient {
  readonly #link: Link;
  readonly #requests: Requests;

  constructor(link: Link, requests: Requests) {
    this.#link = link;
    this.#requests = requests;
  }

  /** Tells the version that runs. After an upgrade this, and nothing else, is its success. */
  async inform(version: string, module?: string): Promise<void> {
    const { productKey, deviceName } = this.#link;
    const payload = formatOtaInform(this.#requests.nextId(), { version, ...(module === undefined ? {} : { module }) });
    await this.#link.publish(`/ota/device/inform/${productKey}/${deviceName}`, payload, { qos: 1 });
  }

  /** Takes packages as they are pushed. The same one may come more than once: it is pushed again to a device that returns. */
  onUpgrade(handler: (upgrade: Upgrade) => void): Promise<Stop> {
    const { productKey, deviceName } = this.#link;
    return this.#link.listen(`/ota/device/upgrade/${productKey}/${deviceName}`, ({ topic, payload }: ReceivedMessage) => {
      const push = readOtaPush(payload);
      if (push === undefined)
        return this.#link.tell(new DeviceError("device.message_malformed", { topic, expected: "a package with version and size" }));
      handler(new Upgrade(this.#link, this.#requests, push));
    });
  }

  /** Asks for a package; undefined when there is none. */
  async ask(module?: string): Promise<Upgrade | undefined> {
    const data = await this.#requests.ask("thing/ota/firmware/get", module === undefined ? {} : { module });
    const push = readOtaPush(Buffer.from(JSON.stringify({ data })));
    return push === undefined ? undefined : new Upgrade(this.#link, this.#requests, push);
  }

  /**
   * Keeps a module up to date: subscribes, tells the version that runs, and takes every package: download with reports of
   * progress, check, `apply`, and the new version as the success. Failures are reported with the vendor's steps and told by
   * `onStep`; the plan stays in force. One upgrade runs at a time; a package that is pushed again meanwhile is not begun twice.
   *
   * @example
   * const stop = await device.ota.follow({ version: "1.0", write: (piece, offset) => flash.write(offset, piece), apply: () => flash.switch() });
   */
  async follow(plan: UpgradePlan): Promise<Stop> {
    const module = plan.module ?? otaDefaultModule;
    let version = plan.version;
    let running: Upgrade | undefined;
    const take = async (upgrade: Upgrade) => {
      if (upgrade.module !== module || running !== undefined) return;
      running = upgrade;
      try {
        // What runs already is only told again: the cloud missed it.
        if (upgrade.version !== version && !(await this.#upgrade(plan, upgrade))) return;
        version = upgrade.version;
        await this.inform(version, plan.module);
      } catch (error) {
        if (error instanceof DeviceError && error.code !== "device.ended") this.#link.tell(error);
      } finally {
        running = undefined;
      }
    };
    const stop = await this.onUpgrade((upgrade) => void take(upgrade));
    try {
      await this.inform(version, plan.module);
    } catch (error) {
      await stop().catch(() => {});
      throw error;
    }
    return stop;
  }

  /** True when the new version runs. */
  async #upgrade(plan: UpgradePlan, upgrade: Upgrade): Promise<boolean> {
    const tell = plan.onStep ?? (() => {});
    let failure: UpgradeFailure = "download";
    try {
      tell({ kind: "offered", upgrade });
      for (const [index] of upgrade.files.entries()) {
        const write = async (piece: Buffer, offset: number) => {
          failure = "burn";
          await plan.write(piece, offset, upgrade, index);
          failure = "download";
        };
        const onProgress = (progress: { receivedBytes: number; totalBytes: number }) => tell({ kind: "progress", upgrade, ...progress });
        await upgrade.download(write, { ...plan, index, onProgress });
      }
      tell({ kind: "verified", upgrade });
      failure = "burn";
      await plan.apply(upgrade);
      tell({ kind: "applied", upgrade });
      return true;
    } catch (error) {
      const isMismatch = error instanceof DeviceError && error.code === "device.file_mismatch";
      const told = isMismatch ? "verify" : failure;
      tell({ kind: "failed", upgrade, failure: told, error });
      await upgrade.fail(told, error instanceof DeviceError ? error.code : "the device failed");
      return false;
    }
  }
}
