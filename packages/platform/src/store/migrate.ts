/** Brings a database to the version of this program: all missing migrations in one transaction, or none. */
import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { PlatformError } from "../errors/index.ts";
import { up as first } from "./migrations/0001-first.ts";
import { up as mqttUsers } from "./migrations/0002-mqtt-users.ts";
import { up as things } from "./migrations/0003-things.ts";
import { up as ota } from "./migrations/0004-ota.ts";
import { up as registryAdditions } from "./migrations/0005-registry.ts";
import { up as registrationBatches } from "./migrations/0007-registration-batches.ts";
import { up as scripts } from "./migrations/0008-scripts.ts";
import { up as deviceServices } from "./migrations/0009-device-services.ts";
import { up as products } from "./migrations/0010-products.ts";
import { up as jobs } from "./migrations/0011-jobs.ts";
import { up as fleet } from "./migrations/0012-fleet.ts";
import { up as namedShadows } from "./migrations/0013-named-shadows.ts";
import { up as fleetJobs } from "./migrations/0014-fleet-jobs.ts";
import { up as awsRules } from "./migrations/0015-aws-rules.ts";
import type { Schema } from "./schema.ts";

const migrations: Readonly<Record<string, Migration>> = {
  "0001-first": { up: first },
  "0002-mqtt-users": { up: mqttUsers },
  "0003-things": { up: things },
  "0004-ota": { up: ota },
  "0005-registry": { up: registryAdditions },
  "0007-registration-batches": { up: registrationBatches },
  "0008-scripts": { up: scripts },
  "0009-device-services": { up: deviceServices },
  "0010-products": { up: products },
  "0011-jobs": { up: jobs },
  "0012-fleet": { up: fleet },
  "0013-named-shadows": { up: namedShadows },
  "0014-fleet-jobs": { up: fleetJobs },
  "0015-aws-rules": { up: awsRules },
};

const migrationTableName = "migrations";

export async function migrate(db: Kysely<Schema>, file: string): Promise<void> {
  const unknown = (await appliedMigrations(db)).find((name) => migrations[name] === undefined);
  if (unknown !== undefined) throw new PlatformError("store.newer_version", { file, migration: unknown });

  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableName,
    migrationLockTableName: "migrations_lock",
  });
  const { error } = await migrator.migrateToLatest();
  // A full disk or a damaged file has its own code; what is left is a statement that this database does not take.
  if (error instanceof PlatformError && error.code !== "store.failed") throw error;
  if (error !== undefined) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new PlatformError("store.migration_failed", { file, problem }, { cause: error });
  }
}

async function appliedMigrations(db: Kysely<Schema>): Promise<string[]> {
  const tables = await sql<{ name: string }>`select name from sqlite_master where type = 'table' and name = ${migrationTableName}`.execute(
    db,
  );
  if (tables.rows.length === 0) return [];
  const applied = await sql<{ name: string }>`select name from ${sql.table(migrationTableName)} order by name`.execute(db);
  return applied.rows.map((row) => row.name);
}
