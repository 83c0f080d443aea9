/** Signed links that expire: short, because a push must fit a receive buffer of 1024 bytes (alibaba-device.md, 7.1). */
import { createHmac, timingSafeEqual } from "node:crypto";

export const downloadPathPrefix = "/ota/";
/** Of an HMAC-SHA256: 128 bits are enough for a link of a day, and 22 characters long. */
const signatureBytes = 16;

interface DownloadLink {
  fileId: number;
  /** 0: made for a person or a program. */
  taskId: number;
  /** Seconds since the epoch. */
  expiresAt: number;
}

export interface DownloadLinks {
  /** `/ota/<file>.<task>.<expiry>.<signature>`, numbers in base 36. */
  path(link: DownloadLink): string;
  read(path: string, nowSeconds: number): DownloadLink | "invalid" | "expired";
}

export function createDownloadLinks(key: Uint8Array): DownloadLinks {
  function signatureOf(text: string): string {
    return createHmac("sha256", key).update(text).digest().subarray(0, signatureBytes).toString("base64url");
  }
  return {
    path({ fileId, taskId, expiresAt }) {
      const text = [fileId, taskId, expiresAt].map((number) => number.toString(36)).join(".");
      return `${downloadPathPrefix}${text}.${signatureOf(text)}`;
    },
    read(path, nowSeconds) {
      const match = /^\/ota\/(([0-9a-z]{1,10})\.([0-9a-z]{1,10})\.([0-9a-z]{1,10}))\.([\w-]{22})$/.exec(path);
      if (match === null) return "invalid";
      const [, text = "", fileId = "", taskId = "", expiresAt = "", signature = ""] = match;
      // As texts, of one length: the last character of Base64 has bits that decode to nothing, and a link has one spelling only.
      if (!timingSafeEqual(Buffer.from(signature), Buffer.from(signatureOf(text)))) return "invalid";
      const link = { fileId: parseInt(fileId, 36), taskId: parseInt(taskId, 36), expiresAt: parseInt(expiresAt, 36) };
      return link.expiresAt <= nowSeconds ? "expired" : link;
    },
  };
}
