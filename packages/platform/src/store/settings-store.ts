/** Values the server makes itself and must find again: the root access key, for instance. */
import type { Kysely } from "kysely";
import type { Schema } from "./schema.ts";
import type { SecretBox } from "./secret-box.ts";

export interface SettingsStore {
  read(key: string): Promise<string | undefined>;
  /** `isSecret` encrypts the value at rest; `read` needs no such flag. */
  write(key: string, value: string, options?: { isSecret?: boolean }): Promise<void>;
  remove(key: string): Promise<void>;
}

export function createSqliteSettingsStore(db: Kysely<Schema>, box: SecretBox): SettingsStore {
  return {
    async read(key) {
      const row = await db.selectFrom("settings").selectAll().where("key", "=", key).executeTakeFirst();
      if (row === undefined) return undefined;
      return row.is_sealed === 1 ? box.open(row.value, "settings", key) : row.value.toString("utf8");
    },

    async write(key, value, { isSecret = false } = {}) {
      const columns = isSecret
        ? { value: box.seal(value, "settings", key), is_sealed: 1 as const }
        : { value: Buffer.from(value, "utf8"), is_sealed: 0 as const };
      await db
        .insertInto("settings")
        .values({ key, ...columns })
        .onConflict((conflict) => conflict.column("key").doUpdateSet(columns))
        .execute();
    },

    async remove(key) {
      await db.deleteFrom("settings").where("key", "=", key).execute();
    },
  };
}
