/** Which devices a job takes, and what becomes of the tasks they have already. */
import { PlatformError } from "../errors/index.ts";
import type { JobOptions, JobTarget, OtaPackage } from "./ota.ts";
import type { Candidate, NewTask, OtaPorts, TaskRow } from "./ports.ts";
import { overwritableStatuses } from "./task-machine.ts";

type Ports = Pick<OtaPorts, "store" | "registry" | "groups" | "random" | "limits">;

const candidatesPerRead = 5_000;
/** Device names of one look-up of their open tasks. */
const namesPerRead = 1_000;

/** Versions that devices may have: of a differential package the one it starts from. */
export function sourceVersionsOf(pack: OtaPackage, given: readonly string[]): readonly string[] {
  if (pack.sourceVersion === undefined) return given;
  if (given.some((version) => version !== pack.sourceVersion)) {
    throw new PlatformError("ota.value_invalid", {
      what: "sourceVersions",
      received: given.join(", "),
      expected: `${pack.sourceVersion}, the one that the differential package starts from`,
    });
  }
  return [pack.sourceVersion];
}

/** 7.3: who runs the target version already is not selected. */
export async function selectCandidates(
  ports: Ports,
  pack: OtaPackage,
  target: JobTarget,
  sourceVersions: readonly string[],
): Promise<Candidate[]> {
  const deviceNames = await namesOf(ports, pack.productKey, target);
  const { jobDevicesMax } = ports.limits;
  const found: Candidate[] = [];
  for (let after = ""; ; ) {
    const page = await ports.store.candidates({
      productKey: pack.productKey,
      module: pack.module,
      sourceVersions,
      ...(deviceNames === undefined ? {} : { deviceNames }),
      after,
      limit: candidatesPerRead,
    });
    for (const candidate of page) if (candidate.version !== pack.version) found.push(candidate);
    // A gray job may choose from more than it takes.
    if (target.kind !== "gray" && found.length > jobDevicesMax)
      throw new PlatformError("ota.too_many_devices", { expected: jobDevicesMax });
    const last = page.at(-1);
    if (last === undefined || page.length < candidatesPerRead) break;
    after = last.deviceName;
  }
  if (target.kind !== "gray") return found;
  const chosen = chooseSome(found, grayCount(found.length, target.percent), ports);
  if (chosen.length > jobDevicesMax) throw new PlatformError("ota.too_many_devices", { expected: jobDevicesMax });
  return chosen;
}

/** Rounded down, at least one; a percent of two decimals is counted exactly. */
export function grayCount(matching: number, percent: number): number {
  if (matching === 0) return 0;
  return Math.max(1, Math.floor((matching * Math.round(percent * 100)) / 10_000));
}

/** A fair sample: the first `count` of a shuffle. */
function chooseSome(all: Candidate[], count: number, { random }: Pick<Ports, "random">): Candidate[] {
  const numbers = random.bytes(count * 4);
  for (let at = 0; at < count; at++) {
    const other = at + (numbers.readUInt32LE(at * 4) % (all.length - at));
    const [one, two] = [all[at], all[other]];
    if (one === undefined || two === undefined) break;
    all[at] = two;
    all[other] = one;
  }
  return all.slice(0, count);
}

async function namesOf(ports: Ports, productKey: string, target: JobTarget): Promise<readonly string[] | undefined> {
  switch (target.kind) {
    case "all":
    case "gray":
      return undefined;
    case "group":
      return ports.groups.deviceNamesOf(target.groupId, productKey);
    case "specific": {
      const names = [...new Set(target.deviceNames)];
      const { specificDevicesMax } = ports.limits;
      if (names.length === 0 || names.length > specificDevicesMax) {
        const expected = `1 to ${specificDevicesMax}`;
        throw new PlatformError("ota.value_invalid", { what: "number of deviceNames", received: names.length, expected });
      }
      for (const deviceName of names) {
        const device = await ports.registry.findDevice(productKey, deviceName);
        if (device === undefined) throw new PlatformError("ota.device_unknown", { productKey, deviceName });
      }
      return names;
    }
  }
}

/** A task as it begins. */
export function newTask(pack: OtaPackage, candidate: Candidate, options: JobOptions, now: number): NewTask {
  return {
    packageId: pack.id,
    productKey: pack.productKey,
    deviceName: candidate.deviceName,
    iotId: candidate.iotId,
    module: pack.module,
    ...(candidate.version === undefined ? {} : { sourceVersion: candidate.version }),
    version: pack.version,
    status: options.needsConfirm ? "CONFIRM" : "QUEUED",
    progress: 0,
    description: "",
    createdAt: now,
    modifiedAt: now,
    retriesLeft: options.retryCount,
    isOwed: false,
    overwrites: [],
  };
}

/** 7.3: an unfinished task gives way when it may be overwritten and has not begun; otherwise the new one fails at once. */
function settleConflict(task: NewTask, open: readonly TaskRow[], options: JobOptions): NewTask {
  const conflicting = options.isMultiModule ? open.filter(({ module }) => module === task.module) : open;
  if (conflicting.length === 0) return task;
  const canOverwrite = options.isOverwriting && conflicting.every(({ status }) => overwritableStatuses.includes(status));
  if (canOverwrite) return { ...task, overwrites: conflicting.map(({ id }) => id) };
  return { ...task, status: "FAILED", reason: "ota.task_unfinished_exists", description: "an older task is unfinished" };
}

export async function makeTasks(
  { store }: Pick<Ports, "store">,
  pack: OtaPackage,
  candidates: readonly Candidate[],
  options: JobOptions,
  now: number,
): Promise<NewTask[]> {
  const tasks: NewTask[] = [];
  for (let start = 0; start < candidates.length; start += namesPerRead) {
    const some = candidates.slice(start, start + namesPerRead);
    const open = Map.groupBy(
      await store.openTasksOf(
        pack.productKey,
        some.map(({ deviceName }) => deviceName),
      ),
      ({ deviceName }) => deviceName,
    );
    for (const candidate of some) {
      tasks.push(settleConflict(newTask(pack, candidate, options, now), open.get(candidate.deviceName) ?? [], options));
    }
  }
  return tasks;
}
