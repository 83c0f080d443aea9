/** The device log in SQL. */
import { type Insertable, type Kysely, type Selectable, sql } from "kysely";
import type { DeviceLogStore, LogEntry, LogKind } from "../device-log/index.ts";
import type { DeviceLogTable, Schema } from "./schema.ts";

/** Rows of one INSERT: 15 columns of 200 entries. */
const rowsPerInsert = 200;

export function createSqliteDeviceLogStore(db: Kysely<Schema>, trimEntriesMax: number): DeviceLogStore {
  return {
    async lastId() {
      const row = await db.selectFrom("device_log").select("id").orderBy("id", "desc").limit(1).executeTakeFirst();
      return row?.id ?? 0;
    },

    async insert(entries) {
      await db.transaction().execute(async (trx) => {
        for (let start = 0; start < entries.length; start += rowsPerInsert) {
          await trx
            .insertInto("device_log")
            .values(entries.slice(start, start + rowsPerInsert).map(encode))
            .execute();
        }
      });
    },

    async query(query) {
      let matching = db.selectFrom("device_log").selectAll();
      if (query.productKey !== undefined) matching = matching.where("product_key", "=", query.productKey);
      if (query.deviceName !== undefined) matching = matching.where("device_name", "=", query.deviceName);
      if (query.clientId !== undefined) matching = matching.where("product_key", "is", null).where("client_id", "=", query.clientId);
      if (query.kind !== undefined) matching = matching.where("kind", "=", query.kind);
      if (query.code !== undefined) matching = matching.where("code", "=", query.code);
      if (query.isSuccess === true) matching = matching.where("is_success", "=", 1);
      // Written out: a partial index is used only for a constant.
      if (query.isSuccess === false) matching = matching.where(sql<boolean>`is_success = 0`);
      if (query.since !== undefined) matching = matching.where("time", ">=", query.since);
      if (query.until !== undefined) matching = matching.where("time", "<=", query.until);
      if (query.beforeId !== undefined) matching = matching.where("id", "<", query.beforeId);
      if (query.afterId !== undefined) matching = matching.where("id", ">", query.afterId);
      const rows = await matching.orderBy("id", "desc").limit(query.limit).execute();
      return rows.map(decode);
    },

    async trim(entriesMax, olderThan) {
      // Two reads of one row each: min and max in one query would read the table.
      const oldest = await db.selectFrom("device_log").select("id").orderBy("id").limit(1).executeTakeFirst();
      const newest = await db.selectFrom("device_log").select("id").orderBy("id", "desc").limit(1).executeTakeFirst();
      if (oldest === undefined || newest === undefined) return 0;
      // The log numbers its entries one after the other: distance of numbers stands for a count, which would read the table.
      const surplusId = newest.id - entriesMax;
      const candidates = db.selectFrom("device_log").select("id").limit(trimEntriesMax);
      const beyond =
        oldest.id <= surplusId
          ? candidates.where("id", "<=", surplusId).orderBy("id")
          : candidates.where("time", "<", olderThan).orderBy("time");
      const { numDeletedRows } = await db.deleteFrom("device_log").where("id", "in", beyond).executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

function encode(entry: LogEntry): Insertable<DeviceLogTable> {
  return {
    id: entry.id,
    time: entry.time,
    kind: entry.kind,
    code: entry.code,
    is_success: entry.isSuccess ? 1 : 0,
    product_key: entry.productKey ?? null,
    device_name: entry.deviceName ?? null,
    topic: entry.topic ?? null,
    qos: entry.qos ?? null,
    payload_bytes: entry.payloadBytes ?? null,
    remote_address: entry.remoteAddress ?? null,
    client_id: entry.clientId ?? null,
    reason: entry.reason ?? null,
    received: entry.received ?? null,
    expected: entry.expected ?? null,
  };
}

function decode(row: Selectable<DeviceLogTable>): LogEntry {
  return {
    id: row.id,
    time: row.time,
    // Written by `encode` alone, from a LogKind.
    kind: row.kind as LogKind,
    code: row.code,
    isSuccess: row.is_success === 1,
    ...(row.product_key !== null && { productKey: row.product_key }),
    ...(row.device_name !== null && { deviceName: row.device_name }),
    ...(row.topic !== null && { topic: row.topic }),
    ...(row.qos !== null && { qos: row.qos }),
    ...(row.payload_bytes !== null && { payloadBytes: row.payload_bytes }),
    ...(row.remote_address !== null && { remoteAddress: row.remote_address }),
    ...(row.client_id !== null && { clientId: row.client_id }),
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.received !== null && { received: row.received }),
    ...(row.expected !== null && { expected: row.expected }),
  };
}
