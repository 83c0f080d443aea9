/**
 * A piece of a long queue in one piece of memory. A message in it costs 35 bytes beside its payload and is nothing that the garbage
 * collector looks at; as objects it costs 300, and a million of them are traced again and again: 8 % of what a queued message costs.
 */
import type { JournalSlot, KeptMessage } from "../ports.ts";
import type { Delivery } from "./delivery-queue.ts";

const pieceBytes = 8 * 1024;
/** Larger payloads are better shared with other sessions than copied. */
const payloadBytesMax = 1024;
/** sequence f64, received at f64, payload length u16, QoS and retain flag u8 */
const headBytes = 19;
const retainedFlag = 0b100;

export type Packable = Pick<KeptMessage, "properties"> & { payloadBytes: number };

/** Whether all that there is to know about a message that was not sent yet can be packed. */
export function canPack({ payloadBytes, properties }: Packable): boolean {
  return properties === undefined && payloadBytes <= payloadBytesMax;
}

export class PackedDeliveries {
  readonly #bytes = Buffer.allocUnsafeSlow(pieceBytes);
  #used = 0;
  readonly #topics: string[] = [];
  readonly #slots: (JournalSlot | undefined)[] = [];

  get length(): number {
    return this.#topics.length;
  }

  get oldestReceivedAt(): number {
    return this.#bytes.readDoubleLE(8);
  }

  get slots(): readonly (JournalSlot | undefined)[] {
    return this.#slots;
  }

  /** Takes over one that was never sent. False when there is no room for it. */
  push({ sequence, message, qos, isRetained, slot }: Delivery): boolean {
    const { payload, topic, receivedAt } = message;
    const bytes = this.#bytes;
    if (this.#used + headBytes + payload.length > pieceBytes) return false;
    let at = bytes.writeDoubleLE(sequence, this.#used);
    at = bytes.writeDoubleLE(receivedAt, at);
    at = bytes.writeUInt16LE(payload.length, at);
    bytes[at++] = qos | (isRetained ? retainedFlag : 0);
    bytes.set(payload, at);
    this.#used = at + payload.length;
    this.#topics.push(topic);
    this.#slots.push(slot);
    return true;
  }

  /** As they were. Their payloads are views of this piece's memory. */
  unpack(): Delivery[] {
    let at = 0;
    return this.#topics.map((topic, index) => {
      const bytes = this.#bytes;
      const sequence = bytes.readDoubleLE(at);
      const receivedAt = bytes.readDoubleLE(at + 8);
      const start = at + headBytes;
      const flags = bytes.readUInt8(start - 1);
      at = start + bytes.readUInt16LE(at + 16);
      return {
        sequence,
        message: { topic, payload: bytes.subarray(start, at), properties: undefined, receivedAt },
        qos: (flags & 0b11) === 1 ? 1 : 2,
        isRetained: (flags & retainedFlag) !== 0,
        identifiers: undefined,
        packetId: 0,
        isReleased: false,
        slot: this.#slots[index],
        shareFilter: undefined,
        isHeld: false,
        wasSent: false,
        encoded: undefined,
      };
    });
  }

  /** Where its messages lie from now on. */
  moveTo(slots: readonly (JournalSlot | undefined)[]): void {
    for (const [index, slot] of slots.entries()) this.#slots[index] = slot;
  }
}
