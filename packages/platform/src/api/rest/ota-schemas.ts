/** Nouns of firmware updates as schemas and views. */
import { Type } from "typebox";
import type { FirmwareFile, ModuleVersion, OtaJob, OtaModule, OtaPackage, OtaTask } from "../../ota/index.ts";
import { idSchema } from "./schemas.ts";
import { strict } from "./thing-schemas.ts";
import { formatTime } from "./views.ts";

const time = (description: string) => Type.String({ format: "date-time", description });
const optionalTime = (description: string) => Type.Optional(time(description));

export const taskStatusSchema = Type.Enum(["CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "CANCELED"]);
export const jobStatusSchema = Type.Enum(["PLANNED", "IN_PROGRESS", "COMPLETED", "CANCELED"]);

const fileMembers = {
  id: Type.Integer(),
  bytes: Type.Integer(),
  md5: Type.String(),
  sha256: Type.String(),
  createdAt: time("When it was uploaded."),
};
export const firmwareFileSchema = Type.Object({ ...fileMembers, url: Type.Optional(Type.String({ description: "Signed link." })) }, strict);

export const moduleSchema = Type.Object(
  {
    productKey: Type.String(),
    name: Type.String(),
    alias: Type.String(),
    description: Type.String(),
    createdAt: optionalTime("Absent for the default module."),
    modifiedAt: optionalTime("Absent for the default module."),
  },
  strict,
);

export const packageSchema = Type.Object(
  {
    id: Type.Integer(),
    productKey: Type.String(),
    name: Type.String(),
    description: Type.String(),
    module: Type.String(),
    kind: Type.Enum(["full", "differential"]),
    sourceVersion: Type.Optional(Type.String()),
    version: Type.String(),
    signMethod: Type.Enum(["MD5", "SHA256"]),
    files: Type.Array(Type.Object({ ...fileMembers, name: Type.String() }, strict)),
    digestSign: Type.Optional(Type.String()),
    userInfo: Type.Optional(Type.String()),
    status: Type.Enum(["unverified", "verifying", "verified", "failed", "exempt"]),
    createdAt: time("When the package was made."),
    modifiedAt: time("When the package was changed last."),
  },
  strict,
);

export const newPackageSchema = Type.Object(
  {
    productKey: Type.String(),
    name: Type.String({ minLength: 1 }),
    description: Type.Optional(Type.String()),
    module: Type.Optional(Type.String({ description: "Absent = default, the whole device." })),
    kind: Type.Optional(Type.Enum(["full", "differential"])),
    sourceVersion: Type.Optional(Type.String({ description: "Of a differential package: the version it starts from." })),
    version: Type.String({ minLength: 1 }),
    signMethod: Type.Optional(Type.Enum(["MD5", "SHA256"], { description: "What devices check; MD5 unless given." })),
    files: Type.Array(
      Type.Object(
        {
          id: idSchema,
          name: Type.Optional(Type.String()),
          expectedSign: Type.Optional(Type.String({ description: "Refused when the file has another digest." })),
          expectedBytes: Type.Optional(Type.Integer({ minimum: 1 })),
        },
        strict,
      ),
      { minItems: 1 },
    ),
    digestSign: Type.Optional(Type.String({ description: "Signature of the digest; handed to devices as it is." })),
    userInfo: Type.Optional(Type.String({ description: "Text for the device." })),
    needsVerification: Type.Optional(Type.Boolean({ description: "false: may be rolled out without a verification job." })),
  },
  strict,
);

const targetSchema = Type.Union([
  Type.Object({ kind: Type.Literal("all") }, strict),
  Type.Object({ kind: Type.Literal("specific"), deviceNames: Type.Array(Type.String(), { minItems: 1 }) }, strict),
  Type.Object({ kind: Type.Literal("gray"), percent: Type.Number() }, strict),
  Type.Object({ kind: Type.Literal("group"), groupId: Type.String() }, strict),
]);

const tagsSchema = Type.Record(Type.String(), Type.String(), { description: "Handed to devices with the package." });
const failureStopSchema = Type.Object({ failedPercent: Type.Number(), endedCountMin: Type.Integer() }, strict);
const protocolSchema = Type.Enum(["https", "mqtt"]);

const verifyMembers = {
  timeoutMinutes: Type.Optional(Type.Number({ description: "From a device's first progress on." })),
  needsConfirm: Type.Optional(Type.Boolean()),
  isPushed: Type.Optional(Type.Boolean({ description: "false: devices are told only when they ask." })),
  protocol: Type.Optional(protocolSchema),
  tags: Type.Optional(tagsSchema),
};
export const newVerifyJobSchema = Type.Object({ deviceNames: Type.Array(Type.String(), { minItems: 1 }), ...verifyMembers }, strict);

export const newJobSchema = Type.Object(
  {
    selection: Type.Optional(Type.Enum(["static", "dynamic"], { description: "dynamic: also devices that begin to match later." })),
    target: Type.Optional(targetSchema),
    isNewOnly: Type.Optional(Type.Boolean()),
    sourceVersions: Type.Optional(Type.Array(Type.String())),
    pushesPerMinuteMax: Type.Optional(Type.Integer({ description: "0 = as fast as possible." })),
    retryCount: Type.Optional(Type.Integer()),
    retryIntervalMinutes: Type.Optional(Type.Number()),
    isOverwriting: Type.Optional(Type.Boolean({ description: "Takes the place of tasks that have not begun." })),
    isMultiModule: Type.Optional(Type.Boolean()),
    failureStop: Type.Optional(failureStopSchema),
    scheduledAt: Type.Optional(Type.String({ description: "ISO 8601 or milliseconds since the epoch." })),
    scheduledEndAt: Type.Optional(Type.String()),
    ...verifyMembers,
  },
  strict,
);

export const jobSchema = Type.Object(
  {
    id: Type.Integer(),
    packageId: Type.Integer(),
    productKey: Type.String(),
    module: Type.String(),
    version: Type.String(),
    kind: Type.Enum(["verify", "upgrade"]),
    selection: Type.Enum(["static", "dynamic"]),
    target: targetSchema,
    isNewOnly: Type.Boolean(),
    isSelecting: Type.Boolean({ description: "Still takes devices." }),
    sourceVersions: Type.Array(Type.String()),
    pushesPerMinuteMax: Type.Integer(),
    timeoutMinutes: Type.Optional(Type.Number()),
    retryCount: Type.Integer(),
    retryIntervalMinutes: Type.Number(),
    isOverwriting: Type.Boolean(),
    needsConfirm: Type.Boolean(),
    isPushed: Type.Boolean(),
    isMultiModule: Type.Boolean(),
    protocol: protocolSchema,
    tags: tagsSchema,
    failureStop: Type.Optional(failureStopSchema),
    status: jobStatusSchema,
    reason: Type.Optional(Type.String({ description: "Code of why it was stopped." })),
    scheduledAt: optionalTime("Planned begin."),
    scheduledEndAt: optionalTime("Planned end."),
    createdAt: time("When the job was made."),
    modifiedAt: time("When the job was changed last."),
    startedAt: optionalTime("When it began."),
    endedAt: optionalTime("When it ended."),
    tasks: Type.Optional(Type.Record(Type.String(), Type.Integer(), { description: "Number of tasks, in all and by status." })),
  },
  strict,
);

export const taskSchema = Type.Object(
  {
    id: Type.Integer(),
    jobId: Type.Integer(),
    packageId: Type.Integer(),
    productKey: Type.String(),
    deviceName: Type.String(),
    iotId: Type.String(),
    module: Type.String(),
    sourceVersion: Type.Optional(Type.String()),
    version: Type.String(),
    status: taskStatusSchema,
    progress: Type.Integer({ description: "Percent." }),
    reason: Type.Optional(Type.String({ description: "Code of the outcome." })),
    description: Type.String({ description: "In the device's own words." }),
    timeoutAt: optionalTime("When it fails for want of an end."),
    createdAt: time("When the task was made."),
    modifiedAt: time("When the task was changed last."),
  },
  strict,
);

export const versionSchema = Type.Object(
  {
    productKey: Type.String(),
    deviceName: Type.String(),
    iotId: Type.String(),
    module: Type.String(),
    version: Type.String(),
    reportedAt: time("When the device told it first."),
  },
  strict,
);

export function toFileView(file: FirmwareFile, url?: string) {
  return { ...file, createdAt: formatTime(file.createdAt), ...(url === undefined ? {} : { url }) };
}

export function toModuleView({ createdAt, modifiedAt, ...module }: OtaModule) {
  return createdAt === 0 ? module : { ...module, createdAt: formatTime(createdAt), modifiedAt: formatTime(modifiedAt) };
}

export function toPackageView({ files, createdAt, modifiedAt, ...pack }: OtaPackage) {
  const views = files.map((file) => ({ ...file, createdAt: formatTime(file.createdAt) }));
  return { ...pack, files: views, createdAt: formatTime(createdAt), modifiedAt: formatTime(modifiedAt) };
}

const when = <K extends string>(name: K, at: number | undefined): Partial<Record<K, string>> => {
  const member: Partial<Record<K, string>> = {};
  if (at !== undefined) member[name] = formatTime(at);
  return member;
};

export function toJobView(job: OtaJob, counts?: { total: number; byStatus: Readonly<Record<string, number>> }) {
  const { createdAt, modifiedAt, scheduledAt, scheduledEndAt, startedAt, endedAt, target, ...rest } = job;
  return {
    ...rest,
    sourceVersions: [...job.sourceVersions],
    tags: { ...job.tags },
    target: target.kind === "specific" ? { kind: target.kind, deviceNames: [...target.deviceNames] } : target,
    ...when("scheduledAt", scheduledAt),
    ...when("scheduledEndAt", scheduledEndAt),
    createdAt: formatTime(createdAt),
    modifiedAt: formatTime(modifiedAt),
    ...when("startedAt", startedAt),
    ...when("endedAt", endedAt),
    ...(counts === undefined ? {} : { tasks: { total: counts.total, ...counts.byStatus } }),
  };
}

export function toTaskView({ timeoutAt, createdAt, modifiedAt, ...task }: OtaTask) {
  return { ...task, ...when("timeoutAt", timeoutAt), createdAt: formatTime(createdAt), modifiedAt: formatTime(modifiedAt) };
}

export function toVersionView({ reportedAt, ...version }: ModuleVersion) {
  return { ...version, reportedAt: formatTime(reportedAt) };
}
