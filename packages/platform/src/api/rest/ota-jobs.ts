/** Jobs and tasks of firmware updates, and what happens to them as it happens. */
import { Type } from "typebox";
import { PlatformError } from "../../errors/index.ts";
import type { OtaChange } from "../../ota/index.ts";
import type { ApiPorts } from "../ports.ts";
import { createEventStream } from "./event-stream.ts";
import {
  jobSchema,
  jobStatusSchema,
  newJobSchema,
  newVerifyJobSchema,
  taskSchema,
  taskStatusSchema,
  toJobView,
  toTaskView,
} from "./ota-schemas.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, idPath, idSchema, noContent, pageOf, pageQuery } from "./schemas.ts";
import { strict } from "./thing-schemas.ts";
import { parseTime, toPageView } from "./views.ts";

const tags = ["firmware"];
const taskIdsMax = 200;
const taskIdsBody = Type.Object({ taskIds: Type.Array(idSchema, { minItems: 1, maxItems: taskIdsMax }) }, strict);

function plannedTimes(body: { scheduledAt?: string; scheduledEndAt?: string }): { scheduledAt?: number; scheduledEndAt?: number } {
  const { scheduledAt, scheduledEndAt } = body;
  return {
    ...(scheduledAt === undefined ? {} : { scheduledAt: parseTime(scheduledAt, "body/scheduledAt") }),
    ...(scheduledEndAt === undefined ? {} : { scheduledEndAt: parseTime(scheduledEndAt, "body/scheduledEndAt") }),
  };
}

