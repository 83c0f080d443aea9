import type { ErrorTable } from "./platform-error.ts";

/** Jobs of a fleet and their executions. */
export const fleetJobErrors = {
  "fleet_jobs.job_not_found": { http: 404, aws: "ResourceNotFound", en: "There is no job {jobId}.", zh: "作业 {jobId} 不存在。" },
  "fleet_jobs.execution_not_found": {
    http: 404,
    aws: "ResourceNotFound",
    en: "{thingName} has no such execution of the job {jobId}.",
    zh: "{thingName} 没有作业 {jobId} 的该次执行。",
  },
  "fleet_jobs.target_not_found": {
    http: 404,
    aws: "ResourceNotFound",
    en: "The target {kind} {name} does not exist.",
    zh: "目标 {kind} {name} 不存在。",
  },
  "fleet_jobs.job_exists": {
    http: 409,
    aws: "ResourceAlreadyExists",
    en: "There is a job {jobId} already: choose another id.",
    zh: "作业 {jobId} 已存在，请更换标识。",
  },
  "fleet_jobs.too_many_jobs": {
    http: 410,
    aws: "LimitExceeded",
    en: "At most {expected} jobs are kept: delete some first.",
    zh: "最多保留 {expected} 个作业，请先删除一些。",
  },
  "fleet_jobs.invalid": {
    http: 400,
    aws: "InvalidRequest",
    en: "{what} is {received}, expected {expected}.",
    zh: "{what} 为 {received}，应为 {expected}。",
  },
  "fleet_jobs.invalid_token": {
    http: 400,
    aws: "InvalidRequest",
    en: "nextToken is {received}, not one that an answer before gave.",
    zh: "nextToken 为 {received}，不是先前返回的值。",
  },
  "fleet_jobs.document_source": {
    http: 400,
    aws: "InvalidRequest",
    en: "The document cannot be fetched from {received}: give its text as document.",
    zh: "无法从 {received} 获取作业文档，请以 document 直接给出文本。",
  },
  "fleet_jobs.placeholder": {
    http: 400,
    aws: "InvalidRequest",
    en: "The document has {received}, which this server cannot fill: write the address itself.",
    zh: "作业文档含有 {received}，本服务器无法替换，请直接写出地址。",
  },
  "fleet_jobs.invalid_state": {
    http: 409,
    aws: "InvalidStateTransition",
    en: "{what} is {received}, expected {expected}.",
    zh: "{what} 的状态为 {received}，应为 {expected}。",
  },
  "fleet_jobs.not_cancelable": {
    http: 400,
    aws: "InvalidRequest",
    en: "The job {jobId} is {received}: only one that is SCHEDULED or IN_PROGRESS can be canceled.",
    zh: "作业 {jobId} 的状态为 {received}，仅 SCHEDULED 或 IN_PROGRESS 可取消。",
  },
  "fleet_jobs.version_conflict": {
    http: 409,
    aws: "VersionConflict",
    en: "The execution has version {expected}, received {received}.",
    zh: "执行的版本为 {expected}，收到 {received}。",
  },
  "fleet_jobs.report_version_conflict": {
    http: 409,
    aws: "Conflict",
    en: "The execution has version {expected}, received {received}.",
    zh: "执行的版本为 {expected}，收到 {received}。",
  },
  "fleet_jobs.execution_over": {
    http: 410,
    aws: "TerminalState",
    en: "The execution is {received}: it is over.",
    zh: "执行已处于终止状态 {received}。",
  },
  "fleet_jobs.busy": {
    http: 503,
    aws: "ServiceUnavailable",
    en: "The execution of {jobId} on {thingName} changes too fast: try again.",
    zh: "{thingName} 上作业 {jobId} 的执行变化过快，请重试。",
  },
  "fleet_jobs.template_not_found": {
    http: 404,
    aws: "ResourceNotFound",
    en: "There is no job template {name}.",
    zh: "作业模板 {name} 不存在。",
  },
  "fleet_jobs.template_exists": {
    http: 409,
    aws: "Conflict",
    en: "There is a job template {name} already.",
    zh: "作业模板 {name} 已存在。",
  },
} as const satisfies ErrorTable;
