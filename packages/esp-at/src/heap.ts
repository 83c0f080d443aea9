/** Free memory: what connections and buffers take of it, so that a host sees what a small module cannot do. */
import { AtError } from "./at-error.ts";

/** Roughly what the hardware takes for each. */
export const heapCosts = { tcpBytes: 4_000, tlsBytes: 42_000, mqttBytes: 6_000 } as const;

export class Heap {
  #bytesTotal: number;
  #bytesTaken = 0;
  #bytesFreeMin: number;

  constructor(bytesTotal: number) {
    this.#bytesTotal = bytesTotal;
    this.#bytesFreeMin = bytesTotal;
  }

  get bytesFree(): number {
    return Math.max(0, this.#bytesTotal - this.#bytesTaken);
  }

  /** The least it ever was. */
  get bytesFreeMin(): number {
    return this.#bytesFreeMin;
  }

  /** A fault to be played: so much is free when nothing is connected. */
  resize(bytesTotal: number): void {
    this.#bytesTotal = bytesTotal;
    this.#bytesFreeMin = Math.min(this.#bytesFreeMin, this.bytesFree);
  }

  /** Gives the function that returns them. @throws `failure` when there is not enough */
  take(bytes: number, failure: () => AtError = () => new AtError("failed")): () => void {
    if (bytes > this.bytesFree) throw failure();
    this.#bytesTaken += bytes;
    this.#bytesFreeMin = Math.min(this.#bytesFreeMin, this.bytesFree);
    let isGiven = false;
    return () => {
      if (isGiven) return;
      isGiven = true;
      this.#bytesTaken -= bytes;
    };
  }
}
