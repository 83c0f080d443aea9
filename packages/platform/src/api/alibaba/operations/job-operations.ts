/** Jobs and their tasks (reference 1.8.N). */
import type { Job, JobTask, TaskStatus } from "../../../device-services/index.ts";
import { defineOperation, type OperationPorts, type OperationTable, oneOf, readPage } from "../operation.ts";
import { formatUtc } from "../vendor-times.ts";
import { findSelectedDevice } from "./device-selector.ts";
import {
  checkJobType,
  readDevice,
  readJobDocument,
  readJobFile,
  readRollout,
  readTarget,
  readTimeout,
  readToken,
  writeToken,
} from "./job-parameters.ts";
import { uploadSuffixes } from "./ota-operations.ts";

const statuses: readonly TaskStatus[] = ["QUEUED", "SENT", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELLED"];
/** Looked up one by one for an answer. */
const shownDevicesMax = 200;

function readStatus(text: string | undefined): { status?: TaskStatus } {
  return text ? { status: oneOf("Status", text, statuses) as TaskStatus } : {};
}

function showJob({ id, name, description, status, createdAt, modifiedAt }: Job) {
  return {
    JobId: id,
    JobName: name,
    Description: description,
    // A job begins when it is made.
    ScheduledTime: createdAt,
    Status: status,
    Type: "CUSTOM_JOB",
    UtcCreate: formatUtc(createdAt),
    UtcModified: formatUtc(modifiedAt),
  };
}

async function showTask(task: JobTask, jobName: string, { registry }: Pick<OperationPorts, "registry">) {
  const device = await registry.findDevice(task.productKey, task.deviceName);
  return {
    TaskId: task.taskId,
    JobId: task.jobId,
    JobName: jobName,
    ProductKey: task.productKey,
    DeviceName: task.deviceName,
    IotId: device?.iotId ?? "",
    Status: task.status,
    Progress: String(task.progress),
    UtcQueueTime: formatUtc(task.queuedAt),
    UtcModified: formatUtc(task.modifiedAt),
  };
}

async function showTarget({ id, notes }: Job, { deviceServices }: OperationPorts) {
  const { targetType, targetProduct, targetGroup } = notes;
  const named = targetProduct ?? targetGroup;
  if (typeof named === "string") {
    const isProduct = targetProduct !== undefined;
    return { TargetType: targetType, ...(isProduct ? { TargetProduct: named } : { TargetGroup: named }) };
  }
  const { items } = await deviceServices.jobs.tasks(id, { page: 1, pageSize: shownDevicesMax });
  const targetDevices = items.map(({ productKey, deviceName }) => ({ ProductKey: productKey, DeviceName: deviceName }));
  return { TargetType: targetType ?? "DEVICE", TargetDevices: { targetDevices } };
}

export const jobOperations: OperationTable = {
  CreateJob: defineOperation(
    {
      Type: "text",
      JobName: "text",
      JobDocument: "text",
      TargetConfig: "text",
      Description: "text?",
      JobFile: "text?",
      RolloutConfig: "text?",
      TimeoutConfig: "text?",
      ScheduledTime: "unsupported",
    },
    async (input, ports) => {
      checkJobType(input.Type);
      const document = readJobDocument(input.JobDocument);
      const { devices, notes } = await readTarget(input.TargetConfig, ports);
      const { id } = await ports.deviceServices.jobs.create({
        name: input.JobName,
        document,
        devices,
        notes,
        ...(input.Description ? { description: input.Description } : {}),
        ...(input.JobFile ? { file: readJobFile(input.JobFile, ports) } : {}),
        ...(input.RolloutConfig ? { rollout: readRollout(input.RolloutConfig) } : {}),
        ...(input.TimeoutConfig ? readTimeout(input.TimeoutConfig) : {}),
      });
      return { JobId: id };
    },
  ),

  UpdateJob: defineOperation(
    { JobId: "text", Description: "text?", RolloutConfig: "text?", TimeoutConfig: "text?" },
    async ({ JobId, Description, RolloutConfig, TimeoutConfig }, { deviceServices }) => {
      await deviceServices.jobs.change(JobId, {
        ...(Description === undefined ? {} : { description: Description }),
        ...(RolloutConfig ? { rollout: readRollout(RolloutConfig) } : {}),
        ...(TimeoutConfig ? readTimeout(TimeoutConfig) : {}),
      });
      return {};
    },
  ),

  CancelJob: defineOperation({ JobId: "text" }, async ({ JobId }, { deviceServices }) => {
    await deviceServices.jobs.cancel(JobId);
    return {};
  }),

  DeleteJob: defineOperation({ JobId: "text" }, async ({ JobId }, { deviceServices }) => {
    await deviceServices.jobs.remove(JobId);
    return {};
  }),

  RerunJob: defineOperation({ JobId: "text" }, async ({ JobId }, { deviceServices }) => {
    await deviceServices.jobs.rerun(JobId);
    return {};
  }),

  QueryJob: defineOperation({ JobId: "text" }, async ({ JobId }, ports) => {
    const { jobs } = ports.deviceServices;
    const job = await jobs.get(JobId);
    const file = await jobs.file(JobId);
    const { perMinuteMax, qos } = job.rollout;
    return {
      Data: {
        ...showJob(job),
        JobDocument: JSON.stringify(job.document),
        JobFile: file && { FileUrl: file.url, SignMethod: file.signMethod, Sign: file.sign },
        RolloutConfig: { MaximumPerMinute: perMinuteMax, MessageQoS: qos === undefined ? undefined : `QoS${qos}` },
        TimeoutConfig: job.timeoutMinutes === undefined ? undefined : { InProgressTimeoutInMinutes: job.timeoutMinutes },
        TargetConfig: await showTarget(job, ports),
      },
    };
  }),

  ListJob: defineOperation(
    { CurrentPage: "integer", PageSize: "integer", Status: "text?" },
    async ({ CurrentPage, PageSize, Status }, { deviceServices, limits }) => {
      const page = readPage(CurrentPage, PageSize, limits.jobPageEntriesMax);
      const { items, total } = await deviceServices.jobs.list({ ...page, ...readStatus(Status) });
      return { Data: { data: items.map(showJob) }, Page: page.page, PageSize: page.pageSize, Total: total };
    },
  ),

  QueryJobStatistics: defineOperation({ JobId: "text" }, async ({ JobId }, { deviceServices }) => {
    const { counts } = await deviceServices.jobs.get(JobId);
    const of = (status: TaskStatus): number => counts[status] ?? 0;
    return {
      Data: {
        Cancelled: of("CANCELLED"),
        Failed: of("FAILED"),
        InProgress: of("IN_PROGRESS"),
        Queued: of("QUEUED"),
        Rejected: of("REJECTED"),
        Sent: of("SENT"),
        Succeeded: of("SUCCEEDED"),
        TimeOut: of("TIMED_OUT"),
        Total: statuses.reduce((sum, status) => sum + of(status), 0),
      },
    };
  }),

  ListTask: defineOperation(
    { Limit: "integer", JobId: "text?", Device: "text?", Status: "text?", NextToken: "text?" },
    async ({ Limit, JobId, Device, Status, NextToken }, ports) => {
      const { pageSize: limit } = readPage(1, Limit, ports.limits.taskEntriesMax);
      const { jobs } = ports.deviceServices;
      const device = Device ? await findSelectedDevice(readDevice(Device), ports.registry) : undefined;
      if (JobId) await jobs.get(JobId);
      const { items, nextId } = await jobs.findTasks({
        limit,
        ...(JobId ? { jobId: JobId } : {}),
        ...(device === undefined ? {} : { device: { productKey: device.productKey, deviceName: device.deviceName } }),
        ...readStatus(Status),
        ...(NextToken ? { afterId: readToken(NextToken) } : {}),
      });
      const names = new Map<string, string>();
      const data = [];
      for (const task of items) {
        const name = names.get(task.jobId) ?? (await jobs.get(task.jobId)).name;
        names.set(task.jobId, name);
        data.push(await showTask(task, name, ports));
      }
      return { Data: { data }, NextToken: nextId === undefined ? undefined : writeToken(nextId) };
    },
  ),

  QueryTask: defineOperation({ TaskId: "text" }, async ({ TaskId }, ports) => {
    const { jobs } = ports.deviceServices;
    const task = await jobs.findTask(TaskId);
    const { name } = await jobs.get(task.jobId);
    return { Data: { ...(await showTask(task, name, ports)), StatusDetail: JSON.stringify(task.details) } };
  }),

  GenerateFileUploadURL: defineOperation(
    { BizCode: "text", FileSuffix: "text" },
    async ({ BizCode, FileSuffix }, { firmwareUploads, origin }) => {
      oneOf("BizCode", BizCode, ["DEVICE_JOB_FILE"]);
      const form = firmwareUploads.issue(origin, oneOf("FileSuffix", FileSuffix, uploadSuffixes), "job");
      return {
        Data: { Host: form.host, Key: form.key, OssAccessKeyId: form.accessKeyId, Policy: form.policy, Signature: form.signature },
      };
    },
  ),
};
