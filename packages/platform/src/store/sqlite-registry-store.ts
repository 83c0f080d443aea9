/** Products, devices and topic classes in SQL. Rows carry secrets in clear text; the columns hold ciphertext. */
import { CompiledQuery, type Insertable, type Kysely, type Selectable, sql, type Updateable } from "kysely";
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { DeviceRow, DeviceStatusWrite, Product, ProductChange, RegistryStore, TopicClassRecord } from "../registry/index.ts";
import type { DeviceTable, ProductTable, Schema, TopicClassTable } from "./schema.ts";
import type { SecretBox } from "./secret-box.ts";
import { isForeignKeyViolation } from "./sqlite-file.ts";
import { findGateway } from "./sqlite-topology-store.ts";

/** Rows of one INSERT: about ten milliseconds, sealing the secrets included. */
const rowsPerInsert = 250;

/**
 * Absent values keep what is stored; the first activation is never overwritten. Statements for so many devices, largest first;
 * the last is for what remains. Written as text and prepared once: one by one, handing the statement over costs as much as its run.
 */
const statusUpdates = [100, 10, 1].map((devices) => {
  const row = "(?, ?, ?, ?, ?, ?, ?)";
  const text = `update devices set
    is_online = news.column1,
    activated_at = coalesce(activated_at, news.column2),
    last_online_at = coalesce(news.column3, last_online_at),
    last_offline_at = coalesce(news.column4, last_offline_at),
    remote_address = coalesce(news.column5, remote_address)
  from (values ${Array.from({ length: devices }, () => row).join(", ")}) as news
  where product_key = news.column6 and device_name = news.column7`;
  return { devices, text };
});

/** As text too: a storm of devices asks once for each. */
const selectDevice = "select * from devices where product_key = ? and device_name = ?";

