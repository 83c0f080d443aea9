/** Jobs of devices and their tasks in SQL. */
import { type Kysely, sql } from "kysely";
import type { JobFile, JobListRow, JobRollout, JobStore, StoredTaskRow, TaskStatus } from "../device-services/index.ts";
import { deviceRowId } from "./device-row-id.ts";
import type { Schema } from "./schema.ts";

const unfinishedStatuses = ["QUEUED", "SENT", "IN_PROGRESS"] as const;
const unfinished = sql<boolean>`status in ('QUEUED', 'SENT', 'IN_PROGRESS')`;
/** Of a job: its task that is farthest from its end. */
const jobStatus = sql<TaskStatus>`case when is_cancelled = 1 then 'CANCELLED' else coalesce((
  select task.status from device_job_tasks as task where task.job_id = device_jobs.job_id
  order by instr('IN_PROGRESS,SENT,QUEUED,FAILED,TIMED_OUT,REJECTED,CANCELLED,SUCCEEDED', task.status) limit 1), 'SUCCEEDED') end`;
const rerunStatuses = ["FAILED", "REJECTED", "TIMED_OUT", "CANCELLED"] as const;
const countAll = sql<number>`count(*)`.as("n");

export function createSqliteJobStore(db: Kysely<Schema>): JobStore {
  const tasks = (executor: Kysely<Schema> = db) =>
    executor
      .selectFrom("device_job_tasks")
      .innerJoin("devices", "devices.id", "device_job_tasks.device_id")
      .select([
        "device_job_tasks.id as row_id",
        "task_id",
        "job_id",
        "product_key",
        "device_name",
        "device_job_tasks.status",
        "progress",
        "details",
        "queued_at",
      ])
      .select(["device_job_tasks.modified_at", "deadline_at"]);
  type Row = Awaited<ReturnType<ReturnType<typeof tasks>["execute"]>>[number];

  const toTask = (row: Row): StoredTaskRow => ({
    id: row.row_id,
    productKey: row.product_key,
    deviceName: row.device_name,
    taskId: row.task_id,
    jobId: row.job_id,
    // Only statuses are written.
    status: row.status as TaskStatus,
    progress: row.progress,
    details: JSON.parse(row.details) as unknown,
    queuedAt: row.queued_at,
    modifiedAt: row.modified_at,
    ...(row.deadline_at === null ? {} : { deadlineAt: row.deadline_at }),
  });

  const jobs = () =>
    db
      .selectFrom("device_jobs")
      .select(["job_id", "name", "description", "document", "timeout_minutes", "is_cancelled", "created_at"])
      .select(["rollout", "notes", "modified_at"])
      .select(jobStatus.as("status"))
      .select(sql<0 | 1>`file is not null or content is not null`.as("has_file"));
  type JobColumns = Awaited<ReturnType<ReturnType<typeof jobs>["execute"]>>[number];

  async function toListRow(row: JobColumns): Promise<JobListRow> {
    const counts = await db
      .selectFrom("device_job_tasks")
      .select(["status", countAll])
      .where("job_id", "=", row.job_id)
      .groupBy("status")
      .execute();
    return {
      id: row.job_id,
      name: row.name,
      description: row.description,
      document: readDocument(row.document),
      ...(row.timeout_minutes === null ? {} : { timeoutMinutes: row.timeout_minutes }),
      ...readLater(row),
      isCancelled: row.is_cancelled === 1,
      createdAt: row.created_at,
      status: row.status,
      hasFile: row.has_file === 1,
      counts: Object.fromEntries(counts.map(({ status, n }) => [status, Number(n)])),
    };
  }

  return {
    async insert(job, newTasks) {
      await db.transaction().execute(async (trx) => {
        await trx
          .insertInto("device_jobs")
          .values({
            job_id: job.id,
            name: job.name,
            description: job.description,
            document: JSON.stringify(job.document),
            file: job.file === undefined ? null : JSON.stringify(job.file),
            content: job.content?.bytes ?? null,
            content_sha256: job.content?.sha256 ?? null,
            timeout_minutes: job.timeoutMinutes ?? null,
            is_cancelled: 0,
            created_at: job.createdAt,
            rollout: JSON.stringify(job.rollout),
            notes: JSON.stringify(job.notes),
            modified_at: job.modifiedAt,
          })
          .execute();
        for (const task of newTasks) {
          await sql`insert into device_job_tasks (task_id, job_id, device_id, status, progress, details, queued_at, modified_at)
            select ${task.taskId}, ${task.jobId}, id, ${task.status}, ${task.progress}, ${JSON.stringify(task.details)}, ${task.queuedAt},
              ${task.modifiedAt} from devices
            where product_key = ${task.productKey} and device_name = ${task.deviceName}`.execute(trx);
        }
      });
    },

    async find(jobId) {
      const row = await jobs().where("job_id", "=", jobId).executeTakeFirst();
      return row && toListRow(row);
    },

    async load(jobId) {
      const row = await db.selectFrom("device_jobs").selectAll().where("job_id", "=", jobId).executeTakeFirst();
      if (row === undefined) return undefined;
      return {
        id: row.job_id,
        name: row.name,
        description: row.description,
        document: readDocument(row.document),
        // Written above and nowhere else.
        ...(row.file === null ? {} : { file: JSON.parse(row.file) as JobFile }),
        ...(row.content === null ? {} : { content: { bytes: Buffer.from(row.content), sha256: row.content_sha256 ?? "" } }),
        ...(row.timeout_minutes === null ? {} : { timeoutMinutes: row.timeout_minutes }),
        ...readLater(row),
        isCancelled: row.is_cancelled === 1,
        createdAt: row.created_at,
      };
    },

    async list({ page, pageSize, status }) {
      const isWanted = status === undefined ? sql<boolean>`true` : sql<boolean>`${jobStatus} = ${status}`;
      const rows = await jobs()
        .where(isWanted)
        .orderBy("id", "desc")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const count = await db.selectFrom("device_jobs").select(countAll).where(isWanted).executeTakeFirst();
      return { rows: await Promise.all(rows.map(toListRow)), total: Number(count?.n ?? 0) };
    },

    async change(jobId, { description, timeoutMinutes, rollout, modifiedAt }) {
      await db
        .updateTable("device_jobs")
        .set({
          modified_at: modifiedAt,
          ...(description === undefined ? {} : { description }),
          ...(timeoutMinutes === undefined ? {} : { timeout_minutes: timeoutMinutes }),
          ...(rollout === undefined ? {} : { rollout: JSON.stringify(rollout) }),
        })
        .where("job_id", "=", jobId)
        .execute();
    },

    requeue: (jobId, at) =>
      db.transaction().execute(async (trx) => {
        const ended = await tasks(trx)
          .where("job_id", "=", jobId)
          .where("device_job_tasks.status", "in", rerunStatuses)
          .orderBy("device_job_tasks.id")
          .execute();
        await trx.updateTable("device_jobs").set({ is_cancelled: 0, modified_at: at }).where("job_id", "=", jobId).execute();
        await trx
          .updateTable("device_job_tasks")
          .set({ status: "QUEUED", progress: 0, details: "{}", queued_at: at, modified_at: at, deadline_at: null })
          .where("job_id", "=", jobId)
          .where("status", "in", rerunStatuses)
          .execute();
        return ended.map((row) => ({ ...toTask(row), status: "QUEUED" as const, progress: 0, details: {}, queuedAt: at, modifiedAt: at }));
      }),

    async tasks(jobId, { page, pageSize, status }) {
      let found = tasks().where("job_id", "=", jobId);
      let counted = db.selectFrom("device_job_tasks").select(countAll).where("job_id", "=", jobId);
      if (status !== undefined) {
        found = found.where("device_job_tasks.status", "=", status);
        counted = counted.where("status", "=", status);
      }
      const rows = await found
        .orderBy("device_job_tasks.id")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      return { rows: rows.map(toTask), total: Number((await counted.executeTakeFirst())?.n ?? 0) };
    },

    async findTask(device, taskId) {
      const row = await tasks().where("device_id", "=", deviceRowId(device)).where("task_id", "=", taskId).executeTakeFirst();
      return row && toTask(row);
    },

    async findTaskById(taskId) {
      const row = await tasks().where("task_id", "=", taskId).executeTakeFirst();
      return row && toTask(row);
    },

    async findTasks({ jobId, device, status, afterId = 0, limit }) {
      let found = tasks().where("device_job_tasks.id", ">", afterId);
      if (jobId !== undefined) found = found.where("job_id", "=", jobId);
      if (device !== undefined) found = found.where("device_id", "=", deviceRowId(device));
      if (status !== undefined) found = found.where("device_job_tasks.status", "=", status);
      return (await found.orderBy("device_job_tasks.id").limit(limit).execute()).map(toTask);
    },

    async pending(device, limit) {
      const rows = await tasks()
        .where("device_id", "=", deviceRowId(device))
        .where("device_job_tasks.status", "in", unfinishedStatuses)
        .orderBy("device_job_tasks.id")
        .limit(limit)
        .execute();
      return rows.map(toTask);
    },

    async queuedProducts() {
      const rows = await db
        .selectFrom("device_job_tasks")
        .innerJoin("devices", "devices.id", "device_job_tasks.device_id")
        .select("product_key")
        .distinct()
        .where("device_job_tasks.status", "=", "QUEUED")
        .execute();
      return rows.map((row) => row.product_key);
    },

    async unfinished(jobId) {
      const rows = await tasks().where("job_id", "=", jobId).where("device_job_tasks.status", "in", unfinishedStatuses).execute();
      return rows.map(toTask);
    },

    async updateTask(taskId, { status, progress, details, modifiedAt, deadlineAt }) {
      await db
        .updateTable("device_job_tasks")
        .set({ status, progress, details: JSON.stringify(details), modified_at: modifiedAt, deadline_at: deadlineAt })
        .where("task_id", "=", taskId)
        .execute();
    },

    async markSent(taskId, at) {
      await db
        .updateTable("device_job_tasks")
        .set({ status: "SENT", modified_at: at })
        .where("task_id", "=", taskId)
        .where("status", "=", "QUEUED")
        .execute();
    },

    async timeOut(now) {
      const { numUpdatedRows } = await db
        .updateTable("device_job_tasks")
        .set({ status: "TIMED_OUT", modified_at: now, deadline_at: null })
        .where("deadline_at", "<=", now)
        .where(unfinished)
        .executeTakeFirstOrThrow();
      return Number(numUpdatedRows);
    },

    async cancel(jobId, at) {
      await db.transaction().execute(async (trx) => {
        await trx.updateTable("device_jobs").set({ is_cancelled: 1, modified_at: at }).where("job_id", "=", jobId).execute();
        await trx
          .updateTable("device_job_tasks")
          .set({ status: "CANCELLED", modified_at: at, deadline_at: null })
          .where("job_id", "=", jobId)
          .where(unfinished)
          .execute();
      });
    },

    async delete(jobId) {
      await db.deleteFrom("device_jobs").where("job_id", "=", jobId).execute();
    },
  };
}

/** Written above and nowhere else. */
function readLater(row: { rollout: string; notes: string; modified_at: number }) {
  return { rollout: JSON.parse(row.rollout) as JobRollout, notes: readDocument(row.notes), modifiedAt: row.modified_at };
}

/** An object: nothing else is written. */
function readDocument(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}
