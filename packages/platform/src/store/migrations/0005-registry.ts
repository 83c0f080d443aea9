/** Registration switches, gateways and their sub-devices, tags, groups, and devices that hold tokens in place of a secret. */
import { type Kysely, sql } from "kysely";

const statements = [
  "alter table products add column auth_type text not null default 'secret' check (auth_type in ('secret', 'x509'))",
  "alter table products add column is_registration_open integer not null default 0 check (is_registration_open in (0, 1))",
  "alter table products add column is_self_registration_open integer not null default 0 check (is_self_registration_open in (0, 1))",

  // A sub-device is under one gateway at a time.
  `create table topology (
    sub_id integer primary key references devices (id) on delete cascade,
    gateway_id integer not null references devices (id) on delete cascade,
    created_at integer not null
  ) strict`,
  "create index topology_by_gateway on topology (gateway_id, sub_id)",

  `create table device_tags (
    device_id integer not null references devices (id) on delete cascade,
    key text not null,
    value text not null,
    primary key (device_id, key)
  ) strict, without rowid`,
  "create index device_tags_by_tag on device_tags (key, value, device_id)",
  `create table product_tags (
    product_key text not null references products (product_key) on delete cascade,
    key text not null,
    value text not null,
    primary key (product_key, key)
  ) strict, without rowid`,
  "create index product_tags_by_tag on product_tags (key, value, product_key)",

  `create table device_groups (
    group_id text primary key,
    name text not null unique,
    description text not null,
    super_group_id text references device_groups (group_id),
    created_at integer not null
  ) strict, without rowid`,
  "create index device_groups_by_super on device_groups (super_group_id, created_at, group_id)",
  `create table group_devices (
    group_id text not null references device_groups (group_id) on delete cascade,
    device_id integer not null references devices (id) on delete cascade,
    primary key (group_id, device_id)
  ) strict, without rowid`,
  "create index group_devices_by_device on group_devices (device_id, group_id)",
  `create table group_tags (
    group_id text not null references device_groups (group_id) on delete cascade,
    key text not null,
    value text not null,
    primary key (group_id, key)
  ) strict, without rowid`,

  // Several physical devices may share the names of one device; each has a client id and a token of its own.
  `create table device_tokens (
    device_id integer not null references devices (id) on delete cascade,
    client_id text not null,
    token_hash text not null,
    created_at integer not null,
    primary key (device_id, client_id)
  ) strict, without rowid`,

  `create table device_certificates (
    fingerprint text primary key,
    device_id integer not null references devices (id) on delete cascade,
    serial_number text not null,
    certificate text not null,
    expires_at integer not null,
    created_at integer not null
  ) strict, without rowid`,
  "create index device_certificates_by_device on device_certificates (device_id, created_at)",
];

export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
