/** Certificates of devices in SQL. */
import { type Kysely, sql } from "kysely";
import type { DeviceCertificate, DeviceCertificateStore } from "../access/index.ts";
import type { Schema } from "./schema.ts";

export function createSqliteDeviceCertificateStore(db: Kysely<Schema>): DeviceCertificateStore {
  const select = () =>
    db
      .selectFrom("device_certificates")
      .innerJoin("devices", "devices.id", "device_certificates.device_id")
      .select(["devices.product_key", "devices.device_name"])
      .selectAll("device_certificates");

  return {
    async insert({ productKey, deviceName, fingerprint, serialNumber, certificate, expiresAt, createdAt }, certificatesMax) {
      return db.transaction().execute(async (trx) => {
        const device = await trx
          .selectFrom("devices")
          .select("id")
          .where("product_key", "=", productKey)
          .where("device_name", "=", deviceName)
          .executeTakeFirst();
        if (device === undefined) return "no_device";
        const row = await trx
          .selectFrom("device_certificates")
          .select(sql<number>`count(*)`.as("count"))
          .where("device_id", "=", device.id)
          .executeTakeFirst();
        if (Number(row?.count ?? 0) >= certificatesMax) return "too_many";
        const inserted = await trx
          .insertInto("device_certificates")
          .values({
            fingerprint,
            device_id: device.id,
            serial_number: serialNumber,
            certificate,
            expires_at: expiresAt,
            created_at: createdAt,
          })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        return inserted.numInsertedOrUpdatedRows === 1n ? "ok" : "duplicate";
      });
    },

    async find(fingerprint) {
      const row = await select().where("fingerprint", "=", fingerprint).executeTakeFirst();
      return row && decode(row);
    },

    async list(productKey, deviceName) {
      const rows = await select()
        .where("devices.product_key", "=", productKey)
        .where("devices.device_name", "=", deviceName)
        .orderBy("device_certificates.created_at")
        .execute();
      return rows.map(decode);
    },

    async remove(productKey, deviceName, fingerprint) {
      const removed = await db
        .deleteFrom("device_certificates")
        .where("fingerprint", "=", fingerprint)
        .where("device_id", "=", (eb) =>
          eb.selectFrom("devices").select("id").where("product_key", "=", productKey).where("device_name", "=", deviceName),
        )
        .executeTakeFirst();
      return removed.numDeletedRows === 1n;
    },
  };
}

function decode(row: {
  product_key: string;
  device_name: string;
  fingerprint: string;
  serial_number: string;
  certificate: string;
  expires_at: number;
  created_at: number;
}): DeviceCertificate {
  return {
    productKey: row.product_key,
    deviceName: row.device_name,
    fingerprint: row.fingerprint,
    serialNumber: row.serial_number,
    certificate: row.certificate,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
  };
}
