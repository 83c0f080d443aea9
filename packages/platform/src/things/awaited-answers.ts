/** Calls that a device may still answer, by device and id; bounded in number and age. */
import type { CallSlot } from "./ports.ts";

export interface AwaitedAnswer {
  identifier: string;
  slot: CallSlot;
}

export class AwaitedAnswers {
  readonly #entriesMax: number;
  readonly #ageMillisecondsMax: number;
  /** In the order of time. */
  readonly #entries = new Map<string, AwaitedAnswer>();

  constructor(entriesMax: number, ageMillisecondsMax: number) {
    this.#entriesMax = entriesMax;
    this.#ageMillisecondsMax = ageMillisecondsMax;
  }

  add(iotId: string, id: string, answer: AwaitedAnswer, now: number): void {
    this.#entries.set(keyOf(iotId, id), answer);
    for (const [key, { slot }] of this.#entries) {
      if (this.#entries.size <= this.#entriesMax && now - slot.time <= this.#ageMillisecondsMax) return;
      this.#entries.delete(key);
    }
  }

  take(iotId: string, id: string): AwaitedAnswer | undefined {
    const key = keyOf(iotId, id);
    const found = this.#entries.get(key);
    this.#entries.delete(key);
    return found;
  }
}

const keyOf = (iotId: string, id: string): string => `${iotId}/${id}`;
