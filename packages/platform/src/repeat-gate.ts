/** A failure that repeats a thousand times a second is told once and counted: a log is for people, and a disk has an end. */
import type { Clock } from "./clock.ts";

interface Told {
  until: number;
  /** Not told since. */
  held: number;
}

/**
 * Passes what is new; of what has the same key as something told within `milliseconds`, passes the next one after that time, with
 * the number of those held back. Keys beyond `keysMax` are told always.
 *
 * @example const tell = createRepeatGate((error, held) => logger.error({ err: error, held }, "…"), { keyOf: codeOf, clock, milliseconds: 10_000, keysMax: 100 })
 */
export function createRepeatGate<T>(
  tell: (value: T, held: number) => void,
  { keyOf, clock, milliseconds, keysMax }: { keyOf(value: T): string; clock: Pick<Clock, "now">; milliseconds: number; keysMax: number },
): (value: T) => void {
  const known = new Map<string, Told>();
  return (value) => {
    const key = keyOf(value);
    const now = clock.now();
    const before = known.get(key);
    if (before !== undefined && now < before.until && before.until - now <= milliseconds) {
      before.held += 1;
      return;
    }
    if (before === undefined && known.size >= keysMax) {
      for (const [old, { until }] of known) if (until <= now) known.delete(old);
    }
    if (before !== undefined || known.size < keysMax) known.set(key, { until: now + milliseconds, held: 0 });
    tell(value, before?.held ?? 0);
  };
}
