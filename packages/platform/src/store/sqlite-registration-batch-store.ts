/** Registration batches in SQL. */
import type { Kysely, Selectable } from "kysely";
import type { RegistrationBatch, RegistrationBatchStore } from "../registry/index.ts";
import type { RegistrationBatchTable, Schema } from "./schema.ts";

export function createSqliteRegistrationBatchStore(db: Kysely<Schema>): RegistrationBatchStore {
  return {
    async insert(batch, batchesMax) {
      const row = await db
        .insertInto("registration_batches")
        .values({
          product_key: batch.productKey,
          status: batch.status,
          devices: JSON.stringify(batch.devices),
          invalid_names: JSON.stringify(batch.invalidNames),
          created_at: batch.createdAt,
        })
        .returning("id")
        .executeTakeFirstOrThrow();
      // What is under way stays, however old.
      await db
        .deleteFrom("registration_batches")
        .where("id", "<=", row.id - batchesMax)
        .where("status", "!=", "creating")
        .execute();
      return { ...batch, id: row.id };
    },

    async find(id) {
      const row = await db.selectFrom("registration_batches").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : toBatch(row);
    },

    async update(id, { status, invalidNames }) {
      await db
        .updateTable("registration_batches")
        .set({ status, invalid_names: JSON.stringify(invalidNames) })
        .where("id", "=", id)
        .execute();
    },

    async unfinished() {
      const rows = await db.selectFrom("registration_batches").selectAll().where("status", "=", "creating").orderBy("id").execute();
      return rows.map(toBatch);
    },
  };
}

function toBatch(row: Selectable<RegistrationBatchTable>): RegistrationBatch {
  return {
    id: row.id,
    productKey: row.product_key,
    status: row.status,
    devices: JSON.parse(row.devices),
    invalidNames: JSON.parse(row.invalid_names),
    createdAt: row.created_at,
  };
}
