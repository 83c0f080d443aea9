/** Jobs that bring firmware to devices, and their tasks (reference 1.8.M). */
import { PlatformError } from "../../../errors/index.ts";
import type { JobTarget, NewUpgradeJob, OtaJob, OtaTask, TaskStatus } from "../../../ota/index.ts";
import { defineOperation, type Input, memberOf, type OperationTable, oneOf, readPage, type Struct } from "../operation.ts";
import { formatUtc } from "../vendor-times.ts";
import { deviceSelector, findSelectedDevice } from "./device-selector.ts";
import { otaPage, packageOf, readId, showPage } from "./ota-operations.ts";

const taskStatuses = ["CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "CANCELED"] as const;
const openStatuses: readonly TaskStatus[] = ["CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS"];
const protocols = ["HTTPS", "MQTT"] as const;

const firmware = { FirmwareId: "text", ProductKey: "text" } as const;
const common = {
  DownloadProtocol: "text?",
  NeedConfirm: "boolean?",
  NeedPush: "boolean?",
  Tag: "structs?",
  TimeoutInMinutes: "integer?",
} as const;
const upgrade = {
  ...firmware,
  ...common,
  GroupId: "text?",
  GroupType: "text?",
  MaximumPerMinute: "integer?",
  MultiModuleMode: "boolean?",
  OverwriteMode: "integer?",
  RetryCount: "integer?",
  RetryInterval: "integer?",
  SrcVersion: "list?",
} as const;

export const otaJobOperations: OperationTable = {
  CreateOTAVerifyJob: defineOperation({ ...firmware, ...common, TargetDeviceName: "list" }, async (input, ports) => {
    const { id } = await packageOf(input.ProductKey, input.FirmwareId, ports);
    return showMade(await ports.ota.jobs.verify({ packageId: id, deviceNames: input.TargetDeviceName, ...readCommon(input) }));
  }),

  CreateOTAStaticUpgradeJob: defineOperation(
    {
      ...upgrade,
      TargetSelection: "text",
      DnListFileUrl: "unsupported",
      GrayPercent: "text?",
      ScheduleTime: "integer?",
      ScheduleFinishTime: "integer?",
      TargetDeviceName: "list?",
    },
    async (input, ports) => {
      const { id } = await packageOf(input.ProductKey, input.FirmwareId, ports);
      return showMade(
        await ports.ota.jobs.create({
          packageId: id,
          selection: "static",
          target: readTarget(input),
          ...readUpgrade(input),
          ...(input.ScheduleTime ? { scheduledAt: input.ScheduleTime } : {}),
          ...(input.ScheduleFinishTime ? { scheduledEndAt: input.ScheduleFinishTime } : {}),
        }),
      );
    },
  ),

  CreateOTADynamicUpgradeJob: defineOperation({ ...upgrade, DynamicMode: "integer?" }, async (input, ports) => {
    const { id } = await packageOf(input.ProductKey, input.FirmwareId, ports);
    return showMade(
      await ports.ota.jobs.create({
        packageId: id,
        selection: "dynamic",
        target: input.GroupId ? { kind: "group", groupId: input.GroupId } : { kind: "all" },
        isNewOnly: oneOf("DynamicMode", input.DynamicMode ?? 1, [1, 2]) === 2,
        ...readUpgrade(input),
      }),
    );
  }),

  QueryOTAJob: defineOperation({ JobId: "text" }, async ({ JobId }, { ota, groups }) => {
    const job = await ota.jobs.get(readId("JobId", JobId));
    const group = job.target.kind === "group" ? await groups.get(job.target.groupId).catch(() => undefined) : undefined;
    return {
      Data: {
        ...showJob(job),
        DestVersion: job.version,
        DownloadProtocol: job.protocol.toUpperCase(),
        DynamicMode: job.selection === "dynamic" ? (job.isNewOnly ? 2 : 1) : undefined,
        GrayPercent: job.target.kind === "gray" ? String(job.target.percent) : undefined,
        GroupId: job.target.kind === "group" ? job.target.groupId : undefined,
        GroupName: group?.name,
        MaximumPerMinute: job.pushesPerMinuteMax || undefined,
        MultiModuleMode: job.isMultiModule,
        NeedConfirm: job.needsConfirm,
        NeedPush: job.isPushed,
        OverwriteMode: job.isOverwriting ? 2 : 1,
        RetryCount: job.retryCount,
        RetryInterval: job.retryIntervalMinutes,
        SrcVersions: { SrcVersion: job.sourceVersions },
        TimeoutInMinutes: job.timeoutMinutes,
        UtcScheduleTime: formatUtc(job.scheduledAt),
        UtcScheduleFinishTime: formatUtc(job.scheduledEndAt),
      },
    };
  }),

  ListOTAJobByFirmware: defineOperation({ FirmwareId: "text", ...otaPage }, async (input, { ota, limits }) => {
    const wanted = readPage(input.CurrentPage, input.PageSize, limits.otaPageEntriesMax);
    const { items, total } = await ota.jobs.list(wanted, { packageId: readId("FirmwareId", input.FirmwareId) });
    return { Data: { SimpleOTAJobInfo: items.map(showJob) }, ...showPage(wanted, total) };
  }),

  ListOTAJobByDevice: defineOperation({ ...firmware, DeviceName: "text", ...otaPage }, async (input, ports) => {
    const wanted = readPage(input.CurrentPage, input.PageSize, ports.limits.otaPageEntriesMax);
    const { id } = await packageOf(input.ProductKey, input.FirmwareId, ports);
    const { deviceName } = await ports.registry.getDevice(input.ProductKey, input.DeviceName);
    const { items, total } = await ports.ota.jobs.list(wanted, { packageId: id, productKey: input.ProductKey, deviceName });
    return { Data: { SimpleOTAJobInfo: items.map(showJob) }, ...showPage(wanted, total) };
  }),

  ListOTATaskByJob: defineOperation(
    { JobId: "text", DeviceNames: "list?", TaskStatus: "text?", CurrentPage: "integer?", PageSize: "integer?" },
    async (input, { ota, registry, limits }) => {
      const wanted = readPage(input.CurrentPage ?? 1, input.PageSize ?? 10, limits.otaPageEntriesMax);
      const job = await ota.jobs.get(readId("JobId", input.JobId));
      const { items, total } = await ota.tasks.list(wanted, {
        jobId: job.id,
        ...(input.DeviceNames.length > 0 ? { deviceNames: input.DeviceNames } : {}),
        ...(input.TaskStatus ? { statuses: [oneOf("TaskStatus", input.TaskStatus, taskStatuses) as TaskStatus] } : {}),
      });
      const { name } = await registry.getProduct(job.productKey);
      const SimpleOTATaskInfo = items.map((task) => ({
        ...showTask(task, name),
        Progress: task.progress.toFixed(2),
        TaskDesc: task.description,
        Timeout: job.timeoutMinutes === undefined ? undefined : String(job.timeoutMinutes),
      }));
      return { Data: { SimpleOTATaskInfo }, ...showPage(wanted, total) };
    },
  ),

  ListOTAUnfinishedTaskByDevice: defineOperation(
    { ...deviceSelector, ModuleName: "text?", TaskStatus: "text?", TaskStatusList: "list?" },
    async (input, { ota, registry, limits }) => {
      const { productKey, deviceName } = await findSelectedDevice(input, registry);
      const named = [...(input.TaskStatus ? [input.TaskStatus] : []), ...input.TaskStatusList];
      const statuses = named.length === 0 ? openStatuses : named.map((status) => oneOf("TaskStatus", status, openStatuses) as TaskStatus);
      const wanted = { page: 1, pageSize: limits.otaPageEntriesMax };
      const filter = { productKey, deviceName, statuses, ...(input.ModuleName ? { module: input.ModuleName } : {}) };
      const { items } = await ota.tasks.list(wanted, filter);
      const { name } = await registry.getProduct(productKey);
      return { Data: { SimpleOTATaskInfo: items.map((task) => ({ ...showTask(task, name), ModuleName: task.module })) } };
    },
  ),

  CancelOTAStrategyByJob: defineOperation({ JobId: "text" }, async ({ JobId }, { ota }) => {
    await ota.jobs.stopSelecting(readId("JobId", JobId));
    return {};
  }),

  CancelOTATaskByDevice: defineOperation(
    { ...firmware, DeviceName: "list", JobId: "text?" },
    async ({ FirmwareId, ProductKey, DeviceName, JobId }, ports) => {
      const { ota, limits } = ports;
      if (DeviceName.length > limits.otaDevicesMax)
        throw new PlatformError("alibaba.too_many_devices", { received: DeviceName.length, expected: limits.otaDevicesMax });
      const { id } = await packageOf(ProductKey, FirmwareId, ports);
      const wanted = { page: 1, pageSize: limits.otaPageEntriesMax };
      const tasks: OtaTask[] = [];
      for (const deviceName of DeviceName) {
        const { items } = await ota.tasks.list(wanted, { productKey: ProductKey, deviceName, statuses: openStatuses });
        tasks.push(...items.filter((task) => task.packageId === id && (!JobId || task.jobId === readId("JobId", JobId))));
      }
      if (tasks.length === 0) throw new PlatformError("alibaba.upgrade_not_found", { received: DeviceName.join(", ").slice(0, 200) });
      await ota.tasks.cancel(tasks.map((task) => task.id));
      return {};
    },
  ),

  CancelOTATaskByJob: defineOperation(
    {
      JobId: "text",
      CancelScheduledTask: "boolean?",
      CancelQueuedTask: "boolean?",
      CancelNotifiedTask: "boolean?",
      CancelInProgressTask: "boolean?",
      CancelUnconfirmedTask: "boolean?",
    },
    async (input, { ota }) => {
      const chosen: TaskStatus[] = [];
      // Tasks of a job that has not begun wait as queued ones do.
      if (input.CancelQueuedTask || input.CancelScheduledTask) chosen.push("QUEUED");
      if (input.CancelNotifiedTask) chosen.push("NOTIFIED");
      if (input.CancelInProgressTask) chosen.push("IN_PROGRESS");
      if (input.CancelUnconfirmedTask) chosen.push("CONFIRM");
      if (chosen.length === 0) throw new PlatformError("alibaba.cancel_option_missing");
      await ota.jobs.cancel(readId("JobId", input.JobId), chosen);
      return {};
    },
  ),

  ConfirmOTATask: defineOperation({ TaskId: "list" }, async ({ TaskId }, { ota }) => {
    await ota.tasks.confirm(TaskId.map((id) => readId("TaskId", id)));
    return {};
  }),

  ReupgradeOTATask: defineOperation({ JobId: "text", TaskId: "list" }, async ({ JobId, TaskId }, { ota }) => {
    await ota.tasks.upgradeAgain(
      readId("JobId", JobId),
      TaskId.map((id) => readId("TaskId", id)),
    );
    return {};
  }),
};

function readCommon({ DownloadProtocol, NeedConfirm, NeedPush, Tag, TimeoutInMinutes }: Input<typeof common>) {
  return {
    protocol:
      oneOf("DownloadProtocol", (DownloadProtocol || "HTTPS").toUpperCase(), protocols) === "MQTT" ? ("mqtt" as const) : ("https" as const),
    needsConfirm: NeedConfirm === true,
    isPushed: NeedPush !== false,
    tags: readTags(Tag),
    ...(TimeoutInMinutes === undefined ? {} : { timeoutMinutes: TimeoutInMinutes }),
  };
}

function readUpgrade(input: Input<typeof upgrade>): Partial<NewUpgradeJob> {
  return {
    ...readCommon(input),
    sourceVersions: input.SrcVersion,
    isMultiModule: input.MultiModuleMode === true,
    isOverwriting: oneOf("OverwriteMode", input.OverwriteMode ?? 1, [1, 2]) === 2,
    ...(input.MaximumPerMinute ? { pushesPerMinuteMax: input.MaximumPerMinute } : {}),
    ...(input.RetryCount ? { retryCount: input.RetryCount } : {}),
    ...(input.RetryInterval ? { retryIntervalMinutes: input.RetryInterval } : {}),
  };
}

function readTags(structs: readonly Struct[]): Record<string, string> {
  return Object.fromEntries(structs.map((tag) => [memberOf("Tag", tag, "Key"), memberOf("Tag", tag, "Value")]));
}

function readTarget(input: {
  readonly TargetSelection: string;
  readonly TargetDeviceName: string[];
  readonly GrayPercent: string | undefined;
  readonly GroupId: string | undefined;
}): JobTarget {
  switch (oneOf("TargetSelection", input.TargetSelection, ["ALL", "SPECIFIC", "GRAY", "GROUP"])) {
    case "SPECIFIC":
      if (input.TargetDeviceName.length === 0) throw new PlatformError("alibaba.missing_parameter", { parameter: "TargetDeviceName.1" });
      return { kind: "specific", deviceNames: input.TargetDeviceName };
    case "GRAY":
      if (!input.GrayPercent) throw new PlatformError("alibaba.missing_parameter", { parameter: "GrayPercent" });
      return { kind: "gray", percent: Number(input.GrayPercent) };
    case "GROUP":
      if (!input.GroupId) throw new PlatformError("alibaba.missing_parameter", { parameter: "GroupId" });
      return { kind: "group", groupId: input.GroupId };
    default:
      return { kind: "all" };
  }
}

function showMade({ id, createdAt }: OtaJob) {
  return { Data: { JobId: String(id), UtcCreate: formatUtc(createdAt) } };
}

function showJob(job: OtaJob) {
  return {
    JobId: String(job.id),
    FirmwareId: String(job.packageId),
    ProductKey: job.productKey,
    JobStatus: job.status,
    JobType: job.kind === "verify" ? "VERIFY_FIRMWARE" : "UPGRADE_FIRMWARE",
    SelectionType: job.selection.toUpperCase(),
    TargetSelection: job.target.kind.toUpperCase(),
    Tags: { OtaTagDTO: Object.entries(job.tags).map(([Key, Value]) => ({ Key, Value })) },
    UtcCreate: formatUtc(job.createdAt),
    UtcModified: formatUtc(job.modifiedAt),
    UtcStartTime: formatUtc(job.startedAt),
    UtcEndTime: formatUtc(job.endedAt),
  };
}

function showTask(task: OtaTask, productName: string) {
  return {
    TaskId: String(task.id),
    JobId: String(task.jobId),
    FirmwareId: String(task.packageId),
    ProductKey: task.productKey,
    ProductName: productName,
    DeviceName: task.deviceName,
    IotId: task.iotId,
    SrcVersion: task.sourceVersion ?? "",
    DestVersion: task.version,
    TaskStatus: task.status,
    UtcCreate: formatUtc(task.createdAt),
    UtcModified: formatUtc(task.modifiedAt),
  };
}
