/** Tells devices about their tasks: whose turn it is, how often, and what exactly. */
import type { Downloads } from "./downloads.ts";
import type { JobBook } from "./job-book.ts";
import type { OtaJob, OtaPackage, OtaTask, UpgradeOffer } from "./ota.ts";
import type { Packages } from "./packages.ts";
import type { OtaPorts, TaskRow } from "./ports.ts";
import type { TaskKeeper } from "./task-keeper.ts";

export interface Offers {
  /** Sends what is due to the device; call it in the device's turn. The task afterwards. */
  send(task: TaskRow): Promise<TaskRow>;
  /** The same as an answer to a device that asks; undefined when it is not its turn. */
  answer(task: TaskRow): Promise<UpgradeOffer | undefined>;
  /** Whether the job may push once more within this minute; `undefined` = yes, otherwise when. */
  nextTurnAt(job: OtaJob): number | undefined;
  /** Connected anew: what it was told before may be lost. */
  forget(productKey: string, deviceName: string): void;
}

export interface OffersPorts extends Pick<OtaPorts, "downlink" | "clock" | "limits"> {
  jobs: Pick<JobBook, "get">;
  packages: Pick<Packages, "get">;
  keeper: Pick<TaskKeeper, "apply">;
  downloads: Pick<Downloads, "link">;
  /** The job has used up its pushes; somebody is waiting. */
  turnMissed(job: OtaJob): void;
}

const minuteMilliseconds = 60_000;
/** Devices whose last offer is remembered; beyond it the oldest is forgotten, and may be told twice. */
const devicesRememberedMax = 20_000;

export function createOffers(ports: OffersPorts): Offers {
  const { downlink, clock, limits, jobs, keeper } = ports;
  /** Pushes of the running minute by job. */
  const windows = new Map<number, { beginsAt: number; count: number }>();
  const takenAt = new Map<string, { taskId: number; at: number }>();
  const keyOf = ({ productKey, deviceName }: Pick<OtaTask, "productKey" | "deviceName">) => `${productKey}/${deviceName}`;

  function nextTurnAt(job: OtaJob): number | undefined {
    if (job.pushesPerMinuteMax === 0) return undefined;
    const window = windows.get(job.id);
    if (window === undefined || clock.now() - window.beginsAt >= minuteMilliseconds) return undefined;
    return window.count < job.pushesPerMinuteMax ? undefined : window.beginsAt + minuteMilliseconds;
  }

  function countPush(job: OtaJob): void {
    if (job.pushesPerMinuteMax === 0) return;
    const window = windows.get(job.id);
    if (window === undefined || clock.now() - window.beginsAt >= minuteMilliseconds) {
      windows.set(job.id, { beginsAt: clock.now(), count: 1 });
    } else {
      window.count++;
    }
  }

  /** Only a first push takes a turn: one that is repeated was counted before. */
  function mayOffer(task: TaskRow, job: OtaJob): boolean {
    if (task.status !== "QUEUED") return task.status === "NOTIFIED" || task.status === "IN_PROGRESS";
    if (job.status !== "IN_PROGRESS") return false;
    if (nextTurnAt(job) === undefined) return true;
    ports.turnMissed(job);
    return false;
  }

  function wasJustTaken(task: TaskRow): boolean {
    const taken = takenAt.get(keyOf(task));
    return taken?.taskId === task.id && clock.now() - taken.at < limits.offerAgainMilliseconds;
  }

  function noteTaken(task: TaskRow): void {
    const key = keyOf(task);
    takenAt.delete(key);
    takenAt.set(key, { taskId: task.id, at: clock.now() });
    if (takenAt.size <= devicesRememberedMax) return;
    const oldest = takenAt.keys().next();
    if (!oldest.done) takenAt.delete(oldest.value);
  }

  async function taken(task: TaskRow, job: OtaJob): Promise<TaskRow> {
    if (task.status === "QUEUED") countPush(job);
    noteTaken(task);
    return keeper.apply(task, { kind: "offered" });
  }

  return {
    nextTurnAt,

    forget(productKey, deviceName) {
      takenAt.delete(keyOf({ productKey, deviceName }));
    },

    async send(task) {
      const isDue = task.status === "QUEUED" || task.status === "NOTIFIED" || task.isOwed;
      if (!isDue || task.retryAt !== undefined || !downlink.isOnline(task.productKey, task.deviceName)) return task;
      const job = await jobs.get(task.jobId);
      // A retry that is due is a new push, whatever was told before.
      if (!job.isPushed || !mayOffer(task, job) || (!task.isOwed && wasJustTaken(task))) return task;
      const offer = makeOffer(task, job, await ports.packages.get(task.packageId), ports.downloads);
      return downlink.offer(offer) ? taken(task, job) : task;
    },

    async answer(task) {
      if (task.retryAt !== undefined) return undefined;
      const job = await jobs.get(task.jobId);
      if (!mayOffer(task, job)) return undefined;
      const pack = await ports.packages.get(task.packageId);
      // Canceled in this moment: the device is told nothing.
      const after = await taken(task, job);
      return after.status === "CANCELED" ? undefined : makeOffer(after, job, pack, ports.downloads);
    },
  };
}

function makeOffer(task: TaskRow, job: OtaJob, pack: OtaPackage, downloads: Pick<Downloads, "link">): UpgradeOffer {
  const { productKey, deviceName, iotId } = task;
  return {
    taskId: task.id,
    device: { productKey, deviceName, iotId },
    module: task.module,
    version: task.version,
    isDifferential: pack.kind === "differential",
    signMethod: pack.signMethod,
    ...(pack.digestSign === undefined ? {} : { digestSign: pack.digestSign }),
    tags: job.tags,
    ...(pack.userInfo === undefined ? {} : { userInfo: pack.userInfo }),
    protocol: job.protocol,
    files: pack.files.map(({ id, name, bytes, md5, sha256 }, index) => ({
      index,
      name,
      bytes,
      md5,
      sha256,
      ...(job.protocol === "https" ? { url: downloads.link(id, task.id) } : {}),
    })),
  };
}
