/** Requests of each device in the current second. */
import type { Clock } from "../clock.ts";

export interface RequestCounter {
  /** False: one more than allowed. */
  admit(key: string): boolean;
}

export function createRequestCounter(ports: { clock: Pick<Clock, "now">; perSecondMax: number; keysMax: number }): RequestCounter {
  const { clock, perSecondMax, keysMax } = ports;
  const counts = new Map<string, number>();
  let second = 0;
  return {
    admit(key) {
      const now = Math.floor(clock.now() / 1000);
      if (now !== second) {
        second = now;
        counts.clear();
      }
      const count = (counts.get(key) ?? 0) + 1;
      if (count > perSecondMax) return false;
      if (counts.size < keysMax || counts.has(key)) counts.set(key, count);
      return true;
    },
  };
}
