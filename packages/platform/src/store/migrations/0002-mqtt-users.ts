/** Users of generic MQTT clients; the device log finds entries by client id. */
import { type Kysely, sql } from "kysely";

const statements = [
  `create table mqtt_users (
    user_name text primary key,
    password_hash text not null,
    description text not null,
    rights text not null check (json_valid(rights)),
    created_at integer not null,
    modified_at integer not null
  ) strict, without rowid`,
  "create index device_log_by_client on device_log (client_id, id) where product_key is null and client_id is not null",
];

export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
