/** Firmware: modules, files, packages, jobs, tasks, and the versions that devices told. */
import { type Kysely, sql } from "kysely";

const statements = [
  `create table ota_modules (
    product_key text not null,
    name text not null collate nocase,
    alias text not null,
    description text not null,
    created_at integer not null,
    modified_at integer not null,
    primary key (product_key, name)
  ) strict, without rowid`,
  // Ids of files and tasks stand in links: none is ever given twice.
  `create table ota_files (
    id integer primary key autoincrement,
    sha256 text not null unique,
    md5 text not null,
    bytes integer not null,
    created_at integer not null
  ) strict`,
  `create table ota_packages (
    id integer primary key autoincrement,
    product_key text not null,
    name text not null unique,
    description text not null,
    module text not null,
    kind text not null check (kind in ('full', 'differential')),
    source_version text,
    version text not null,
    sign_method text not null check (sign_method in ('MD5', 'SHA256')),
    digest_sign text,
    user_info text,
    status text not null,
    created_at integer not null,
    modified_at integer not null
  ) strict`,
  "create unique index ota_packages_by_version on ota_packages (product_key, module, version, coalesce(source_version, ''))",
  `create table ota_package_files (
    package_id integer not null references ota_packages (id) on delete cascade,
    position integer not null,
    file_id integer not null references ota_files (id),
    name text not null,
    primary key (package_id, position)
  ) strict, without rowid`,
  "create index ota_package_files_by_file on ota_package_files (file_id)",
  `create table ota_jobs (
    id integer primary key autoincrement,
    package_id integer not null references ota_packages (id) on delete cascade,
    product_key text not null,
    module text not null,
    version text not null,
    kind text not null check (kind in ('verify', 'upgrade')),
    selection text not null check (selection in ('static', 'dynamic')),
    definition text not null check (json_valid(definition)),
    is_selecting integer not null check (is_selecting in (0, 1)),
    status text not null check (status in ('PLANNED', 'IN_PROGRESS', 'COMPLETED', 'CANCELED')),
    reason text,
    scheduled_at integer,
    scheduled_end_at integer,
    created_at integer not null,
    modified_at integer not null,
    started_at integer,
    ended_at integer
  ) strict`,
  "create index ota_jobs_by_package on ota_jobs (package_id)",
  "create index ota_jobs_unfinished on ota_jobs (id) where status in ('PLANNED', 'IN_PROGRESS')",
  `create table ota_tasks (
    id integer primary key autoincrement,
    job_id integer not null references ota_jobs (id) on delete cascade,
    package_id integer not null,
    product_key text not null,
    device_name text not null,
    iot_id text not null,
    module text not null,
    source_version text,
    version text not null,
    status text not null check (status in ('CONFIRM', 'QUEUED', 'NOTIFIED', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'CANCELED')),
    progress integer not null,
    reason text,
    description text not null,
    timeout_at integer,
    retry_at integer,
    due_at integer as (min(coalesce(timeout_at, retry_at), coalesce(retry_at, timeout_at))) stored,
    retries_left integer not null,
    is_owed integer not null check (is_owed in (0, 1)),
    revision integer not null,
    created_at integer not null,
    modified_at integer not null,
    unique (job_id, device_name)
  ) strict`,
  "create index ota_tasks_of_job on ota_tasks (job_id, status, id)",
  "create index ota_tasks_of_device on ota_tasks (product_key, device_name, id)",
  "create index ota_tasks_open on ota_tasks (product_key, device_name) where status in ('CONFIRM', 'QUEUED', 'NOTIFIED', 'IN_PROGRESS')",
  "create index ota_tasks_due on ota_tasks (due_at) where due_at is not null",
  `create table ota_versions (
    product_key text not null,
    device_name text not null,
    module text not null,
    iot_id text not null,
    version text not null,
    reported_at integer not null,
    primary key (product_key, device_name, module)
  ) strict, without rowid`,
  "create index ota_versions_by_version on ota_versions (product_key, module, version)",
];

export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
