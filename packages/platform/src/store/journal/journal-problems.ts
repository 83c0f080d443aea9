/** Turns what the driver or the thread said into a code. */
import { dirname } from "node:path";
import { PlatformError } from "../../errors/index.ts";

const codesByDriverCode: readonly (readonly [RegExp, string])[] = [
  [/^SQLITE_(BUSY|LOCKED)/, "store.locked"],
  [/^SQLITE_(NOTADB|CORRUPT|FORMAT|ERROR)/, "store.journal_damaged"],
  [/^SQLITE_FULL/, "store.journal_full"],
  [/^SQLITE_(CANTOPEN|READONLY|PERM|IOERR)|^$/, "store.unwritable"],
  [/^stopped$/, "store.journal_stopped"],
  [/^lost$/, "store.journal_lost"],
];

export function problemOf(file: string, driverCode: string, problem: string): PlatformError {
  const code = codesByDriverCode.find(([pattern]) => pattern.test(driverCode))?.[1] ?? "store.failed";
  return new PlatformError(code, { file, dataDir: dirname(file), problem });
}
