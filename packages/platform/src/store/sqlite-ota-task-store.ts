/** Jobs and tasks of firmware updates in SQL. */
import { CompiledQuery, type Insertable, type Kysely, sql } from "kysely";
import type { Clock } from "../clock.ts";
import type { InsertedJob, NewTask, OtaStore, TaskRow, TaskStatus } from "../ota/index.ts";
import type { OtaTaskTable, Schema } from "./schema.ts";
import { countAllRows, decodeJob, decodeTask, encodeJob, encodeTask } from "./sqlite-ota-rows.ts";

type TaskStore = Pick<
  OtaStore,
  | "insertJob"
  | "updateJob"
  | "findJob"
  | "listJobs"
  | "loadUnfinishedJobs"
  | "candidates"
  | "insertTask"
  | "findTask"
  | "findTasks"
  | "openTasksOf"
  | "listTasks"
  | "queuedTasks"
  | "tasksOfJob"
  | "saveTasks"
  | "countTasks"
  | "dueTasks"
  | "nextDueAt"
>;

/** Written out: a partial index is used only for constants. */
const isOpenTask = sql<boolean>`status in ('CONFIRM', 'QUEUED', 'NOTIFIED', 'IN_PROGRESS')`;
const tasksPerTurn = 500;

/** One text, prepared once, for the hottest write. */
const saveTaskText = `update ota_tasks set source_version = ?, status = ?, progress = ?, reason = ?, description = ?, timeout_at = ?,
  retry_at = ?, retries_left = ?, is_owed = ?, revision = revision + 1, modified_at = ? where id = ? and revision = ?`;

const insertedColumns = [
  "job_id",
  "package_id",
  "product_key",
  "device_name",
  "iot_id",
  "module",
  "source_version",
  "version",
  "status",
  "progress",
  "reason",
  "description",
  "timeout_at",
  "retry_at",
  "retries_left",
  "is_owed",
  "revision",
  "created_at",
  "modified_at",
] as const satisfies readonly (keyof Insertable<OtaTaskTable>)[];

/** Many rows at once, then the rest one by one: built anew for each, a statement costs more than its rows. */
const inserts = [200, 1].map((rows) => {
  const row = `(${insertedColumns.map(() => "?").join(", ")})`;
  const values = Array.from({ length: rows }, () => row).join(", ");
  return { rows, text: `insert into ota_tasks (${insertedColumns.join(", ")}) values ${values} on conflict do nothing` };
});

