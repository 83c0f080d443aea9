/** Jobs: a document for many devices, a task for each, and how far each is. */
import { createHash } from "node:crypto";
import type { Clock, Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import type { Background } from "./background.ts";
import type { DeviceNames, Job, JobChange, JobFile, Jobs, NewJob, OfferedTask, ServiceDownlink, TaskStatus } from "./device-services.ts";
import type { FileLinks } from "./file-links.ts";
import { jsonBytes } from "./json-bytes.ts";
import type { DeviceServicesLimits } from "./limits.ts";
import type { JobListRow, JobRow, JobStore, TaskRow } from "./ports.ts";
import { createTurns } from "./turns.ts";

export interface JobsPorts {
  store: JobStore;
  registry: Pick<Registry, "getDevice">;
  downlink: Pick<ServiceDownlink, "isOnline" | "tellTask">;
  links: Pick<FileLinks, "link">;
  clock: Clock;
  random: Random;
  limits: DeviceServicesLimits;
  background: Pick<Background, "run" | "pause" | "isClosed">;
}

const idBytes = 16;
const nameCharactersMax = 128;
const descriptionCharactersMax = 500;
const minuteMilliseconds = 60_000;
const timeoutMinutesMax = 525_600;

function isCount(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= max;
}

/** What a device may say, and whether that is the end. */
const reported: Readonly<Record<string, { status: TaskStatus; isEnd: boolean }>> = {
  IN_PROGRESS: { status: "IN_PROGRESS", isEnd: false },
  SUCCEEDED: { status: "SUCCEEDED", isEnd: true },
  FAILED: { status: "FAILED", isEnd: true },
  REJECTED: { status: "REJECTED", isEnd: true },
};
const unfinished: ReadonlySet<TaskStatus> = new Set(["QUEUED", "SENT", "IN_PROGRESS"]);

export function createJobs(ports: JobsPorts): Jobs & { start(): Promise<void>; sweep(): Promise<void> } {
  const { store, registry, downlink, links, clock, random, limits, background } = ports;
  const turns = createTurns();
  /** Most devices that connect have no task: their products are not here. */
  let queuedProducts = new Set<string>();

  const newId = (): string => random.bytes(idBytes).toString("hex");

  function invalid(what: string, received: string | number, expected: string): never {
    throw new PlatformError("device_services.job_invalid", { what, received, expected });
  }

  function checkChange({ description = "", timeoutMinutes = 1, rollout = {} }: JobChange): void {
    if (description.length > descriptionCharactersMax) {
      invalid("description", `${description.length} characters`, `at most ${descriptionCharactersMax} characters`);
    }
    if (!isCount(timeoutMinutes, timeoutMinutesMax)) invalid("timeoutMinutes", timeoutMinutes, `1 to ${timeoutMinutesMax}`);
    const { perMinuteMax = 1 } = rollout;
    if (!isCount(perMinuteMax, limits.jobDevicesMax)) invalid("rollout.perMinuteMax", perMinuteMax, `1 to ${limits.jobDevicesMax}`);
  }

  function check(job: NewJob): void {
    if (job.name.length === 0 || job.name.length > nameCharactersMax) {
      invalid("name", `${job.name.length} characters`, `1 to ${nameCharactersMax} characters`);
    }
    checkChange(job);
    const documentBytes = jsonBytes(job.document);
    if (documentBytes > limits.jobDocumentBytesMax) {
      invalid("document", `${documentBytes} bytes`, `at most ${limits.jobDocumentBytesMax} bytes`);
    }
    if (job.devices.length === 0 || job.devices.length > limits.jobDevicesMax) {
      invalid("devices", job.devices.length, `1 to ${limits.jobDevicesMax} devices`);
    }
    const { file } = job;
    if (file !== undefined && "content" in file && file.content.byteLength > limits.jobFileBytesMax) {
      invalid("file", `${file.content.byteLength} bytes`, `at most ${limits.jobFileBytesMax} bytes`);
    }
  }

  function fileOf(job: JobRow): JobFile | undefined {
    if (job.content === undefined) return job.file;
    const { signMethod = "Sha256", sign = job.content.sha256 } = job.file ?? {};
    return { url: links.link("j", job.id), signMethod, sign };
  }

  function offerOf(job: JobRow, { taskId, status }: Pick<TaskRow, "taskId" | "status">): OfferedTask {
    const file = fileOf(job);
    const { qos } = job.rollout;
    return { taskId, status, document: job.document, ...(file === undefined ? {} : { file }), ...(qos === undefined ? {} : { qos }) };
  }

  /** True when it reached the device: then it is no longer queued. */
  async function tell(job: JobRow, task: TaskRow): Promise<boolean> {
    if (!downlink.tellTask(task, offerOf(job, { ...task, status: "SENT" }))) return false;
    await store.markSent(task.taskId, clock.now());
    return true;
  }

  /** Ends when the job is cancelled or deleted meanwhile. */
  async function tellAll(jobId: string, tasks: readonly TaskRow[]): Promise<void> {
    let job = await store.load(jobId);
    let minuteEndsAt = clock.now() + minuteMilliseconds;
    let toldInTurn = 0;
    let toldInMinute = 0;
    for (const task of tasks) {
      if (background.isClosed || job === undefined || job.isCancelled) return;
      if (!downlink.isOnline(task.productKey, task.deviceName)) continue;
      // It may have asked meanwhile.
      if ((await store.findTaskById(task.taskId))?.status !== "QUEUED") continue;
      await tell(job, task);
      toldInTurn++;
      toldInMinute++;
      const isMinuteFull = toldInMinute >= (job.rollout.perMinuteMax ?? Number.POSITIVE_INFINITY);
      if (!isMinuteFull && toldInTurn < limits.pushDevicesPerTurn) continue;
      toldInTurn = 0;
      await background.pause(isMinuteFull ? minuteEndsAt - clock.now() : limits.pushPauseMilliseconds);
      if (clock.now() >= minuteEndsAt) {
        toldInMinute = 0;
        minuteEndsAt = clock.now() + minuteMilliseconds;
      }
      job = await store.load(jobId);
    }
  }

  async function tellQueued(device: DeviceNames): Promise<void> {
    for (const task of await store.pending(device, limits.jobListTasksMax)) {
      if (task.status !== "QUEUED") continue;
      const job = await store.load(task.jobId);
      if (job !== undefined && !(await tell(job, task))) return;
    }
  }

  async function need(jobId: string): Promise<JobListRow> {
    const job = await store.find(jobId);
    if (job === undefined) throw new PlatformError("device_services.job_not_found", { jobId });
    return job;
  }

  const shown = (job: JobListRow): Job => job;

  function fileRow(file: NewJob["file"]): Pick<JobRow, "file" | "content"> {
    if (file === undefined) return {};
    if ("url" in file) return { file };
    const bytes = Buffer.from(file.content);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (file.signMethod !== "Md5") return { content: { bytes, sha256 } };
    const sign = createHash("md5").update(bytes).digest("hex");
    return { content: { bytes, sha256 }, file: { url: "", signMethod: "Md5", sign } };
  }

  return {
    async create(job) {
      check(job);
      const devices = new Map(job.devices.map((device) => [`${device.productKey}/${device.deviceName}`, device]));
      for (const { productKey, deviceName } of devices.values()) await registry.getDevice(productKey, deviceName);
      const now = clock.now();
      const row: JobRow = {
        id: newId(),
        name: job.name,
        description: job.description ?? "",
        document: job.document,
        ...fileRow(job.file),
        ...(job.timeoutMinutes === undefined ? {} : { timeoutMinutes: job.timeoutMinutes }),
        rollout: job.rollout ?? {},
        notes: job.notes ?? {},
        isCancelled: false,
        createdAt: now,
        modifiedAt: now,
      };
      const tasks = [...devices.values()].map(({ productKey, deviceName }): TaskRow => {
        const times = { queuedAt: now, modifiedAt: now };
        return { productKey, deviceName, taskId: newId(), jobId: row.id, status: "QUEUED", progress: 0, details: {}, ...times };
      });
      await store.insert(row, tasks);
      for (const { productKey } of tasks) queuedProducts.add(productKey);
      background.run(() => tellAll(row.id, tasks));
      return shown(await need(row.id));
    },

    async file(jobId) {
      const job = await store.load(jobId);
      return job && fileOf(job);
    },

    async change(jobId, change) {
      checkChange(change);
      await need(jobId);
      await store.change(jobId, { ...change, modifiedAt: clock.now() });
      return shown(await need(jobId));
    },

    async rerun(jobId) {
      await need(jobId);
      const tasks = await store.requeue(jobId, clock.now());
      for (const { productKey } of tasks) queuedProducts.add(productKey);
      background.run(() => tellAll(jobId, tasks));
      return shown(await need(jobId));
    },

    async findTask(taskId) {
      const task = await store.findTaskById(taskId);
      if (task === undefined) throw new PlatformError("device_services.task_not_found", { taskId: taskId.slice(0, 100) });
      return task;
    },

    async findTasks(query) {
      const rows = await store.findTasks({ ...query, limit: query.limit + 1 });
      const items = rows.slice(0, query.limit);
      const last = items.at(-1);
      return { items, ...(rows.length > items.length && last !== undefined ? { nextId: last.id } : {}) };
    },

    async list(page) {
      const { rows, total } = await store.list(page);
      return { items: rows.map(shown), total };
    },

    get: async (jobId) => shown(await need(jobId)),

    async tasks(jobId, page) {
      await need(jobId);
      const { rows, total } = await store.tasks(jobId, page);
      return { items: rows, total };
    },

    async cancel(jobId) {
      await need(jobId);
      const job = await store.load(jobId);
      const tasks = await store.unfinished(jobId);
      await store.cancel(jobId, clock.now());
      // Those that know of the task hear that it is off.
      for (const task of tasks) {
        if (job !== undefined && task.status !== "QUEUED") downlink.tellTask(task, offerOf(job, { ...task, status: "CANCELLED" }));
      }
      return shown(await need(jobId));
    },

    async remove(jobId) {
      await need(jobId);
      await store.delete(jobId);
    },

    async task(device, taskId) {
      const task = taskId === "next" ? (await store.pending(device, 1))[0] : await store.findTask(device, taskId);
      const job = task && (await store.load(task.jobId));
      if (task === undefined || job === undefined) return undefined;
      // It knows of it now: a push would tell nothing new.
      if (task.status === "QUEUED") await store.markSent(task.taskId, clock.now());
      return offerOf(job, { ...task, status: task.status === "QUEUED" ? "SENT" : task.status });
    },

    async pending(device) {
      return (await store.pending(device, limits.jobListTasksMax)).map(({ taskId, status }) => ({ taskId, status }));
    },

    async update(device, { taskId, status, progress, details }) {
      const step = Object.hasOwn(reported, status) ? reported[status] : undefined;
      const isProgressFit = progress === undefined || (Number.isFinite(progress) && progress >= 0 && progress <= 100);
      const detailsBytes = details === undefined ? 0 : jsonBytes(details);
      if (step === undefined || !isProgressFit || detailsBytes > limits.jobDetailsBytesMax) return "invalid";
      return turns.take(taskId, async () => {
        const task = await store.findTask(device, taskId);
        if (task === undefined) return "unknown";
        if (!unfinished.has(task.status)) return task.status === step.status ? "done" : "over";
        const now = clock.now();
        const deadlineAt = step.isEnd ? null : (task.deadlineAt ?? (await deadlineOf(task, now)));
        const done = step.status === "SUCCEEDED" ? 100 : task.progress;
        await store.updateTask(taskId, {
          status: step.status,
          progress: Math.round(progress ?? done),
          details: details ?? task.details,
          modifiedAt: now,
          deadlineAt,
        });
        return "done";
      });
    },

    reachable(device) {
      if (queuedProducts.has(device.productKey)) background.run(() => tellQueued(device));
    },

    async start() {
      queuedProducts = new Set(await store.queuedProducts());
    },

    async sweep() {
      await store.timeOut(clock.now());
    },
  };

  /** Null: it may take as long as it likes. */
  async function deadlineOf(task: TaskRow, now: number): Promise<number | null> {
    const minutes = (await store.find(task.jobId))?.timeoutMinutes;
    return minutes === undefined ? null : now + minutes * minuteMilliseconds;
  }
}
