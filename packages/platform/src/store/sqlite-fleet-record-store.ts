/** Records kept as given, and tags of resources, in SQL. */
import { type Kysely, sql } from "kysely";
import type { FleetRecordStore, ResourceTagStore } from "../fleet/index.ts";
import type { Schema } from "./schema.ts";

export function createSqliteFleetRecordStore(db: Kysely<Schema>): FleetRecordStore {
  return {
    async put(family, name, value) {
      await db
        .insertInto("fleet_records")
        .values({ family, name, value })
        .onConflict((conflict) => conflict.columns(["family", "name"]).doUpdateSet({ value }))
        .execute();
    },
    async insert(family, name, value) {
      const inserted = await db
        .insertInto("fleet_records")
        .values({ family, name, value })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return inserted.numInsertedOrUpdatedRows === 1n;
    },
    async find(family, name) {
      const row = await db
        .selectFrom("fleet_records")
        .select("value")
        .where("family", "=", family)
        .where("name", "=", name)
        .executeTakeFirst();
      return row?.value;
    },
    async remove(family, name) {
      const deleted = await db.deleteFrom("fleet_records").where("family", "=", family).where("name", "=", name).executeTakeFirst();
      return deleted.numDeletedRows > 0n;
    },
    async count(family) {
      const row = await db.selectFrom("fleet_records").select(countAll).where("family", "=", family).executeTakeFirst();
      return Number(row?.count ?? 0);
    },
    async list(family, { size, after = "" }) {
      return db
        .selectFrom("fleet_records")
        .select(["name", "value"])
        .where("family", "=", family)
        .where("name", ">", after)
        .orderBy("name")
        .limit(size)
        .execute();
    },
  };
}

export function createSqliteResourceTagStore(db: Kysely<Schema>): ResourceTagStore {
  return {
    async set(arn, tags, tagsMax) {
      try {
        await db.transaction().execute(async (trx) => {
          for (const [key, value] of Object.entries(tags)) {
            await trx
              .insertInto("fleet_resource_tags")
              .values({ arn, key, value })
              .onConflict((conflict) => conflict.columns(["arn", "key"]).doUpdateSet({ value }))
              .execute();
          }
          const row = await trx.selectFrom("fleet_resource_tags").select(countAll).where("arn", "=", arn).executeTakeFirst();
          if (Number(row?.count ?? 0) > tagsMax) throw new TooMany();
        });
        return "ok";
      } catch (error) {
        if (error instanceof TooMany) return "too_many";
        throw error;
      }
    },
    async remove(arn, keys) {
      if (keys.length === 0) return;
      await db.deleteFrom("fleet_resource_tags").where("arn", "=", arn).where("key", "in", keys).execute();
    },
    async of(arn) {
      const rows = await db.selectFrom("fleet_resource_tags").select(["key", "value"]).where("arn", "=", arn).orderBy("key").execute();
      // Names come from outside: `__proto__` is one like others.
      return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
    },
  };
}

const countAll = sql<number>`count(*)`.as("count");

/** Ends a transaction so that all of it is undone. */
class TooMany extends Error {}