/** The open streams end with the server. */
export function addOtaJobRoutes(app: RestApp, ports: Pick<ApiPorts, "ota" | "limits" | "clock">): { endAll(): void } {
  const { ota, limits } = ports;
  const showJob = async (id: number) => toJobView(await ota.jobs.get(id), await ota.jobs.counts(id));

  app.post(
    "/ota/packages/:id/verify",
    {
      schema: {
        summary: "Try a package on test devices; all must succeed",
        operationId: "verifyOtaPackage",
        tags,
        params: idPath,
        body: newVerifyJobSchema,
        response: { 201: jobSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }, reply) => {
      const job = await ota.jobs.verify({ ...body, packageId: params.id });
      return reply.code(201).send(await showJob(job.id));
    },
  );

  app.post(
    "/ota/packages/:id/jobs",
    {
      schema: {
        summary: "Roll a package out",
        operationId: "createOtaJob",
        tags,
        params: idPath,
        body: newJobSchema,
        response: { 201: jobSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }, reply) => {
      const { scheduledAt: _, scheduledEndAt: __, selection = "static", target = { kind: "all" as const }, ...options } = body;
      const job = await ota.jobs.create({ ...options, ...plannedTimes(body), selection, target, packageId: params.id });
      return reply.code(201).send(await showJob(job.id));
    },
  );

  app.get(
    "/ota/jobs",
    {
      schema: {
        summary: "List jobs, the newest first",
        operationId: "listOtaJobs",
        tags,
        querystring: Type.Object(
          {
            ...pageQuery(limits),
            packageId: Type.Optional(idSchema),
            productKey: Type.Optional(Type.String()),
            deviceName: Type.Optional(Type.String()),
            status: Type.Optional(jobStatusSchema),
          },
          strict,
        ),
        response: { 200: pageOf(jobSchema), ...errorAnswers() },
      },
    },
    async ({ query: { page, pageSize, ...filter } }) =>
      toPageView(await ota.jobs.list({ page, pageSize }, filter), (job) => toJobView(job)),
  );

  app.get(
    "/ota/jobs/:id",
    {
      schema: {
        summary: "Show a job, with the number of its tasks by status",
        operationId: "getOtaJob",
        tags,
        params: idPath,
        response: { 200: jobSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => showJob(params.id),
  );

  app.post(
    "/ota/jobs/:id/cancel",
    {
      schema: {
        summary: "Cancel a job's tasks; those in progress only when named",
        operationId: "cancelOtaJob",
        tags,
        params: idPath,
        body: Type.Object({ statuses: Type.Optional(Type.Array(taskStatusSchema, { minItems: 1 })) }, strict),
        response: { 200: jobSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }) => {
      await ota.jobs.cancel(params.id, body.statuses);
      return showJob(params.id);
    },
  );

  app.post(
    "/ota/jobs/:id/stop-selecting",
    {
      schema: {
        summary: "A dynamic job takes no further devices; its tasks go on",
        operationId: "stopOtaJobSelection",
        tags,
        params: idPath,
        response: { 200: jobSchema, ...errorAnswers(404, 409) },
      },
    },
    async ({ params }) => {
      await ota.jobs.stopSelecting(params.id);
      return showJob(params.id);
    },
  );

  app.get(
    "/ota/tasks",
    {
      schema: {
        summary: "List tasks, the newest first",
        operationId: "listOtaTasks",
        tags,
        querystring: Type.Object(
          {
            ...pageQuery(limits),
            jobId: Type.Optional(idSchema),
            productKey: Type.Optional(Type.String()),
            deviceName: Type.Optional(Type.String()),
            module: Type.Optional(Type.String()),
            status: Type.Optional(taskStatusSchema),
          },
          strict,
        ),
        response: { 200: pageOf(taskSchema), ...errorAnswers() },
      },
    },
    async ({ query: { page, pageSize, status, ...filter } }) => {
      const wanted = { ...filter, ...(status === undefined ? {} : { statuses: [status] }) };
      return toPageView(await ota.tasks.list({ page, pageSize }, wanted), toTaskView);
    },
  );

  app.get(
    "/ota/tasks/:id",
    {
      schema: {
        summary: "Show a task",
        operationId: "getOtaTask",
        tags,
        params: idPath,
        response: { 200: taskSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toTaskView(await ota.tasks.get(params.id)),
  );

  for (const { verb, summary } of [
    { verb: "confirm", summary: "Let tasks begin that wait for it" },
    { verb: "cancel", summary: "Cancel tasks" },
  ] as const) {
    app.post(
      `/ota/tasks/${verb}`,
      {
        schema: {
          summary,
          operationId: `${verb}OtaTasks`,
          tags,
          body: taskIdsBody,
          response: { 204: noContent, ...errorAnswers(404, 409, 413, 415) },
        },
      },
      async ({ body }, reply) => {
        await ota.tasks[verb](body.taskIds);
        return reply.code(204).send(null);
      },
    );
  }

  app.post(
    "/ota/jobs/:id/upgrade-again",
    {
      schema: {
        summary: "Try failed or canceled tasks once more",
        operationId: "upgradeOtaTasksAgain",
        tags,
        params: idPath,
        body: taskIdsBody,
        response: { 204: noContent, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }, reply) => {
      await ota.tasks.upgradeAgain(params.id, body.taskIds);
      return reply.code(204).send(null);
    },
  );

  return addOtaStreamRoute(app, ports);
}

function addOtaStreamRoute(app: RestApp, { ota, limits, clock }: Pick<ApiPorts, "ota" | "limits" | "clock">): { endAll(): void } {
  const open = new Set<() => void>();

  app.get(
    "/ota/stream",
    {
      exposeHeadRoute: false,
      schema: {
        summary: "Follow firmware updates, as server-sent events",
        description:
          "Events `task`, `progress` and `job` carry a task or a job as JSON, `version` a device's version. Nothing is sent again after a break: read the lists first.",
        operationId: "followOta",
        tags,
        querystring: Type.Object({ jobId: Type.Optional(idSchema), productKey: Type.Optional(Type.String()) }, strict),
        response: { 200: { description: "Events.", content: { "text/event-stream": { schema: Type.String() } } }, ...errorAnswers() },
      },
    },
    async ({ query }, reply) => {
      if (open.size >= limits.followersMax) throw new PlatformError("api.too_many_followers", { followersMax: limits.followersMax });
      const stream = createEventStream(reply.raw, clock, limits, "thingstead firmware updates");
      open.add(stream.end);
      const unfollow = ota.onChange((change) => {
        const view = viewOf(change, query);
        if (view !== undefined) stream.event({ name: change.kind, data: view });
      });
      stream.onEnd(() => {
        open.delete(stream.end);
        unfollow();
      });
      reply.hijack();
      stream.begin();
      return reply;
    },
  );

  return {
    endAll() {
      for (const end of open) end();
    },
  };
}

/** Undefined: not asked for. */
function viewOf(change: OtaChange, query: { jobId?: number; productKey?: string }): object | undefined {
  const subject = change.kind === "version" ? change.device : change.kind === "job" ? change.job : change.task;
  if (query.productKey !== undefined && subject.productKey !== query.productKey) return undefined;
  if (query.jobId !== undefined) {
    const jobId = change.kind === "version" ? undefined : change.kind === "job" ? change.job.id : change.task.jobId;
    if (jobId !== query.jobId) return undefined;
  }
  switch (change.kind) {
    case "version":
      return { ...change.device, module: change.module, version: change.version };
    case "job":
      return toJobView(change.job);
    case "task":
    case "progress":
      return toTaskView(change.task);
  }
}
