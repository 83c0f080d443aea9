/** Named shadows in SQL. A batch travels as one JSON text, so that one prepared statement serves batches of any size. */
import { type Kysely, sql } from "kysely";
import type { NamedShadowStore } from "../device-services/index.ts";
import type { Schema } from "./schema.ts";

interface FoundRow {
  thing_name: string;
  shadow_name: string;
  version: number;
  bytes: number;
  modified_at: number;
  deleted_at: number | null;
  state: string;
  metadata: string;
}

export function createSqliteNamedShadowStore(db: Kysely<Schema>): NamedShadowStore {
  return {
    async load(keys) {
      const names = JSON.stringify(keys.map(({ thingName, shadowName }) => [thingName, shadowName]));
      const { rows } =
        await sql<FoundRow>`select s.thing_name, s.shadow_name, s.version, s.bytes, s.modified_at, s.deleted_at, s.state, s.metadata
        from json_each(${names}) as k
        join named_shadows as s on s.thing_name = k.value ->> 0 and s.shadow_name = k.value ->> 1`.execute(db);
      return rows.map(({ thing_name, shadow_name, version, bytes, modified_at, deleted_at, state, metadata }) => ({
        thingName: thing_name,
        shadowName: shadow_name,
        version,
        bytes,
        modifiedAt: modified_at,
        state,
        metadata,
        ...(deleted_at === null ? {} : { deletedAt: deleted_at }),
      }));
    },

    async save(shadows) {
      const rows = JSON.stringify(
        shadows.map(({ thingName, shadowName, version, bytes, modifiedAt, deletedAt = null, state, metadata }) => [
          thingName,
          shadowName,
          version,
          bytes,
          modifiedAt,
          deletedAt,
          state,
          metadata,
        ]),
      );
      // `where true`: otherwise the grammar takes ON for that of a join.
      await sql`insert into named_shadows (thing_name, shadow_name, version, bytes, modified_at, deleted_at, state, metadata)
        select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
        from json_each(${rows}) where true
        on conflict (thing_name, shadow_name) do update set version = excluded.version, bytes = excluded.bytes,
          modified_at = excluded.modified_at, deleted_at = excluded.deleted_at, state = excluded.state, metadata = excluded.metadata`.execute(
        db,
      );
    },

    async count(thingName) {
      const row = await db
        .selectFrom("named_shadows")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where("thing_name", "=", thingName)
        .where("deleted_at", "is", null)
        .executeTakeFirstOrThrow();
      return row.count;
    },

    async names(thingName, { afterName = "", limit }) {
      const rows = await db
        .selectFrom("named_shadows")
        .select("shadow_name")
        .where("thing_name", "=", thingName)
        .where("shadow_name", ">", afterName)
        .where("deleted_at", "is", null)
        .orderBy("shadow_name")
        .limit(limit)
        .execute();
      return rows.map(({ shadow_name }) => shadow_name);
    },

    async totalBytes() {
      const row = await db
        .selectFrom("named_shadows")
        .select(({ fn }) => fn.sum<number | null>("bytes").as("bytes"))
        .executeTakeFirstOrThrow();
      return row.bytes ?? 0;
    },

    forgetDeleted(before) {
      return db.transaction().execute(async (trx) => {
        const old = await trx.deleteFrom("named_shadows").where("deleted_at", "<", before).returning("bytes").execute();
        return old.reduce((sum, { bytes }) => sum + bytes, 0);
      });
    },
  };
}
