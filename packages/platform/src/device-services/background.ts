/** Work that nobody waits for, until this room closes: then it ends soon and is waited for. */
import type { Clock } from "../clock.ts";

export interface Background {
  readonly isClosed: boolean;
  run(work: () => Promise<void>): void;
  /** Over and over, one run after the other. */
  every(milliseconds: number, work: () => Promise<void>): void;
  /** Ends early when the room closes. */
  pause(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

export function createBackground({ clock, onFailure }: { clock: Clock; onFailure(error: unknown): void }): Background {
  const running = new Set<Promise<void>>();
  const pauses = new Set<() => void>();
  let isClosed = false;

  function run(work: () => Promise<void>): void {
    if (isClosed) return;
    const done = work()
      .catch(onFailure)
      .then(() => void running.delete(done));
    running.add(done);
  }

  function pause(milliseconds: number): Promise<void> {
    if (isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        pauses.delete(end);
        cancel();
        resolve();
      };
      const cancel = clock.after(milliseconds, end);
      pauses.add(end);
    });
  }

  return {
    get isClosed() {
      return isClosed;
    },
    run,
    every(milliseconds, work) {
      run(async () => {
        for (;;) {
          await pause(milliseconds);
          if (isClosed) return;
          await work().catch(onFailure);
        }
      });
    },
    pause,
    async close() {
      isClosed = true;
      for (const end of [...pauses]) end();
      await Promise.all(running);
    },
  };
}
