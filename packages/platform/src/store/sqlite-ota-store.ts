/** Firmware in SQL: modules, files, packages and the versions that devices told; jobs and tasks lie next door. */
import { type Kysely, type Selectable, sql } from "kysely";
import type { Clock } from "../clock.ts";
import type { OtaPackage, OtaStore, PackageFile } from "../ota/index.ts";
import type { OtaFileTable, OtaModuleTable, OtaPackageTable, Schema } from "./schema.ts";
import { countAllRows, decodeFile, unlessNull } from "./sqlite-ota-rows.ts";
import { createSqliteOtaTaskStore } from "./sqlite-ota-task-store.ts";

export function createSqliteOtaStore(db: Kysely<Schema>, clock: Pick<Clock, "soon">): OtaStore {
  async function withFiles(rows: Selectable<OtaPackageTable>[]): Promise<OtaPackage[]> {
    if (rows.length === 0) return [];
    const files = await db
      .selectFrom("ota_package_files")
      .innerJoin("ota_files", "ota_files.id", "ota_package_files.file_id")
      .selectAll("ota_files")
      .select(["ota_package_files.package_id", "ota_package_files.name"])
      .where(
        "package_id",
        "in",
        rows.map(({ id }) => id),
      )
      .orderBy("package_id")
      .orderBy("position")
      .execute();
    const byPackage = Map.groupBy(files, (file) => file.package_id);
    return rows.map((row) => decodePackage(row, byPackage.get(row.id) ?? []));
  }

  return {
    async insertModule({ productKey, name, alias, description, createdAt, modifiedAt }) {
      const inserted = await db
        .insertInto("ota_modules")
        .values({ product_key: productKey, name, alias, description, created_at: createdAt, modified_at: modifiedAt })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return inserted.numInsertedOrUpdatedRows === 1n ? "ok" : "duplicate";
    },

    async updateModule(productKey, name, { alias, description, modifiedAt }) {
      const row = await db
        .updateTable("ota_modules")
        .set({
          modified_at: modifiedAt,
          ...(alias === undefined ? {} : { alias }),
          ...(description === undefined ? {} : { description }),
        })
        .where("product_key", "=", productKey)
        .where("name", "=", name)
        .returningAll()
        .executeTakeFirst();
      return row && decodeModule(row);
    },

    async deleteModule(productKey, name) {
      return db.transaction().execute(async (trx) => {
        const packages = trx.selectFrom("ota_packages").select("id").where("product_key", "=", productKey).where("module", "=", name);
        if ((await packages.limit(1).executeTakeFirst()) !== undefined) return "in_use";
        const deleted = await trx
          .deleteFrom("ota_modules")
          .where("product_key", "=", productKey)
          .where("name", "=", name)
          .executeTakeFirst();
        return deleted.numDeletedRows === 0n ? "unknown" : "ok";
      });
    },

    async listModules(productKey) {
      const rows = await db.selectFrom("ota_modules").selectAll().where("product_key", "=", productKey).orderBy("name").execute();
      return rows.map(decodeModule);
    },

    async insertFile({ bytes, md5, sha256, createdAt }) {
      const row = await db
        .insertInto("ota_files")
        .values({ sha256, md5, bytes, created_at: createdAt })
        .onConflict((conflict) => conflict.column("sha256").doUpdateSet({ created_at: createdAt }))
        .returningAll()
        .executeTakeFirstOrThrow();
      return decodeFile(row);
    },

    async findFile(id) {
      const row = await db.selectFrom("ota_files").selectAll().where("id", "=", id).executeTakeFirst();
      return row && decodeFile(row);
    },

    async deleteUnusedFiles(olderThan) {
      const rows = await db
        .deleteFrom("ota_files")
        .where("created_at", "<", olderThan)
        .where("id", "not in", db.selectFrom("ota_package_files").select("file_id"))
        .returningAll()
        .execute();
      return rows.map(decodeFile);
    },

    async insertPackage(pack) {
      return db.transaction().execute(async (trx) => {
        const named = await trx.selectFrom("ota_packages").select("id").where("name", "=", pack.name).executeTakeFirst();
        if (named !== undefined) return "duplicate_name";
        const row = await trx
          .insertInto("ota_packages")
          .values({
            product_key: pack.productKey,
            name: pack.name,
            description: pack.description,
            module: pack.module,
            kind: pack.kind,
            source_version: pack.sourceVersion ?? null,
            version: pack.version,
            sign_method: pack.signMethod,
            digest_sign: pack.digestSign ?? null,
            user_info: pack.userInfo ?? null,
            status: pack.status,
            created_at: pack.createdAt,
            modified_at: pack.modifiedAt,
          })
          .onConflict((conflict) => conflict.doNothing())
          .returningAll()
          .executeTakeFirst();
        if (row === undefined) return "duplicate_version";
        for (const [position, { id, name }] of pack.files.entries()) {
          await trx.insertInto("ota_package_files").values({ package_id: row.id, position, file_id: id, name }).execute();
        }
        return { ...pack, id: row.id };
      });
    },

    async updatePackage(id, { name, description, userInfo, status, modifiedAt }) {
      return db.transaction().execute(async (trx) => {
        if (name !== undefined) {
          const named = await trx.selectFrom("ota_packages").select("id").where("name", "=", name).executeTakeFirst();
          if (named !== undefined && named.id !== id) return "duplicate_name";
        }
        await trx
          .updateTable("ota_packages")
          .set({
            modified_at: modifiedAt,
            ...(name === undefined ? {} : { name }),
            ...(description === undefined ? {} : { description }),
            ...(userInfo === undefined ? {} : { user_info: userInfo }),
            ...(status === undefined ? {} : { status }),
          })
          .where("id", "=", id)
          .execute();
        return "ok";
      });
    },

    async findPackage(id) {
      const rows = await db.selectFrom("ota_packages").selectAll().where("id", "=", id).execute();
      return (await withFiles(rows))[0];
    },

    async listPackages({ page, pageSize }, { productKey, version, module }) {
      let matching = db.selectFrom("ota_packages");
      if (productKey !== undefined) matching = matching.where("product_key", "=", productKey);
      if (version !== undefined) matching = matching.where("version", "=", version);
      if (module !== undefined) matching = matching.where("module", "=", module);
      const rows = await matching
        .selectAll()
        .orderBy("id", "desc")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const { count } = await matching.select(countAllRows).executeTakeFirstOrThrow();
      return { rows: await withFiles(rows), total: count };
    },

    async countPackages() {
      return (await db.selectFrom("ota_packages").select(countAllRows).executeTakeFirstOrThrow()).count;
    },

    async deletePackage(id) {
      return db.transaction().execute(async (trx) => {
        const running = await trx
          .selectFrom("ota_tasks")
          .innerJoin("ota_jobs", "ota_jobs.id", "ota_tasks.job_id")
          .select("ota_tasks.id")
          .where("ota_jobs.package_id", "=", id)
          .where("ota_tasks.status", "in", ["CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS"])
          .limit(1)
          .executeTakeFirst();
        const unfinished = await trx
          .selectFrom("ota_jobs")
          .select("id")
          .where("package_id", "=", id)
          .where("status", "in", ["PLANNED", "IN_PROGRESS"])
          .limit(1)
          .executeTakeFirst();
        if (running !== undefined || unfinished !== undefined) return "in_use";
        await trx.deleteFrom("ota_packages").where("id", "=", id).execute();
        return "ok";
      });
    },

    async findVersion(productKey, deviceName, module) {
      const row = await db
        .selectFrom("ota_versions")
        .select("version")
        .where("product_key", "=", productKey)
        .where("device_name", "=", deviceName)
        .where("module", "=", module)
        .executeTakeFirst();
      return row?.version;
    },

    async saveVersions(versions) {
      await db.transaction().execute(async (trx) => {
        for (const { productKey, deviceName, module, iotId, version, reportedAt } of versions) {
          await trx
            .insertInto("ota_versions")
            .values({ product_key: productKey, device_name: deviceName, module, iot_id: iotId, version, reported_at: reportedAt })
            .onConflict((conflict) =>
              conflict.columns(["product_key", "device_name", "module"]).doUpdateSet({ iot_id: iotId, version, reported_at: reportedAt }),
            )
            .execute();
        }
      });
      return versions.map(() => true);
    },

    async versionsOf(productKey, deviceName) {
      const rows = await db
        .selectFrom("ota_versions")
        .selectAll()
        .where("product_key", "=", productKey)
        .where("device_name", "=", deviceName)
        .orderBy("module")
        .execute();
      return rows.map((row) => ({
        productKey,
        deviceName,
        iotId: row.iot_id,
        module: row.module,
        version: row.version,
        reportedAt: row.reported_at,
      }));
    },

    async distribution(productKey, module) {
      const rows = await db
        .selectFrom("ota_versions")
        .select(["version", countAllRows])
        .where("product_key", "=", productKey)
        .where("module", "=", module)
        .groupBy("version")
        .orderBy(sql`count(*)`, "desc")
        .orderBy("version")
        .execute();
      return rows.map(({ version, count }) => ({ version, deviceCount: count }));
    },

    async deleteVersionsOf(productKey, deviceName) {
      await db.deleteFrom("ota_versions").where("product_key", "=", productKey).where("device_name", "=", deviceName).execute();
    },

    ...createSqliteOtaTaskStore(db, clock),
  };
}

function decodeModule(row: Selectable<OtaModuleTable>) {
  return {
    productKey: row.product_key,
    name: row.name,
    alias: row.alias,
    description: row.description,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

function decodePackage(row: Selectable<OtaPackageTable>, files: (Selectable<OtaFileTable> & { name: string })[]): OtaPackage {
  return {
    id: row.id,
    productKey: row.product_key,
    name: row.name,
    description: row.description,
    module: row.module,
    kind: row.kind,
    ...unlessNull("sourceVersion", row.source_version),
    version: row.version,
    signMethod: row.sign_method,
    files: files.map((file): PackageFile => ({ ...decodeFile(file), name: file.name })),
    ...unlessNull("digestSign", row.digest_sign),
    ...unlessNull("userInfo", row.user_info),
    status: row.status,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}
