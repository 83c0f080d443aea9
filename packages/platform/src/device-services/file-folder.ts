/** Bytes of devices' files on the disk, a file for each upload, named by its id. */
import { mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { PlatformError } from "../errors/index.ts";
import type { FileFolder } from "./ports.ts";

export function createFileFolder(folder: string): FileFolder {
  return {
    async write(uploadId, offset, bytes) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await open(join(folder, uploadId), offset === 0 ? "w" : "r+", 0o600);
      try {
        let written = 0;
        while (written < bytes.byteLength) {
          written += (await file.write(bytes, written, bytes.byteLength - written, offset + written)).bytesWritten;
        }
        // The device forgets what is acknowledged.
        await file.datasync();
      } finally {
        await file.close();
      }
    },

    async read(uploadId, offset, bytes) {
      const file = await open(join(folder, uploadId), "r").catch((cause: NodeJS.ErrnoException) => {
        throw new PlatformError("device_services.file_lost", { uploadId, reason: cause.code ?? cause.message }, { cause });
      });
      try {
        const buffer = Buffer.allocUnsafeSlow(bytes);
        let filled = 0;
        while (filled < bytes) {
          const { bytesRead } = await file.read(buffer, filled, bytes - filled, offset + filled);
          if (bytesRead === 0) {
            throw new PlatformError("device_services.file_lost", { uploadId, reason: `it ends after ${offset + filled} bytes` });
          }
          filled += bytesRead;
        }
        return buffer;
      } finally {
        await file.close();
      }
    },

    async delete(uploadId) {
      await rm(join(folder, uploadId), { force: true });
    },

    list: () => readdir(folder).catch(() => []),
  };
}
