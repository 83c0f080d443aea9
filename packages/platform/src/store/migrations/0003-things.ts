/** Thing models: one draft, published versions and a validation level for each product. */
import { type Kysely, sql } from "kysely";

const statements = [
  // function_block_id is empty for the default module.
  `create table thing_model_drafts (
    product_key text not null references products (product_key) on delete cascade,
    function_block_id text not null,
    tsl text not null check (json_valid(tsl)),
    primary key (product_key, function_block_id)
  ) strict, without rowid`,
  `create table thing_model_versions (
    id integer primary key autoincrement,
    product_key text not null references products (product_key) on delete cascade,
    version text not null,
    description text not null,
    created_at integer not null,
    modules text not null check (json_valid(modules)),
    unique (product_key, version)
  ) strict`,
  "create index thing_model_versions_by_age on thing_model_versions (product_key, id)",
  `create table thing_model_levels (
    product_key text primary key references products (product_key) on delete cascade,
    level text not null check (level in ('strong', 'weak', 'none'))
  ) strict, without rowid`,
];

export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
