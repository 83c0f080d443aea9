import { CodecError } from "./codec-error.ts";

/** Largest value of a variable byte integer, and so of a remaining length. [5.0 section 1.5.5] */
export const variableByteIntegerMax = 268_435_455;
/** Longest string or binary field. */
export const fieldBytesMax = 65_535;

export function variableByteIntegerBytes(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  if (value < 2_097_152) return 3;
  return 4;
}

/**
 * Size of a string field on the wire. [MQTT-1.5.4-2] A receiver closes the connection over U+0000, so it never leaves.
 *
 * @throws CodecError `mqtt.cannot_encode` when it is too long or holds U+0000.
 */
export function stringFieldBytes(text: string): number {
  if (text.includes("\0")) throw cannotEncode("U+0000", "text without U+0000");
  return fieldBytes(Buffer.byteLength(text));
}

/** Size of a binary field on the wire. @throws CodecError `mqtt.cannot_encode` when it is too long. */
export function binaryFieldBytes(bytes: Uint8Array): number {
  return fieldBytes(bytes.length);
}

function fieldBytes(length: number): number {
  if (length > fieldBytesMax) throw cannotEncode(`field of ${length} bytes`, `at most ${fieldBytesMax} bytes`);
  return length + 2;
}

/** @throws CodecError `mqtt.cannot_encode` when `value` is not an integer from `min` to `max`. */
export function checkInteger(value: number, min: number, max: number, name: string): void {
  if (!Number.isInteger(value) || value < min || value > max) throw cannotEncode(`${name} ${value}`, `an integer from ${min} to ${max}`);
}

export function checkPacketId(packetId: number | undefined): number {
  const value = packetId ?? 0;
  checkInteger(value, 1, 65_535, "packet identifier");
  return value;
}

export function cannotEncode(received: string, expected: string): CodecError {
  return new CodecError("mqtt.cannot_encode", "MQTT-1.5", { received, expected });
}

/**
 * Writes one packet into one allocation of exactly its size: callers add up the body first, and `finish` proves they did so
 * correctly.
 */
export class ByteWriter {
  readonly #buffer: Buffer;
  #position: number;

  constructor(firstByte: number, bodyBytes: number) {
    if (bodyBytes > variableByteIntegerMax) throw cannotEncode(`body of ${bodyBytes} bytes`, `at most ${variableByteIntegerMax} bytes`);
    this.#buffer = Buffer.allocUnsafe(1 + variableByteIntegerBytes(bodyBytes) + bodyBytes);
    this.#buffer[0] = firstByte;
    this.#position = writeVariableByteInteger(this.#buffer, 1, bodyBytes);
  }

  writeByte(value: number): void {
    this.#position = this.#buffer.writeUInt8(value, this.#position);
  }

  writeUint16(value: number): void {
    this.#position = this.#buffer.writeUInt16BE(value, this.#position);
  }

  writeUint32(value: number): void {
    this.#position = this.#buffer.writeUInt32BE(value, this.#position);
  }

  writeVariableByteInteger(value: number): void {
    this.#position = writeVariableByteInteger(this.#buffer, this.#position, value);
  }

  writeString(text: string): void {
    const length = this.#buffer.write(text, this.#position + 2);
    this.#buffer.writeUInt16BE(length, this.#position);
    this.#position += 2 + length;
  }

  writeBinary(bytes: Uint8Array): void {
    this.writeUint16(bytes.length);
    this.writeBytes(bytes);
  }

  /** Without a length in front. */
  writeBytes(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#position);
    this.#position += bytes.length;
  }

  finish(): Buffer {
    // Uninitialised memory must never reach the wire; a wrong sum is our bug, so it is no CodecError.
    if (this.#position !== this.#buffer.length) throw new Error(`wrote ${this.#position} of ${this.#buffer.length} bytes`);
    return this.#buffer;
  }
}

/** Writes at `offset`; returns the offset behind. */
export function writeVariableByteInteger(buffer: Buffer, offset: number, value: number): number {
  let rest = value;
  let position = offset;
  while (rest > 127) {
    buffer[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[position++] = rest;
  return position;
}
