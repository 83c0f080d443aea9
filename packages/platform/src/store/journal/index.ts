export { defaultJournalLimits, type JournalLimits } from "./limits.ts";
export { SqliteJournal, type SqliteJournalOptions } from "./sqlite-journal.ts";
