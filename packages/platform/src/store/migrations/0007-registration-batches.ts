/** Devices registered in two steps. */
import { type Kysely, sql } from "kysely";

const statements = [
  `create table registration_batches (
    id integer primary key autoincrement,
    product_key text not null references products (product_key) on delete cascade,
    status text not null check (status in ('checked', 'refused', 'creating', 'created', 'failed')),
    devices text not null check (json_valid(devices)),
    invalid_names text not null check (json_valid(invalid_names)),
    created_at integer not null
  ) strict`,
  "create index registration_batches_unfinished on registration_batches (id) where status = 'creating'",
];

export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
