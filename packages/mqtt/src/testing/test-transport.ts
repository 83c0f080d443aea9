import type { Transport } from "../ports.ts";

/** The client's side of a stream without a socket. `isReading` false leaves bytes in the buffer, as a stalled peer does. */
export class TestTransport implements Transport {
  bufferedBytes = 0;
  isReading = true;
  isPaused = false;
  isEnded = false;
  isDestroyed = false;
  writes = 0;
  writesAfterEnd = 0;
  /** What the peer has read. */
  received: Uint8Array[] = [];
  #buffered: Uint8Array[] = [];
  onClosed: () => void = () => {};

  write(bytes: Uint8Array): void {
    if (this.isDestroyed || this.isEnded) {
      this.writesAfterEnd += 1;
      return;
    }
    this.writes += 1;
    if (this.isReading) {
      this.received.push(bytes);
      return;
    }
    this.#buffered.push(bytes);
    this.bufferedBytes += bytes.length;
  }

  /** The peer reads again: everything buffered arrives. */
  read(): void {
    this.isReading = true;
    this.received.push(...this.#buffered);
    this.#buffered = [];
    this.bufferedBytes = 0;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.onClosed();
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.onClosed();
  }
}
