import type { Clock } from "../clock.ts";

/**
 * The same time for everyone, with one timer for all: of the many that wait nearly all leave in time, and a timer with its
 * closures for each costs a short connection more than its bookkeeping.
 */
export class Deadlines<Item> {
  readonly #clock: Clock;
  readonly #milliseconds: number;
  readonly #missed: (item: Item) => void;
  /** In the order of their deadlines, which is that of their coming. */
  readonly #dueAt = new Map<Item, number>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, milliseconds: number, missed: (item: Item) => void) {
    this.#clock = clock;
    this.#milliseconds = milliseconds;
    this.#missed = missed;
  }

  start(item: Item): void {
    this.#dueAt.set(item, this.#clock.now() + this.#milliseconds);
    // It is left to run when all have gone: the next ones come soon.
    this.#cancel ??= this.#clock.after(this.#milliseconds, () => this.#look());
  }

  stop(item: Item): void {
    this.#dueAt.delete(item);
  }

  /** Nobody misses anything any more. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#dueAt.clear();
  }

  #look(): void {
    this.#cancel = undefined;
    const now = this.#clock.now();
    for (const [item, dueAt] of this.#dueAt) {
      const left = dueAt - now;
      // More time left than was given: the clock was set back.
      if (left > 0 && left <= this.#milliseconds) {
        this.#cancel = this.#clock.after(left, () => this.#look());
        return;
      }
      this.#dueAt.delete(item);
      this.#missed(item);
    }
  }
}
