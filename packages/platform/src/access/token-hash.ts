import { createHash } from "node:crypto";

/** What is stored of a token. A plain hash suffices: a token is 128 random bits, there is nothing to guess. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
