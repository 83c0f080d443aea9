import { createHash } from "node:crypto";

/** A token is this many random bytes, in lower-case hexadecimal. */
export const tokenBytes = 16;

/** Whether a text could have been issued as a token. */
export function isTokenForm(text: string): boolean {
  return text.length === tokenBytes * 2 && /^[0-9a-f]+$/.test(text);
}

/** What is stored of a token. A plain hash suffices: a token is 128 random bits, there is nothing to guess. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
