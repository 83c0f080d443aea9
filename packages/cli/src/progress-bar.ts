/** How far something is, on one line of a terminal; nothing where nobody looks. */
import type { CliIo } from "./io.ts";

export interface ProgressBar {
  show(done: number, total: number): void;
  /** Leaves the line. */
  end(): void;
}

const cells = 30;

export function createProgressBar(io: Pick<CliIo, "stderr" | "isErrorTerminal">): ProgressBar {
  let last = -1;
  return {
    show(done, total) {
      const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
      if (!io.isErrorTerminal || percent === last) return;
      last = percent;
      const filled = Math.floor((percent / 100) * cells);
      io.stderr(`\r[${"#".repeat(filled)}${".".repeat(cells - filled)}] ${String(percent).padStart(3)} %`);
    },
    end() {
      if (last >= 0) io.stderr("\n");
      last = -1;
    },
  };
}