export function createSqliteOtaTaskStore(db: Kysely<Schema>, clock: Pick<Clock, "soon">): TaskStore {
  /** Cancels what may still be overwritten; false when one of them has begun or ended otherwise meanwhile. */
  async function overwrite(trx: Kysely<Schema>, ids: readonly number[], now: number, reason: string, gone: TaskRow[]): Promise<boolean> {
    for (const id of ids) {
      const row = await trx
        .updateTable("ota_tasks")
        .set((eb) => ({
          status: "CANCELED",
          reason,
          timeout_at: null,
          retry_at: null,
          is_owed: 0,
          revision: eb("revision", "+", 1),
          modified_at: now,
        }))
        .where("id", "=", id)
        .where("status", "in", ["CONFIRM", "QUEUED", "NOTIFIED"])
        .returningAll()
        .executeTakeFirst();
      if (row !== undefined) {
        gone.push(decodeTask(row));
        continue;
      }
      const left = await trx.selectFrom("ota_tasks").select("status").where("id", "=", id).executeTakeFirst();
      if (left?.status === "IN_PROGRESS") return false;
    }
    return true;
  }

  async function insertOne(trx: Kysely<Schema>, jobId: number, task: NewTask): Promise<TaskRow | undefined> {
    const row = await trx
      .insertInto("ota_tasks")
      .values(encodeTask(jobId, task))
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    return row && decodeTask(row);
  }

  /** Sockets have their turn during a large job; other statements wait for the end of its transaction. */
  const giveTurn = () => new Promise<void>((resolve) => clock.soon(resolve));

  async function insertMany(trx: Kysely<Schema>, jobId: number, tasks: readonly NewTask[]): Promise<number> {
    let start = 0;
    for (const { rows, text } of inserts) {
      for (; tasks.length - start >= rows; start += rows) {
        const values = tasks.slice(start, start + rows).flatMap((task) => {
          const row = encodeTask(jobId, task);
          return insertedColumns.map((column) => row[column] ?? null);
        });
        await trx.executeQuery(CompiledQuery.raw(text, values));
        if (rows > 1) await giveTurn();
      }
    }
    return tasks.length;
  }

  return {
    async insertJob(job, tasks, reasonOverwritten, reasonUnfinished) {
      return db.transaction().execute(async (trx) => {
        const { id } = await trx.insertInto("ota_jobs").values(encodeJob(job)).returning("id").executeTakeFirstOrThrow();
        const made: InsertedJob = { job: { ...job, id }, overwritten: [], failed: [], queuedCount: 0 };
        const plain = tasks.filter((task) => task.overwrites.length === 0 && task.status !== "FAILED");
        made.queuedCount += await insertMany(trx, id, plain);
        for (const [index, task] of tasks.filter((each) => each.overwrites.length > 0 || each.status === "FAILED").entries()) {
          const isFree = await overwrite(trx, task.overwrites, task.createdAt, reasonOverwritten, made.overwritten);
          const row = await insertOne(trx, id, isFree ? task : { ...task, status: "FAILED", reason: reasonUnfinished });
          if (row?.status === "FAILED") made.failed.push(row);
          else made.queuedCount++;
          if (index % tasksPerTurn === tasksPerTurn - 1) await giveTurn();
        }
        return made;
      });
    },

    async updateJob({ id, ...job }) {
      await db.updateTable("ota_jobs").set(encodeJob(job)).where("id", "=", id).execute();
    },

    async findJob(id) {
      const row = await db.selectFrom("ota_jobs").selectAll().where("id", "=", id).executeTakeFirst();
      return row && decodeJob(row);
    },

    async listJobs({ page, pageSize }, { packageId, productKey, status, deviceName }) {
      let matching = db.selectFrom("ota_jobs");
      if (packageId !== undefined) matching = matching.where("package_id", "=", packageId);
      if (productKey !== undefined) matching = matching.where("product_key", "=", productKey);
      if (status !== undefined) matching = matching.where("status", "=", status);
      if (deviceName !== undefined) {
        let mine = db.selectFrom("ota_tasks").select("job_id").where("device_name", "=", deviceName);
        if (productKey !== undefined) mine = mine.where("product_key", "=", productKey);
        matching = matching.where("id", "in", mine);
      }
      const rows = await matching
        .selectAll()
        .orderBy("id", "desc")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const { count } = await matching.select(countAllRows).executeTakeFirstOrThrow();
      return { rows: rows.map(decodeJob), total: count };
    },

    async loadUnfinishedJobs() {
      const rows = await db
        .selectFrom("ota_jobs")
        .selectAll()
        .where(sql<boolean>`status in ('PLANNED', 'IN_PROGRESS')`)
        .orderBy("id")
        .execute();
      return rows.map(decodeJob);
    },

    async candidates({ productKey, module, sourceVersions, deviceNames, after, limit }) {
      let matching = db
        .selectFrom("devices")
        .leftJoin("ota_versions", (join) =>
          join
            .onRef("ota_versions.product_key", "=", "devices.product_key")
            .onRef("ota_versions.device_name", "=", "devices.device_name")
            .on("ota_versions.module", "=", module),
        )
        .select(["devices.device_name", "devices.iot_id", "ota_versions.version"])
        .where("devices.product_key", "=", productKey)
        .where("devices.device_name", ">", after);
      if (sourceVersions.length > 0) matching = matching.where("ota_versions.version", "in", [...sourceVersions]);
      if (deviceNames !== undefined) {
        // One parameter for ten thousand names.
        const names = sql<string>`(select value from json_each(${JSON.stringify(deviceNames)}))`;
        matching = matching.where(sql<boolean>`devices.device_name in ${names}`);
      }
      const rows = await matching.orderBy("devices.device_name").limit(limit).execute();
      return rows.map(({ device_name: deviceName, iot_id: iotId, version }) => {
        return version === null ? { deviceName, iotId } : { deviceName, iotId, version };
      });
    },

    insertTask: (jobId, task) => insertOne(db, jobId, task),

    async findTask(id) {
      const row = await db.selectFrom("ota_tasks").selectAll().where("id", "=", id).executeTakeFirst();
      return row && decodeTask(row);
    },

    async findTasks(ids) {
      if (ids.length === 0) return [];
      const list = sql<number>`(select value from json_each(${JSON.stringify(ids)}))`;
      const rows = await db.selectFrom("ota_tasks").selectAll().where(sql<boolean>`id in ${list}`).orderBy("id").execute();
      return rows.map(decodeTask);
    },

    async openTasksOf(productKey, deviceNames) {
      const [only, ...others] = deviceNames;
      if (only === undefined) return [];
      const matching = db.selectFrom("ota_tasks").selectAll().where("product_key", "=", productKey).where(isOpenTask);
      const named =
        others.length === 0
          ? matching.where("device_name", "=", only)
          : matching.where(sql<boolean>`device_name in (select value from json_each(${JSON.stringify(deviceNames)}))`);
      return (await named.orderBy("id").execute()).map(decodeTask);
    },

    async listTasks({ page, pageSize }, query) {
      const { jobId, productKey, deviceName, deviceNames, module, statuses } = query;
      let matching = db.selectFrom("ota_tasks");
      if (jobId !== undefined) matching = matching.where("job_id", "=", jobId);
      if (productKey !== undefined) matching = matching.where("product_key", "=", productKey);
      if (deviceName !== undefined) matching = matching.where("device_name", "=", deviceName);
      if (deviceNames !== undefined) {
        matching = matching.where(sql<boolean>`device_name in (select value from json_each(${JSON.stringify(deviceNames)}))`);
      }
      if (module !== undefined) matching = matching.where("module", "=", module);
      if (statuses !== undefined) matching = matching.where("status", "in", [...statuses]);
      const rows = await matching
        .selectAll()
        .orderBy("id", "desc")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const { count } = await matching.select(countAllRows).executeTakeFirstOrThrow();
      return { rows: rows.map(decodeTask), total: count };
    },

    async queuedTasks(jobId, afterId, limit) {
      const rows = await db
        .selectFrom("ota_tasks")
        .selectAll()
        .where("job_id", "=", jobId)
        .where("status", "=", "QUEUED")
        .where("id", ">", afterId)
        .orderBy("id")
        .limit(limit)
        .execute();
      return rows.map(decodeTask);
    },

    async tasksOfJob(jobId, statuses, afterId, limit) {
      const rows = await db
        .selectFrom("ota_tasks")
        .selectAll()
        .where("job_id", "=", jobId)
        .where("status", "in", [...statuses])
        .where("id", ">", afterId)
        .orderBy("id")
        .limit(limit)
        .execute();
      return rows.map(decodeTask);
    },

    async saveTasks(tasks) {
      return db.transaction().execute(async (trx) => {
        const saved: boolean[] = [];
        for (const task of tasks) {
          const { numAffectedRows } = await trx.executeQuery(CompiledQuery.raw(saveTaskText, valuesOf(task)));
          saved.push(numAffectedRows === 1n);
        }
        return saved;
      });
    },

    async countTasks(jobId) {
      const rows = await db
        .selectFrom("ota_tasks")
        .select(["status", countAllRows])
        .where("job_id", "=", jobId)
        .groupBy("status")
        .execute();
      return new Map<TaskStatus, number>(rows.map(({ status, count }) => [status, count]));
    },

    async dueTasks(now, limit) {
      const rows = await db.selectFrom("ota_tasks").selectAll().where("due_at", "<=", now).orderBy("due_at").limit(limit).execute();
      return rows.map(decodeTask);
    },

    async nextDueAt() {
      const row = await db
        .selectFrom("ota_tasks")
        .select("due_at")
        .where("due_at", "is not", null)
        .orderBy("due_at")
        .limit(1)
        .executeTakeFirst();
      return row?.due_at ?? undefined;
    },
  };
}

function valuesOf(task: TaskRow): (string | number | null)[] {
  return [
    task.sourceVersion ?? null,
    task.status,
    task.progress,
    task.reason ?? null,
    task.description,
    task.timeoutAt ?? null,
    task.retryAt ?? null,
    task.retriesLeft,
    task.isOwed ? 1 : 0,
    task.modifiedAt,
    task.id,
    task.revision,
  ];
}
