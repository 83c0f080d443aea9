/** Jobs of a fleet, the things that wait for theirs, and executions. How many are in which status is counted by triggers. */
import { type Kysely, sql } from "kysely";

const count = (row: "old" | "new", step: "+" | "-") => `insert into fleet_job_counts (job_id, status, executions)
    select ${row}.job_id, ${row}.status, ${step}1 where ${row}.is_latest = 1
    on conflict (job_id, status) do update set executions = executions ${step} 1;`;

const statements = [
  `create table fleet_jobs (
    id integer primary key autoincrement,
    job_id text not null unique,
    selection text not null,
    status text not null,
    targets text not null,
    document text not null,
    parameters text not null,
    settings text not null,
    starts_at integer,
    ends_at integer,
    end_behavior text,
    is_expanded integer not null check (is_expanded in (0, 1)),
    is_force_canceled integer not null check (is_force_canceled in (0, 1)),
    reason_code text,
    comment text,
    created_at integer not null,
    modified_at integer not null,
    completed_at integer
  ) strict`,
  "create index fleet_jobs_by_status on fleet_jobs (status, id)",

  `create table fleet_job_waiting (
    id integer primary key autoincrement,
    job_id text not null references fleet_jobs (job_id) on delete cascade,
    thing_name text not null,
    unique (job_id, thing_name)
  ) strict`,
  "create index fleet_job_waiting_by_thing on fleet_job_waiting (thing_name)",
  "create index fleet_job_waiting_in_order on fleet_job_waiting (job_id, id)",

  `create table fleet_job_executions (
    id integer primary key autoincrement,
    job_id text not null references fleet_jobs (job_id) on delete cascade,
    thing_name text not null,
    execution_number integer not null,
    is_latest integer not null check (is_latest in (0, 1)),
    retry_attempt integer not null,
    status text not null,
    status_details text not null,
    queued_at integer not null,
    started_at integer,
    updated_at integer not null,
    version_number integer not null,
    is_force_canceled integer not null check (is_force_canceled in (0, 1)),
    job_deadline_at integer,
    step_deadline_at integer,
    deadline_at integer,
    unique (job_id, thing_name, execution_number)
  ) strict`,
  "create index fleet_job_executions_by_status on fleet_job_executions (job_id, status, id)",
  "create index fleet_job_executions_by_job on fleet_job_executions (job_id, id)",
  "create index fleet_job_executions_by_thing on fleet_job_executions (thing_name, id)",
  `create index fleet_job_executions_pending on fleet_job_executions (thing_name, status, id)
    where status in ('QUEUED', 'IN_PROGRESS')`,
  "create index fleet_job_executions_by_deadline on fleet_job_executions (deadline_at) where deadline_at is not null",

  `create table fleet_job_counts (
    job_id text not null references fleet_jobs (job_id) on delete cascade,
    status text not null,
    executions integer not null,
    primary key (job_id, status)
  ) strict, without rowid`,
  `create trigger fleet_job_executions_inserted after insert on fleet_job_executions begin ${count("new", "+")} end`,
  `create trigger fleet_job_executions_changed after update of status, is_latest on fleet_job_executions begin
    ${count("old", "-")} ${count("new", "+")} end`,
  `create trigger fleet_job_executions_deleted after delete on fleet_job_executions begin ${count("old", "-")} end`,
];

export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
