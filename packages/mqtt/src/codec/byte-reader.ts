import { isUtf8 } from "node:buffer";
import type { ProtocolVersion } from "./packet.ts";
import { formatByte, violation } from "./rules.ts";

/** Reads MQTT's data types from one packet body; every read past the end is a refusal. [3.1.1 section 1.5, 5.0 section 1.5] */
export class ByteReader {
  readonly buffer: Buffer;
  readonly end: number;
  version: ProtocolVersion;
  position: number;

  constructor(buffer: Buffer, start: number, end: number, version: ProtocolVersion) {
    this.buffer = buffer;
    this.position = start;
    this.end = end;
    this.version = version;
  }

  get remainingBytes(): number {
    return this.end - this.position;
  }

  /** Moves over `count` bytes and returns where they start. */
  take(count: number): number {
    const start = this.position;
    if (count > this.end - start) throw violation("truncated", this.version, `${this.end - start} of ${count} bytes`);
    this.position = start + count;
    return start;
  }

  readByte(): number {
    return this.buffer[this.take(1)] ?? 0;
  }

  readUint16(): number {
    return this.buffer.readUInt16BE(this.take(2));
  }

  readUint32(): number {
    return this.buffer.readUInt32BE(this.take(4));
  }

  /** [MQTT-2.2.1-3] A packet identifier is never 0. */
  readPacketId(): number {
    const packetId = this.readUint16();
    if (packetId === 0) throw violation("packetIdZero", this.version, "0");
    return packetId;
  }

  /** [MQTT-1.5.5-1] Shortest form only. */
  readVariableByteInteger(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.readByte();
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) !== 0) continue;
      if (byte === 0 && shift > 0) throw violation("variableByteInteger", this.version, `${value} padded to ${shift / 7 + 1} bytes`);
      return value;
    }
    throw violation("variableByteInteger", this.version, "5 bytes");
  }

  readString(): string {
    const length = this.readUint16();
    const start = this.take(length);
    return decodeString(this.buffer, start, start + length, this.version);
  }

  /** A view, not a copy. */
  readBinary(): Buffer {
    const length = this.readUint16();
    const start = this.take(length);
    return this.buffer.subarray(start, start + length);
  }

  /** Throws when something follows the last field. */
  finish(): void {
    if (this.position !== this.end) throw violation("trailingBytes", this.version, `${this.end - this.position} more bytes`);
  }
}

/**
 * UTF-8 to text. [MQTT-1.5.4-1] ill-formed bytes (surrogates, overlong forms) and [MQTT-1.5.4-2] U+0000 are refused.
 * [MQTT-1.5.4-3] A leading U+FEFF stays, which Buffer's decoder honours and TextDecoder by default does not.
 */
export function decodeString(buffer: Buffer, start: number, end: number, version: ProtocolVersion): string {
  for (let index = start; index < end; index++) {
    const byte = buffer[index] ?? 0;
    if (byte === 0) throw violation("stringHasNull", version, `U+0000 at byte ${index - start}`);
    if (byte >= 0x80) return decodeNonAscii(buffer, start, end, version, index);
  }
  return buffer.toString("latin1", start, end);
}

function decodeNonAscii(buffer: Buffer, start: number, end: number, version: ProtocolVersion, firstNonAscii: number): string {
  const bytes = buffer.subarray(start, end);
  if (!isUtf8(bytes)) {
    throw violation("stringNotUtf8", version, `${formatByte(buffer[firstNonAscii] ?? 0)} at byte ${firstNonAscii - start}`);
  }
  const zero = bytes.indexOf(0);
  if (zero !== -1) throw violation("stringHasNull", version, `U+0000 at byte ${zero}`);
  return buffer.toString("utf8", start, end);
}
