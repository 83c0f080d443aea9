/** Tags of devices and products in SQL. */
import { type Kysely, sql } from "kysely";
import type { TagStore } from "../registry/index.ts";
import type { Schema } from "./schema.ts";

export function createSqliteTagStore(db: Kysely<Schema>): TagStore {
  const idOf = (trx: Kysely<Schema>, productKey: string, deviceName: string) =>
    trx.selectFrom("devices").select("id").where("product_key", "=", productKey).where("device_name", "=", deviceName).executeTakeFirst();

  return {
    async deviceTags(productKey, deviceName) {
      const rows = await db
        .selectFrom("device_tags")
        .innerJoin("devices", "devices.id", "device_tags.device_id")
        .select(["device_tags.key", "device_tags.value"])
        .where("devices.product_key", "=", productKey)
        .where("devices.device_name", "=", deviceName)
        .orderBy("device_tags.key")
        .execute();
      return mapOf(rows);
    },

    async setDeviceTags(productKey, deviceName, tags, tagsMax) {
      return orTooMany(
        db.transaction().execute(async (trx) => {
          const device = await idOf(trx, productKey, deviceName);
          if (device === undefined) return;
          for (const [key, value] of Object.entries(tags)) {
            await trx
              .insertInto("device_tags")
              .values({ device_id: device.id, key, value })
              .onConflict((conflict) => conflict.columns(["device_id", "key"]).doUpdateSet({ value }))
              .execute();
          }
          const row = await trx.selectFrom("device_tags").select(countAll).where("device_id", "=", device.id).executeTakeFirst();
          if (Number(row?.count ?? 0) > tagsMax) throw new TooMany();
        }),
      );
    },

    async deleteDeviceTags(productKey, deviceName, keys) {
      const device = await idOf(db, productKey, deviceName);
      if (device === undefined || keys.length === 0) return [];
      const rows = await db
        .deleteFrom("device_tags")
        .where("device_id", "=", device.id)
        .where("key", "in", keys)
        .returning("key")
        .execute();
      return rows.map(({ key }) => key);
    },

    async productTags(productKey) {
      return mapOf(
        await db.selectFrom("product_tags").select(["key", "value"]).where("product_key", "=", productKey).orderBy("key").execute(),
      );
    },

    async setProductTags(productKey, tags, tagsMax) {
      return orTooMany(
        db.transaction().execute(async (trx) => {
          for (const [key, value] of Object.entries(tags)) {
            await trx
              .insertInto("product_tags")
              .values({ product_key: productKey, key, value })
              .onConflict((conflict) => conflict.columns(["product_key", "key"]).doUpdateSet({ value }))
              .execute();
          }
          const row = await trx.selectFrom("product_tags").select(countAll).where("product_key", "=", productKey).executeTakeFirst();
          if (Number(row?.count ?? 0) > tagsMax) throw new TooMany();
        }),
      );
    },

    async deleteProductTags(productKey, keys) {
      if (keys.length === 0) return;
      await db.deleteFrom("product_tags").where("product_key", "=", productKey).where("key", "in", keys).execute();
    },

    async devicesByTags(tags, { page, pageSize }) {
      let matching = db.selectFrom("devices");
      for (const [key, value] of Object.entries(tags)) {
        matching = matching.where("devices.id", "in", (eb) =>
          eb.selectFrom("device_tags").select("device_id").where("key", "=", key).where("value", "=", value),
        );
      }
      const rows = await matching
        .select(["product_key", "device_name", "iot_id"])
        .orderBy("product_key")
        .orderBy("device_name")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const total = await matching.select(countAll).executeTakeFirst();
      return {
        rows: rows.map((row) => ({ productKey: row.product_key, deviceName: row.device_name, iotId: row.iot_id })),
        total: Number(total?.count ?? 0),
      };
    },

    async productsByTags(tags, { page, pageSize }) {
      let matching = db.selectFrom("products");
      for (const [key, value] of Object.entries(tags)) {
        matching = matching.where("products.product_key", "in", (eb) =>
          eb.selectFrom("product_tags").select("product_tags.product_key").where("key", "=", key).where("value", "=", value),
        );
      }
      const rows = await matching
        .select("product_key")
        .orderBy("product_key")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const total = await matching.select(countAll).executeTakeFirst();
      return { rows: rows.map((row) => row.product_key), total: Number(total?.count ?? 0) };
    },
  };
}

const countAll = sql<number>`count(*)`.as("count");

/** Names come from outside: `__proto__` is one like others. */
function mapOf(rows: readonly { key: string; value: string }[]): Record<string, string> {
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}

/** Ends a transaction so that all of it is undone. */
class TooMany extends Error {}

async function orTooMany(work: Promise<void>): Promise<"ok" | "too_many"> {
  try {
    await work;
    return "ok";
  } catch (error) {
    if (error instanceof TooMany) return "too_many";
    throw error;
  }
}
