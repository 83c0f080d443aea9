/** Remembers the nonces of accepted calls for as long as their time stamp would still be accepted. */
import { createHash } from "node:crypto";

const bucketMilliseconds = 60_000;

export class NonceGuard {
  readonly #keepMilliseconds: number;
  readonly #noncesMax: number;
  /**
   * Bucket number -> 48-bit digests. Numbers instead of texts keep a full guard small; two different nonces among a million
   * remembered ones collide once in 280 million calls.
   */
  readonly #buckets = new Map<number, Set<number>>();
  #count = 0;

  constructor({ keepMilliseconds, noncesMax }: { keepMilliseconds: number; noncesMax: number }) {
    this.#keepMilliseconds = keepMilliseconds;
    this.#noncesMax = noncesMax;
  }

  /** Call only for a request whose signature is right, or strangers could fill the guard. */
  remember(accessKeyId: string, nonce: string, now: number): "ok" | "used" | "full" {
    this.#forgetExpired(now);
    const digest = createHash("sha256").update(`${accessKeyId}\n${nonce}`, "utf8").digest().readUIntBE(0, 6);
    for (const bucket of this.#buckets.values()) if (bucket.has(digest)) return "used";
    if (this.#count >= this.#noncesMax) return "full";
    const number = Math.floor(now / bucketMilliseconds);
    let bucket = this.#buckets.get(number);
    if (bucket === undefined) {
      bucket = new Set();
      this.#buckets.set(number, bucket);
    }
    bucket.add(digest);
    this.#count += 1;
    return "ok";
  }

  #forgetExpired(now: number): void {
    for (const [number, bucket] of this.#buckets) {
      if ((number + 1) * bucketMilliseconds + this.#keepMilliseconds > now) continue;
      this.#count -= bucket.size;
      this.#buckets.delete(number);
    }
  }
}
