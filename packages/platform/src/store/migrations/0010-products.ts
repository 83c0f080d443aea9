/** Products that were released, and who issues the certificates of their devices. */
import { type Kysely, sql } from "kysely";

const statements = [
  "alter table products add column is_released integer not null default 0 check (is_released in (0, 1))",
  // Absent: whoever.
  "alter table products add column certificate_issuer text check (certificate_issuer in ('platform', 'other'))",
];

export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
