/** How jobs reach their devices, what their makers want kept with them, and when they were changed. */
import { type Kysely, sql } from "kysely";

const statements = [
  "alter table device_jobs add column rollout text not null default '{}'",
  "alter table device_jobs add column notes text not null default '{}'",
  "alter table device_jobs add column modified_at integer not null default 0",
  "update device_jobs set modified_at = created_at",
];

export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
