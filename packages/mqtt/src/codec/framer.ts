import type { CodecError } from "./codec-error.ts";
import { brokenRuleOf } from "./fixed-header.ts";
import { formatByte, violation } from "./rules.ts";

/** Gets one complete frame; false ends the stream (the connection is closing). The buffer is only valid during the call. */
export type FrameSink = (firstByte: number, buffer: Buffer, bodyStart: number, bodyEnd: number) => boolean;

/** The same as a method: a connection hands itself over, which spares it a function of its own. */
export interface FrameReceiver {
  handleFrame: FrameSink;
}

export interface FramerOptions {
  /** Longest packet accepted, fixed header included. */
  packetBytesMax: number;
}

const emptyBuffer = Buffer.alloc(0);
/** First allocation for an incomplete body; it doubles with what really arrives. */
const tailBytesInitial = 2048;

/**
 * Cuts a byte stream into MQTT packets. It knows the fixed header and nothing else, survives any split, and refuses what
 * the fixed header alone shows to be wrong before a byte of the body arrived.
 *
 * A frame that lies whole in the chunk is handed over in place; only an incomplete tail is copied, so the chunk may be
 * reused after `push`. After a refusal, or after the sink said false, further bytes are ignored.
 *
 * @example
 * const framer = new Framer({ packetBytesMax: 268_435_460 });
 * framer.push(bytes, (firstByte, buffer, start, end) => handle(decodePacket(firstByte, buffer, start, end, version)));
 */
export class Framer {
  #packetBytesMax: number;
  #isStopped = false;
  /** Bytes of the current fixed header seen: 0 = between packets. */
  #headerBytes = 0;
  #isHeaderComplete = false;
  #firstByte = 0;
  #remainingLength = 0;
  #tail = emptyBuffer;
  #tailBytes = 0;

  constructor(options: FramerOptions) {
    this.#packetBytesMax = options.packetBytesMax;
  }

  /** Bytes of an incomplete packet held, fixed header included. */
  get pendingBytes(): number {
    return this.#headerBytes + this.#tailBytes;
  }

  /** Applies to packets whose fixed header is not complete yet. */
  setPacketBytesMax(packetBytesMax: number): void {
    this.#packetBytesMax = packetBytesMax;
  }

  /**
   * Feeds bytes, split anywhere: all of `bytes`, or its first `end` (a read buffer that was not filled; a view of it would
   * cost more than the framing).
   *
   * @throws CodecError `mqtt.packet_too_large`, `mqtt.malformed_packet`; packets before the broken one reached the sink.
   */
  push(bytes: Uint8Array, sink: FrameSink, end = bytes.length): void {
    this.pushTo({ handleFrame: sink }, bytes, end);
  }

