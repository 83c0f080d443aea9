/** Jobs: a document for many devices, a task for each, and how far each is. */
import { createHash } from "node:crypto";
import type { Clock, Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import type { Background } from "./background.ts";
import type { DeviceNames, Job, JobFile, Jobs, NewJob, OfferedTask, ServiceDownlink, TaskStatus } from "./device-services.ts";
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

  function check(job: NewJob): void {
    if (job.name.length === 0 || job.name.length > nameCharactersMax) {
      invalid("name", `${job.name.length} characters`, `1 to ${nameCharactersMax} characters`);
    }
    if ((job.description ?? "").length > descriptionCharactersMax) {
      invalid("description", `${job.description?.length} characters`, `at most ${descriptionCharactersMax} characters`);
    }
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
    return { url: links.link("j", job.id), signMethod: "Sha256", sign: job.content.sha256 };
  }

  function offerOf(job: JobRow, { taskId, status }: Pick<TaskRow, "taskId" | "status">): OfferedTask {
    const file = fileOf(job);
    return { taskId, status, document: job.document, ...(file === undefined ? {} : { file }) };
  }

  /** True when it reached the device: then it is no longer queued. */
  async function tell(job: JobRow, task: TaskRow): Promise<boolean> {
    if (!downlink.tellTask(task, offerOf(job, { ...task, status: "SENT" }))) return false;
    await store.markSent(task.taskId, clock.now());
    return true;
  }

  async function tellAll(job: JobRow, tasks: readonly TaskRow[]): Promise<void> {
    let told = 0;
    for (const task of tasks) {
      if (background.isClosed) return;
      if (!downlink.isOnline(task.productKey, task.deviceName)) continue;
      await tell(job, task);
      told++;
      if (told % limits.pushDevicesPerTurn === 0) await background.pause(limits.pushPauseMilliseconds);
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

  return {
    async create(job) {
      check(job);
      const devices = new Map(job.devices.map((device) => [`${device.productKey}/${device.deviceName}`, device]));
      for (const { productKey, deviceName } of devices.values()) await registry.getDevice(productKey, deviceName);
      const now = clock.now();
      const { file } = job;
      const content = file !== undefined && "content" in file ? Buffer.from(file.content) : undefined;
      const row: JobRow = {
        id: newId(),
        name: job.name,
        description: job.description ?? "",
        document: job.document,
        ...(file !== undefined && "url" in file ? { file } : {}),
        ...(content === undefined ? {} : { content: { bytes: content, sha256: createHash("sha256").update(content).digest("hex") } }),
        ...(job.timeoutMinutes === undefined ? {} : { timeoutMinutes: job.timeoutMinutes }),
        isCancelled: false,
        createdAt: now,
      };
      const tasks = [...devices.values()].map(({ productKey, deviceName }): TaskRow => {
        const times = { queuedAt: now, modifiedAt: now };
        return { productKey, deviceName, taskId: newId(), jobId: row.id, status: "QUEUED", progress: 0, details: {}, ...times };
      });
      await store.insert(row, tasks);
      for (const { productKey } of tasks) queuedProducts.add(productKey);
      background.run(() => tellAll(row, tasks));
      return shown(await need(row.id));
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
