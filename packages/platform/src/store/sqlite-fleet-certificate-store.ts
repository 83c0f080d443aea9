/** Client certificates and the CAs that customers registered, in SQL. */
import { type Insertable, type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type {
  AuthorityRow,
  CertificateAuthority,
  FleetAuthorityStore,
  FleetCertificate,
  FleetCertificateStore,
  TimeSlice,
} from "../fleet/index.ts";
import type { Schema } from "./schema.ts";
import type { FleetAuthorityTable, FleetCertificateTable } from "./schema-fleet.ts";

export function createSqliteFleetCertificateStore(db: Kysely<Schema>): FleetCertificateStore {
  return {
    async insert(certificate) {
      const inserted = await db
        .insertInto("fleet_certificates")
        .values(encodeCertificate(certificate))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return inserted.numInsertedOrUpdatedRows === 1n;
    },
    async find(id) {
      const row = await db.selectFrom("fleet_certificates").selectAll().where("id", "=", id).executeTakeFirst();
      return row && decodeCertificate(row);
    },
    async setStatus(id, status, modifiedAt) {
      await db.updateTable("fleet_certificates").set({ status, modified_at: modifiedAt }).where("id", "=", id).execute();
    },
    async isAttached(id) {
      const { rows } = await sql<{ found: number }>`select
        exists (select 1 from fleet_principals where kind = 'certificate' and principal = ${id})
        or exists (select 1 from fleet_policy_targets where kind = 'certificate' and target = ${id}) as found`.execute(db);
      return rows[0]?.found === 1;
    },
    async remove(id) {
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom("fleet_principals").where("kind", "=", "certificate").where("principal", "=", id).execute();
        await trx.deleteFrom("fleet_policy_targets").where("kind", "=", "certificate").where("target", "=", id).execute();
        await trx.deleteFrom("fleet_certificates").where("id", "=", id).execute();
      });
    },
    async list(slice, { caId }) {
      const direction = slice.isAscending ? "asc" : "desc";
      let found = db
        .selectFrom("fleet_certificates")
        .selectAll()
        .where(afterTime(slice))
        .orderBy("created_at", direction)
        .orderBy("id", direction)
        .limit(slice.size);
      if (caId !== undefined) found = found.where("ca_id", "=", caId);
      return (await found.execute()).map(decodeCertificate);
    },
  };
}

export function createSqliteFleetAuthorityStore(db: Kysely<Schema>): FleetAuthorityStore {
  return {
    async insert(authority) {
      const inserted = await db
        .insertInto("fleet_authorities")
        .values(encodeAuthority(authority))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return inserted.numInsertedOrUpdatedRows === 1n;
    },
    async find(id) {
      const row = await db.selectFrom("fleet_authorities").selectAll().where("id", "=", id).executeTakeFirst();
      return row && decodeAuthority(row);
    },
    async withSubject(subject) {
      return (await db.selectFrom("fleet_authorities").selectAll().where("subject", "=", subject).execute()).map(decodeAuthority);
    },
    async update(authority) {
      await db
        .updateTable("fleet_authorities")
        .set({
          status: authority.status,
          is_auto_registering: authority.isAutoRegistering ? 1 : 0,
          modified_at: authority.modifiedAt,
          ...encodeRegistration(authority.registration),
        })
        .where("id", "=", authority.id)
        .execute();
    },
    async remove(id) {
      await db.deleteFrom("fleet_authorities").where("id", "=", id).execute();
    },
    async list(slice, { templateName }) {
      const direction = slice.isAscending ? "asc" : "desc";
      let found = db
        .selectFrom("fleet_authorities")
        .selectAll()
        .where(afterTime(slice))
        .orderBy("created_at", direction)
        .orderBy("id", direction)
        .limit(slice.size);
      if (templateName !== undefined) found = found.where("template_name", "=", templateName);
      return (await found.execute()).map(decodeAuthority);
    },
  };
}

/** Rows behind the place, in the order of `created_at` and `id`. */
function afterTime({ after, isAscending }: TimeSlice): RawBuilder<boolean> {
  if (after === undefined) return sql<boolean>`true`;
  const place = sql`(${after.time}, ${after.id})`;
  return isAscending ? sql<boolean>`(created_at, id) > ${place}` : sql<boolean>`(created_at, id) < ${place}`;
}

function encodeCertificate(certificate: FleetCertificate): Insertable<FleetCertificateTable> {
  return {
    id: certificate.id,
    status: certificate.status,
    pem: certificate.pem,
    ca_id: certificate.caId ?? null,
    mode: certificate.mode,
    not_before: certificate.notBefore,
    not_after: certificate.notAfter,
    created_at: certificate.createdAt,
    modified_at: certificate.modifiedAt,
  };
}

function decodeCertificate(row: Selectable<FleetCertificateTable>): FleetCertificate {
  return {
    id: row.id,
    status: row.status,
    pem: row.pem,
    ...(row.ca_id !== null && { caId: row.ca_id }),
    mode: row.mode,
    notBefore: row.not_before,
    notAfter: row.not_after,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

function encodeRegistration(registration: CertificateAuthority["registration"]) {
  return {
    registration: registration === undefined ? null : JSON.stringify(registration),
    template_name: registration?.templateName ?? null,
  };
}

function encodeAuthority(authority: AuthorityRow): Insertable<FleetAuthorityTable> {
  return {
    id: authority.id,
    subject: authority.subject,
    status: authority.status,
    pem: authority.pem,
    is_auto_registering: authority.isAutoRegistering ? 1 : 0,
    mode: authority.mode,
    ...encodeRegistration(authority.registration),
    not_before: authority.notBefore,
    not_after: authority.notAfter,
    created_at: authority.createdAt,
    modified_at: authority.modifiedAt,
  };
}

function decodeAuthority(row: Selectable<FleetAuthorityTable>): CertificateAuthority {
  return {
    id: row.id,
    status: row.status,
    pem: row.pem,
    isAutoRegistering: row.is_auto_registering === 1,
    mode: row.mode,
    ...(row.registration !== null && { registration: JSON.parse(row.registration) as NonNullable<CertificateAuthority["registration"]> }),
    notBefore: row.not_before,
    notAfter: row.not_after,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}
