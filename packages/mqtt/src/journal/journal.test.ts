import { test } from "vitest";
import { RememberingJournal } from "../testing/remembering-journal.ts";
import { journalOrderCases, journalSurvivalCases } from "./contract.ts";
import { createMemoryJournal } from "./memory-journal.ts";

for (const { name, run } of journalOrderCases) {
  test(`memory journal: ${name}`, () => run({ create: createMemoryJournal }));
}

for (const { name, run } of [...journalOrderCases, ...journalSurvivalCases]) {
  test(`remembering journal: ${name}`, () => {
    let journal = new RememberingJournal();
    return run({
      create: () => {
        journal = journal.afterCrash();
        return journal;
      },
    });
  });
}
