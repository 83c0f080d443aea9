/**
 * Secrets at rest: AES-256-GCM with a key derived from the master key. A ciphertext is bound to its table and row, so one
 * that is moved to another row does not open.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from "node:crypto";
import type { Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";

const formatVersion = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + nonceBytes + tagBytes;
export const masterKeyBytes = 32;

export interface SecretBox {
  /** `row` names the row within `table`, by what never changes about it. */
  seal(text: string, table: string, row: string): Buffer;
  /** Throws `store.secret_unreadable`. */
  open(sealed: Buffer, table: string, row: string): string;
}

export function createSecretBox(masterKey: Buffer, random: Random): SecretBox {
  // A key object: looking at a key of bytes costs 16 us each time, more than the rest of an opening.
  const key = createSecretKey(Buffer.from(hkdfSync("sha256", masterKey, Buffer.alloc(0), "thingstead store v1", 32)));

  // The length in front keeps ("ab", "c") and ("a", "bc") apart.
  const bind = (table: string, row: string) => Buffer.from(`${table.length}:${table}${row}`);

  return {
    seal(text, table, row) {
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(bind(table, row));
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([Buffer.of(formatVersion), nonce, cipher.getAuthTag(), body]);
    },

    open(sealed, table, row) {
      if (sealed.length < headerBytes || sealed[0] !== formatVersion) throw new PlatformError("store.secret_unreadable", { table, row });
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(1, 1 + nonceBytes), { authTagLength: tagBytes });
        decipher.setAAD(bind(table, row));
        decipher.setAuthTag(sealed.subarray(1 + nonceBytes, headerBytes));
        return decipher.update(sealed.subarray(headerBytes), undefined, "utf8") + decipher.final("utf8");
      } catch (cause) {
        throw new PlatformError("store.secret_unreadable", { table, row }, { cause });
      }
    },
  };
}
