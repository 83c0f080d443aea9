/** Rules in AWS SQL: language, version, and the action that hears of failures. */
import { type Kysely, sql } from "kysely";

const statements = [
  "alter table rules add column language text not null default 'alibaba' check (language in ('alibaba', 'aws'))",
  "alter table rules add column sql_version text",
  "alter table rules add column sealed_error_action blob",
];

export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
