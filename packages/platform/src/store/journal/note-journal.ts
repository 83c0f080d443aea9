/** Remembers in the main database which journal belongs to it, so that one that is gone is noticed. */
import { join } from "node:path";
import { PlatformError } from "../../errors/index.ts";
import type { SettingsStore } from "../settings-store.ts";
import { journalFileName } from "./sqlite-journal.ts";

const fileIdSetting = "store.journal-file-id";

/** Called once the journal is open. Warns when this server has run with another one before; that one is forgotten then. */
export async function noteJournal(
  settings: SettingsStore,
  dataDir: string,
  fileId: number,
  warn: (problem: PlatformError) => void,
): Promise<void> {
  const known = await settings.read(fileIdSetting);
  if (known === String(fileId)) return;
  if (known !== undefined) warn(new PlatformError("store.journal_missing", { file: join(dataDir, journalFileName) }));
  await settings.write(fileIdSetting, String(fileId));
}
