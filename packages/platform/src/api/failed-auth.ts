/** Counts failed authentications per address in windows of one minute; bounded. */
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { ApiLimits } from "./limits.ts";

const windowMilliseconds = 60_000;

export interface FailedAuthCounter {
  /** Throws `api.too_many_failed_logins` while the address is over its limit; good keys are refused then, too, or guessing would go on. */
  admit(address: string): void;
  failed(address: string): void;
}

export function createFailedAuthCounter(
  clock: Clock,
  limits: Pick<ApiLimits, "failedAuthPerMinuteMax" | "failedAuthAddressesMax">,
): FailedAuthCounter {
  const windows = new Map<string, { startedAt: number; failures: number }>();

  function currentWindow(address: string): { startedAt: number; failures: number } | undefined {
    const window = windows.get(address);
    if (window === undefined) return undefined;
    if (clock.now() - window.startedAt < windowMilliseconds) return window;
    windows.delete(address);
    return undefined;
  }

  return {
    admit(address) {
      const window = currentWindow(address);
      if (window === undefined || window.failures < limits.failedAuthPerMinuteMax) return;
      const retryAfterSeconds = Math.max(1, Math.ceil((window.startedAt + windowMilliseconds - clock.now()) / 1000));
      throw new PlatformError("api.too_many_failed_logins", {
        address,
        failedAuthPerMinuteMax: limits.failedAuthPerMinuteMax,
        retryAfterSeconds,
      });
    },
    failed(address) {
      const window = currentWindow(address);
      if (window !== undefined) {
        window.failures += 1;
        return;
      }
      if (windows.size >= limits.failedAuthAddressesMax) {
        const oldest = windows.keys().next().value;
        if (oldest !== undefined) windows.delete(oldest);
      }
      windows.set(address, { startedAt: clock.now(), failures: 1 });
    },
  };
}
