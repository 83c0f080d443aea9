export { defaultJournalLimits } from "./limits.ts";
export { noteJournal } from "./note-journal.ts";
export { SqliteJournal } from "./sqlite-journal.ts";
