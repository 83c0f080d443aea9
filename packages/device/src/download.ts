/** Files behind links in messages: firmware and remote configuration. Source: alibaba-device.md, 7.2. */
import { createHash } from "node:crypto";
import { type IncomingMessage, type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Duplex } from "node:stream";
import type { Clock } from "./clock.ts";
import { DeviceError } from "./errors.ts";
import type { DeviceLimits } from "./limits.ts";
import { reconnectDelay } from "./reconnect-delay.ts";

export interface DownloadAccess {
  /** Connects to the server of a link. */
  open(target: { host: string; port: number; isTls: boolean }): Duplex;
  allowsPlain: boolean;
}

export interface AnnouncedFile {
  url: string;
  bytes: number;
  signMethod: "MD5" | "SHA256";
  /** Lower-case hexadecimal digest. */
  digest: string;
}

/** Takes the file piece by piece; the download waits for it. */
export type FileSink = (bytes: Buffer, offset: number) => void | Promise<void>;

export interface DownloadOptions {
  /** Pieces are at most this large. Default: as they come. */
  pieceBytesMax?: number;
  onProgress?: (progress: { receivedBytes: number; totalBytes: number }) => void;
  signal?: AbortSignal;
}

interface DownloadPorts {
  downloads: DownloadAccess;
  clock: Clock;
  limits: Pick<DeviceLimits, "downloadIdleMilliseconds" | "downloadTries">;
}

const httpsPort = 443;
const httpPort = 80;

/** Between tries; the first one follows soon, as most breaks are short. */
const retryDelay = { baseMilliseconds: 500, maximumMilliseconds: 30_000 };

/**
 * Fetches a file into `sink` and checks its length and digest. A break is mended by asking for the rest (`Range`), up to
 * `downloadTries` times in a row without a byte; a server that starts over although the rest was asked for is understood.
 *
 * @throws DeviceError `device.download_failed`, `device.download_refused` (with `status`), `device.download_insecure`,
 *   `device.file_mismatch`
 */
export async function downloadFile(
  ports: DownloadPorts,
  file: AnnouncedFile,
  sink: FileSink,
  options: DownloadOptions = {},
): Promise<void> {
  const url = new URL(file.url);
  const { clock, limits } = ports;
  const checksum = createChecksum(file);
  let offset = 0;
  let fruitless = 0;
  while (offset < file.bytes) {
    const startedAt = offset;
    try {
      for await (const piece of openRest(ports, url, file.bytes, offset, options)) {
        checksum.update(piece);
        await writeTo(sink, piece, offset);
        offset += piece.length;
        options.onProgress?.({ receivedBytes: offset, totalBytes: file.bytes });
      }
      if (offset < file.bytes) throw new Error("the server closed the connection");
    } catch (error) {
      // What the server or the caller said is final; a connection that broke is not.
      if (error instanceof DeviceError || error instanceof SinkError || options.signal?.aborted === true) throw unwrapped(error);
      fruitless = offset > startedAt ? 1 : fruitless + 1;
      if (fruitless >= limits.downloadTries) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new DeviceError("device.download_failed", { server: url.host, offset, tries: fruitless, reason }, { cause: error });
      }
      await pause(clock, reconnectDelay(retryDelay, fruitless - 1, clock), options.signal);
    }
  }
  checksum.check();
}

/** A digest that grows with the file and is compared at the end. */
export function createChecksum(file: Pick<AnnouncedFile, "signMethod" | "digest">): { update(bytes: Uint8Array): void; check(): void } {
  const hash = createHash(file.signMethod === "MD5" ? "md5" : "sha256");
  return {
    update: (bytes) => void hash.update(bytes),
    check() {
      const received = hash.digest("hex");
      if (received === file.digest) return;
      throw new DeviceError("device.file_mismatch", { kind: file.signMethod, received, expected: file.digest });
    },
  };
}

/** A fault of the caller's own writing: no reason to fetch again. */
class SinkError extends Error {}

async function writeTo(sink: FileSink, piece: Buffer, offset: number): Promise<void> {
  try {
    await sink(piece, offset);
  } catch (cause) {
    throw new SinkError("the sink failed", { cause });
  }
}

function unwrapped(error: unknown): unknown {
  return error instanceof SinkError ? error.cause : error;
}

function pause(clock: Clock, milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(milliseconds, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}

async function* openRest(
  ports: DownloadPorts,
  url: URL,
  totalBytes: number,
  offset: number,
  options: DownloadOptions,
): AsyncGenerator<Buffer, void> {
  const response = await openResponse(ports, url, offset, options.signal);
  // A server that ignores the range starts over: what is known already is passed over.
  let unwanted = response.statusCode === 206 ? 0 : offset;
  let received = offset;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const skipped = Math.min(unwanted, chunk.length);
      unwanted -= skipped;
      const rest = chunk.subarray(skipped);
      received += rest.length;
      if (received > totalBytes) {
        throw new DeviceError("device.file_mismatch", { kind: "length", received: `more than ${totalBytes}`, expected: totalBytes });
      }
      const size = options.pieceBytesMax ?? rest.length;
      for (let start = 0; start < rest.length; start += size) yield rest.subarray(start, start + size);
    }
  } finally {
    response.destroy();
  }
}

function openResponse(ports: DownloadPorts, url: URL, offset: number, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  const { downloads, limits } = ports;
  const isTls = url.protocol === "https:";
  if (!isTls && (url.protocol !== "http:" || !downloads.allowsPlain))
    throw new DeviceError("device.download_insecure", { server: url.host });
  const settings: RequestOptions = {
    method: "GET",
    headers: offset === 0 ? {} : { Range: `bytes=${offset}-` },
    // Silence, not the length of the download, ends it.
    timeout: limits.downloadIdleMilliseconds,
    ...(signal === undefined ? {} : { signal }),
  };
  return new Promise((resolve, reject) => {
    const onAnswer = (response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      if (status === 200 || status === 206) return resolve(response);
      response.destroy();
      // Only a server that is down for the moment is asked again.
      if (status >= 500) reject(new Error(`status ${status}`));
      else reject(new DeviceError("device.download_refused", { server: url.host, status }));
    };
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const port = Number(url.port || (isTls ? httpsPort : httpPort));
    const call = (isTls ? requestHttps : requestHttp)(
      url,
      { ...settings, createConnection: () => downloads.open({ host, port, isTls }) },
      onAnswer,
    );
    call.on("timeout", () => call.destroy(new Error(`nothing came for ${limits.downloadIdleMilliseconds} ms`)));
    call.on("error", reject);
    call.end();
  });
}
