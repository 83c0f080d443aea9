import { PlatformError } from "../errors/index.ts";
import { createDeviceReports } from "./device-reports.ts";
import { checkBlock, createDownloads, type Downloads } from "./downloads.ts";
import { createJobBook } from "./job-book.ts";
import { createJobRunner, type JobRunner } from "./job-runner.ts";
import { createJobs } from "./jobs.ts";
import { createOffers } from "./offers.ts";
import type { Ota, OtaChange, OtaTask } from "./ota.ts";
import { createModules, createPackages, createUploads } from "./packages.ts";
import type { OtaPorts, TaskRow } from "./ports.ts";
import { createTaskKeeper, toTask } from "./task-keeper.ts";
import { isOpen, openStatuses, type TaskEvent } from "./task-machine.ts";
import { createTurns } from "./turns.ts";

/**
 * Firmware updates. Call `start` before devices come.
 *
 * @example const { ota, downloads } = createOta({ store: store.ota, firmware, registry, groups, downlink, … })
 */
export function createOta(ports: OtaPorts): { ota: Ota; downloads: Downloads } {
  const { store, clock, limits, onFailure } = ports;
  const listeners = new Set<(change: OtaChange) => void>();
  const turns = createTurns();
  const downloads = createDownloads(ports);
  const book = createJobBook(store, () => clock.now(), tell);
  const packages = createPackages(ports);
  const uploads = createUploads(ports, downloads);

  function tell(change: OtaChange): void {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        onFailure(error);
      }
    }
  }

  // The runner hears of what the keeper does and is made of it: the circle closes here.
  const runner: { current?: JobRunner } = {};
  const keeper = createTaskKeeper({
    ...ports,
    jobs: book,
    tell,
    taskEnded: (jobId) => runner.current?.taskEnded(jobId),
    taskTimed: (at) => runner.current?.wakeAt(at),
  });
  const offers = createOffers({
    ...ports,
    jobs: book,
    packages,
    keeper,
    downloads,
    turnMissed(job) {
      const at = offers.nextTurnAt(job);
      if (at !== undefined) runner.current?.turnMissed(job, at);
    },
  });
  const jobs = createJobs({
    ...ports,
    book,
    packages,
    keeper,
    tell,
    jobMade(job) {
      runner.current?.taskEnded(job.id);
      for (const at of [job.scheduledAt, job.scheduledEndAt]) if (at !== undefined && at > clock.now()) runner.current?.wakeAt(at);
      runner.current?.sweep(job);
    },
  });

  function inTurn<T>({ productKey, deviceName }: { productKey: string; deviceName: string }, work: () => Promise<T>): Promise<T> {
    return turns.take(`${productKey}/${deviceName}`, work);
  }

  /** What was read before its turn may be old by now. */
  async function withFresh(task: TaskRow, work: (task: TaskRow) => Promise<unknown>): Promise<unknown> {
    return inTurn(task, async () => {
      const fresh = await store.findTask(task.id);
      return fresh === undefined ? undefined : work(fresh);
    });
  }

  const reports = createDeviceReports({ ...ports, book, packages, keeper, offers, inTurn, tell });
  runner.current = createJobRunner({
    ...ports,
    book,
    packages,
    keeper,
    offers,
    cancelTasks: jobs.cancelTasks,
    inTurn: withFresh,
    clean: uploads.clean,
  });
  const running = runner.current;

  async function findAll(ids: readonly number[]): Promise<TaskRow[]> {
    const found = await store.findTasks(ids);
    const missing = ids.find((id) => !found.some((task) => task.id === id));
    if (missing !== undefined) throw new PlatformError("ota.task_not_found", { taskId: missing });
    return found;
  }

  /** All of them or none: checked before the first is changed. */
  async function applyAll(tasks: readonly TaskRow[], isFit: (task: TaskRow) => boolean, expected: string, event: TaskEvent): Promise<void> {
    const unfit = tasks.find((task) => !isFit(task));
    if (unfit !== undefined) throw new PlatformError("ota.task_state_wrong", { taskId: unfit.id, received: unfit.status, expected });
    await Promise.all(tasks.map((task) => withFresh(task, async (fresh) => offers.send(await keeper.apply(fresh, event)))));
  }

  const tasks: Ota["tasks"] = {
    async get(id) {
      const task = await store.findTask(id);
      if (task === undefined) throw new PlatformError("ota.task_not_found", { taskId: id });
      return toTask(task);
    },
    async list(page, filter) {
      const { rows, total } = await store.listTasks(page, filter);
      return { ...page, items: rows.map(toTask), total };
    },
    async confirm(ids) {
      await applyAll(await findAll(ids), ({ status }) => status === "CONFIRM", "CONFIRM", { kind: "confirmed" });
    },
    async cancel(ids) {
      const event = { kind: "canceled", reason: "ota.task_canceled", statuses: openStatuses } as const;
      await applyAll(await findAll(ids), ({ status }) => isOpen(status), "an unfinished task", event);
    },
    async upgradeAgain(jobId, ids) {
      const job = await book.get(jobId);
      const chosen = await findAll(ids);
      const stranger = chosen.find((task) => task.jobId !== jobId);
      if (stranger !== undefined) throw new PlatformError("ota.task_not_found", { taskId: stranger.id });
      await refuseBusyDevices(chosen);
      // A job that had ended goes on.
      if (job.status === "COMPLETED" || job.status === "CANCELED") {
        const { endedAt: _, reason: __, ...rest } = job;
        await book.update({ ...rest }, { status: "IN_PROGRESS" });
      }
      await applyAll(chosen, ({ status }) => status === "FAILED" || status === "CANCELED", "FAILED or CANCELED", { kind: "again" });
    },
  };

  async function refuseBusyDevices(chosen: readonly TaskRow[]): Promise<void> {
    for (const task of chosen) {
      const [open] = await store.openTasksOf(task.productKey, [task.deviceName]);
      if (open !== undefined) {
        const expected = `a device without an unfinished task (it has ${open.id})`;
        throw new PlatformError("ota.task_state_wrong", { taskId: task.id, received: task.status, expected });
      }
    }
  }

  const ota: Ota = {
    modules: createModules(ports),
    files: uploads.files,
    packages: packages.door,
    jobs: jobs.door,
    tasks,
    versions: {
      ofDevice: (productKey, deviceName) => store.versionsOf(productKey, deviceName),
      distribution: (productKey, module = "default") => store.distribution(productKey, module),
    },
    reportVersion: reports.reportVersion,
    reportProgress: reports.reportProgress,
    pull: reports.pull,
    connected: reports.connected,
    reachable: reports.reachable,
    deviceDeleted: reports.deviceDeleted,

    async readBlock(device, { taskId, index, offset, bytes }) {
      const task = await store.findTask(taskId);
      const file = task === undefined ? undefined : (await packages.get(task.packageId)).files[index];
      if (task === undefined || file === undefined || !isOf(task, device) || !isOpen(task.status)) {
        throw new PlatformError("ota.download_not_offered", { received: `${taskId}/${index}` });
      }
      const { mqttFileBytesMax, mqttBlockBytesMax } = limits;
      if (file.bytes > mqttFileBytesMax) {
        throw new PlatformError("ota.file_too_large", { received: file.bytes, expected: mqttFileBytesMax });
      }
      const count = checkBlock(file, offset, bytes, mqttBlockBytesMax);
      return { fileBytes: file.bytes, block: await downloads.read(file, offset, count) };
    },

    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    async start() {
      await ports.firmware.clean();
      await book.load();
      running.start();
    },

    async close() {
      await running.close();
      await keeper.idle();
      await reports.idle();
    },
  };
  return { ota, downloads };
}

function isOf(task: OtaTask, { productKey, deviceName }: { productKey: string; deviceName: string }): boolean {
  return task.productKey === productKey && task.deviceName === deviceName;
}
