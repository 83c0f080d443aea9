/** Records that are committed to the log and not yet in their tables, by device and in order. */
import { type BatchItem, operations, recordLength } from "./worker-messages.ts";

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
        for (; at < next; at++) device.push(items[at] ?? 0);
        this.#records += 1;
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
    for (let at = 0; at < items.length; at += recordLength(items[at])) this.#records -= 1;
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
