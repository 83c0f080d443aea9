/** Shadows, remote configuration, devices' own logs, network reports, files of devices, jobs. */
import { type Kysely, sql } from "kysely";

const statements = [
  `create table shadows (
    device_id integer primary key references devices (id) on delete cascade,
    version integer not null,
    body text not null,
    modified_at integer not null
  ) strict`,

  `create table remote_configs (
    id integer primary key autoincrement,
    product_key text not null references products (product_key) on delete cascade,
    content blob not null,
    bytes integer not null,
    sha256 text not null,
    created_at integer not null
  ) strict`,
  "create index remote_configs_by_product on remote_configs (product_key, id)",
  `create table remote_config_switches (
    product_key text primary key references products (product_key) on delete cascade,
    is_enabled integer not null check (is_enabled in (0, 1))
  ) strict, without rowid`,

  `create table device_lines (
    id integer primary key autoincrement,
    device_id integer not null references devices (id) on delete cascade,
    received_at integer not null,
    utc_time text,
    level text not null,
    module text not null,
    code text not null,
    trace_context text,
    content text not null
  ) strict`,
  "create index device_lines_by_device on device_lines (device_id, id)",
  "create index device_lines_by_time on device_lines (received_at)",
  "create table device_line_switches (device_id integer primary key references devices (id) on delete cascade) strict",

  `create table device_diagnostics (
    id integer primary key autoincrement,
    device_id integer not null references devices (id) on delete cascade,
    received_at integer not null,
    report text not null
  ) strict`,
  "create index device_diagnostics_by_device on device_diagnostics (device_id, id)",

  `create table device_files (
    id integer primary key autoincrement,
    upload_id text not null unique,
    device_id integer not null references devices (id) on delete cascade,
    name text not null,
    bytes integer not null,
    stored_bytes integer not null,
    is_complete integer not null check (is_complete in (0, 1)),
    created_at integer not null,
    modified_at integer not null
  ) strict`,
  "create index device_files_by_device on device_files (device_id, id)",
  "create index device_files_by_name on device_files (device_id, name, id)",
  "create index device_files_unfinished on device_files (modified_at) where is_complete = 0",

  `create table device_jobs (
    id integer primary key autoincrement,
    job_id text not null unique,
    name text not null,
    description text not null,
    document text not null,
    file text,
    content blob,
    content_sha256 text,
    timeout_minutes integer,
    is_cancelled integer not null check (is_cancelled in (0, 1)),
    created_at integer not null
  ) strict`,
  `create table device_job_tasks (
    id integer primary key autoincrement,
    task_id text not null unique,
    job_id text not null references device_jobs (job_id) on delete cascade,
    device_id integer not null references devices (id) on delete cascade,
    status text not null,
    progress integer not null,
    details text not null,
    queued_at integer not null,
    modified_at integer not null,
    deadline_at integer
  ) strict`,
  "create index device_job_tasks_by_job on device_job_tasks (job_id, status, id)",
  "create index device_job_tasks_pending on device_job_tasks (device_id, id) where status in ('QUEUED', 'SENT', 'IN_PROGRESS')",
  "create index device_job_tasks_by_device on device_job_tasks (device_id)",
  "create index device_job_tasks_by_deadline on device_job_tasks (deadline_at) where deadline_at is not null",
];

export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
