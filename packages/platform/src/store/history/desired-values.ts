/** Desired values: a version that only grows, also over a clearing. */
import type Database from "better-sqlite3";
import type { DesiredValue } from "../../things/index.ts";
import { fromCell } from "./history-file.ts";
import type { DesiredAnswer, DesiredChange, StoredCell } from "./worker-messages.ts";

interface DesiredRow {
  identifier: string;
  time: number;
  /** Null when cleared. */
  value: StoredCell | null;
  version: number;
}

export function readDesired(database: Database.Database, device: number): Record<string, DesiredValue> {
  const rows = database
    .prepare<[number], DesiredRow>("select identifier, time, value, version from desired where device = ? and value is not null")
    .all(device);
  return Object.fromEntries(
    rows.map(({ identifier, time, value, version }) => [identifier, { value: value === null ? null : fromCell(value), time, version }]),
  );
}

/** All entries or, when one has a wrong version and `isStrict`, none. */
export function changeDesired(database: Database.Database, device: number, { entries, time, isStrict }: DesiredChange): DesiredAnswer {
  const find = database.prepare<[number, string], DesiredRow>(
    "select identifier, time, value, version from desired where device = ? and identifier = ?",
  );
  const set = database.prepare(
    "insert into desired (device, identifier, time, value, version) values (?, ?, ?, ?, 1) on conflict do update set time = excluded.time, value = excluded.value, version = version + 1",
  );
  const clear = database.prepare("update desired set value = null, time = ? where device = ? and identifier = ?");
  const wished = [];
  for (const entry of entries) {
    const current = find.get(device, entry.identifier)?.version ?? 0;
    if (entry.version === undefined || entry.version === current) wished.push(entry);
    else if (isStrict) return { kind: "conflict", identifier: entry.identifier, current };
  }
  const values: [string, DesiredValue][] = [];
  for (const { identifier, cell } of wished) {
    if (cell === undefined) clear.run(time, device, identifier);
    else set.run(device, identifier, time, cell);
    const row = find.get(device, identifier);
    const value = row === undefined || row.value === null ? null : fromCell(row.value);
    values.push([identifier, { value, time, version: row?.version ?? 0 }]);
  }
  return { kind: "ok", values: Object.fromEntries(values) };
}
