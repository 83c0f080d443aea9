/** Rows of firmware updates as the room knows them, and back. */
import { type Insertable, type Selectable, sql } from "kysely";
import type { FirmwareFile, NewTask, OtaJob, TaskRow } from "../ota/index.ts";
import type { OtaFileTable, OtaJobTable, OtaTaskTable } from "./schema.ts";

export const countAllRows = sql<number>`count(*)`.as("count");

/** A member that is absent where the column is null. */
export function unlessNull<K extends string, V>(name: K, value: V | null): Partial<Record<K, V>> {
  if (value === null) return {};
  const member: Partial<Record<K, V>> = {};
  member[name] = value;
  return member;
}

export function decodeFile(row: Selectable<OtaFileTable>): FirmwareFile {
  return { id: row.id, bytes: row.bytes, md5: row.md5, sha256: row.sha256, createdAt: row.created_at };
}

/** What a job is made of and never changes, as one JSON document. */
type Definition = Pick<
  OtaJob,
  | "target"
  | "isNewOnly"
  | "sourceVersions"
  | "pushesPerMinuteMax"
  | "timeoutMinutes"
  | "retryCount"
  | "retryIntervalMinutes"
  | "isOverwriting"
  | "needsConfirm"
  | "isPushed"
  | "isMultiModule"
  | "protocol"
  | "tags"
  | "failureStop"
>;

function definitionOf(job: Definition): Definition {
  return {
    target: job.target,
    isNewOnly: job.isNewOnly,
    sourceVersions: job.sourceVersions,
    pushesPerMinuteMax: job.pushesPerMinuteMax,
    ...(job.timeoutMinutes === undefined ? {} : { timeoutMinutes: job.timeoutMinutes }),
    retryCount: job.retryCount,
    retryIntervalMinutes: job.retryIntervalMinutes,
    isOverwriting: job.isOverwriting,
    needsConfirm: job.needsConfirm,
    isPushed: job.isPushed,
    isMultiModule: job.isMultiModule,
    protocol: job.protocol,
    tags: job.tags,
    ...(job.failureStop === undefined ? {} : { failureStop: job.failureStop }),
  };
}

export function encodeJob(job: Omit<OtaJob, "id">): Insertable<OtaJobTable> {
  return {
    package_id: job.packageId,
    product_key: job.productKey,
    module: job.module,
    version: job.version,
    kind: job.kind,
    selection: job.selection,
    definition: JSON.stringify(definitionOf(job)),
    is_selecting: job.isSelecting ? 1 : 0,
    status: job.status,
    reason: job.reason ?? null,
    scheduled_at: job.scheduledAt ?? null,
    scheduled_end_at: job.scheduledEndAt ?? null,
    created_at: job.createdAt,
    modified_at: job.modifiedAt,
    started_at: job.startedAt ?? null,
    ended_at: job.endedAt ?? null,
  };
}

export function decodeJob(row: Selectable<OtaJobTable>): OtaJob {
  const definition: Definition = JSON.parse(row.definition);
  return {
    ...definition,
    id: row.id,
    packageId: row.package_id,
    productKey: row.product_key,
    module: row.module,
    version: row.version,
    kind: row.kind,
    selection: row.selection,
    isSelecting: row.is_selecting === 1,
    status: row.status,
    ...unlessNull("reason", row.reason),
    ...unlessNull("scheduledAt", row.scheduled_at),
    ...unlessNull("scheduledEndAt", row.scheduled_end_at),
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    ...unlessNull("startedAt", row.started_at),
    ...unlessNull("endedAt", row.ended_at),
  };
}

export function encodeTask(jobId: number, task: Omit<NewTask, "overwrites">): Insertable<OtaTaskTable> {
  return {
    job_id: jobId,
    package_id: task.packageId,
    product_key: task.productKey,
    device_name: task.deviceName,
    iot_id: task.iotId,
    module: task.module,
    source_version: task.sourceVersion ?? null,
    version: task.version,
    status: task.status,
    progress: task.progress,
    reason: task.reason ?? null,
    description: task.description,
    timeout_at: task.timeoutAt ?? null,
    retry_at: task.retryAt ?? null,
    retries_left: task.retriesLeft,
    is_owed: task.isOwed ? 1 : 0,
    revision: 0,
    created_at: task.createdAt,
    modified_at: task.modifiedAt,
  };
}

export function decodeTask(row: Selectable<OtaTaskTable>): TaskRow {
  return {
    id: row.id,
    jobId: row.job_id,
    packageId: row.package_id,
    productKey: row.product_key,
    deviceName: row.device_name,
    iotId: row.iot_id,
    module: row.module,
    ...unlessNull("sourceVersion", row.source_version),
    version: row.version,
    status: row.status,
    progress: row.progress,
    ...unlessNull("reason", row.reason),
    description: row.description,
    ...unlessNull("timeoutAt", row.timeout_at),
    ...unlessNull("retryAt", row.retry_at),
    retriesLeft: row.retries_left,
    isOwed: row.is_owed === 1,
    revision: row.revision,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}
