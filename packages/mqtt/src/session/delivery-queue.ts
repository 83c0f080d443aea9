/** What is owed to one session and not yet sent: first in, first out, with its bytes counted. */
import type { JournalSlot, OwedMessage } from "../ports.ts";
import type { EncodedPublish } from "../routing/routed-message.ts";

export interface Delivery extends OwedMessage {
  /** Where the journal keeps it; undefined for a session that ends with its connection. */
  slot: JournalSlot | undefined;
  /** Waits for the commit that records it. */
  isHeld: boolean;
  /** It has left at least once: what leaves next is a duplicate. */
  wasSent: boolean;
  /** The encoding that all receivers share, while the first transmission waits for its commit. */
  encoded: EncodedPublish | undefined;
}

export class DeliveryQueue {
  #items: (Delivery | undefined)[] = [];
  #head = 0;
  bytes = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(delivery: Delivery): void {
    this.#items.push(delivery);
    this.bytes += deliveryBytes(delivery);
  }

  peek(): Delivery | undefined {
    return this.#items[this.#head];
  }

  shift(): Delivery | undefined {
    const delivery = this.#items[this.#head];
    if (delivery === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    this.bytes -= deliveryBytes(delivery);
    // The gap is closed when it is half the array: amortised constant time, memory follows the queue down.
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return delivery;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.bytes = 0;
  }

  *[Symbol.iterator](): Generator<Delivery> {
    for (let index = this.#head; index < this.#items.length; index += 1) {
      const delivery = this.#items[index];
      if (delivery !== undefined) yield delivery;
    }
  }
}

export function deliveryBytes(delivery: Delivery): number {
  return delivery.message.topic.length + delivery.message.payload.length;
}
