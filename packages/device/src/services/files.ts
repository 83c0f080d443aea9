/** Files of the device for the cloud, over MQTT. Source: alibaba-device.md, 8.9. */
import { randomUUID } from "node:crypto";
import { formatBareRequest, formatUploadBlock } from "@thingstead/dialects";
import { DeviceError } from "../errors.ts";
import type { Link } from "../link.ts";
import { membersOf, numberOf, textOf } from "../members.ts";
import type { Requests } from "../requests.ts";

export interface UploadOptions {
  /** What happens to a file of the same name. `append` goes on with an upload that was cut off. Default `overwrite`. */
  ifExists?: "overwrite" | "append" | "reject";
  onProgress?: (progress: { sentBytes: number; totalBytes: number }) => void;
  signal?: AbortSignal;
}

/** The cloud's words for blocks that must be sent again: damaged on the way. */
const damagedCode = 78121;
/** What a block is told that was stored already, or that finished the file: its answer got lost, and it was sent again. */
const storedCodes: readonly unknown[] = [78119, 78124];

/** `device.files`. */
export class FileClient {
  readonly #link: Link;
  readonly #requests: Requests;

  constructor(link: Link, requests: Requests) {
    this.#link = link;
    this.#requests = requests;
  }

  /**
   * Uploads a file in blocks. A block without an answer is sent again; with an aborted `signal` the upload is cancelled.
   *
   * @throws DeviceError `device.reply_refused` with `cloudCode` 78117 too large, 78123 the name exists, …; `device.reply_timeout`
   */
  async upload(name: string, bytes: Uint8Array, options: UploadOptions = {}): Promise<{ uploadId: string }> {
    const { limits } = this.#link;
    const params = { fileName: name, fileSize: bytes.length, conflictStrategy: options.ifExists ?? "overwrite", initUid: randomUUID() };
    const begun = membersOf(await this.#ask("init", (id) => formatBareRequest({ id, params })));
    const uploadId = textOf(begun.uploadId);
    if (uploadId === undefined) {
      throw new DeviceError("device.reply_malformed", { topic: this.#topic("init"), expected: "uploadId and offset" });
    }
    let offset = numberOf(begun.offset) ?? 0;
    while (offset < bytes.length) {
      if (options.signal?.aborted === true) {
        await this.#ask("cancel", (id) => formatBareRequest({ id, params: { uploadId } }));
        throw options.signal.reason;
      }
      const block = bytes.subarray(offset, offset + limits.uploadBlockBytes);
      await this.#sendBlock(uploadId, offset, block, offset + block.length === bytes.length);
      offset += block.length;
      options.onProgress?.({ sentBytes: offset, totalBytes: bytes.length });
    }
    return { uploadId };
  }

  async #sendBlock(uploadId: string, offset: number, bytes: Uint8Array, isComplete: boolean): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#ask("send", (id) => formatUploadBlock({ id, uploadId, offset, bytes, isComplete }));
        return;
      } catch (error) {
        // If something else was meant, the next block is told so at its first try.
        if (attempt > 1 && error instanceof DeviceError && storedCodes.includes(error.details.cloudCode)) return;
        const isTransient =
          error instanceof DeviceError && (error.code === "device.reply_timeout" || error.details.cloudCode === damagedCode);
        if (!isTransient || attempt >= this.#link.limits.blockTries) throw error;
      }
    }
  }

  #topic(step: string): string {
    return this.#requests.sys(`thing/file/upload/mqtt/${step}`);
  }

  #ask(step: "init" | "send" | "cancel", format: (id: string) => Uint8Array): Promise<unknown> {
    return this.#requests.askOn(this.#topic(step), { format, qos: 0 });
  }
}