export function createSqliteRegistryStore(db: Kysely<Schema>, box: SecretBox, clock: Clock): RegistryStore {
  const codec = rowCodec(box);

  return {
    async insertProduct(product, topicClasses) {
      return db.transaction().execute(async (trx) => {
        const inserted = await trx
          .insertInto("products")
          .values(codec.encodeProduct(product))
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        if (inserted.numInsertedOrUpdatedRows !== 1n) {
          const sameKey = await trx
            .selectFrom("products")
            .select("product_key")
            .where("product_key", "=", product.productKey)
            .executeTakeFirst();
          return sameKey === undefined ? "duplicate_name" : "duplicate_key";
        }
        if (topicClasses.length > 0) await trx.insertInto("topic_classes").values(topicClasses.map(encodeTopicClass)).execute();
        return "ok";
      });
    },

    async findProduct(productKey) {
      const row = await db.selectFrom("products").selectAll().where("product_key", "=", productKey).executeTakeFirst();
      return row && codec.decodeProduct(row);
    },

    async countDevices(productKey) {
      return countOf(await db.selectFrom("devices").select(countAll).where("product_key", "=", productKey).executeTakeFirst());
    },

    async listProducts({ page, pageSize }, { dataFormat } = {}) {
      const found = dataFormat === undefined ? db.selectFrom("products") : db.selectFrom("products").where("data_format", "=", dataFormat);
      const rows = await found
        .selectAll()
        .select((eb) =>
          eb.selectFrom("devices").select(countAll).whereRef("devices.product_key", "=", "products.product_key").as("device_count"),
        )
        .orderBy("created_at", "desc")
        .orderBy("product_key", "desc")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const total = countOf(await found.select(countAll).executeTakeFirst());
      return { rows: rows.map((row) => ({ ...codec.decodeProduct(row), deviceCount: Number(row.device_count ?? 0) })), total };
    },

    async updateProduct(productKey, change) {
      const columns = columnsOf(change);
      if (Object.keys(columns).length === 0) return "ok";
      return db.transaction().execute(async (trx) => {
        if (change.name !== undefined) {
          const sameName = await trx.selectFrom("products").select("product_key").where("name", "=", change.name).executeTakeFirst();
          if (sameName !== undefined && sameName.product_key !== productKey) return "duplicate_name";
        }
        await trx.updateTable("products").set(columns).where("product_key", "=", productKey).execute();
        return "ok";
      });
    },

    async deleteProduct(productKey) {
      try {
        await db.deleteFrom("products").where("product_key", "=", productKey).execute();
      } catch (error) {
        // A device came between the registry's check and this statement.
        if (isForeignKeyViolation(error)) throw new PlatformError("registry.product_has_devices", { productKey });
        throw error;
      }
    },

    async insertDevices(devices) {
      try {
        await db.transaction().execute(async (trx) => {
          for (let start = 0; start < devices.length; start += rowsPerInsert) {
            const chunk = devices.slice(start, start + rowsPerInsert);
            const inserted = await trx
              .insertInto("devices")
              .values(chunk.map(codec.encodeDevice))
              .onConflict((conflict) => conflict.doNothing())
              .returning("iot_id")
              .execute();
            if (inserted.length !== chunk.length) throw new Duplicate(firstMissing(chunk, inserted));
            // 10,000 devices take 300 ms: sockets have their turn in between, other users of the store wait.
            if (start + rowsPerInsert < devices.length) await new Promise<void>((resolve) => clock.soon(resolve));
          }
        });
        return { kind: "ok" };
      } catch (error) {
        if (error instanceof Duplicate) return { kind: "duplicate", deviceName: error.deviceName };
        if (isForeignKeyViolation(error)) {
          throw new PlatformError("registry.product_not_found", { productKey: devices[0]?.productKey ?? "" });
        }
        throw error;
      }
    },

    async findDevice(productKey, deviceName) {
      // Text has no types: `*` of that table is what the schema says of it.
      const query = CompiledQuery.raw(selectDevice, [productKey, deviceName]) as CompiledQuery<Selectable<DeviceTable>>;
      const { rows } = await db.executeQuery(query);
      return rows[0] && codec.decodeDevice(rows[0]);
    },

    async findDeviceByIotId(iotId) {
      const row = await db.selectFrom("devices").selectAll().where("iot_id", "=", iotId).executeTakeFirst();
      return row && codec.decodeDevice(row);
    },

    async listDevices(productKey, { page, pageSize }, { status, namePrefix }) {
      let matching = db.selectFrom("devices");
      if (productKey !== undefined) matching = matching.where("product_key", "=", productKey);
      if (status !== undefined) matching = matching.where("status", "=", status);
      if (namePrefix !== undefined && namePrefix !== "") {
        // A range of the index; LIKE would neither use it nor take `_` and `%` as written.
        matching = matching.where("device_name", ">=", namePrefix).where("device_name", "<", `${namePrefix}\u{10ffff}`);
      }
      const rows = await matching
        .selectAll()
        .orderBy("product_key")
        .orderBy("device_name")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const total = countOf(await matching.select(countAll).executeTakeFirst());
      return { rows: rows.map(codec.decodeDevice), total };
    },

    async updateDevice(productKey, deviceName, change) {
      await db
        .updateTable("devices")
        .set({
          modified_at: change.modifiedAt,
          ...(change.nickname !== undefined && { nickname: change.nickname }),
          ...(change.isEnabled !== undefined && { is_enabled: flag(change.isEnabled) }),
        })
        .where("product_key", "=", productKey)
        .where("device_name", "=", deviceName)
        .execute();
    },

    async deleteDevice(productKey, deviceName) {
      return db.transaction().execute(async (trx) => {
        const gateway = await findGateway(trx, { productKey, deviceName });
        await trx.deleteFrom("tokens").where("product_key", "=", productKey).where("device_name", "=", deviceName).execute();
        await trx.deleteFrom("devices").where("product_key", "=", productKey).where("device_name", "=", deviceName).execute();
        return gateway === undefined ? {} : { gateway };
      });
    },

    async replaceSecret(productKey, deviceName, deviceSecret, modifiedAt) {
      const replaced = await db
        .updateTable("devices")
        .set({ sealed_secret: box.seal(deviceSecret, "devices", `${productKey}/${deviceName}`), modified_at: modifiedAt })
        .where("product_key", "=", productKey)
        .where("device_name", "=", deviceName)
        .where("activated_at", "is", null)
        .executeTakeFirst();
      return replaced.numUpdatedRows === 1n;
    },

    async resetDevice(productKey, deviceName, modifiedAt) {
      return db.transaction().execute(async (trx) => {
        const gateway = await findGateway(trx, { productKey, deviceName });
        const row = await trx
          .updateTable("devices")
          .set({ activated_at: null, modified_at: modifiedAt })
          .where("product_key", "=", productKey)
          .where("device_name", "=", deviceName)
          .returning("id")
          .executeTakeFirst();
        if (row === undefined) return {};
        await trx.deleteFrom("topology").where("sub_id", "=", row.id).execute();
        await trx.deleteFrom("device_tokens").where("device_id", "=", row.id).execute();
        await trx.deleteFrom("tokens").where("product_key", "=", productKey).where("device_name", "=", deviceName).execute();
        return gateway === undefined ? {} : { gateway };
      });
    },

    async writeStatuses(writes) {
      await db.transaction().execute(async (trx) => {
        let start = 0;
        for (const { devices, text } of statusUpdates) {
          for (; writes.length - start >= devices; start += devices) {
            await trx.executeQuery(CompiledQuery.raw(text, writes.slice(start, start + devices).flatMap(encodeStatus)));
          }
        }
      });
    },

    async markAllOffline(at) {
      const result = await db
        .updateTable("devices")
        .set({ is_online: 0, last_offline_at: at })
        .where("is_online", "=", 1)
        .executeTakeFirst();
      return Number(result.numUpdatedRows);
    },

    async insertTopicClass(topicClass) {
      try {
        const row = await db
          .insertInto("topic_classes")
          .values(encodeTopicClass(topicClass))
          .onConflict((conflict) => conflict.doNothing())
          .returningAll()
          .executeTakeFirst();
        return row === undefined ? "duplicate" : decodeTopicClass(row);
      } catch (error) {
        if (isForeignKeyViolation(error)) throw new PlatformError("registry.product_not_found", { productKey: topicClass.productKey });
        throw error;
      }
    },

    async listTopicClasses(productKey) {
      const rows = await db.selectFrom("topic_classes").selectAll().where("product_key", "=", productKey).orderBy("id").execute();
      return rows.map(decodeTopicClass);
    },

    async findTopicClass(id) {
      const row = await db.selectFrom("topic_classes").selectAll().where("id", "=", id).executeTakeFirst();
      return row && decodeTopicClass(row);
    },

    async updateTopicClass(id, { template, operation, description }) {
      const other = await db
        .selectFrom("topic_classes as one")
        .innerJoin("topic_classes as other", "other.product_key", "one.product_key")
        .select("other.id")
        .where("one.id", "=", id)
        .where("other.id", "!=", id)
        .where("other.template", "=", template)
        .executeTakeFirst();
      if (other !== undefined) return "duplicate";
      await db.updateTable("topic_classes").set({ template, operation, description }).where("id", "=", id).execute();
      return "ok";
    },

    async deleteTopicClass(id) {
      await db.deleteFrom("topic_classes").where("id", "=", id).execute();
    },
  };
}

