/** The device log in SQL. */
import { CompiledQuery, type Kysely, type Selectable, sql } from "kysely";
import type { DeviceLogStore, LogEntry, LogKind } from "../device-log/index.ts";
import type { DeviceLogTable, Schema } from "./schema.ts";

const columns = [
  "id",
  "time",
  "kind",
  "code",
  "is_success",
  "product_key",
  "device_name",
  "topic",
  "qos",
  "payload_bytes",
  "remote_address",
  "client_id",
  "reason",
  "received",
  "expected",
] as const satisfies readonly (keyof DeviceLogTable)[];

/**
 * INSERTs of so many rows, largest first; the last is for what remains. Written as text and prepared once: built anew for each
 * batch, whose size varies, the statement costs more than the rows.
 */
const inserts = [200, 40, 8, 1].map((rows) => {
  const row = `(${columns.map(() => "?").join(", ")})`;
  return { rows, text: `insert into device_log (${columns.join(", ")}) values ${Array.from({ length: rows }, () => row).join(", ")}` };
});

export function createSqliteDeviceLogStore(db: Kysely<Schema>, trimEntriesMax: number): DeviceLogStore {
  return {
    async lastId() {
      const row = await db.selectFrom("device_log").select("id").orderBy("id", "desc").limit(1).executeTakeFirst();
      return row?.id ?? 0;
    },

    async insert(entries) {
      await db.transaction().execute(async (trx) => {
        let start = 0;
        for (const { rows, text } of inserts) {
          for (; entries.length - start >= rows; start += rows) {
            await trx.executeQuery(CompiledQuery.raw(text, entries.slice(start, start + rows).flatMap(encode)));
          }
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

/** In the order of `columns`. */
function encode(entry: LogEntry): unknown[] {
  return [
    entry.id,
    entry.time,
    entry.kind,
    entry.code,
    entry.isSuccess ? 1 : 0,
    entry.productKey ?? null,
    entry.deviceName ?? null,
    entry.topic ?? null,
    entry.qos ?? null,
    entry.payloadBytes ?? null,
    entry.remoteAddress ?? null,
    entry.clientId ?? null,
    entry.reason ?? null,
    entry.received ?? null,
    entry.expected ?? null,
  ];
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
