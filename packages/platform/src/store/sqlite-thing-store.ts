/** Thing models in SQL: modules as TSL text. */
import type { Kysely } from "kysely";
import { PlatformError } from "../errors/index.ts";
import type { StoredModule, ThingModelStore } from "../things/index.ts";
import type { Schema } from "./schema.ts";

export function createSqliteThingStore(db: Kysely<Schema>): ThingModelStore {
  return {
    async loadDraft(productKey) {
      const rows = await db.selectFrom("thing_model_drafts").selectAll().where("product_key", "=", productKey).execute();
      return rows.map(({ function_block_id, tsl }) => ({ functionBlockId: function_block_id, tsl }));
    },

    async saveModule(productKey, { functionBlockId, tsl }) {
      await db
        .insertInto("thing_model_drafts")
        .values({ product_key: productKey, function_block_id: functionBlockId, tsl })
        .onConflict((conflict) => conflict.doUpdateSet({ tsl }))
        .execute();
    },

    async deleteModule(productKey, functionBlockId) {
      const { numDeletedRows } = await db
        .deleteFrom("thing_model_drafts")
        .where("product_key", "=", productKey)
        .where("function_block_id", "=", functionBlockId)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },

    async replaceDraft(productKey, modules) {
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom("thing_model_drafts").where("product_key", "=", productKey).execute();
        for (const { functionBlockId, tsl } of modules)
          await trx.insertInto("thing_model_drafts").values({ product_key: productKey, function_block_id: functionBlockId, tsl }).execute();
      });
    },

    insertVersion(productKey, { version, description, createdAt, modules }, versionsMax) {
      return db.transaction().execute(async (trx) => {
        const { numInsertedOrUpdatedRows } = await trx
          .insertInto("thing_model_versions")
          .values({ product_key: productKey, version, description, created_at: createdAt, modules: JSON.stringify(modules) })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        if (numInsertedOrUpdatedRows === 0n) return "duplicate" as const;
        const kept = trx
          .selectFrom("thing_model_versions")
          .select("id")
          .where("product_key", "=", productKey)
          .orderBy("id", "desc")
          .limit(versionsMax);
        await trx.deleteFrom("thing_model_versions").where("product_key", "=", productKey).where("id", "not in", kept).execute();
        return "ok" as const;
      });
    },

    async listVersions(productKey) {
      const rows = await db
        .selectFrom("thing_model_versions")
        .select(["version", "description", "created_at"])
        .where("product_key", "=", productKey)
        .orderBy("id", "desc")
        .execute();
      return rows.map(({ version, description, created_at }) => ({ version, description, createdAt: created_at }));
    },

    async loadVersion(productKey, version) {
      let wished = db.selectFrom("thing_model_versions").select("modules").where("product_key", "=", productKey);
      if (version !== undefined) wished = wished.where("version", "=", version);
      const row = await wished.orderBy("id", "desc").limit(1).executeTakeFirst();
      return row && readModules(productKey, row.modules);
    },

    async loadLevel(productKey) {
      const row = await db.selectFrom("thing_model_levels").select("level").where("product_key", "=", productKey).executeTakeFirst();
      return row?.level;
    },

    async saveLevel(productKey, level) {
      await db
        .insertInto("thing_model_levels")
        .values({ product_key: productKey, level })
        .onConflict((conflict) => conflict.doUpdateSet({ level }))
        .execute();
    },
  };
}

/** What this program wrote it can read; anything else was changed by another hand. */
function readModules(productKey: string, text: string): StoredModule[] {
  const modules: unknown = JSON.parse(text);
  if (!Array.isArray(modules)) throw new PlatformError("store.failed", { file: "thing_model_versions", problem: `${productKey}: no list` });
  return modules;
}
