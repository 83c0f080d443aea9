/** Files of devices in SQL: what is known about them; the bytes are on the disk. */
import { type Kysely, sql } from "kysely";
import type { DeviceFile, DeviceFileStore } from "../device-services/index.ts";
import { deviceRowId } from "./device-row-id.ts";
import type { Schema } from "./schema.ts";

export function createSqliteDeviceFileStore(db: Kysely<Schema>): DeviceFileStore {
  const files = () =>
    db
      .selectFrom("device_files")
      .innerJoin("devices", "devices.id", "device_files.device_id")
      .select(["upload_id", "product_key", "device_name", "device_files.name", "bytes", "stored_bytes", "is_complete"])
      .select(["device_files.created_at", "device_files.modified_at"]);
  type Row = Awaited<ReturnType<ReturnType<typeof files>["execute"]>>[number];

  const toFile = (row: Row): DeviceFile => ({
    productKey: row.product_key,
    deviceName: row.device_name,
    uploadId: row.upload_id,
    name: row.name,
    bytes: row.bytes,
    storedBytes: row.stored_bytes,
    isComplete: row.is_complete === 1,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  });
  const orUndefined = (row: Row | undefined) => row && toFile(row);

  return {
    async find(device, uploadId) {
      return orUndefined(await files().where("device_id", "=", deviceRowId(device)).where("upload_id", "=", uploadId).executeTakeFirst());
    },
    async findByUploadId(uploadId) {
      return orUndefined(await files().where("upload_id", "=", uploadId).executeTakeFirst());
    },
    async findByName(device, name) {
      return orUndefined(
        await files()
          .where("device_id", "=", deviceRowId(device))
          .where("device_files.name", "=", name)
          .orderBy("device_files.id", "desc")
          .executeTakeFirst(),
      );
    },
    async othersOfName(device, name, uploadId) {
      const rows = await files()
        .where("device_id", "=", deviceRowId(device))
        .where("device_files.name", "=", name)
        .where("upload_id", "!=", uploadId)
        .execute();
      return rows.map(toFile);
    },
    async insert(file) {
      await sql`insert into device_files (upload_id, device_id, name, bytes, stored_bytes, is_complete, created_at, modified_at)
        select ${file.uploadId}, id, ${file.name}, ${file.bytes}, ${file.storedBytes}, ${file.isComplete ? 1 : 0}, ${file.createdAt},
          ${file.modifiedAt} from devices
        where product_key = ${file.productKey} and device_name = ${file.deviceName}`.execute(db);
    },
    async update(uploadId, { storedBytes, isComplete, bytes, modifiedAt }) {
      await db
        .updateTable("device_files")
        .set({ stored_bytes: storedBytes, is_complete: isComplete ? 1 : 0, bytes, modified_at: modifiedAt })
        .where("upload_id", "=", uploadId)
        .execute();
    },
    async delete(uploadId) {
      await db.deleteFrom("device_files").where("upload_id", "=", uploadId).execute();
    },
    async list(device, { page, pageSize }) {
      const id = deviceRowId(device);
      const rows = await files()
        .where("device_id", "=", id)
        .orderBy("device_files.id", "desc")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const count = await db
        .selectFrom("device_files")
        .select(sql<number>`count(*)`.as("n"))
        .where("device_id", "=", id)
        .executeTakeFirst();
      return { rows: rows.map(toFile), total: Number(count?.n ?? 0) };
    },
    async stale(before) {
      return (await files().where("is_complete", "=", 0).where("device_files.modified_at", "<", before).execute()).map(toFile);
    },
    async totalBytes() {
      const row = await db
        .selectFrom("device_files")
        .select(sql<number>`coalesce(sum(max(bytes, stored_bytes)), 0)`.as("n"))
        .executeTakeFirst();
      return Number(row?.n ?? 0);
    },
  };
}
