/** Records that are committed to the log and not yet in their tables, by device and in order. */
import { type BatchItem, operations, recordLength, recordWeight } from "./worker-messages.ts";

export class PendingRecords {
  readonly #devices = new Map<string, BatchItem[]>();
  #records = 0;

  get records(): number {
    return this.#records;
  }

  add(items: readonly BatchItem[]): void {
    let device: BatchItem[] | undefined;
    for (let at = 0; at < items.length; ) {
      const operation = items[at];
      const next = at + recordLength(operation);
      if (operation === operations.device) device = this.#listOf(String(items[at + 1]));
      else {
        if (device === undefined) throw new TypeError("a batch names no device");
        this.#records += weightOf(items, at, next);
        for (; at < next; at++) device.push(items[at] ?? 0);
      }
      at = next;
    }
  }

  /** Whole devices, as many as have `recordsMax` records together, or one that has more. */
  first(recordsMax: number): [iotId: string, items: readonly BatchItem[]][] {
    const chosen: [string, readonly BatchItem[]][] = [];
    let items = 0;
    for (const entry of this.#devices) {
      chosen.push(entry);
      items += entry[1].length;
      // A record is five or six items.
      if (items >= recordsMax * 5) break;
    }
    return chosen;
  }

  of(iotId: string): readonly BatchItem[] {
    return this.#devices.get(iotId) ?? [];
  }

  /** They are in their tables. */
  remove(iotId: string): void {
    const items = this.#devices.get(iotId) ?? [];
    for (let at = 0; at < items.length; ) {
      const next = at + recordLength(items[at]);
      this.#records -= weightOf(items, at, next);
      at = next;
    }
    this.#devices.delete(iotId);
  }

  #listOf(iotId: string): BatchItem[] {
    const known = this.#devices.get(iotId);
    if (known !== undefined) return known;
    const made: BatchItem[] = [];
    this.#devices.set(iotId, made);
    return made;
  }
}

function weightOf(items: readonly BatchItem[], from: number, to: number): number {
  let characters = 0;
  for (let at = from; at < to; at++) {
    const item = items[at];
    if (typeof item === "string") characters += item.length;
  }
  return recordWeight(characters);
}
