/** Files of firmware on the disk, named by their SHA-256: whole or not there at all. */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { OtaLimits } from "./limits.ts";
import type { FirmwareStore } from "./ports.ts";

const temporarySuffix = ".part";

export function createFirmwareFolder(ports: { folder: string; random: Random; limits: Pick<OtaLimits, "fileBytesMax"> }): FirmwareStore {
  const { folder, random, limits } = ports;
  const pathOf = (sha256: string): string => join(folder, sha256);

  return {
    async write(pieces, expected) {
      const temporary = join(folder, `${random.bytes(12).toString("hex")}${temporarySuffix}`);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const file = await writeFile(temporary, pieces, limits.fileBytesMax);
        checkExpected(file, expected);
        await rename(temporary, pathOf(file.sha256));
        await syncFolder(folder);
        return file;
      } catch (error) {
        await rm(temporary, { force: true });
        throw isDiskError(error) ? new PlatformError("ota.file_unwritable", { reason: error.message }, { cause: error }) : error;
      }
    },

    async read(sha256, offset, bytes) {
      const file = await open(pathOf(sha256), "r").catch((cause: NodeJS.ErrnoException) => {
        throw new PlatformError("ota.file_lost", { sha256, reason: cause.code ?? cause.message }, { cause });
      });
      try {
        const buffer = Buffer.allocUnsafeSlow(bytes);
        let filled = 0;
        while (filled < bytes) {
          const { bytesRead } = await file.read(buffer, filled, bytes - filled, offset + filled);
          if (bytesRead === 0) throw new PlatformError("ota.file_lost", { sha256, reason: `it ends after ${offset + filled} bytes` });
          filled += bytesRead;
        }
        return buffer;
      } finally {
        await file.close();
      }
    },

    async delete(sha256) {
      await rm(pathOf(sha256), { force: true });
    },

    async clean() {
      const names = await readdir(folder).catch(() => []);
      for (const name of names) if (name.endsWith(temporarySuffix)) await rm(join(folder, name), { force: true });
    },
  };
}

function isDiskError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error && !("errno" in error && error.code === "ECONNRESET");
}

async function writeFile(path: string, pieces: AsyncIterable<Uint8Array>, bytesMax: number) {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  const file = await open(path, "wx", 0o600);
  try {
    let bytes = 0;
    for await (const piece of pieces) {
      bytes += piece.length;
      if (bytes > bytesMax) throw new PlatformError("ota.file_too_large", { received: bytes, expected: bytesMax });
      md5.update(piece);
      sha256.update(piece);
      for (let at = 0; at < piece.length; ) at += (await file.write(piece, at)).bytesWritten;
    }
    if (bytes === 0) throw new PlatformError("ota.file_empty");
    await file.sync();
    return { bytes, md5: md5.digest("hex"), sha256: sha256.digest("hex") };
  } finally {
    await file.close();
  }
}

function checkExpected(
  file: { bytes: number; md5: string; sha256: string },
  expected: { bytes?: number; md5?: string; sha256?: string },
): void {
  for (const name of ["bytes", "md5", "sha256"] as const) {
    const wanted = expected[name];
    if (wanted === undefined || String(wanted).toLowerCase() === String(file[name])) continue;
    throw new PlatformError("ota.file_mismatch", { what: name, received: file[name], expected: wanted });
  }
}

/** The name is safe only when the folder is. */
async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders; there the name is written with the file.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
