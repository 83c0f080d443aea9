import type { Clock } from "../clock.ts";
import type { DeviceLog } from "../device-log/index.ts";
import { type ErrorDetails, formatError } from "../errors/index.ts";

/** One connection turned away. */
interface FrontDoorRefusal {
  code: string;
  remoteAddress: string;
  /** Fills the text of the code; `received` and `expected` also become fields of the entry. */
  details: ErrorDetails;
}

/** Writes refusals to the device log, at most `refusalsLoggedPerMinuteMax` per code and minute, and counts every one. */
export class RefusalLog {
  readonly counts = new Map<string, number>();
  #windows = new Map<string, { startedAt: number; written: number; suppressed: number }>();
  #deviceLog: Pick<DeviceLog, "write">;
  #clock: Pick<Clock, "now">;
  #perMinuteMax: number;

  constructor(ports: { deviceLog: Pick<DeviceLog, "write">; clock: Pick<Clock, "now">; refusalsLoggedPerMinuteMax: number }) {
    this.#deviceLog = ports.deviceLog;
    this.#clock = ports.clock;
    this.#perMinuteMax = ports.refusalsLoggedPerMinuteMax;
  }

  write(refusal: FrontDoorRefusal): void {
    const { code, details, remoteAddress } = refusal;
    this.counts.set(code, (this.counts.get(code) ?? 0) + 1);
    const suppressed = this.#admit(code);
    if (suppressed === undefined) return;
    const reason = formatError(code, details, "en");
    this.#deviceLog.write({
      kind: "refuse",
      code,
      isSuccess: false,
      remoteAddress,
      reason: suppressed > 0 ? `${reason} (and ${suppressed} more like it not shown)` : reason,
      ...(details.received === undefined ? {} : { received: String(details.received) }),
      ...(details.expected === undefined ? {} : { expected: String(details.expected) }),
    });
  }

  /** Undefined: do not write. Otherwise how many were left out before this one. */
  #admit(code: string): number | undefined {
    const now = this.#clock.now();
    const window = this.#windows.get(code);
    if (window === undefined || now - window.startedAt >= 60_000) {
      this.#windows.set(code, { startedAt: now, written: 1, suppressed: 0 });
      return window?.suppressed ?? 0;
    }
    if (window.written >= this.#perMinuteMax) {
      window.suppressed++;
      return undefined;
    }
    window.written++;
    return 0;
  }
}
