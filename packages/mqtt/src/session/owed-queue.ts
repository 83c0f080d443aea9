/** What waits for one session, first in, first out: a short queue as it is, a long one packed piece by piece behind its beginning. */
import type { JournalSlot } from "../ports.ts";
import { type Delivery, DeliveryQueue, deliveryBytes } from "./delivery-queue.ts";
import { canPack, type Packable, PackedDeliveries } from "./packed-deliveries.ts";

/** So many messages come before a packed piece: whose queue is short has no piece, and none is opened for every other message. */
const plainMessagesMin = 64;

export class OwedQueue {
  /** Oldest first, at least one. */
  #pieces: (DeliveryQueue | PackedDeliveries)[] = [new DeliveryQueue()];
  length = 0;
  bytes = 0;

  /** Whether the message would be packed if it came next: its bytes are then copied by `push`, and only then. */
  packs(message: Packable): boolean {
    if (this.length < plainMessagesMin) return false;
    const last = this.#pieces.at(-1);
    return (last instanceof PackedDeliveries || (last !== undefined && last.length >= plainMessagesMin)) && canPack(message);
  }

  /** @param isPacked what `packs` said of its message; it has neither identifiers nor a share filter then */
  push(delivery: Delivery, isPacked: boolean): void {
    const last = this.#pieces.at(-1);
    if (isPacked) {
      if (!(last instanceof PackedDeliveries && last.push(delivery))) {
        const piece = new PackedDeliveries();
        piece.push(delivery);
        this.#pieces.push(piece);
      }
    } else if (last instanceof DeliveryQueue) last.push(delivery);
    else {
      const piece = new DeliveryQueue();
      piece.push(delivery);
      this.#pieces.push(piece);
    }
    this.length += 1;
    this.bytes += deliveryBytes(delivery);
  }

  get oldestReceivedAt(): number {
    const [first] = this.#pieces;
    if (this.length === 0 || first === undefined) return Number.POSITIVE_INFINITY;
    return first instanceof PackedDeliveries ? first.oldestReceivedAt : (first.peek()?.message.receivedAt ?? Number.POSITIVE_INFINITY);
  }

  peek(): Delivery | undefined {
    return this.length === 0 ? undefined : this.#first().peek();
  }

  shift(): Delivery | undefined {
    if (this.length === 0) return undefined;
    const first = this.#first();
    const delivery = first.shift();
    if (delivery === undefined) return undefined;
    if (first.length === 0 && this.#pieces.length > 1) this.#pieces.shift();
    this.length -= 1;
    this.bytes -= deliveryBytes(delivery);
    return delivery;
  }

  clear(): void {
    if (this.length === 0) return;
    this.#pieces = [new DeliveryQueue()];
    this.length = 0;
    this.bytes = 0;
  }

  /** Where the journal keeps what waits. */
  *slots(): Generator<JournalSlot | undefined> {
    for (const piece of this.#pieces) {
      if (piece instanceof PackedDeliveries) yield* piece.slots;
      else for (const { slot } of piece) yield slot;
    }
  }

  /** Asks `move` about everything that lies in a slot numbered `slotNumberMax` or less where it lies from now on. */
  moveSlots(slotNumberMax: number, move: (delivery: Delivery, slot: JournalSlot) => JournalSlot | undefined): void {
    const isOld = (slot: JournalSlot | undefined) => slot !== undefined && slot.number <= slotNumberMax;
    for (const piece of this.#pieces) {
      const isPacked = piece instanceof PackedDeliveries;
      if (isPacked && !piece.slots.some(isOld)) continue;
      const deliveries = isPacked ? piece.unpack() : piece;
      for (const delivery of deliveries) {
        const { slot } = delivery;
        if (slot !== undefined && isOld(slot)) delivery.slot = move(delivery, slot);
      }
      if (isPacked) piece.moveTo([...deliveries].map(({ slot }) => slot));
    }
  }

  /** The oldest piece, with its messages as they are. */
  #first(): DeliveryQueue {
    const [first] = this.#pieces;
    if (first instanceof DeliveryQueue) return first;
    const queue = new DeliveryQueue();
    for (const delivery of first?.unpack() ?? []) queue.push(delivery);
    this.#pieces[0] = queue;
    return queue;
  }
}
