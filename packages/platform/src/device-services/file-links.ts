/** Signed links that expire, to what this room keeps for devices and people. Short: messages must fit small receive buffers. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";

export const filePathPrefix = "/files/";
/** Of an HMAC-SHA256. */
const signatureBytes = 16;

/** A version of a configuration, a file of a job, a file of a device. */
type LinkedKind = "c" | "j" | "d";

export interface FileLinks {
  link(kind: LinkedKind, id: string): string;
  read(path: string): { kind: LinkedKind; id: string } | "invalid" | "expired";
}

export interface FileLinksPorts {
  /** `https://host:port` */
  origin(): string;
  key: Uint8Array;
  clock: Pick<Clock, "now">;
  linkHours: number;
}

export function createFileLinks({ origin, key, clock, linkHours }: FileLinksPorts): FileLinks {
  // The purpose is signed, too: a link of another room with the same key is none of this one.
  const signatureOf = (text: string): string =>
    createHmac("sha256", key).update(`files ${text}`).digest().subarray(0, signatureBytes).toString("base64url");
  return {
    link(kind, id) {
      const expiresAt = Math.ceil(clock.now() / 1000) + linkHours * 3600;
      const text = `${kind}.${id}.${expiresAt.toString(36)}`;
      return `${origin()}${filePathPrefix}${text}.${signatureOf(text)}`;
    },
    read(path) {
      const match = /^\/files\/(([cjd])\.([0-9a-zA-Z-]{1,64})\.([0-9a-z]{1,10}))\.([\w-]{22})$/.exec(path);
      if (match === null) return "invalid";
      const [, text = "", kind = "c", id = "", expiry = "", signature = ""] = match;
      // As texts of one length: the last character has bits that stand for nothing, and there shall be one link, not sixteen.
      if (!timingSafeEqual(Buffer.from(signature), Buffer.from(signatureOf(text)))) return "invalid";
      if (parseInt(expiry, 36) * 1000 <= clock.now()) return "expired";
      return { kind: kind === "j" || kind === "d" ? kind : "c", id };
    },
  };
}
