/** Watches the fixed headers of an MQTT stream for packets that are larger than memory allows. [MQTT-2.2.3] */
export class PacketGuard {
  readonly #bytesMax: number;
  /** Of the packet that is on its way. */
  #bytesLeft = 0;
  #phase: "type" | "length" | "body" = "type";
  #length = 0;
  #shift = 1;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Follows the packets through the chunks, which end anywhere; false for a packet that is too large or has no end. */
  admits(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#phase === "body") {
        const passed = Math.min(this.#bytesLeft, chunk.length - at);
        this.#bytesLeft -= passed;
        at += passed;
        if (this.#bytesLeft === 0) this.#phase = "type";
        continue;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      if (this.#phase === "type") {
        this.#phase = "length";
        this.#length = 0;
        this.#shift = 1;
        continue;
      }
      this.#length += (byte & 0x7f) * this.#shift;
      this.#shift *= 128;
      if (this.#length > this.#bytesMax || this.#shift > 128 ** 4) return false;
      if (byte < 128) {
        this.#bytesLeft = this.#length;
        this.#phase = this.#length === 0 ? "type" : "body";
      }
    }
    return true;
  }
}
