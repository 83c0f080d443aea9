/** Lookups that fail while a device waits: one line of a kind in the log for a while, so that a broken disk does not fill it. */
import type { Logger } from "pino";
import type { Clock } from "./clock.ts";
import { PlatformError } from "./errors/index.ts";
import { createRepeatGate } from "./repeat-gate.ts";

/** One failure of a kind for so long; the others are counted. */
const repeatMilliseconds = 10_000;
const keysMax = 100;

export function createFailureLog(logger: Logger, clock: Clock): (error: unknown) => void {
  return createRepeatGate<unknown>(
    (error, held) => logger.error({ err: error, ...(held > 0 ? { held } : {}) }, "a lookup failed while a device was waiting"),
    {
      keyOf: (error) => (error instanceof PlatformError ? error.code : String(error)),
      clock,
      milliseconds: repeatMilliseconds,
      keysMax,
    },
  );
}
