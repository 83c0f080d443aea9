/** Jobs of devices and their tasks. */
import { Type } from "typebox";
import type { Job, JobTask } from "../../device-services/index.ts";
import { PlatformError } from "../../errors/index.ts";
import type { ApiPorts } from "../ports.ts";
import { decodePayload } from "./payload.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, noContent, pageOf, pageQuery } from "./schemas.ts";
import { strict } from "./thing-schemas.ts";
import { formatTime } from "./views.ts";

const tags = ["jobs"];
const time = Type.String({ format: "date-time" });
const statuses = ["QUEUED", "SENT", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELLED"] as const;
const document = Type.Record(Type.String(), Type.Unknown(), { description: "What devices shall do, in the words that they understand." });
const timeoutMinutes = Type.Integer({ minimum: 1, maximum: 525_600, description: "A task that is in progress for longer has failed." });
const jobPath = Type.Object({ jobId: Type.String() }, strict);

const jobSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    description: Type.String(),
    document,
    hasFile: Type.Boolean(),
    timeoutMinutes: Type.Optional(timeoutMinutes),
    isCancelled: Type.Boolean(),
    status: Type.Enum([...statuses], { description: "Of the task that is farthest from its end." }),
    createdAt: time,
    modifiedAt: time,
    counts: Type.Record(Type.String(), Type.Integer(), { description: "Tasks by status." }),
  },
  strict,
);
const taskSchema = Type.Object(
  {
    taskId: Type.String(),
    productKey: Type.String(),
    deviceName: Type.String(),
    status: Type.Enum([...statuses]),
    progress: Type.Integer(),
    details: Type.Unknown({ description: "As the device told them." }),
    queuedAt: time,
    modifiedAt: time,
  },
  strict,
);
const fileSchema = Type.Object(
  {
    contentBase64: Type.Optional(Type.String({ description: "Bytes that this server serves to the devices." })),
    url: Type.Optional(Type.String({ minLength: 1, description: "A file elsewhere, with signMethod and sign." })),
    signMethod: Type.Optional(Type.Enum(["Md5", "Sha256"])),
    sign: Type.Optional(Type.String({ pattern: "^[0-9a-fA-F]{32,64}$" })),
  },
  strict,
);
const newJobSchema = Type.Object(
  {
    name: Type.String(),
    description: Type.Optional(Type.String()),
    document,
    file: Type.Optional(fileSchema),
    devices: Type.Array(Type.Object({ productKey: Type.String(), deviceName: Type.String() }, strict), { minItems: 1 }),
    timeoutMinutes: Type.Optional(timeoutMinutes),
  },
  strict,
);

function toView(job: Job) {
  const { id, name, description, document: content, hasFile, timeoutMinutes: minutes, isCancelled, status, counts } = job;
  return {
    id,
    name,
    description,
    document: content,
    hasFile,
    ...(minutes === undefined ? {} : { timeoutMinutes: minutes }),
    isCancelled,
    status,
    createdAt: formatTime(job.createdAt),
    modifiedAt: formatTime(job.modifiedAt),
    counts,
  };
}

function toTaskView({ taskId, productKey, deviceName, status, progress, details, queuedAt, modifiedAt }: JobTask) {
  const times = { queuedAt: formatTime(queuedAt), modifiedAt: formatTime(modifiedAt) };
  return { taskId, productKey, deviceName, status, progress, details, ...times };
}

interface FileBody {
  contentBase64?: string;
  url?: string;
  signMethod?: "Md5" | "Sha256";
  sign?: string;
}

function readFile({ contentBase64, url, signMethod, sign }: FileBody) {
  if (contentBase64 !== undefined && url === undefined) {
    return { content: decodePayload({ payloadBase64: contentBase64 }, "body/file") };
  }
  if (contentBase64 === undefined && url !== undefined && signMethod !== undefined && sign !== undefined) {
    return { url, signMethod, sign };
  }
  const expected = "either contentBase64, or url with signMethod and sign";
  throw new PlatformError("api.request_invalid", { path: "body/file", received: "something else", expected });
}

export function addJobRoutes(app: RestApp, { deviceServices, limits }: Pick<ApiPorts, "deviceServices" | "limits">): void {
  const { jobs } = deviceServices;

  app.post(
    "/jobs",
    {
      schema: {
        summary: "Make a job: each device is told at once, or when it is back",
        operationId: "createJob",
        tags,
        body: newJobSchema,
        response: { 201: jobSchema, ...errorAnswers(404, 413, 415, 422) },
      },
    },
    async ({ body: { file, ...job } }, reply) =>
      reply.code(201).send(toView(await jobs.create({ ...job, ...(file === undefined ? {} : { file: readFile(file) }) }))),
  );

  app.get(
    "/jobs",
    {
      schema: {
        summary: "List jobs, newest first",
        operationId: "listJobs",
        tags,
        querystring: Type.Object(pageQuery(limits), strict),
        response: { 200: pageOf(jobSchema), ...errorAnswers() },
      },
    },
    async ({ query }) => {
      const { items, total } = await jobs.list(query);
      return { ...query, items: items.map(toView), total };
    },
  );

  app.get(
    "/jobs/:jobId",
    { schema: { summary: "Show a job", operationId: "getJob", tags, params: jobPath, response: { 200: jobSchema, ...errorAnswers(404) } } },
    async ({ params }) => toView(await jobs.get(params.jobId)),
  );

  app.get(
    "/jobs/:jobId/tasks",
    {
      schema: {
        summary: "List the tasks of a job, one for each device",
        operationId: "listJobTasks",
        tags,
        params: jobPath,
        querystring: Type.Object({ ...pageQuery(limits), status: Type.Optional(Type.Enum([...statuses])) }, strict),
        response: { 200: pageOf(taskSchema), ...errorAnswers(404) },
      },
    },
    async ({ params, query }) => {
      const { items, total } = await jobs.tasks(params.jobId, query);
      return { page: query.page, pageSize: query.pageSize, items: items.map(toTaskView), total };
    },
  );

  app.post(
    "/jobs/:jobId/cancel",
    {
      schema: {
        summary: "Cancel the tasks of a job that are not over",
        operationId: "cancelJob",
        tags,
        params: jobPath,
        response: { 200: jobSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toView(await jobs.cancel(params.jobId)),
  );

  app.post(
    "/jobs/:jobId/rerun",
    {
      schema: {
        summary: "Queue the tasks of a job again that ended otherwise than well",
        operationId: "rerunJob",
        tags,
        params: jobPath,
        response: { 200: jobSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toView(await jobs.rerun(params.jobId)),
  );

  app.delete(
    "/jobs/:jobId",
    {
      schema: {
        summary: "Delete a job and its tasks",
        operationId: "deleteJob",
        tags,
        params: jobPath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params }, reply) => {
      await jobs.remove(params.jobId);
      return reply.code(204).send(null);
    },
  );
}
