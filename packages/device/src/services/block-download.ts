/** Firmware in blocks over MQTT, for devices that speak nothing else. Source: alibaba-device.md, 7.5. */
import { formatFileBlockRequest, readFileBlock } from "@thingstead/dialects";
import { createChecksum, type DownloadOptions, type FileSink } from "../download.ts";
import { DeviceError } from "../errors.ts";
import type { Link } from "../link.ts";
import type { Requests } from "../requests.ts";
import type { UpgradeFile } from "./upgrade.ts";

export interface StreamedFile extends UpgradeFile {
  streamId: number;
  streamFileId: number;
}

type Block = { code: number; offset: number; bytes: Uint8Array };

/** One block is on its way at a time; one that is lost or damaged is asked for again. */
export async function downloadBlocks(
  link: Link,
  requests: Requests,
  file: StreamedFile,
  sink: FileSink,
  options: DownloadOptions,
): Promise<void> {
  const { limits, clock } = link;
  const topic = requests.sys("thing/file/download");
  const checksum = createChecksum(file);
  let receive: (block: Block) => void = () => {};
  // A damaged frame says nothing: the time runs out and the block is asked for again.
  const stop = await link.listen(`${topic}_reply`, ({ payload }) => {
    const block = readFileBlock(payload);
    if (block !== undefined) receive(block);
  });

  function ask(offset: number, bytes: number): Promise<Block> {
    const milliseconds = limits.requestTimeoutMilliseconds;
    return new Promise((resolve, reject) => {
      const abort = () => settle(() => reject(options.signal?.reason));
      const cancel = clock.after(milliseconds, () =>
        settle(() => reject(new DeviceError("device.reply_timeout", { topic, milliseconds }))),
      );
      const settle = (finish: () => void) => {
        cancel();
        options.signal?.removeEventListener("abort", abort);
        receive = () => {};
        finish();
      };
      // Blocks of another offset are late answers to a question that was repeated.
      receive = (block) => {
        if (block.code !== 200 || block.offset === offset) settle(() => resolve(block));
      };
      options.signal?.addEventListener("abort", abort, { once: true });
      const request = formatFileBlockRequest(requests.nextId(), { streamId: file.streamId, fileId: file.streamFileId, offset, bytes });
      link.publish(topic, request, { qos: 0 }).catch((error: unknown) => settle(() => reject(error)));
    });
  }

  async function fetchBlock(offset: number, bytes: number): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt += 1) {
      options.signal?.throwIfAborted();
      try {
        const block = await ask(offset, bytes);
        if (block.code !== 200) throw new DeviceError("device.reply_refused", { topic, cloudCode: block.code, cloudMessage: "" });
        if (block.bytes.length > 0) return block.bytes;
      } catch (error) {
        if (!(error instanceof DeviceError) || error.code !== "device.reply_timeout" || attempt >= limits.blockTries) throw error;
      }
      if (attempt >= limits.blockTries) {
        throw new DeviceError("device.download_failed", { server: topic, offset, tries: attempt, reason: "empty blocks" });
      }
    }
  }

  try {
    let offset = 0;
    while (offset < file.bytes) {
      const bytes = Buffer.from(await fetchBlock(offset, Math.min(limits.downloadBlockBytes, file.bytes - offset)));
      checksum.update(bytes);
      const size = options.pieceBytesMax ?? bytes.length;
      for (let start = 0; start < bytes.length; start += size) await sink(bytes.subarray(start, start + size), offset + start);
      offset += bytes.length;
      options.onProgress?.({ receivedBytes: offset, totalBytes: file.bytes });
    }
    checksum.check();
  } finally {
    await stop().catch(() => {});
  }
}
