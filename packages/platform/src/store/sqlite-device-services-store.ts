/** Shadows, configurations and network reports in SQL. */
import { type Kysely, sql } from "kysely";
import type { ConfigStore, DiagnosticStore, ShadowDocument, ShadowStore } from "../device-services/index.ts";
import { deviceRowId } from "./device-row-id.ts";
import type { Schema } from "./schema.ts";

export function createSqliteShadowStore(db: Kysely<Schema>): ShadowStore {
  return {
    async load(device) {
      const row = await db.selectFrom("shadows").selectAll().where("device_id", "=", deviceRowId(device)).executeTakeFirst();
      if (row === undefined) return undefined;
      // Written below and nowhere else.
      const body = JSON.parse(row.body) as Omit<ShadowDocument, "version" | "modifiedAt">;
      return { ...body, version: row.version, modifiedAt: row.modified_at };
    },
    async save(device, { version, modifiedAt, reported, desired, reportedTimes, desiredTimes }) {
      const body = JSON.stringify({ reported, desired, reportedTimes, desiredTimes });
      await sql`insert into shadows (device_id, version, body, modified_at)
        select id, ${version}, ${body}, ${modifiedAt} from devices
        where product_key = ${device.productKey} and device_name = ${device.deviceName}
        on conflict (device_id) do update set version = excluded.version, body = excluded.body, modified_at = excluded.modified_at`.execute(
        db,
      );
    },
  };
}

export function createSqliteConfigStore(db: Kysely<Schema>): ConfigStore {
  return {
    async isEnabled(productKey) {
      const row = await db
        .selectFrom("remote_config_switches")
        .select("is_enabled")
        .where("product_key", "=", productKey)
        .executeTakeFirst();
      return row?.is_enabled === 1;
    },
    async setEnabled(productKey, isEnabled) {
      const is_enabled = isEnabled ? 1 : 0;
      await db
        .insertInto("remote_config_switches")
        .values({ product_key: productKey, is_enabled })
        .onConflict((conflict) => conflict.column("product_key").doUpdateSet({ is_enabled }))
        .execute();
    },
    async versions(productKey) {
      const rows = await db
        .selectFrom("remote_configs")
        .select(["id", "bytes", "sha256", "created_at"])
        .where("product_key", "=", productKey)
        .orderBy("id", "desc")
        .execute();
      return rows.map(({ id, bytes, sha256, created_at }) => ({ id, bytes, sha256, createdAt: created_at }));
    },
    async content(id) {
      const row = await db.selectFrom("remote_configs").select(["product_key", "content"]).where("id", "=", id).executeTakeFirst();
      return row && { productKey: row.product_key, content: Buffer.from(row.content) };
    },
    insert(productKey, { content, bytes, sha256, createdAt }, versionsMax) {
      return db.transaction().execute(async (trx) => {
        const values = { product_key: productKey, content: Buffer.from(content), bytes, sha256, created_at: createdAt };
        const { id } = await trx.insertInto("remote_configs").values(values).returning("id").executeTakeFirstOrThrow();
        const kept = trx
          .selectFrom("remote_configs")
          .select("id")
          .where("product_key", "=", productKey)
          .orderBy("id", "desc")
          .limit(versionsMax);
        await trx.deleteFrom("remote_configs").where("product_key", "=", productKey).where("id", "not in", kept).execute();
        return { id, bytes, sha256, createdAt };
      });
    },
  };
}

export function createSqliteDiagnosticStore(db: Kysely<Schema>): DiagnosticStore {
  return {
    async insert(device, { receivedAt, report }, reportsMax) {
      await db.transaction().execute(async (trx) => {
        const inserted = await sql`insert into device_diagnostics (device_id, received_at, report)
          select id, ${receivedAt}, ${JSON.stringify(report)} from devices
          where product_key = ${device.productKey} and device_name = ${device.deviceName}`.execute(trx);
        if (Number(inserted.numAffectedRows ?? 0) === 0) return;
        const id = deviceRowId(device);
        const kept = trx.selectFrom("device_diagnostics").select("id").where("device_id", "=", id).orderBy("id", "desc").limit(reportsMax);
        await trx.deleteFrom("device_diagnostics").where("device_id", "=", id).where("id", "not in", kept).execute();
      });
    },
    async list(device, limit) {
      const rows = await db
        .selectFrom("device_diagnostics")
        .select(["received_at", "report"])
        .where("device_id", "=", deviceRowId(device))
        .orderBy("id", "desc")
        .limit(limit)
        .execute();
      return rows.map(({ received_at, report }) => ({ receivedAt: received_at, report: JSON.parse(report) as unknown }));
    },
  };
}
