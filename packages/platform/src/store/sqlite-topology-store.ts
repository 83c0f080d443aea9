/** Gateways and their sub-devices in SQL. Relations go with either of the two devices. */
import { type Kysely, sql } from "kysely";
import { PlatformError } from "../errors/index.ts";
import type { DeviceIdentity, TopologyStore } from "../registry/index.ts";
import type { Schema } from "./schema.ts";

export function createSqliteTopologyStore(db: Kysely<Schema>): TopologyStore {
  return {
    async add(gateway, devices, subDevicesMax, createdAt) {
      return db
        .transaction()
        .execute(async (trx) => {
          const gatewayId = await needId(trx, gateway);
          const moved: { gateway: DeviceIdentity; device: DeviceIdentity }[] = [];
          for (const device of devices) {
            const subId = await needId(trx, device);
            const former = await gatewayOfId(trx, subId);
            if (former !== undefined && former.iotId !== gateway.iotId) moved.push({ gateway: former, device });
            await trx
              .insertInto("topology")
              .values({ sub_id: subId, gateway_id: gatewayId, created_at: createdAt })
              .onConflict((conflict) => conflict.column("sub_id").doUpdateSet({ gateway_id: gatewayId }))
              .execute();
          }
          const row = await trx.selectFrom("topology").select(countAll).where("gateway_id", "=", gatewayId).executeTakeFirst();
          const total = Number(row?.count ?? 0);
          if (total > subDevicesMax) throw new TooMany(total);
          return { kind: "ok" as const, moved };
        })
        .catch((error: unknown) => {
          if (error instanceof TooMany) return { kind: "too_many" as const, total: error.total };
          throw error;
        });
    },

    async remove(gateway, devices) {
      await db.transaction().execute(async (trx) => {
        for (const { iotId } of devices) {
          await trx
            .deleteFrom("topology")
            .where("sub_id", "=", (eb) => eb.selectFrom("devices").select("id").where("iot_id", "=", iotId))
            .where("gateway_id", "=", (eb) => eb.selectFrom("devices").select("id").where("iot_id", "=", gateway.iotId))
            .execute();
        }
      });
    },

    async list({ productKey, deviceName }, { page, pageSize }) {
      const matching = db
        .selectFrom("topology")
        .innerJoin("devices as sub", "sub.id", "topology.sub_id")
        .innerJoin("devices as gateway", "gateway.id", "topology.gateway_id")
        .where("gateway.product_key", "=", productKey)
        .where("gateway.device_name", "=", deviceName);
      const rows = await matching
        .select(["sub.product_key", "sub.device_name", "sub.iot_id"])
        .orderBy("sub.product_key")
        .orderBy("sub.device_name")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const total = await matching.select(countAll).executeTakeFirst();
      return { rows: rows.map(identityOf), total: Number(total?.count ?? 0) };
    },

    gatewayOf: (device) => findGateway(db, device),
  };
}

export async function findGateway(
  db: Kysely<Schema>,
  { productKey, deviceName }: Pick<DeviceIdentity, "productKey" | "deviceName">,
): Promise<DeviceIdentity | undefined> {
  const sub = await db
    .selectFrom("devices")
    .select("id")
    .where("product_key", "=", productKey)
    .where("device_name", "=", deviceName)
    .executeTakeFirst();
  return sub && gatewayOfId(db, sub.id);
}

const countAll = sql<number>`count(*)`.as("count");

async function needId(db: Kysely<Schema>, { productKey, deviceName, iotId }: DeviceIdentity): Promise<number> {
  const row = await db.selectFrom("devices").select("id").where("iot_id", "=", iotId).executeTakeFirst();
  // It was deleted since the registry looked.
  if (row === undefined) throw new PlatformError("registry.device_not_found", { productKey, deviceName });
  return row.id;
}

async function gatewayOfId(db: Kysely<Schema>, subId: number): Promise<DeviceIdentity | undefined> {
  const row = await db
    .selectFrom("topology")
    .innerJoin("devices as gateway", "gateway.id", "topology.gateway_id")
    .select(["gateway.product_key", "gateway.device_name", "gateway.iot_id"])
    .where("topology.sub_id", "=", subId)
    .executeTakeFirst();
  return row && identityOf(row);
}

function identityOf(row: { product_key: string; device_name: string; iot_id: string }): DeviceIdentity {
  return { productKey: row.product_key, deviceName: row.device_name, iotId: row.iot_id };
}

/** Ends a transaction so that all of it is undone. */
class TooMany extends Error {
  readonly total: number;
  constructor(total: number) {
    super("too many");
    this.total = total;
  }
}
