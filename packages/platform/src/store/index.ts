export { defaultHistoryLimits, SqliteHistory } from "./history/index.ts";
export { defaultJournalLimits, noteJournal, SqliteJournal } from "./journal/index.ts";
export { defaultStoreLimits, type StoreLimits } from "./limits.ts";
export { loadMasterKey } from "./master-key.ts";
export type { SettingsStore } from "./settings-store.ts";
export { openStore, type Store, type StoreOptions } from "./store.ts";
