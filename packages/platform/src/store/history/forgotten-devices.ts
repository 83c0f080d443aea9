/** Deleted devices: out of sight at once, their rows go a few at a time. */
import type Database from "better-sqlite3";
import { listDays } from "./history-file.ts";

export class ForgottenDevices {
  readonly #database: Database.Database;
  readonly #rowsMax: number;
  readonly #next: Database.Statement<[], number>;
  readonly #hide: Database.Statement<[string]>;

  constructor(database: Database.Database, rowsMax: number) {
    this.#database = database;
    this.#rowsMax = rowsMax;
    this.#next = database.prepare<[], number>("select id from device where iot_id is null limit 1").pluck();
    this.#hide = database.prepare("update device set iot_id = null where iot_id = ?");
  }

  hide(iotId: string): void {
    this.#hide.run(iotId);
  }

  /** Removes some rows. False when nothing is left to remove. */
  removeSome(): boolean {
    const device = this.#next.get();
    if (device === undefined) return false;
    this.#database.transaction(() => this.#removeFrom(device))();
    return true;
  }

  #removeFrom(device: number): void {
    const limit = this.#rowsMax;
    for (const day of listDays(this.#database, "property")) {
      const table = `property_${day}`;
      const { changes } = this.#database
        .prepare(
          `delete from ${table} where (series, time) in (select p.series, p.time from series s join ${table} p on p.series = s.id where s.device = ? limit ?)`,
        )
        .run(device, limit);
      if (changes > 0) return;
    }
    for (const kind of ["event", "call"] as const) {
      for (const day of listDays(this.#database, kind)) {
        const table = `${kind}_${day}`;
        const { changes } = this.#database
          .prepare(
            `delete from ${table} where (device, time, sequence) in (select device, time, sequence from ${table} where device = ? limit ?)`,
          )
          .run(device, limit);
        if (changes > 0) return;
      }
    }
    this.#database.prepare("delete from desired where device = ?").run(device);
    this.#database.prepare("delete from series where device = ?").run(device);
    this.#database.prepare("delete from device where id = ?").run(device);
  }
}
