/** Time and chance for the modem; tests fake both. */
import { randomInt } from "node:crypto";

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `task` once after `milliseconds`; the returned function cancels it. */
  after(milliseconds: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, task) {
    const timer = setTimeout(task, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** A whole number from 0 and below `limit`. */
export type Random = (limit: number) => number;

export const systemRandom: Random = (limit) => randomInt(limit);

/** `work`, or a rejection with `late()` once the time is over. */
export function within<T>(clock: Clock, milliseconds: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(milliseconds, () => reject(late()));
    work.then(resolve, reject).finally(cancel);
  });
}

export function pause(clock: Clock, milliseconds: number): Promise<void> {
  if (milliseconds <= 0) return Promise.resolve();
  return new Promise((resolve) => clock.after(milliseconds, resolve));
}
