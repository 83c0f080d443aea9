/** Tokens of pre-authentication in SQL: hashes only. */
import type { Kysely } from "kysely";
import type { TokenStore } from "../access/index.ts";
import type { Schema } from "./schema.ts";

export function createSqliteTokenStore(db: Kysely<Schema>): TokenStore {
  return {
    async insert(token) {
      await db
        .insertInto("tokens")
        .values({
          token_hash: token.tokenHash,
          iot_id: token.iotId,
          product_key: token.productKey,
          device_name: token.deviceName,
          expires_at: token.expiresAt,
        })
        .execute();
    },

    async find(tokenHash) {
      const row = await db.selectFrom("tokens").selectAll().where("token_hash", "=", tokenHash).executeTakeFirst();
      return row && { iotId: row.iot_id, productKey: row.product_key, deviceName: row.device_name, expiresAt: row.expires_at };
    },

    async deleteExpired(now) {
      const result = await db.deleteFrom("tokens").where("expires_at", "<=", now).executeTakeFirst();
      return Number(result.numDeletedRows);
    },

    async deleteForDevice(productKey, deviceName) {
      await db.deleteFrom("tokens").where("product_key", "=", productKey).where("device_name", "=", deviceName).execute();
    },
  };
}