/** In the order of `statusUpdates`. */
function encodeStatus(write: DeviceStatusWrite): unknown[] {
  return [
    flag(write.isOnline),
    write.activatedAt ?? null,
    write.lastOnlineAt ?? null,
    write.lastOfflineAt ?? null,
    write.remoteAddress ?? null,
    write.productKey,
    write.deviceName,
  ];
}

function columnsOf(change: ProductChange): Updateable<ProductTable> {
  const { name, description, isRegistrationOpen, isSelfRegistrationOpen, isReleased, certificateIssuer } = change;
  return {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(isRegistrationOpen !== undefined && { is_registration_open: flag(isRegistrationOpen) }),
    ...(isSelfRegistrationOpen !== undefined && { is_self_registration_open: flag(isSelfRegistrationOpen) }),
    ...(isReleased !== undefined && { is_released: flag(isReleased) }),
    ...(certificateIssuer !== undefined && { certificate_issuer: certificateIssuer }),
  };
}

const countAll = sql<number>`count(*)`.as("count");

function countOf(row: { count: number } | undefined): number {
  return Number(row?.count ?? 0);
}

function flag(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}

/** Ends a transaction so that all of it is undone. */
class Duplicate extends Error {
  readonly deviceName: string;
  constructor(deviceName: string) {
    super("duplicate");
    this.deviceName = deviceName;
  }
}

