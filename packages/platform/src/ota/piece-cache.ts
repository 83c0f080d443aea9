/** Pieces of files, shared by all downloads: two hundred devices that fetch one image read it from the disk once. */
import type { OtaLimits } from "./limits.ts";
import type { FirmwareStore } from "./ports.ts";

export interface PieceCache {
  /** At once when it is in memory. `index` counts pieces of `downloadPieceBytes`. */
  get(sha256: string, index: number, fileBytes: number): Buffer | Promise<Buffer>;
}

export function createPieceCache(
  firmware: Pick<FirmwareStore, "read">,
  limits: Pick<OtaLimits, "downloadPieceBytes" | "downloadCacheBytesMax">,
): PieceCache {
  const { downloadPieceBytes, downloadCacheBytesMax } = limits;
  const piecesMax = Math.max(1, Math.floor(downloadCacheBytesMax / downloadPieceBytes));
  /** In the order of their last use. */
  const pieces = new Map<string, Buffer>();
  const reading = new Map<string, Promise<Buffer>>();

  function keep(key: string, piece: Buffer): void {
    pieces.delete(key);
    pieces.set(key, piece);
    if (pieces.size <= piecesMax) return;
    const oldest = pieces.keys().next();
    if (!oldest.done) pieces.delete(oldest.value);
  }

  async function read(key: string, sha256: string, offset: number, bytes: number): Promise<Buffer> {
    try {
      const piece = await firmware.read(sha256, offset, bytes);
      keep(key, piece);
      return piece;
    } finally {
      reading.delete(key);
    }
  }

  return {
    get(sha256, index, fileBytes) {
      const key = `${sha256}/${index}`;
      const known = pieces.get(key);
      if (known !== undefined) {
        keep(key, known);
        return known;
      }
      const under = reading.get(key);
      if (under !== undefined) return under;
      const offset = index * downloadPieceBytes;
      const begun = read(key, sha256, offset, Math.min(downloadPieceBytes, fileBytes - offset));
      reading.set(key, begun);
      return begun;
    },
  };
}
