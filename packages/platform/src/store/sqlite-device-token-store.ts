/** Tokens of devices that registered themselves, in SQL: hashes only. */
import { type Kysely, sql } from "kysely";
import type { DeviceTokenStore } from "../access/index.ts";
import type { Schema } from "./schema.ts";

export function createSqliteDeviceTokenStore(db: Kysely<Schema>): DeviceTokenStore {
  const idOf = (trx: Kysely<Schema>, productKey: string, deviceName: string) =>
    trx.selectFrom("devices").select("id").where("product_key", "=", productKey).where("device_name", "=", deviceName).executeTakeFirst();

  return {
    async insert({ productKey, deviceName, clientId, tokenHash, createdAt }, clientsMax) {
      return db.transaction().execute(async (trx) => {
        const device = await idOf(trx, productKey, deviceName);
        if (device === undefined) return "no_device";
        const row = await trx
          .selectFrom("device_tokens")
          .select(sql<number>`count(*)`.as("count"))
          .where("device_id", "=", device.id)
          .executeTakeFirst();
        if (Number(row?.count ?? 0) >= clientsMax) return "too_many";
        await trx
          .insertInto("device_tokens")
          .values({ device_id: device.id, client_id: clientId, token_hash: tokenHash, created_at: createdAt })
          .execute();
        return "ok";
      });
    },

    async find(productKey, deviceName, clientId) {
      const row = await db
        .selectFrom("device_tokens")
        .innerJoin("devices", "devices.id", "device_tokens.device_id")
        .select("device_tokens.token_hash")
        .where("devices.product_key", "=", productKey)
        .where("devices.device_name", "=", deviceName)
        .where("device_tokens.client_id", "=", clientId)
        .executeTakeFirst();
      return row?.token_hash;
    },

    async list(productKey, deviceName) {
      const rows = await db
        .selectFrom("device_tokens")
        .innerJoin("devices", "devices.id", "device_tokens.device_id")
        .select(["device_tokens.client_id", "device_tokens.created_at"])
        .where("devices.product_key", "=", productKey)
        .where("devices.device_name", "=", deviceName)
        .orderBy("device_tokens.created_at")
        .orderBy("device_tokens.client_id")
        .execute();
      return rows.map((row) => ({ clientId: row.client_id, createdAt: row.created_at }));
    },

    async deleteAll(productKey, deviceName) {
      const device = await idOf(db, productKey, deviceName);
      if (device !== undefined) await db.deleteFrom("device_tokens").where("device_id", "=", device.id).execute();
    },
  };
}
