/** Policies, their versions and where they are attached, in SQL. */
import { type Kysely, sql } from "kysely";
import type { FleetPolicyStore, Policy, PolicyTarget, PolicyVersion } from "../fleet/index.ts";
import type { Schema } from "./schema.ts";
import { branchAbove } from "./sqlite-fleet-group-store.ts";

interface SelectedPolicy {
  name: string;
  document: string;
  default_version: number;
  created_at: number;
  modified_at: number;
}

/** With the document of the default version. */
const policies = sql`select p.name, v.document, p.default_version, p.created_at, p.modified_at
  from fleet_policies p join fleet_policy_versions v on v.policy_name = p.name and v.version = p.default_version`;

export function createSqliteFleetPolicyStore(db: Kysely<Schema>): FleetPolicyStore {
  return {
    async insert(policy) {
      return db.transaction().execute(async (trx) => {
        const { name, createdAt, modifiedAt } = policy;
        const inserted = await trx
          .insertInto("fleet_policies")
          .values({ name, default_version: 1, next_version: 2, created_at: createdAt, modified_at: modifiedAt })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        if (inserted.numInsertedOrUpdatedRows !== 1n) return false;
        const version = { policy_name: name, version: 1, document: policy.document, created_at: createdAt };
        await trx.insertInto("fleet_policy_versions").values(version).execute();
        return true;
      });
    },

    async find(name) {
      const { rows } = await sql<SelectedPolicy>`${policies} where p.name = ${name}`.execute(db);
      return rows[0] && decodePolicy(rows[0]);
    },

    async remove(name) {
      await db.deleteFrom("fleet_policies").where("name", "=", name).execute();
    },

    async list(slice) {
      const direction = slice.isAscending ? sql`asc` : sql`desc`;
      const { rows } = await sql<SelectedPolicy>`${policies} where ${afterPolicy(slice)}
        order by p.created_at ${direction}, p.name ${direction} limit ${slice.size}`.execute(db);
      return rows.map(decodePolicy);
    },

    async insertVersion(name, { document, isDefault, createdAt }) {
      return db.transaction().execute(async (trx) => {
        const policy = await trx
          .updateTable("fleet_policies")
          .set({ next_version: sql<number>`next_version + 1` })
          .where("name", "=", name)
          .returning("next_version")
          .executeTakeFirstOrThrow();
        const version = policy.next_version - 1;
        await trx.insertInto("fleet_policy_versions").values({ policy_name: name, version, document, created_at: createdAt }).execute();
        if (isDefault) {
          const change = { default_version: version, modified_at: createdAt };
          await trx.updateTable("fleet_policies").set(change).where("name", "=", name).execute();
        }
        return { policyName: name, versionId: String(version), document, isDefault, createdAt };
      });
    },

    async versions(name) {
      const rows = await db
        .selectFrom("fleet_policy_versions")
        .innerJoin("fleet_policies", "fleet_policies.name", "fleet_policy_versions.policy_name")
        .select(["version", "document", "fleet_policy_versions.created_at", "default_version"])
        .where("policy_name", "=", name)
        .orderBy("version", "desc")
        .execute();
      return rows.map(
        (row): PolicyVersion => ({
          policyName: name,
          versionId: String(row.version),
          document: row.document,
          isDefault: row.version === row.default_version,
          createdAt: row.created_at,
        }),
      );
    },

    async setDefaultVersion(name, versionId, modifiedAt) {
      const change = { default_version: Number(versionId), modified_at: modifiedAt };
      await db.updateTable("fleet_policies").set(change).where("name", "=", name).execute();
    },

    async removeVersion(name, versionId) {
      await db.deleteFrom("fleet_policy_versions").where("policy_name", "=", name).where("version", "=", Number(versionId)).execute();
    },

    async attach(name, target) {
      const inserted = await db
        .insertInto("fleet_policy_targets")
        .values({ policy_name: name, kind: target.kind, target: idOf(target) })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return inserted.numInsertedOrUpdatedRows === 1n;
    },

    async detach(name, target) {
      const deleted = await db
        .deleteFrom("fleet_policy_targets")
        .where("policy_name", "=", name)
        .where("kind", "=", target.kind)
        .where("target", "=", idOf(target))
        .executeTakeFirst();
      return deleted.numDeletedRows > 0n;
    },

    async ofTarget(target, { size, after = "" }, isRecursive) {
      const attached =
        target.kind === "group" && isRecursive
          ? sql`${branchAbove(target.name)} ${policies} where p.name in
              (select policy_name from fleet_policy_targets where kind = 'group' and target in (select name from branch))`
          : sql`${policies} where p.name in
              (select policy_name from fleet_policy_targets where kind = ${target.kind} and target = ${idOf(target)})`;
      const { rows } = await sql<SelectedPolicy>`${attached} and p.name > ${after} order by p.name limit ${size}`.execute(db);
      return rows.map(decodePolicy);
    },

    async targets(name, { size, after }) {
      let found = db
        .selectFrom("fleet_policy_targets")
        .select(["kind", "target"])
        .where("policy_name", "=", name)
        .orderBy("kind")
        .orderBy("target")
        .limit(size);
      if (after !== undefined) found = found.where(sql<boolean>`(kind, target) > (${after.kind}, ${after.id})`);
      return (await found.execute()).map(({ kind, target }) => (kind === "group" ? { kind, name: target } : { kind, id: target }));
    },

    async ofCertificate(certificateId) {
      const { rows } = await sql<SelectedPolicy>`with recursive membership (name) as (
          select m.group_name from fleet_principals a join fleet_group_things m on m.device_id = a.device_id
            where a.kind = 'certificate' and a.principal = ${certificateId}
          union
          select g.parent_name from fleet_groups g join membership on g.name = membership.name where g.parent_name is not null
        )
        ${policies} where p.name in (
          select policy_name from fleet_policy_targets where kind = 'certificate' and target = ${certificateId}
          union
          select policy_name from fleet_policy_targets where kind = 'group' and target in (select name from membership)
        ) order by p.name`.execute(db);
      return rows.map(decodePolicy);
    },
  };
}

function afterPolicy({ after, isAscending }: Parameters<FleetPolicyStore["list"]>[0]) {
  if (after === undefined) return sql`true`;
  const place = sql`(${after.time}, ${after.id})`;
  return isAscending ? sql`(p.created_at, p.name) > ${place}` : sql`(p.created_at, p.name) < ${place}`;
}

function idOf(target: PolicyTarget): string {
  return target.kind === "group" ? target.name : target.id;
}

function decodePolicy(row: SelectedPolicy): Policy {
  return {
    name: row.name,
    document: row.document,
    defaultVersionId: String(row.default_version),
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}
