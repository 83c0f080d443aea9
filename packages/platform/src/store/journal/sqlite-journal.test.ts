import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Journal, journalOrderCases, journalSurvivalCases } from "@thingstead/mqtt";
import { afterEach, test } from "vitest";
import { systemClock } from "../../clock.ts";
import type { PlatformError } from "../../errors/index.ts";
import { defaultJournalLimits } from "./limits.ts";
import { SqliteJournal } from "./sqlite-journal.ts";

const dataDirs: string[] = [];
const journals: SqliteJournal[] = [];

afterEach(async () => {
  for (const journal of journals.splice(0)) await journal.close();
  for (const dataDir of dataDirs.splice(0)) rmSync(dataDir, { recursive: true });
});

function dataDirOf(): string {
  const dataDir = mkdtempSync(join(tmpdir(), "thingstead-journal-"));
  dataDirs.push(dataDir);
  return dataDir;
}

function journalIn(dataDir: string, limits: Partial<typeof defaultJournalLimits> = {}) {
  const problems: PlatformError[] = [];
  const journal = new SqliteJournal({
    dataDir,
    clock: systemClock,
    limits: { ...defaultJournalLimits, ...limits },
    report: (problem) => problems.push(problem),
  });
  journals.push(journal);
  return { journal, problems };
}

for (const { name, run } of [...journalOrderCases, ...journalSurvivalCases]) {
  test(`SQLite journal: ${name}`, () => {
    const dataDir = dataDirOf();
    let last: Journal | undefined;
    return run({
      async create() {
        // Only one may have the file; what was committed is asked for, not what an orderly end would add.
        await last?.close();
        last = journalIn(dataDir).journal;
        return last;
      },
    });
  });
}
