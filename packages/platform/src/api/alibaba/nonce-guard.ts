/** Remembers the nonces of accepted calls until their time stamps are too old to be accepted again. */
import { createHash } from "node:crypto";

const bucketMilliseconds = 60_000;

export class NonceGuard {
  readonly #noncesMax: number;
  /**
   * Minute of expiry -> 48-bit digests. Numbers instead of texts keep a full guard small; with a million remembered, one call in
   * 280 million is taken for a repeated one.
   */
  readonly #buckets = new Map<number, Set<number>>();
  #count = 0;

  constructor({ noncesMax }: { noncesMax: number }) {
    this.#noncesMax = noncesMax;
  }

  /**
   * Call only for a request whose signature is right, or strangers could fill the guard.
   *
   * @param expiresAt when the call's time stamp will be refused anyway; milliseconds since the epoch like `now`
   */
  remember(accessKeyId: string, nonce: string, expiresAt: number, now: number): "ok" | "used" | "full" {
    this.#forgetExpired(now);
    const digest = createHash("sha256").update(`${accessKeyId}\n${nonce}`, "utf8").digest().readUIntBE(0, 6);
    for (const bucket of this.#buckets.values()) if (bucket.has(digest)) return "used";
    if (this.#count >= this.#noncesMax) return "full";
    const minute = Math.floor(expiresAt / bucketMilliseconds);
    let bucket = this.#buckets.get(minute);
    if (bucket === undefined) {
      bucket = new Set();
      this.#buckets.set(minute, bucket);
    }
    bucket.add(digest);
    this.#count += 1;
    return "ok";
  }

  #forgetExpired(now: number): void {
    for (const [minute, bucket] of this.#buckets) {
      if ((minute + 1) * bucketMilliseconds > now) continue;
      this.#count -= bucket.size;
      this.#buckets.delete(minute);
    }
  }
}