  /** As `push`, to a receiver. */
  pushTo(receiver: FrameReceiver, bytes: Uint8Array, end = bytes.length): void {
    if (this.#isStopped) return;
    const chunk = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let position = this.#headerBytes === 0 ? this.#handWhole(receiver, chunk, end) : 0;
    while (position < end) {
      if (!this.#isHeaderComplete) {
        position = this.#readHeader(chunk, position, end);
        if (!this.#isHeaderComplete) return;
      }
      const length = this.#remainingLength;
      const firstByte = this.#firstByte;
      if (this.#tailBytes === 0 && end - position >= length) {
        this.#reset();
        const bodyStart = position;
        position += length;
        if (!this.#hand(receiver, firstByte, chunk, bodyStart, position)) return;
        continue;
      }
      position = this.#keepTail(chunk, position, end);
      if (this.#tailBytes < length) return;
      const tail = this.#tail;
      this.#reset();
      if (!this.#hand(receiver, firstByte, tail, 0, length)) return;
    }
  }

  /**
   * Hands over the short packets (up to 16 KiB) that lie whole at the beginning of the chunk, touching no state on the way: of a
   * thousand connections, each has fallen out of the processor's cache since its last packet. Returns where it stopped.
   */
  #handWhole(receiver: FrameReceiver, chunk: Buffer, end: number): number {
    const packetBytesMax = this.#packetBytesMax;
    let position = 0;
    while (position + 1 < end) {
      const firstByte = chunk[position] ?? 0;
      const first = chunk[position + 1] ?? 0;
      let bodyStart = position + 2;
      let length = first;
      if (first > 0x7f) {
        const second = chunk[position + 2] ?? 0x80;
        if (bodyStart >= end || second > 0x7f) return position;
        length = (first & 0x7f) | (second << 7);
        bodyStart += 1;
      }
      const bodyEnd = bodyStart + length;
      // What is incomplete, too long or wrong is for the careful way.
      if (bodyEnd > end || bodyEnd - position > packetBytesMax || brokenRuleOf(firstByte) !== undefined) return position;
      position = bodyEnd;
      if (!this.#hand(receiver, firstByte, chunk, bodyStart, bodyEnd)) return end;
      if (this.#packetBytesMax !== packetBytesMax) return position;
    }
    return position;
  }

  #hand(receiver: FrameReceiver, firstByte: number, buffer: Buffer, start: number, end: number): boolean {
    try {
      if (receiver.handleFrame(firstByte, buffer, start, end)) return true;
    } catch (error) {
      // A sink that throws ends the stream as well.
      this.#isStopped = true;
      throw error;
    }
    this.#isStopped = true;
    return false;
  }

  #readHeader(chunk: Buffer, start: number, end: number): number {
    let position = start;
    if (this.#headerBytes === 0) {
      const firstByte = chunk[position++] ?? 0;
      const broken = brokenRuleOf(firstByte);
      if (broken !== undefined) this.#refuse(violation(broken, 5, formatByte(firstByte)));
      this.#firstByte = firstByte;
      this.#headerBytes = 1;
      this.#remainingLength = 0;
    }
    while (position < end) {
      const byte = chunk[position++] ?? 0;
      // A length padded with zero groups is accepted: 3.1.1 does not forbid it and modem firmware writes fixed-width lengths.
      this.#remainingLength += (byte & 0x7f) * 2 ** (7 * (this.#headerBytes - 1));
      this.#headerBytes++;
      if ((byte & 0x80) === 0) {
        this.#checkSize();
        this.#isHeaderComplete = true;
        return position;
      }
      if (this.#headerBytes === 5) this.#refuse(violation("remainingLengthTooLong", 5, "5 length bytes"));
    }
    return position;
  }

  #checkSize(): void {
    const packetBytes = this.#headerBytes + this.#remainingLength;
    if (packetBytes <= this.#packetBytesMax) return;
    this.#refuse(violation("packetTooLarge", 5, `${packetBytes} bytes, limit ${this.#packetBytesMax}`));
  }

  #keepTail(chunk: Buffer, position: number, end: number): number {
    const length = this.#remainingLength;
    const taken = Math.min(end - position, length - this.#tailBytes);
    const needed = this.#tailBytes + taken;
    if (this.#tail.length < needed) {
      // Grows with what arrived, never with what the header claims: a header alone costs nothing.
      const grown = Buffer.allocUnsafe(Math.min(length, Math.max(needed, this.#tail.length * 2, tailBytesInitial)));
      this.#tail.copy(grown, 0, 0, this.#tailBytes);
      this.#tail = grown;
    }
    chunk.copy(this.#tail, this.#tailBytes, position, position + taken);
    this.#tailBytes = needed;
    return position + taken;
  }

  #reset(): void {
    this.#headerBytes = 0;
    this.#isHeaderComplete = false;
    this.#tail = emptyBuffer;
    this.#tailBytes = 0;
  }

  #refuse(error: CodecError): never {
    this.#isStopped = true;
    this.#reset();
    throw error;
  }
}
