/** The first tables. A migration that was released is never edited: the next change is the next file. */
import { type Kysely, sql } from "kysely";

const statements = [
  `create table products (
    product_key text primary key,
    sealed_secret blob not null,
    name text not null unique,
    description text not null,
    node_type text not null check (node_type in ('device', 'gateway')),
    topic_style text not null check (topic_style in ('user', 'legacy', 'none')),
    data_format integer not null check (data_format in (0, 1)),
    created_at integer not null
  ) strict`,
  "create index products_by_time on products (created_at, product_key)",

  // DISABLE wins over the connection's state; a device that never connected is UNACTIVE.
  `create table devices (
    id integer primary key,
    product_key text not null references products (product_key),
    device_name text not null,
    iot_id text not null unique,
    sealed_secret blob not null,
    nickname text not null,
    is_enabled integer not null check (is_enabled in (0, 1)),
    is_online integer not null check (is_online in (0, 1)),
    status text not null generated always as (
      case when is_enabled = 0 then 'DISABLE' when is_online = 1 then 'ONLINE' when activated_at is null then 'UNACTIVE' else 'OFFLINE' end
    ) virtual,
    created_at integer not null,
    modified_at integer not null,
    activated_at integer,
    last_online_at integer,
    last_offline_at integer,
    remote_address text,
    unique (product_key, device_name)
  ) strict`,
  "create index devices_by_status on devices (status, product_key, device_name)",
  "create index devices_online on devices (id) where is_online = 1",

  `create table topic_classes (
    id integer primary key autoincrement,
    product_key text not null references products (product_key) on delete cascade,
    template text not null,
    operation text not null check (operation in ('PUB', 'SUB', 'ALL')),
    description text not null,
    created_at integer not null,
    unique (product_key, template)
  ) strict`,

  `create table device_log (
    id integer primary key,
    time integer not null,
    kind text not null,
    code text not null,
    is_success integer not null,
    product_key text,
    device_name text,
    topic text,
    qos integer,
    payload_bytes integer,
    remote_address text,
    client_id text,
    reason text,
    received text,
    expected text
  ) strict`,
  "create index device_log_by_device on device_log (product_key, device_name, id)",
  "create index device_log_by_product on device_log (product_key, id)",
  "create index device_log_by_time on device_log (time)",
  "create index device_log_failures on device_log (id) where is_success = 0",

  // Ids of rules are never used twice, so what is left of a deleted rule cannot come to belong to a new one.
  `create table rules (
    id integer primary key autoincrement,
    name text not null unique,
    description text not null,
    sql_text text not null,
    data_type text not null check (data_type in ('json', 'binary')),
    is_running integer not null check (is_running in (0, 1)),
    created_at integer not null,
    modified_at integer not null
  ) strict`,
  `create table rule_actions (
    id integer primary key autoincrement,
    rule_id integer not null references rules (id) on delete cascade,
    sealed_action blob not null
  ) strict`,
  "create index rule_actions_by_rule on rule_actions (rule_id, id)",

  // No reference to rules: a delivery may be booked in the same moment in which its rule is deleted.
  `create table rule_pending (
    id integer primary key autoincrement,
    rule_id integer not null,
    action_id integer not null,
    topic text not null,
    payload blob not null,
    sealed_request blob not null,
    tries integer not null,
    next_try_at integer not null,
    created_at integer not null
  ) strict`,
  "create index rule_pending_by_next_try on rule_pending (next_try_at, id)",
  "create index rule_pending_by_rule on rule_pending (rule_id)",
  `create table rule_dead_letters (
    id integer primary key autoincrement,
    rule_id integer not null,
    action_id integer not null,
    time integer not null,
    topic text not null,
    payload blob not null,
    sealed_request blob not null,
    tries integer not null,
    code text not null,
    reason text not null
  ) strict`,
  "create index rule_dead_letters_by_rule on rule_dead_letters (rule_id, id)",

  `create table tokens (
    token_hash text primary key,
    iot_id text not null,
    product_key text not null,
    device_name text not null,
    expires_at integer not null
  ) strict, without rowid`,
  "create index tokens_by_device on tokens (product_key, device_name)",
  "create index tokens_by_expiry on tokens (expires_at)",

  `create table settings (
    key text primary key,
    value blob not null,
    is_sealed integer not null check (is_sealed in (0, 1))
  ) strict, without rowid`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
