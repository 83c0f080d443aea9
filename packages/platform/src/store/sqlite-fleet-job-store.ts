/** Jobs of a fleet and their executions in SQL. Many rows at once are named in one JSON text, so that a statement is always the same. */
import { type Kysely, sql } from "kysely";
import type { ExecutionCounts, FleetJobStore } from "../device-services/index.ts";
import type { Schema } from "./schema.ts";
import { type ExecutionRow, patchedJob, toExecution, toExecutionRow, toJob, toJobRow } from "./sqlite-fleet-job-rows.ts";

const isPending = sql<boolean>`status in ('QUEUED', 'IN_PROGRESS')`;
const queuedDetails = "{}";

export function createSqliteFleetJobStore(db: Kysely<Schema>): FleetJobStore {
  const jobRow = (jobId: string, executor: Kysely<Schema> = db) =>
    executor.selectFrom("fleet_jobs").selectAll().where("job_id", "=", jobId).executeTakeFirst();
  const executionsOf = (executor: Kysely<Schema> = db) => executor.selectFrom("fleet_job_executions").selectAll();

  /** In the order they were made. */
  const inOrder = (rows: readonly ExecutionRow[]) => rows.map(toExecution).sort((first, second) => first.row - second.row);

  return {
    insert: (job, jobsMax) =>
      db.transaction().execute(async (trx) => {
        if ((await jobRow(job.id, trx)) !== undefined) return "taken";
        const { rows } = await sql<{ jobs: number }>`select count(*) as jobs from fleet_jobs`.execute(trx);
        if ((rows[0]?.jobs ?? 0) >= jobsMax) return "full";
        await trx.insertInto("fleet_jobs").values(toJobRow(job)).execute();
        return "done";
      }),

    async find(jobId) {
      const row = await jobRow(jobId);
      return row && toJob(row);
    },

    patch: (jobId, patch) =>
      db.transaction().execute(async (trx) => {
        const row = await jobRow(jobId, trx);
        if (row === undefined) return;
        await trx
          .updateTable("fleet_jobs")
          .set(toJobRow(patchedJob(toJob(row), patch)))
          .where("job_id", "=", jobId)
          .execute();
      }),

    async list({ status, selection, target, beforeRow, limit }) {
      let found = db.selectFrom("fleet_jobs").selectAll();
      if (status !== undefined) found = found.where("status", "=", status);
      if (selection !== undefined) found = found.where("selection", "=", selection);
      if (beforeRow !== undefined) found = found.where("id", "<", beforeRow);
      if (target !== undefined) {
        found = found.where(
          sql<boolean>`exists (select 1 from json_each(targets) where value ->> 'kind' = ${target.kind} and value ->> 'name' = ${target.name})`,
        );
      }
      return (await found.orderBy("id", "desc").limit(limit).execute()).map(toJob);
    },

    async counts(jobId) {
      const rows = await db.selectFrom("fleet_job_counts").selectAll().where("job_id", "=", jobId).where("executions", ">", 0).execute();
      // Statuses are those of executions.
      return Object.fromEntries(rows.map(({ status, executions }) => [status, executions])) as ExecutionCounts;
    },

    async delete(jobId) {
      await db.deleteFrom("fleet_jobs").where("job_id", "=", jobId).execute();
    },

    async addWaiting(jobId, thingNames) {
      // Not for a job that was deleted or ended meanwhile.
      await sql`insert into fleet_job_waiting (job_id, thing_name)
        select ${jobId}, value from json_each(${JSON.stringify(thingNames)})
        where exists (select 1 from fleet_jobs where job_id = ${jobId} and status in ('SCHEDULED', 'IN_PROGRESS'))
          and not exists (select 1 from fleet_job_executions as execution
            where execution.job_id = ${jobId} and execution.thing_name = value and is_latest = 1 and execution.status <> 'REMOVED')
        on conflict (job_id, thing_name) do nothing`.execute(db);
    },

    async removeWaiting({ jobId, thingName }) {
      if (jobId === undefined && thingName === undefined) return;
      let gone = db.deleteFrom("fleet_job_waiting");
      if (jobId !== undefined) gone = gone.where("job_id", "=", jobId);
      if (thingName !== undefined) gone = gone.where("thing_name", "=", thingName);
      await gone.execute();
    },

    async hasWaiting(jobId) {
      return (await db.selectFrom("fleet_job_waiting").select("id").where("job_id", "=", jobId).limit(1).execute()).length > 0;
    },

    release: (jobId, limit, at) =>
      db.transaction().execute(async (trx) => {
        const status = (await jobRow(jobId, trx))?.status;
        if (status !== "IN_PROGRESS") return [];
        const waiting = await trx
          .selectFrom("fleet_job_waiting")
          .select(["id", "thing_name"])
          .where("job_id", "=", jobId)
          .orderBy("id")
          .limit(limit)
          .execute();
        const last = waiting.at(-1);
        if (last === undefined) return [];
        const names = JSON.stringify(waiting.map((row) => row.thing_name));
        await sql`update fleet_job_executions set is_latest = 0
          where job_id = ${jobId} and thing_name in (select value from json_each(${names})) and is_latest = 1`.execute(trx);
        const made =
          await sql<ExecutionRow>`insert into fleet_job_executions (job_id, thing_name, execution_number, is_latest, retry_attempt,
            status, status_details, queued_at, updated_at, version_number, is_force_canceled)
          select ${jobId}, value,
            coalesce((select max(execution_number) from fleet_job_executions where job_id = ${jobId} and thing_name = value), 0) + 1,
            1, 0, 'QUEUED', ${queuedDetails}, ${at}, ${at}, 1, 0
          from json_each(${names}) order by key
          returning *`.execute(trx);
        await trx.deleteFrom("fleet_job_waiting").where("job_id", "=", jobId).where("id", "<=", last.id).execute();
        return inOrder(made.rows);
      }),

    async findExecution(jobId, thingName, executionNumber) {
      let found = executionsOf().where("job_id", "=", jobId).where("thing_name", "=", thingName);
      if (executionNumber !== undefined) found = found.where("execution_number", "=", executionNumber);
      const row = await found.orderBy("execution_number", "desc").limit(1).executeTakeFirst();
      return row && toExecution(row);
    },

    async pending(thingName, limit) {
      const rows = await executionsOf()
        .where("thing_name", "=", thingName)
        .where(isPending)
        // IN_PROGRESS comes before QUEUED in the alphabet too.
        .orderBy("status")
        .orderBy("id")
        .limit(limit)
        .execute();
      return rows.map(toExecution);
    },

    save: (changes) =>
      db.transaction().execute(async (trx) => {
        const saved: boolean[] = [];
        for (const { execution, previousVersion, retry } of changes) {
          const { numUpdatedRows } = await trx
            .updateTable("fleet_job_executions")
            .set(toExecutionRow(execution))
            .where("id", "=", execution.row)
            .where("version_number", "=", previousVersion)
            .executeTakeFirstOrThrow();
          const isSaved = numUpdatedRows > 0n;
          if (isSaved && retry !== undefined) await trx.insertInto("fleet_job_executions").values(toExecutionRow(retry)).execute();
          saved.push(isSaved);
        }
        return saved;
      }),

    cancelSome: (jobId, { statuses, isForced, at, limit }) =>
      db.transaction().execute(async (trx) => {
        const rows = await executionsOf(trx)
          .where("job_id", "=", jobId)
          .where("status", "in", statuses)
          .orderBy("id")
          .limit(limit)
          .execute();
        const ended = await sql<ExecutionRow>`update fleet_job_executions
          set status = 'CANCELED', updated_at = ${at}, version_number = version_number + 1, is_force_canceled = ${isForced ? 1 : 0},
            job_deadline_at = null, step_deadline_at = null, deadline_at = null
          where id in (select value from json_each(${JSON.stringify(rows.map(({ id }) => id))}))
          returning *`.execute(trx);
        const statusesBefore = new Map(rows.map((row) => [row.id, toExecution(row).status]));
        return inOrder(ended.rows).map((execution) => ({ before: statusesBefore.get(execution.row) ?? "QUEUED", execution }));
      }),

    async deleteExecution({ row, jobId, thingName }) {
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom("fleet_job_executions").where("id", "=", row).execute();
        await sql`update fleet_job_executions set is_latest = 1 where is_latest = 0 and id =
          (select id from fleet_job_executions where job_id = ${jobId} and thing_name = ${thingName}
            order by execution_number desc limit 1)`.execute(trx);
      });
    },

    async deleteSome(jobId, limit) {
      const gone = await sql<ExecutionRow>`delete from fleet_job_executions where id in
        (select id from fleet_job_executions where job_id = ${jobId} order by id limit ${limit}) returning *`.execute(db);
      return inOrder(gone.rows);
    },

    async executions({ jobId, thingName, status, afterRow = 0, limit }) {
      let found = executionsOf().where("id", ">", afterRow);
      if (jobId !== undefined) found = found.where("job_id", "=", jobId);
      if (thingName !== undefined) found = found.where("thing_name", "=", thingName);
      if (status !== undefined) found = found.where("status", "=", status);
      return (await found.orderBy("id").limit(limit).execute()).map(toExecution);
    },

    async due(at, limit) {
      const rows = await executionsOf().where("deadline_at", "<=", at).orderBy("deadline_at").limit(limit).execute();
      return rows.map(toExecution);
    },

    async nextDeadline() {
      const row = await executionsOf().where("deadline_at", "is not", null).orderBy("deadline_at").limit(1).executeTakeFirst();
      return row?.deadline_at ?? undefined;
    },
  };
}
