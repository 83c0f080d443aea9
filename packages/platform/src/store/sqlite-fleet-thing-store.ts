/** Things and whom they are attached to, in SQL. */
import { type Kysely, type RawBuilder, sql } from "kysely";
import {
  type Attributes,
  type FleetThingStore,
  type PrincipalType,
  type Thing,
  type ThingFilter,
  type ThingPlace,
  type ThingPrincipal,
  type ThingRow,
  thingProductKey,
} from "../fleet/index.ts";
import type { Schema } from "./schema.ts";

export function thingRowId(name: string): RawBuilder<number> {
  return sql<number>`(select id from devices where product_key = ${thingProductKey} and device_name = ${name})`;
}

interface SelectedThing {
  device_name: string;
  iot_id: string;
  created_at: number;
  type_name: string | null;
  attributes: string | null;
  billing_group: string | null;
  version: number | null;
}

const columns = sql`d.device_name, d.iot_id, d.created_at, t.type_name, t.attributes, t.billing_group, t.version`;

export function createSqliteFleetThingStore(db: Kysely<Schema>): FleetThingStore {
  const deviceIdOf = async (trx: Kysely<Schema>, name: string): Promise<number | undefined> => {
    const row = await trx
      .selectFrom("devices")
      .select("id")
      .where("product_key", "=", thingProductKey)
      .where("device_name", "=", name)
      .executeTakeFirst();
    return row?.id;
  };

  return {
    async find(name) {
      const { rows } = await sql<SelectedThing>`select ${columns}
        from devices d left join fleet_things t on t.device_id = d.id
        where d.product_key = ${thingProductKey} and d.device_name = ${name}`.execute(db);
      return rows[0] && decodeThing(rows[0]);
    },

    async write(name, content) {
      return db.transaction().execute(async (trx) => {
        const deviceId = await deviceIdOf(trx, name);
        if (deviceId === undefined) return false;
        const values = {
          type_name: content.typeName ?? null,
          attributes: JSON.stringify(content.attributes),
          billing_group: content.billingGroupName ?? null,
          version: content.version,
        };
        await trx
          .insertInto("fleet_things")
          .values({ device_id: deviceId, thing_name: name, ...values })
          .onConflict((conflict) => conflict.column("device_id").doUpdateSet(values))
          .execute();
        await trx.deleteFrom("fleet_thing_attributes").where("device_id", "=", deviceId).execute();
        const rows = Object.entries(content.attributes).map(([key, value]) => ({ key, value, thing_name: name, device_id: deviceId }));
        if (rows.length > 0) await trx.insertInto("fleet_thing_attributes").values(rows).execute();
        return true;
      });
    },

    async list(filter, { size, after }) {
      const { rows } = await sql<SelectedThing>`${selectThings(filter, after)} limit ${size}`.execute(db);
      return rows.map((row) => {
        const { hasContent: _, ...thing } = decodeThing(row);
        return thing;
      });
    },

    async attach(name, { principal, type }) {
      return db.transaction().execute(async (trx) => {
        const deviceId = await deviceIdOf(trx, name);
        if (deviceId === undefined) return false;
        await trx
          .insertInto("fleet_principals")
          .values({ kind: principal.kind, principal: principal.id, thing_name: name, type, device_id: deviceId })
          .onConflict((conflict) => conflict.columns(["kind", "principal", "thing_name"]).doUpdateSet({ type }))
          .execute();
        return true;
      });
    },

    async detach(name, principal) {
      const deleted = await db
        .deleteFrom("fleet_principals")
        .where("kind", "=", principal.kind)
        .where("principal", "=", principal.id)
        .where("thing_name", "=", name)
        .executeTakeFirst();
      return deleted.numDeletedRows > 0n;
    },

    async principals(name, { size, after }, type) {
      let found = db
        .selectFrom("fleet_principals")
        .select(["kind", "principal", "type"])
        .where("device_id", "=", thingRowId(name))
        .orderBy("kind")
        .orderBy("principal")
        .limit(size);
      if (after !== undefined) found = found.where(sql<boolean>`(kind, principal) > (${after.kind}, ${after.id})`);
      if (type !== undefined) found = found.where("type", "=", type);
      return (await found.execute()).map((row) => ({ principal: { kind: row.kind, id: row.principal } as ThingPrincipal, type: row.type }));
    },

    async ofPrincipal(principal, { size, after }, type) {
      let found = db
        .selectFrom("fleet_principals")
        .select(["thing_name as name", "type"])
        .where("kind", "=", principal.kind)
        .where("principal", "=", principal.id)
        .orderBy("thing_name")
        .limit(size);
      if (after !== undefined) found = found.where("thing_name", ">", after);
      if (type !== undefined) found = found.where("type", "=", type);
      return found.execute();
    },

    async attachment(name, principal) {
      const row = await db
        .selectFrom("fleet_principals")
        .select("type")
        .where("kind", "=", principal.kind)
        .where("principal", "=", principal.id)
        .where("thing_name", "=", name)
        .executeTakeFirst();
      return row?.type satisfies PrincipalType | undefined;
    },
  };
}

/** Each list walks one index from where it stopped; no list sorts. */
function selectThings({ attribute, typeName }: ThingFilter, after: ThingPlace | undefined): RawBuilder<unknown> {
  if (attribute !== undefined) return selectByAttribute(attribute, typeName, after);
  if (typeName !== undefined) {
    return sql`select ${columns} from fleet_things t join devices d on d.id = t.device_id
      where t.type_name = ${typeName} and t.thing_name > ${after?.name ?? ""} order by t.thing_name`;
  }
  return sql`select ${columns} from devices d left join fleet_things t on t.device_id = d.id
    where d.product_key = ${thingProductKey} and d.device_name > ${after?.name ?? ""} order by d.device_name`;
}

function selectByAttribute(
  { name, value = "", isPrefix = false }: NonNullable<ThingFilter["attribute"]>,
  typeName: string | undefined,
  after: ThingPlace | undefined,
): RawBuilder<unknown> {
  // The cross join keeps the planner on the attribute's index: by the type it would read and sort every thing of it.
  const found = sql`select ${columns} from fleet_thing_attributes a cross join fleet_things t on t.device_id = a.device_id
    join devices d on d.id = a.device_id where a.key = ${name}`;
  const ofType = typeName === undefined ? sql`` : sql` and t.type_name = ${typeName}`;
  if (!isPrefix) {
    return sql`${found} and a.value = ${value} and a.thing_name > ${after?.name ?? ""}${ofType} order by a.thing_name`;
  }
  return sql`${found} and (a.value, a.thing_name) > (${after?.value ?? value}, ${after?.name ?? ""})
    and a.value < ${`${value}\u{10ffff}`}${ofType} order by a.value, a.thing_name`;
}

function decodeThing(row: SelectedThing): ThingRow {
  const thing: Thing = {
    name: row.device_name,
    id: row.iot_id,
    attributes: row.attributes === null ? {} : (JSON.parse(row.attributes) as Attributes),
    version: row.version ?? 1,
    createdAt: row.created_at,
    ...(row.type_name !== null && { typeName: row.type_name }),
    ...(row.billing_group !== null && { billingGroupName: row.billing_group }),
  };
  return { ...thing, hasContent: row.version !== null };
}
