/** MQTT users in SQL: password hashes only. */
import type { Kysely } from "kysely";
import { PlatformError } from "../errors/index.ts";
import type { MqttUserRow, MqttUserStore } from "../registry/index.ts";
import type { Schema } from "./schema.ts";

export function createSqliteMqttUserStore(db: Kysely<Schema>): MqttUserStore {
  return {
    async insert({ userName, passwordHash, description, rights, createdAt, modifiedAt }) {
      const result = await db
        .insertInto("mqtt_users")
        .values({
          user_name: userName,
          password_hash: passwordHash,
          description,
          rights: JSON.stringify(rights),
          created_at: createdAt,
          modified_at: modifiedAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 0n ? "duplicate" : "ok";
    },

    async find(userName) {
      const row = await db.selectFrom("mqtt_users").selectAll().where("user_name", "=", userName).executeTakeFirst();
      return row && toUser(row);
    },

    async list({ page, pageSize }) {
      const rows = await db
        .selectFrom("mqtt_users")
        .selectAll()
        .orderBy("user_name")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const { total } = await db
        .selectFrom("mqtt_users")
        .select((eb) => eb.fn.countAll<number>().as("total"))
        .executeTakeFirstOrThrow();
      return { rows: rows.map(toUser), total };
    },

    async update(userName, { description, rights, passwordHash, modifiedAt }) {
      const result = await db
        .updateTable("mqtt_users")
        .set({
          modified_at: modifiedAt,
          ...(description === undefined ? {} : { description }),
          ...(rights === undefined ? {} : { rights: JSON.stringify(rights) }),
          ...(passwordHash === undefined ? {} : { password_hash: passwordHash }),
        })
        .where("user_name", "=", userName)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },

    async remove(userName) {
      const result = await db.deleteFrom("mqtt_users").where("user_name", "=", userName).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

function toUser(row: Schema["mqtt_users"]): MqttUserRow {
  return {
    userName: row.user_name,
    passwordHash: row.password_hash,
    description: row.description,
    rights: parseRights(row),
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

/** What this program wrote it can read; anything else was changed by another hand. */
function parseRights({ user_name, rights }: Schema["mqtt_users"]): MqttUserRow["rights"] {
  const list: unknown = JSON.parse(rights);
  if (!Array.isArray(list)) throw new PlatformError("store.failed", { problem: `rights of MQTT user ${user_name} are no list` });
  return list;
}