/** The iotId decides, because two rows of one chunk may bear the same name. */
function firstMissing(chunk: readonly DeviceRow[], inserted: readonly { iot_id: string }[]): string {
  const left = new Set(inserted.map((row) => row.iot_id));
  return chunk.find((device) => !left.delete(device.iotId))?.deviceName ?? "";
}

interface RowCodec {
  encodeProduct(product: Product): Insertable<ProductTable>;
  decodeProduct(row: Selectable<ProductTable>): Product;
  encodeDevice(device: DeviceRow): Insertable<DeviceTable>;
  decodeDevice(row: Selectable<DeviceTable>): DeviceRow;
}

function rowCodec(box: SecretBox): RowCodec {
  return {
    encodeProduct: (product) => ({
      product_key: product.productKey,
      sealed_secret: box.seal(product.productSecret, "products", product.productKey),
      name: product.name,
      description: product.description,
      node_type: product.nodeType,
      topic_style: product.topicStyle,
      data_format: product.dataFormat,
      auth_type: product.authType,
      is_registration_open: flag(product.isRegistrationOpen),
      is_self_registration_open: flag(product.isSelfRegistrationOpen),
      is_released: flag(product.isReleased === true),
      certificate_issuer: product.certificateIssuer ?? null,
      created_at: product.createdAt,
    }),
    decodeProduct: (row) => ({
      productKey: row.product_key,
      productSecret: box.open(row.sealed_secret, "products", row.product_key),
      name: row.name,
      description: row.description,
      nodeType: row.node_type,
      topicStyle: row.topic_style,
      dataFormat: row.data_format,
      authType: row.auth_type,
      isRegistrationOpen: row.is_registration_open === 1,
      isSelfRegistrationOpen: row.is_self_registration_open === 1,
      ...(row.is_released === 1 && { isReleased: true }),
      ...(row.certificate_issuer !== null && { certificateIssuer: row.certificate_issuer }),
      createdAt: row.created_at,
    }),
    encodeDevice: (device) => ({
      product_key: device.productKey,
      device_name: device.deviceName,
      iot_id: device.iotId,
      sealed_secret: box.seal(device.deviceSecret, "devices", `${device.productKey}/${device.deviceName}`),
      nickname: device.nickname,
      is_enabled: flag(device.isEnabled),
      is_online: flag(device.isOnline),
      created_at: device.createdAt,
      modified_at: device.modifiedAt,
      activated_at: device.activatedAt ?? null,
      last_online_at: device.lastOnlineAt ?? null,
      last_offline_at: device.lastOfflineAt ?? null,
      remote_address: device.remoteAddress ?? null,
    }),
    decodeDevice: (row) => ({
      iotId: row.iot_id,
      productKey: row.product_key,
      deviceName: row.device_name,
      deviceSecret: box.open(row.sealed_secret, "devices", `${row.product_key}/${row.device_name}`),
      nickname: row.nickname,
      isEnabled: row.is_enabled === 1,
      isOnline: row.is_online === 1,
      createdAt: row.created_at,
      modifiedAt: row.modified_at,
      ...(row.activated_at !== null && { activatedAt: row.activated_at }),
      ...(row.last_online_at !== null && { lastOnlineAt: row.last_online_at }),
      ...(row.last_offline_at !== null && { lastOfflineAt: row.last_offline_at }),
      ...(row.remote_address !== null && { remoteAddress: row.remote_address }),
    }),
  };
}

function encodeTopicClass(topicClass: Omit<TopicClassRecord, "id">): Insertable<TopicClassTable> {
  return {
    product_key: topicClass.productKey,
    template: topicClass.template,
    operation: topicClass.operation,
    description: topicClass.description,
    created_at: topicClass.createdAt,
  };
}

function decodeTopicClass(row: Selectable<TopicClassTable>): TopicClassRecord {
  return {
    id: row.id,
    productKey: row.product_key,
    template: row.template,
    operation: row.operation,
    description: row.description,
    createdAt: row.created_at,
  };
}
