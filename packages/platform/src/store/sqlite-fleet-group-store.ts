/** Types of things, and the tree of groups, in SQL. */
import { type Insertable, type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { Attributes, FleetGroupStore, FleetTypeStore, GroupName, GroupRow, PropagatingAttribute, ThingType } from "../fleet/index.ts";
import type { Schema } from "./schema.ts";
import type { FleetGroupTable, FleetTypeTable } from "./schema-fleet.ts";
import { isForeignKeyViolation } from "./sqlite-file.ts";
import { thingRowId } from "./sqlite-fleet-thing-store.ts";

export function createSqliteFleetTypeStore(db: Kysely<Schema>): FleetTypeStore {
  return {
    async insert(type) {
      const inserted = await db
        .insertInto("fleet_types")
        .values(encodeType(type))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return inserted.numInsertedOrUpdatedRows === 1n;
    },
    async find(name) {
      const row = await db.selectFrom("fleet_types").selectAll().where("name", "=", name).executeTakeFirst();
      return row && decodeType(row);
    },
    async update(type) {
      await db.updateTable("fleet_types").set(encodeType(type)).where("name", "=", type.name).execute();
    },
    async remove(name) {
      try {
        await db.deleteFrom("fleet_types").where("name", "=", name).execute();
        return "ok";
      } catch (error) {
        if (isForeignKeyViolation(error)) return "in_use";
        throw error;
      }
    },
    async list({ size, after }, name) {
      let found = db.selectFrom("fleet_types").selectAll().orderBy("name").limit(size);
      if (after !== undefined) found = found.where("name", ">", after);
      if (name !== undefined) found = found.where("name", "=", name);
      return (await found.execute()).map(decodeType);
    },
  };
}

function encodeType(type: ThingType): Insertable<FleetTypeTable> {
  return {
    name: type.name,
    id: type.id,
    description: type.description,
    searchable_attributes: JSON.stringify(type.searchableAttributes),
    propagating_attributes: JSON.stringify(type.propagatingAttributes),
    deprecated_at: type.deprecatedAt ?? null,
    created_at: type.createdAt,
  };
}

function decodeType(row: Selectable<FleetTypeTable>): ThingType {
  return {
    name: row.name,
    id: row.id,
    description: row.description,
    searchableAttributes: JSON.parse(row.searchable_attributes) as string[],
    propagatingAttributes: JSON.parse(row.propagating_attributes) as PropagatingAttribute[],
    ...(row.deprecated_at !== null && { deprecatedAt: row.deprecated_at }),
    createdAt: row.created_at,
  };
}

/** The group itself and all above it; `level` grows upwards. */
export function branchAbove(name: string): RawBuilder<unknown> {
  return sql`with recursive branch (name, id, parent_name, level) as (
    select name, id, parent_name, 0 from fleet_groups where name = ${name}
    union all
    select g.name, g.id, g.parent_name, branch.level + 1 from fleet_groups g join branch on g.name = branch.parent_name
  )`;
}

/** The group itself and all below it. */
function branchBelow(name: string): RawBuilder<unknown> {
  return sql`with recursive branch (name, level) as (
    select ${name}, 0
    union all
    select g.name, branch.level + 1 from fleet_groups g join branch on g.parent_name = branch.name
  )`;
}

export function createSqliteFleetGroupStore(db: Kysely<Schema>): FleetGroupStore {
  return {
    async insert(group) {
      const inserted = await db
        .insertInto("fleet_groups")
        .values(encodeGroup(group))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return inserted.numInsertedOrUpdatedRows === 1n;
    },

    async find(name) {
      const row = await db.selectFrom("fleet_groups").selectAll().where("name", "=", name).executeTakeFirst();
      if (row === undefined) return undefined;
      const { rows: ancestors } =
        row.parent_name === null
          ? { rows: [] }
          : await sql<GroupName>`${branchAbove(name)} select name, id from branch where level > 0 order by level desc`.execute(db);
      return { ...decodeGroup(row), ancestors };
    },

    async update(group) {
      await db.updateTable("fleet_groups").set(encodeGroup(group)).where("name", "=", group.name).execute();
    },

    async remove(name) {
      return db.transaction().execute(async (trx) => {
        const child = await trx.selectFrom("fleet_groups").select("name").where("parent_name", "=", name).executeTakeFirst();
        if (child !== undefined) return "has_children";
        await trx.deleteFrom("fleet_policy_targets").where("kind", "=", "group").where("target", "=", name).execute();
        await trx.deleteFrom("fleet_groups").where("name", "=", name).execute();
        return "ok";
      });
    },

    async countChildren(name) {
      const row = await db.selectFrom("fleet_groups").select(countAll).where("parent_name", "=", name).executeTakeFirst();
      return Number(row?.count ?? 0);
    },

    async list({ parentName, namePrefix = "", isRecursive }, { size, after = "" }) {
      const named = sql`g.name >= ${namePrefix} and g.name < ${`${namePrefix}\u{10ffff}`} and g.name > ${after}`;
      if (parentName === undefined) {
        const roots = isRecursive ? sql`` : sql` and g.parent_name is null`;
        const found = sql<GroupName>`select g.name, g.id from fleet_groups g where ${named}${roots} order by g.name limit ${size}`;
        return (await found.execute(db)).rows;
      }
      const depth = isRecursive ? sql`branch.level > 0` : sql`branch.level = 1`;
      const found = sql<GroupName>`${branchBelow(parentName)} select g.name, g.id from branch join fleet_groups g on g.name = branch.name
        where ${depth} and ${named} order by g.name limit ${size}`;
      return (await found.execute(db)).rows;
    },

    async addThing(groupName, thingName, membershipId) {
      const inserted = await sql`insert into fleet_group_things (group_name, thing_name, device_id, membership_id)
        select g.name, ${thingName}, d.id, ${membershipId} from fleet_groups g, devices d
        where g.name = ${groupName} and d.id = ${thingRowId(thingName)} on conflict do nothing`.execute(db);
      return inserted.numAffectedRows === 1n;
    },

    async removeThing(groupName, thingName) {
      const row = await db
        .deleteFrom("fleet_group_things")
        .where("group_name", "=", groupName)
        .where("thing_name", "=", thingName)
        .returning("membership_id")
        .executeTakeFirst();
      return row?.membership_id;
    },

    async ofThing(thingName, { size, after = "" }) {
      const found = sql<GroupName>`select g.name, g.id from fleet_group_things m join fleet_groups g on g.name = m.group_name
        where m.device_id = ${thingRowId(thingName)} and m.group_name > ${after} order by m.group_name limit ${size}`;
      return (await found.execute(db)).rows;
    },

    async things(groupName, { size, after = "" }, isRecursive) {
      const found = isRecursive
        ? sql<{ name: string }>`${branchBelow(groupName)} select distinct m.thing_name as name from branch
            join fleet_group_things m on m.group_name = branch.name where m.thing_name > ${after} order by m.thing_name limit ${size}`
        : sql<{ name: string }>`select thing_name as name from fleet_group_things
            where group_name = ${groupName} and thing_name > ${after} order by thing_name limit ${size}`;
      return (await found.execute(db)).rows.map(({ name }) => name);
    },
  };
}

const countAll = sql<number>`count(*)`.as("count");

function encodeGroup(group: GroupRow): Insertable<FleetGroupTable> {
  return {
    name: group.name,
    id: group.id,
    description: group.description,
    attributes: JSON.stringify(group.attributes),
    parent_name: group.parentName ?? null,
    version: group.version,
    created_at: group.createdAt,
  };
}

function decodeGroup(row: Selectable<FleetGroupTable>): GroupRow {
  return {
    name: row.name,
    id: row.id,
    description: row.description,
    attributes: JSON.parse(row.attributes) as Attributes,
    ...(row.parent_name !== null && { parentName: row.parent_name }),
    version: row.version,
    createdAt: row.created_at,
  };
}
