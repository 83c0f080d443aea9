/** Groups of devices in SQL. */
import { type Insertable, type Kysely, type Selectable, sql } from "kysely";
import type { Group, GroupJoin, GroupStore } from "../registry/index.ts";
import type { Schema } from "./schema.ts";

type GroupTable = Schema["device_groups"];

export function createSqliteGroupStore(db: Kysely<Schema>): GroupStore {
  return {
    async insert(group) {
      const inserted = await db
        .insertInto("device_groups")
        .values(encodeGroup(group))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (inserted.numInsertedOrUpdatedRows === 1n) return "ok";
      const sameId = await db.selectFrom("device_groups").select("group_id").where("group_id", "=", group.groupId).executeTakeFirst();
      return sameId === undefined ? "duplicate_name" : "duplicate_id";
    },

    async find(groupId) {
      const row = await db.selectFrom("device_groups").selectAll().where("group_id", "=", groupId).executeTakeFirst();
      return row && decodeGroup(row);
    },

    async count() {
      return countOf(await db.selectFrom("device_groups").select(countAll).executeTakeFirst());
    },

    async counts(groupId) {
      const row = await db
        .selectFrom("group_devices")
        .innerJoin("devices", "devices.id", "group_devices.device_id")
        .select([
          countAll,
          sql<number>`count(devices.activated_at)`.as("active"),
          sql<number>`coalesce(sum(devices.status = 'ONLINE'), 0)`.as("online"),
        ])
        .where("group_id", "=", groupId)
        .executeTakeFirst();
      return { deviceCount: countOf(row), activeCount: Number(row?.active ?? 0), onlineCount: Number(row?.online ?? 0) };
    },

    async list({ page, pageSize }, { superGroupId, name }) {
      let matching = db.selectFrom("device_groups");
      if (name !== undefined) matching = matching.where("name", "=", name);
      if (superGroupId !== undefined) matching = matching.where("super_group_id", "=", superGroupId);
      else if (name === undefined) matching = matching.where("super_group_id", "is", null);
      const rows = await matching
        .selectAll()
        .orderBy("created_at", "desc")
        .orderBy("group_id", "desc")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      return { rows: rows.map(decodeGroup), total: countOf(await matching.select(countAll).executeTakeFirst()) };
    },

    async update(groupId, description) {
      await db.updateTable("device_groups").set({ description }).where("group_id", "=", groupId).execute();
    },

    async remove(groupId) {
      return db.transaction().execute(async (trx) => {
        const child = await trx.selectFrom("device_groups").select("group_id").where("super_group_id", "=", groupId).executeTakeFirst();
        if (child !== undefined) return "has_groups";
        await trx.deleteFrom("device_groups").where("group_id", "=", groupId).execute();
        return "ok";
      });
    },

    async addDevices(groupId, devices, { devicesMax, groupsMax }) {
      return db
        .transaction()
        .execute(async (trx) => {
          const outcome: GroupJoin = { added: 0, alreadyThere: 0, inTooManyGroups: 0, unknown: 0 };
          for (const { productKey, deviceName } of devices) outcome[await join(trx, groupId, productKey, deviceName, groupsMax)] += 1;
          const count = countOf(await trx.selectFrom("group_devices").select(countAll).where("group_id", "=", groupId).executeTakeFirst());
          if (count > devicesMax) throw new TooMany();
          return outcome;
        })
        .catch((error: unknown) => {
          if (error instanceof TooMany) return "too_many" as const;
          throw error;
        });
    },

    async removeDevices(groupId, devices) {
      return db.transaction().execute(async (trx) => {
        let removed = 0;
        for (const { productKey, deviceName } of devices) {
          const result = await trx
            .deleteFrom("group_devices")
            .where("group_id", "=", groupId)
            .where("device_id", "=", (eb) =>
              eb.selectFrom("devices").select("id").where("product_key", "=", productKey).where("device_name", "=", deviceName),
            )
            .executeTakeFirst();
          removed += Number(result.numDeletedRows);
        }
        return removed;
      });
    },

    async devices(groupId, { page, pageSize }) {
      const matching = db
        .selectFrom("group_devices")
        .innerJoin("devices", "devices.id", "group_devices.device_id")
        .where("group_id", "=", groupId);
      const rows = await matching
        .select(["product_key", "device_name", "iot_id"])
        .orderBy("group_devices.device_id")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const total = countOf(await db.selectFrom("group_devices").select(countAll).where("group_id", "=", groupId).executeTakeFirst());
      return { rows: rows.map((row) => ({ productKey: row.product_key, deviceName: row.device_name, iotId: row.iot_id })), total };
    },

    async groupsOf({ productKey, deviceName }) {
      const rows = await db
        .selectFrom("device_groups")
        .innerJoin("group_devices", "group_devices.group_id", "device_groups.group_id")
        .innerJoin("devices", "devices.id", "group_devices.device_id")
        .selectAll("device_groups")
        .where("devices.product_key", "=", productKey)
        .where("devices.device_name", "=", deviceName)
        .orderBy("device_groups.created_at")
        .execute();
      return rows.map(decodeGroup);
    },

    async tags(groupId) {
      const rows = await db.selectFrom("group_tags").select(["key", "value"]).where("group_id", "=", groupId).orderBy("key").execute();
      return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
    },

    async setTags(groupId, tags) {
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom("group_tags").where("group_id", "=", groupId).execute();
        const rows = Object.entries(tags).map(([key, value]) => ({ group_id: groupId, key, value }));
        if (rows.length > 0) await trx.insertInto("group_tags").values(rows).execute();
      });
    },

    async byTags(tags, { page, pageSize }) {
      let matching = db.selectFrom("device_groups");
      for (const [key, value] of Object.entries(tags)) {
        matching = matching.where("device_groups.group_id", "in", (eb) =>
          eb.selectFrom("group_tags").select("group_tags.group_id").where("key", "=", key).where("value", "=", value),
        );
      }
      const rows = await matching
        .selectAll()
        .orderBy("created_at", "desc")
        .orderBy("group_id", "desc")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      return { rows: rows.map(decodeGroup), total: countOf(await matching.select(countAll).executeTakeFirst()) };
    },
  };
}

async function join(
  trx: Kysely<Schema>,
  groupId: string,
  productKey: string,
  deviceName: string,
  groupsMax: number,
): Promise<keyof GroupJoin> {
  const device = await trx
    .selectFrom("devices")
    .select("id")
    .where("product_key", "=", productKey)
    .where("device_name", "=", deviceName)
    .executeTakeFirst();
  if (device === undefined) return "unknown";
  const groups = await trx.selectFrom("group_devices").select("group_id").where("device_id", "=", device.id).execute();
  if (groups.some((row) => row.group_id === groupId)) return "alreadyThere";
  if (groups.length >= groupsMax) return "inTooManyGroups";
  await trx.insertInto("group_devices").values({ group_id: groupId, device_id: device.id }).execute();
  return "added";
}

const countAll = sql<number>`count(*)`.as("count");

function countOf(row: { count: number } | undefined): number {
  return Number(row?.count ?? 0);
}

class TooMany extends Error {}

function encodeGroup(group: Group): Insertable<GroupTable> {
  return {
    group_id: group.groupId,
    name: group.name,
    description: group.description,
    super_group_id: group.superGroupId ?? null,
    created_at: group.createdAt,
  };
}

function decodeGroup(row: Selectable<GroupTable>): Group {
  return {
    groupId: row.group_id,
    name: row.name,
    description: row.description,
    ...(row.super_group_id !== null && { superGroupId: row.super_group_id }),
    createdAt: row.created_at,
  };
}
