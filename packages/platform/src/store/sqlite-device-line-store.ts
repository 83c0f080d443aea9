/** Lines of devices' own logs in SQL. */
import { type Kysely, sql } from "kysely";
import type { DeviceLineStore } from "../device-services/index.ts";
import { deviceRowId } from "./device-row-id.ts";
import type { Schema } from "./schema.ts";

/** A text to find as it is: `%`, `_` and the escape itself mean themselves. */
function likePattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
}

/** Deleting much at once would hold others up. */
const trimRowsMax = 5_000;

export function createSqliteDeviceLineStore(db: Kysely<Schema>): DeviceLineStore {
  return {
    async insert(lines) {
      await db.transaction().execute(async (trx) => {
        for (const line of lines) {
          await sql`insert into device_lines (device_id, received_at, utc_time, level, module, code, trace_context, content)
            select id, ${line.receivedAt}, ${line.utcTime ?? null}, ${line.level}, ${line.module}, ${line.code},
              ${line.traceContext ?? null}, ${line.content} from devices
            where product_key = ${line.productKey} and device_name = ${line.deviceName}`.execute(trx);
        }
      });
    },

    async query({ productKey, deviceName, level, module, text, since, until, beforeId, limit }) {
      let query = db.selectFrom("device_lines").innerJoin("devices", "devices.id", "device_lines.device_id");
      if (productKey !== undefined && deviceName !== undefined) {
        query = query.where("device_lines.device_id", "=", deviceRowId({ productKey, deviceName }));
      } else {
        if (productKey !== undefined) query = query.where("devices.product_key", "=", productKey);
        if (deviceName !== undefined) query = query.where("devices.device_name", "=", deviceName);
      }
      if (level !== undefined) query = query.where("level", "=", level);
      if (module !== undefined) query = query.where("module", "=", module);
      if (text !== undefined) query = query.where(sql<boolean>`content like ${likePattern(text)} escape '\\'`);
      if (since !== undefined) query = query.where("received_at", ">=", since);
      if (until !== undefined) query = query.where("received_at", "<=", until);
      if (beforeId !== undefined) query = query.where("device_lines.id", "<", beforeId);
      const rows = await query
        .select(["device_lines.id", "devices.product_key", "devices.device_name", "received_at", "utc_time", "level", "module", "code"])
        .select(["trace_context", "content"])
        .orderBy("device_lines.id", "desc")
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        id: row.id,
        productKey: row.product_key,
        deviceName: row.device_name,
        receivedAt: row.received_at,
        ...(row.utc_time === null ? {} : { utcTime: row.utc_time }),
        level: row.level,
        module: row.module,
        code: row.code,
        ...(row.trace_context === null ? {} : { traceContext: row.trace_context }),
        content: row.content,
      }));
    },

    async trim(before, linesMax) {
      const newest = await db.selectFrom("device_lines").select("id").orderBy("id", "desc").offset(linesMax).limit(1).executeTakeFirst();
      for (;;) {
        const surplus = db
          .selectFrom("device_lines")
          .select("id")
          .where((eb) => eb.or([eb("received_at", "<", before), eb("id", "<=", newest?.id ?? 0)]))
          .limit(trimRowsMax);
        const { numDeletedRows } = await db.deleteFrom("device_lines").where("id", "in", surplus).executeTakeFirstOrThrow();
        if (numDeletedRows < trimRowsMax) return;
      }
    },

    async isWanted(device) {
      const row = await db
        .selectFrom("device_line_switches")
        .select("device_id")
        .where("device_id", "=", deviceRowId(device))
        .executeTakeFirst();
      return row !== undefined;
    },

    async setWanted({ productKey, deviceName }, isWanted) {
      if (isWanted) {
        await sql`insert or ignore into device_line_switches (device_id)
          select id from devices where product_key = ${productKey} and device_name = ${deviceName}`.execute(db);
      } else {
        await db.deleteFrom("device_line_switches").where("device_id", "=", deviceRowId({ productKey, deviceName })).execute();
      }
    },
  };
}
