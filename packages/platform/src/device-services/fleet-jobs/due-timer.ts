/** One timer for whatever falls due next. What falls due is kept in the store, so it survives a restart. */
import type { Clock } from "../../clock.ts";
import type { Background } from "../background.ts";

export interface DueTimer {
  /** Something may fall due at this time. */
  expect(at: number | undefined): void;
  close(): void;
}

export interface DueTimerPorts {
  clock: Clock;
  background: Pick<Background, "run" | "isClosed">;
  secondsMax: number;
  /** Does what is due and tells when to look again. */
  look(): Promise<number | undefined>;
}

export function createDueTimer({ clock, background, secondsMax, look }: DueTimerPorts): DueTimer {
  let cancel = () => {};
  let armedFor = Number.POSITIVE_INFINITY;

  function expect(at: number | undefined): void {
    if (background.isClosed || at === undefined || at >= armedFor) return;
    cancel();
    armedFor = at;
    const milliseconds = Math.min(Math.max(at - clock.now(), 0), secondsMax * 1000);
    cancel = clock.after(milliseconds, () => {
      armedFor = Number.POSITIVE_INFINITY;
      background.run(async () => {
        // Whatever goes wrong is looked at again.
        let next: number | undefined = clock.now() + secondsMax * 1000;
        try {
          next = await look();
        } finally {
          expect(next);
        }
      });
    });
  }

  return { expect, close: () => cancel() };
}
