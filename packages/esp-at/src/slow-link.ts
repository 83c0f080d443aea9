/** A stream whose bytes arrive late and no faster than so many a second, each way. */
import { Duplex } from "node:stream";
import type { Clock } from "./clock.ts";

export interface LinkSpeed {
  delayMilliseconds: number;
  /** 0 is as fast as it comes. */
  bytesPerSecond: number;
}

export class SlowLink extends Duplex {
  readonly #inner: Duplex;
  readonly #clock: Clock;
  readonly #speed: LinkSpeed;
  /** When the line is free again. */
  #sendFreeAt = 0;
  #receiveFreeAt = 0;
  readonly #cancels = new Set<() => void>();
  /** In order of arrival, whichever timer fires first. */
  readonly #received: Buffer[] = [];
  readonly #sent: Buffer[] = [];

  constructor(inner: Duplex, clock: Clock, speed: LinkSpeed) {
    super();
    this.#inner = inner;
    this.#clock = clock;
    this.#speed = speed;
    inner.on("data", (chunk: Buffer) => {
      const { at, freeAt } = this.#arrival(this.#receiveFreeAt, chunk.length);
      this.#receiveFreeAt = freeAt;
      inner.pause();
      this.#at(freeAt, () => inner.resume());
      this.#received.push(chunk);
      this.#at(at, () => this.push(this.#received.shift()));
    });
    inner.on("end", () => this.#at(Math.max(this.#receiveFreeAt, clock.now()) + speed.delayMilliseconds, () => this.push(null)));
    inner.on("error", (error) => this.destroy(error));
    inner.on("close", () => this.#at(Math.max(this.#receiveFreeAt, clock.now()) + speed.delayMilliseconds, () => this.destroy()));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { at, freeAt } = this.#arrival(this.#sendFreeAt, chunk.length);
    this.#sendFreeAt = freeAt;
    this.#sent.push(chunk);
    this.#at(at, () => {
      const next = this.#sent.shift();
      if (next !== undefined && this.#inner.writable) this.#inner.write(next);
    });
    this.#at(freeAt, () => done());
  }

  override _final(done: () => void): void {
    this.#at(Math.max(this.#sendFreeAt, this.#clock.now()) + this.#speed.delayMilliseconds, () => {
      this.#inner.end();
      done();
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#inner.destroy();
    done(error);
  }

  #arrival(lineFreeAt: number, bytes: number): { at: number; freeAt: number } {
    const { delayMilliseconds, bytesPerSecond } = this.#speed;
    const start = Math.max(lineFreeAt, this.#clock.now());
    const freeAt = start + (bytesPerSecond > 0 ? (bytes * 1000) / bytesPerSecond : 0);
    return { at: freeAt + delayMilliseconds, freeAt };
  }

  #at(time: number, task: () => void): void {
    const cancel = this.#clock.after(Math.max(0, time - this.#clock.now()), () => {
      this.#cancels.delete(cancel);
      task();
    });
    this.#cancels.add(cancel);
  }
}
