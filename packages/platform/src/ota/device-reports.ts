/** What devices say about their firmware, and what becomes of their tasks. */

import { createBatcher } from "./batcher.ts";
import type { JobBook } from "./job-book.ts";
import { newTask } from "./job-selection.ts";
import type { Offers } from "./offers.ts";
import type { ModuleVersion } from "./ota.ts";
import { defaultModule, type Ota, type OtaChange, type OtaDevice, type OtaJob } from "./ota.ts";
import type { Packages } from "./packages.ts";
import type { OtaPorts, TaskRow } from "./ports.ts";
import { type TaskKeeper, toTask } from "./task-keeper.ts";
import { openStatuses } from "./task-machine.ts";

export interface DeviceReports
  extends Pick<Ota, "reportVersion" | "reportProgress" | "pull" | "connected" | "reachable" | "deviceDeleted"> {
  /** Resolves when nothing is being written. */
  idle(): Promise<void>;
}

export interface DeviceReportsPorts extends Pick<OtaPorts, "store" | "groups" | "clock" | "onFailure"> {
  book: JobBook;
  packages: Pick<Packages, "get">;
  keeper: Pick<TaskKeeper, "apply">;
  offers: Offers;
  inTurn<T>(device: { productKey: string; deviceName: string }, work: () => Promise<T>): Promise<T>;
  tell(change: OtaChange): void;
}

const versionsPerCommitMax = 1_000;

export function createDeviceReports(ports: DeviceReportsPorts): DeviceReports {
  const { store, clock, book, keeper, offers } = ports;
  const versions = createBatcher<ModuleVersion, true>((rows) => store.saveVersions(rows), versionsPerCommitMax);

  async function openTasks({ productKey, deviceName }: { productKey: string; deviceName: string }): Promise<TaskRow[]> {
    return store.openTasksOf(productKey, [deviceName]);
  }

  async function noteVersion(device: OtaDevice, module: string, version: string): Promise<void> {
    const { productKey, deviceName, iotId } = device;
    const known = await store.findVersion(productKey, deviceName, module);
    if (known === version) return;
    const time = clock.now();
    await versions.add({ productKey, deviceName, iotId, module, version, reportedAt: time });
    ports.tell({ kind: "version", device, module, version, time });
  }

  /** A dynamic job takes devices that begin to match. */
  async function joinJobs(device: OtaDevice, module: string, version: string, tasks: readonly TaskRow[]): Promise<TaskRow[]> {
    const joined: TaskRow[] = [];
    for (const job of book.selecting(device.productKey, module)) {
      if (version === job.version || !(await isWanted(job, device, version))) continue;
      const mine = job.isMultiModule ? tasks.filter((task) => task.module === module) : tasks;
      // It comes again with the next report, when the older task has ended.
      if (mine.length > 0 || joined.length > 0) continue;
      const pack = await ports.packages.get(job.packageId);
      const task = await store.insertTask(job.id, newTask(pack, { ...device, version }, job, clock.now()));
      if (task === undefined) continue;
      ports.tell({ kind: "task", task: toTask(task), time: task.createdAt });
      joined.push(task);
    }
    return joined;
  }

  async function isWanted(job: OtaJob, device: OtaDevice, version: string): Promise<boolean> {
    if (job.sourceVersions.length > 0 && !job.sourceVersions.includes(version)) return false;
    if (job.target.kind !== "group") return true;
    const names = await ports.groups.deviceNamesOf(job.target.groupId, device.productKey);
    return names.includes(device.deviceName);
  }

  async function reportVersion(device: OtaDevice, module: string, version: string): Promise<void> {
    await noteVersion(device, module, version);
    const open = await openTasks(device);
    for (const task of open) {
      if (task.module !== module) continue;
      const after = await keeper.apply(task, { kind: "version", version });
      if (openStatuses.includes(after.status)) await offers.send(after);
    }
    for (const task of await joinJobs(device, module, version, open)) await offers.send(task);
  }

  /** Sends what the device may have missed. */
  async function remind(productKey: string, deviceName: string): Promise<void> {
    for (const task of await openTasks({ productKey, deviceName })) await offers.send(task);
  }

  function remindLater(productKey: string, deviceName: string, isAnew: boolean): void {
    if (isAnew) offers.forget(productKey, deviceName);
    if (!book.hasUnfinished(productKey)) return;
    ports.inTurn({ productKey, deviceName }, () => remind(productKey, deviceName)).catch(ports.onFailure);
  }

  return {
    reportVersion: (device, { module, version }) => ports.inTurn(device, () => reportVersion(device, module, version)),

    reportProgress: (device, { module, step, description }) =>
      ports.inTurn(device, async () => {
        const running = (await openTasks(device)).filter(({ status }) => status === "NOTIFIED" || status === "IN_PROGRESS");
        const wanted = running.filter((task) => task.module === (module ?? defaultModule));
        // Who does not say which module means the only one that is being upgraded.
        const [task] = wanted.length > 0 || module !== undefined || running.length > 1 ? wanted : running;
        if (task === undefined) return false;
        const after = await keeper.apply(task, { kind: "progress", step, description });
        ports.tell({ kind: "progress", task: toTask(after), step, description, time: clock.now() });
        return true;
      }),

    pull: (device, module) =>
      ports.inTurn(device, async () => {
        for (const task of await openTasks(device)) {
          if (task.module !== module) continue;
          const offer = await offers.answer(task);
          if (offer !== undefined) return offer;
        }
        return undefined;
      }),

    connected: (productKey, deviceName) => remindLater(productKey, deviceName, true),
    reachable: (productKey, deviceName) => remindLater(productKey, deviceName, false),

    async deviceDeleted(productKey, deviceName) {
      await ports.inTurn({ productKey, deviceName }, async () => {
        for (const task of await openTasks({ productKey, deviceName })) {
          await keeper.apply(task, { kind: "canceled", reason: "ota.device_deleted", statuses: openStatuses });
        }
        await store.deleteVersionsOf(productKey, deviceName);
      });
    },

    idle: () => versions.idle(),
  };
}
