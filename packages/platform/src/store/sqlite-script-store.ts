/** Products' scripts in SQL. */
import type { Kysely } from "kysely";
import type { ScriptStore } from "../scripts/index.ts";
import type { Schema } from "./schema.ts";

export function createSqliteScriptStore(db: Kysely<Schema>): ScriptStore {
  return {
    async load(productKey) {
      const row = await db.selectFrom("product_scripts").selectAll().where("product_key", "=", productKey).executeTakeFirst();
      return row && { code: row.code, modifiedAt: row.modified_at };
    },
    async save(productKey, { code, modifiedAt }) {
      const values = { code, modified_at: modifiedAt };
      await db
        .insertInto("product_scripts")
        .values({ product_key: productKey, ...values })
        .onConflict((conflict) => conflict.column("product_key").doUpdateSet(values))
        .execute();
    },
    async delete(productKey) {
      await db.deleteFrom("product_scripts").where("product_key", "=", productKey).execute();
    },
  };
}
