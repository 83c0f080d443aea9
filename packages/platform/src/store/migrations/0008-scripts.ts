/** Scripts: users' JavaScript, one for each product. */
import { type Kysely, sql } from "kysely";

const statement = `create table product_scripts (
  product_key text primary key references products (product_key) on delete cascade,
  code text not null,
  modified_at integer not null
) strict`;

export async function up(db: Kysely<never>): Promise<void> {
  await sql.raw(statement).execute(db);
}
