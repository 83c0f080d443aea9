export { defaultJournalLimits } from "./limits.ts";
export { SqliteJournal } from "./sqlite-journal.ts";
