/** Time for tests: it passes when the test says so. */
import type { Clock } from "./clock.ts";

export interface FakeClock extends Clock {
  /** Lets time pass, runs what falls due, and waits until the work this started has settled. */
  pass(milliseconds: number): Promise<void>;
  /** Moves the clock without running anything, also backwards: somebody set it. */
  set(now: number): void;
  readonly pendingTimers: number;
}

export function createFakeClock(startsAt: number): FakeClock {
  let now = startsAt;
  let timers: { at: number; task: () => void }[] = [];
  return {
    now: () => now,
    after(milliseconds, task) {
      const timer = { at: now + milliseconds, task };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    soon: (task) => queueMicrotask(task),
    async pass(milliseconds) {
      now += milliseconds;
      const due = timers.filter((timer) => timer.at <= now);
      timers = timers.filter((timer) => timer.at > now);
      for (const timer of due) timer.task();
      await settle();
    },
    set(value) {
      now = value;
    },
    get pendingTimers() {
      return timers.length;
    },
  };
}

/** Promises that wait for nothing outside this process are through after a bounded number of turns. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 300; turn++) await Promise.resolve();
}
