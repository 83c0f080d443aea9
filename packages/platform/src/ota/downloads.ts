/** Firmware over HTTP as a device asks for it: whole, in ranges, or its head (alibaba-device.md, 7.2). */
import type { Clock } from "../clock.ts";
import { type ErrorDetails, PlatformError } from "../errors/index.ts";
import { parseByteRange } from "./byte-range.ts";
import { createDownloadLinks } from "./download-links.ts";
import type { OtaLimits } from "./limits.ts";
import type { FirmwareFile } from "./ota.ts";
import { createPieceCache, type PieceCache } from "./piece-cache.ts";
import type { FirmwareStore, OtaStore } from "./ports.ts";

interface DownloadRequest {
  path: string;
  range: string | undefined;
  /** An entity tag: the range counts only for the same file. */
  ifRange: string | undefined;
  isHead: boolean;
}

/** Bytes on demand: nobody who reads slowly makes this read ahead. */
interface DownloadSource {
  readonly bytes: number;
  /** The next piece; undefined at the end. */
  next(): Uint8Array | Promise<Uint8Array> | undefined;
  close(): void;
}

type DownloadAnswer =
  | { kind: "file"; status: 200 | 206; bytes: number; headers: Readonly<Record<string, string>>; source?: DownloadSource }
  | { kind: "refused"; code: string; details: ErrorDetails; headers?: Readonly<Record<string, string>> };

export interface Downloads {
  answer(request: DownloadRequest): Promise<DownloadAnswer>;
  /** Link to a file, good for `linkHours`. */
  link(fileId: number, taskId: number): string;
  /** A part of a file, at most one message's worth. */
  read(file: FirmwareFile, offset: number, bytes: number): Promise<Uint8Array>;
  readonly openCount: number;
}

export interface DownloadPorts {
  store: Pick<OtaStore, "findFile">;
  firmware: Pick<FirmwareStore, "read">;
  downloadOrigin(): string;
  linkKey: Uint8Array;
  clock: Pick<Clock, "now">;
  limits: OtaLimits;
}

export function createDownloads(ports: DownloadPorts): Downloads {
  const { store, clock, limits } = ports;
  const links = createDownloadLinks(ports.linkKey);
  const pieces = createPieceCache(ports.firmware, limits);
  let openCount = 0;

  function refuse(code: string, details: ErrorDetails = {}, headers?: Readonly<Record<string, string>>): DownloadAnswer {
    return { kind: "refused", code, details, ...(headers === undefined ? {} : { headers }) };
  }

  return {
    get openCount() {
      return openCount;
    },

    link(fileId, taskId) {
      const expiresAt = Math.ceil(clock.now() / 1000) + limits.linkHours * 3600;
      return ports.downloadOrigin() + links.path({ fileId, taskId, expiresAt });
    },

    read: (file, offset, bytes) => ports.firmware.read(file.sha256, offset, bytes),

    async answer({ path, range, ifRange, isHead }) {
      const link = links.read(path, Math.floor(clock.now() / 1000));
      if (link === "invalid") return refuse("ota.download_link_invalid");
      if (link === "expired") return refuse("ota.download_link_expired", { expected: `a link of the last ${limits.linkHours} h` });
      const file = await store.findFile(link.fileId);
      if (file === undefined) return refuse("ota.download_gone");
      const tag = `"${file.sha256.slice(0, 32)}"`;
      const isRanged = ifRange === undefined || ifRange === tag;
      const part = isRanged ? parseByteRange(range, file.bytes) : undefined;
      if (part === "unsatisfiable") {
        const details = { received: (range ?? "").slice(0, 60), expected: `a range within ${file.bytes} bytes` };
        return refuse("ota.download_range_unsatisfiable", details, { "Content-Range": `bytes */${file.bytes}` });
      }
      const { first, last } = part ?? { first: 0, last: file.bytes - 1 };
      const headers = {
        ...(part === undefined ? {} : { "Content-Range": `bytes ${first}-${last}/${file.bytes}` }),
        "Accept-Ranges": "bytes",
        ETag: tag,
      };
      const answer = { kind: "file", status: part === undefined ? 200 : 206, bytes: last - first + 1, headers } as const;
      if (isHead) return answer;
      if (openCount >= limits.downloadsMax) {
        return refuse("ota.too_many_downloads", { received: openCount, expected: limits.downloadsMax }, { "Retry-After": "30" });
      }
      openCount++;
      let isClosed = false;
      const close = (): void => {
        if (!isClosed) openCount--;
        isClosed = true;
      };
      return { ...answer, source: createSource(pieces, file, first, last, limits.downloadPieceBytes, close) };
    },
  };
}

function createSource(
  pieces: PieceCache,
  file: FirmwareFile,
  first: number,
  last: number,
  pieceBytes: number,
  close: () => void,
): DownloadSource {
  let at = first;
  return {
    bytes: last - first + 1,
    next() {
      if (at > last) return undefined;
      const index = Math.floor(at / pieceBytes);
      const start = at - index * pieceBytes;
      const end = Math.min(pieceBytes, last + 1 - index * pieceBytes);
      at = index * pieceBytes + end;
      const piece = pieces.get(file.sha256, index, file.bytes);
      return piece instanceof Promise ? piece.then((read) => read.subarray(start, end)) : piece.subarray(start, end);
    },
    close,
  };
}

/** @throws PlatformError `ota.download_offset_invalid` */
export function checkBlock(file: { bytes: number }, offset: number, bytes: number, bytesMax: number): number {
  if (offset >= file.bytes) {
    throw new PlatformError("ota.download_offset_invalid", { received: offset, expected: `below ${file.bytes}` });
  }
  return Math.min(bytes, bytesMax, file.bytes - offset);
}
