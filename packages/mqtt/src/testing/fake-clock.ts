import type { Clock } from "../ports.ts";

interface Timer {
  dueAt: number;
  task: () => void;
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 1_700_000_000_000;
  #timers = new Set<Timer>();
  #soon: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, task: () => void): () => void {
    const timer = { dueAt: this.#now + milliseconds, task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  soon(task: () => void): void {
    this.#soon.push(task);
  }

  /** Ends the turn: runs what waits for the end of the poll phase, and what that asks for in turn. */
  endTurn(): void {
    while (this.#soon.length > 0) {
      const tasks = this.#soon;
      this.#soon = [];
      for (const task of tasks) task();
    }
  }

  /** Moves time on, running every timer at its moment. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.dueAt <= end).sort((one, other) => one.dueAt - other.dueAt)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.dueAt;
      next.task();
      this.endTurn();
    }
    this.#now = end;
  }
}

/** Lets pending promises settle. */
export async function settlePromises(): Promise<void> {
  for (let round = 0; round < 12; round += 1) await Promise.resolve();
}
