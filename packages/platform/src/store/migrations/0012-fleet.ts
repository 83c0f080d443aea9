/**
 * Things, types, groups, certificates, CAs and policies. What a thing has hangs on its device's row and goes with it; its name
 * stands beside, because lists are in the order of names and names never change.
 */
import { type Kysely, sql } from "kysely";

const statements = [
  `create table fleet_types (
    name text primary key,
    id text not null,
    description text not null,
    searchable_attributes text not null,
    propagating_attributes text not null,
    deprecated_at integer,
    created_at integer not null
  ) strict, without rowid`,

  `create table fleet_things (
    device_id integer primary key references devices (id) on delete cascade,
    thing_name text not null unique,
    type_name text references fleet_types (name),
    attributes text not null,
    billing_group text,
    version integer not null
  ) strict`,
  "create index fleet_things_by_type on fleet_things (type_name, thing_name) where type_name is not null",

  // The same attributes once more, to find things by them.
  `create table fleet_thing_attributes (
    key text not null,
    value text not null,
    thing_name text not null,
    device_id integer not null references fleet_things (device_id) on delete cascade,
    primary key (key, value, thing_name)
  ) strict, without rowid`,
  "create index fleet_thing_attributes_by_thing on fleet_thing_attributes (device_id)",

  `create table fleet_principals (
    kind text not null check (kind in ('certificate', 'identity')),
    principal text not null,
    thing_name text not null,
    type text not null check (type in ('EXCLUSIVE_THING', 'NON_EXCLUSIVE_THING')),
    device_id integer not null references devices (id) on delete cascade,
    primary key (kind, principal, thing_name)
  ) strict, without rowid`,
  "create index fleet_principals_by_thing on fleet_principals (device_id, kind, principal)",

  `create table fleet_groups (
    name text primary key,
    id text not null,
    description text not null,
    attributes text not null,
    parent_name text references fleet_groups (name),
    version integer not null,
    created_at integer not null
  ) strict, without rowid`,
  "create index fleet_groups_by_parent on fleet_groups (parent_name, name)",

  `create table fleet_group_things (
    group_name text not null references fleet_groups (name) on delete cascade,
    thing_name text not null,
    device_id integer not null references devices (id) on delete cascade,
    membership_id text not null,
    primary key (group_name, thing_name)
  ) strict, without rowid`,
  "create index fleet_group_things_by_thing on fleet_group_things (device_id, group_name)",

  `create table fleet_certificates (
    id text primary key,
    status text not null check (status in ('ACTIVE', 'INACTIVE', 'REVOKED', 'PENDING_ACTIVATION')),
    pem text not null,
    ca_id text,
    mode text not null check (mode in ('DEFAULT', 'SNI_ONLY')),
    not_before integer not null,
    not_after integer not null,
    created_at integer not null,
    modified_at integer not null
  ) strict`,
  "create index fleet_certificates_by_time on fleet_certificates (created_at, id)",
  "create index fleet_certificates_by_ca on fleet_certificates (ca_id, created_at, id) where ca_id is not null",

  `create table fleet_authorities (
    id text primary key,
    subject text not null,
    status text not null check (status in ('ACTIVE', 'INACTIVE')),
    pem text not null,
    is_auto_registering integer not null check (is_auto_registering in (0, 1)),
    mode text not null check (mode in ('DEFAULT', 'SNI_ONLY')),
    registration text,
    template_name text,
    not_before integer not null,
    not_after integer not null,
    created_at integer not null,
    modified_at integer not null
  ) strict`,
  "create index fleet_authorities_by_subject on fleet_authorities (subject)",
  "create index fleet_authorities_by_time on fleet_authorities (created_at, id)",

  `create table fleet_policies (
    name text primary key,
    default_version integer not null,
    next_version integer not null,
    created_at integer not null,
    modified_at integer not null
  ) strict, without rowid`,
  "create index fleet_policies_by_time on fleet_policies (created_at, name)",
  `create table fleet_policy_versions (
    policy_name text not null references fleet_policies (name) on delete cascade,
    version integer not null,
    document text not null,
    created_at integer not null,
    primary key (policy_name, version)
  ) strict, without rowid`,
  `create table fleet_policy_targets (
    policy_name text not null references fleet_policies (name),
    kind text not null check (kind in ('certificate', 'group', 'identity')),
    target text not null,
    primary key (policy_name, kind, target)
  ) strict, without rowid`,
  "create index fleet_policy_targets_by_target on fleet_policy_targets (kind, target, policy_name)",

  `create table fleet_records (
    family text not null,
    name text not null,
    value text not null,
    primary key (family, name)
  ) strict, without rowid`,

  `create table fleet_resource_tags (
    arn text not null,
    key text not null,
    value text not null,
    primary key (arn, key)
  ) strict, without rowid`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
