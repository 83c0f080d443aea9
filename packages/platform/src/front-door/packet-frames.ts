/**
 * Cuts a stream of whole MQTT packets into pieces of one packet each: what a WebSocket message carries.
 *
 * A message may carry several packets, and a receiver must not mind [MQTT-6.0.0-2]. Some do: Paho for C takes one packet
 * out of a frame and then waits for its socket, with the rest already in its own memory; a PUBACK behind a PUBLISH is then
 * never seen. One packet a message is what every client can read.
 */
export interface PacketPiece {
  bytes: Uint8Array;
  /** The packet ends here. */
  isLast: boolean;
}

const continuationBit = 0x80;
const lengthBytesMax = 4;

export class PacketFrames {
  /** Bytes of the packet under way that are still to come: large packets arrive in several writes. */
  #missingBytes = 0;

  cut(bytes: Uint8Array): PacketPiece[] {
    const pieces: PacketPiece[] = [];
    for (let at = 0; at < bytes.length; ) {
      if (this.#missingBytes === 0) this.#missingBytes = packetBytesAt(bytes, at);
      const count = Math.min(this.#missingBytes, bytes.length - at);
      this.#missingBytes -= count;
      pieces.push({ bytes: bytes.subarray(at, at + count), isLast: this.#missingBytes === 0 });
      at += count;
    }
    return pieces;
  }
}

/** Length of the packet that begins here, fixed header included. A write always holds the whole fixed header. */
function packetBytesAt(bytes: Uint8Array, start: number): number {
  let remaining = 0;
  for (let index = 0; index < lengthBytesMax; index += 1) {
    const byte = bytes[start + 1 + index];
    if (byte === undefined) break;
    remaining += (byte & 0x7f) * 0x80 ** index;
    if ((byte & continuationBit) === 0) return 2 + index + remaining;
  }
  return bytes.length - start;
}
