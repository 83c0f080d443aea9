/** The room over the real store in memory; time passes when the test says so. */
import { afterEach, expect, test } from "vitest";
import { createFakeClock, settle } from "../../fake-clock.ts";
import { openStore, type Store } from "../../store/index.ts";
import { createFleetJobs } from "./create-fleet-jobs.ts";
import type { FleetJobChange, JobTargets, NewFleetJob } from "./fleet-jobs.ts";
import { defaultFleetJobLimits, type FleetJobLimits } from "./limits.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const minute = 60_000;
const document = '{"operation":"reboot","serial":12345678901234567890}';
const lampTargets: NewFleetJob["targets"] = [{ kind: "thing", name: "lamp" }];

async function rest(): Promise<void> {
  for (let round = 0; round < 10; round++) await settle();
}

function createDirectory() {
  const groups = new Map<string, Set<string>>();
  const listeners: Parameters<JobTargets["onChange"]>[0][] = [];
  const tell = async (thingName: string, isGone: boolean) => {
    for (const listener of listeners) listener({ thingName, isGone });
    await rest();
  };
  const targets: JobTargets = {
    hasThing: async (name) => name !== "nobody",
    hasGroup: async (name) => groups.has(name),
    // Two a page, so that paging is seen.
    async thingsOf(name, nextToken = "0") {
      const all = [...(groups.get(name) ?? [])];
      const end = Number(nextToken) + 2;
      return { items: all.slice(Number(nextToken), end), ...(end < all.length ? { nextToken: String(end) } : {}) };
    },
    groupsOf: async (thing) => new Set([...groups].filter(([, things]) => things.has(thing)).map(([name]) => name)),
    onChange: (listener) => void listeners.push(listener),
  };
  return {
    targets,
    group: (name: string, ...things: string[]) => void groups.set(name, new Set(things)),
    async join(name: string, thing: string) {
      groups.get(name)?.add(thing);
      await tell(thing, false);
    },
    async leave(name: string, thing: string) {
      groups.get(name)?.delete(thing);
      await tell(thing, false);
    },
    gone: (thing: string) => tell(thing, true),
  };
}

async function open(limits: Partial<FleetJobLimits> = {}, known?: { store: Store; clock: ReturnType<typeof createFakeClock> }) {
  const clock = known?.clock ?? createFakeClock(1_700_000_000_000);
  const store = known?.store ?? (await openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 7) }));
  if (known === undefined) closers.push(() => store.close());
  const directory = createDirectory();
  const jobs = createFleetJobs({
    store: store.fleetJobs,
    targets: directory.targets,
    clock,
    limits: { ...defaultFleetJobLimits, ...limits },
    onFailure(error) {
      throw error;
    },
  });
  const changes: FleetJobChange[] = [];
  jobs.onChange((change) => void changes.push(change));
  closers.push(() => jobs.close());
  const start = async () => {
    await jobs.start();
    await rest();
  };
  if (known === undefined) await start();
  const take = () => changes.splice(0).map(shown);
  return { jobs, store, clock, directory, take, start };
}

/** A change in one line. */
function shown(change: FleetJobChange): string {
  if (change.kind === "job") return `job ${change.job.id} ${change.operation}`;
  if (change.kind === "execution") return `execution ${change.execution.jobId}/${change.execution.thingName} ${change.operation}`;
  if (change.kind === "pending") return `pending ${change.thingName} [${change.executions.map(({ jobId }) => jobId).join(" ")}]`;
  return `next ${change.thingName} ${change.execution?.jobId ?? "nothing"}`;
}

const job = (id: string, more: Partial<NewFleetJob> = {}): NewFleetJob => ({ id, document, targets: lampTargets, ...more });

test("12.1 a thing gets its jobs in order, works on them and is told of the next", async () => {
  const { jobs, take } = await open();
  await jobs.create(job("one"));
  await jobs.create(job("two"));
  await rest();
  expect(take()).toEqual(["pending lamp [one]", "next lamp one", "pending lamp [one two]"]);
  expect(await jobs.offer("lamp")).toMatchObject({ jobId: "one", status: "QUEUED", versionNumber: 1, executionNumber: 1, document });
  expect(await jobs.startNext("lamp", { statusDetails: { step: "1" } })).toMatchObject({
    jobId: "one",
    status: "IN_PROGRESS",
    versionNumber: 2,
  });
  expect(await jobs.startNext("lamp", { statusDetails: { step: "2" } })).toMatchObject({ statusDetails: { step: "1" }, versionNumber: 2 });
  await rest();
  expect(take()).toEqual([]);
  const done = await jobs.report("lamp", "one", { status: "SUCCEEDED", expectedVersion: 2 });
  expect(done).toMatchObject({ kind: "done", execution: { status: "SUCCEEDED", versionNumber: 3, statusDetails: { step: "1" } } });
  await rest();
  expect(take()).toEqual(["pending lamp [two]", "next lamp two", "execution one/lamp succeeded", "job one completed"]);
  expect(await jobs.get("one")).toMatchObject({ status: "COMPLETED", counts: { SUCCEEDED: 1 } });
});

test("12.1 one that runs comes before one that waits: the first is another one", async () => {
  const { jobs, take } = await open();
  await jobs.create(job("one"));
  await jobs.create(job("two"));
  await rest();
  take();
  await jobs.report("lamp", "two", { status: "IN_PROGRESS" });
  await rest();
  expect(take()).toEqual(["next lamp two"]);
  expect((await jobs.pending("lamp")).map(({ jobId }) => jobId)).toEqual(["two", "one"]);
});

test("12.1 what is over stays over, and a wrong version changes nothing", async () => {
  const { jobs } = await open();
  await jobs.create(job("one"));
  expect(await jobs.report("lamp", "one", { status: "SUCCEEDED", expectedVersion: 7 })).toMatchObject({
    kind: "version_conflict",
    execution: { versionNumber: 1 },
  });
  expect(await jobs.report("lamp", "other", { status: "SUCCEEDED" })).toEqual({ kind: "unknown" });
  expect(await jobs.report("lamp", "one", { status: "FAILED" })).toMatchObject({ kind: "done" });
  for (const status of ["IN_PROGRESS", "SUCCEEDED", "QUEUED"] as const) {
    expect(await jobs.report("lamp", "one", { status })).toMatchObject({ kind: "invalid_transition", execution: { status: "FAILED" } });
  }
});

test("12.2 two that begin at once begin the same one, once", async () => {
  const { jobs } = await open();
  await jobs.create(job("one"));
  await jobs.create(job("two"));
  const started = await Promise.all([jobs.startNext("lamp", {}), jobs.startNext("lamp", {})]);
  expect(started.map((offer) => [offer?.jobId, offer?.versionNumber])).toEqual([
    ["one", 2],
    ["one", 2],
  ]);
});

test("12.2 time runs out: of the whole, of a step, and after a restart", async () => {
  const { jobs, clock, take, store } = await open();
  await jobs.create(job("whole", { timeoutMinutes: 5, targets: [{ kind: "thing", name: "a" }] }));
  await jobs.create(job("step", { timeoutMinutes: 50, targets: [{ kind: "thing", name: "b" }] }));
  await jobs.create(job("later", { timeoutMinutes: 60, targets: [{ kind: "thing", name: "c" }] }));
  for (const thing of ["a", "b", "c"]) await jobs.startNext(thing, thing === "b" ? { stepTimeoutMinutes: 2 } : {});
  await rest();
  take();
  // The step's timer is wound up again; that of the whole is not.
  await clock.pass(minute);
  await jobs.report("b", "step", { status: "IN_PROGRESS", stepTimeoutMinutes: 2 });
  await jobs.report("a", "whole", { status: "IN_PROGRESS", stepTimeoutMinutes: 10 });
  await clock.pass(minute);
  await rest();
  expect(take()).toEqual([]);
  await clock.pass(minute);
  await rest();
  expect(take()).toContain("execution step/b timed_out");
  await clock.pass(2 * minute);
  await rest();
  expect(take()).toContain("execution whole/a timed_out");
  await jobs.close();
  await clock.pass(60 * minute);
  const again = await open({}, { store, clock });
  await again.start();
  await clock.pass(0);
  await rest();
  expect(again.take()).toContain("execution later/c timed_out");
});

test("12.2 a group is a snapshot, unless the job goes on", async () => {
  const { jobs, directory, take } = await open();
  directory.group("house", "a", "b", "c");
  const targets = [{ kind: "group", name: "house" } as const];
  await jobs.create(job("once", { targets }));
  await jobs.create(job("always", { targets, selection: "CONTINUOUS" }));
  await rest();
  expect((await jobs.get("once")).counts).toEqual({ QUEUED: 3 });
  take();
  await directory.join("house", "d");
  expect(take()).toEqual(["pending d [always]", "next d always"]);
  await directory.leave("house", "d");
  expect(take()).toEqual(["pending d []", "next d nothing", "execution always/d removed"]);
  await directory.join("house", "d");
  expect(await jobs.execution("always", "d")).toMatchObject({ executionNumber: 2, status: "QUEUED" });
  await jobs.report("d", "always", { status: "SUCCEEDED" });
  await directory.join("house", "d");
  expect((await jobs.get("always")).counts).toEqual({ QUEUED: 3, SUCCEEDED: 1 });
  await directory.gone("a");
  expect((await jobs.get("once")).counts).toEqual({ QUEUED: 2, REMOVED: 1 });
  for (const thing of ["b", "c"]) await jobs.report(thing, "once", { status: "REJECTED" });
  await rest();
  expect(await jobs.get("once")).toMatchObject({ status: "COMPLETED" });
  expect(await jobs.get("always")).toMatchObject({ status: "IN_PROGRESS" });
});

test("12.2 a group of nobody is done at once", async () => {
  const { jobs, directory } = await open();
  directory.group("empty");
  await jobs.create(job("one", { targets: [{ kind: "group", name: "empty" }] }));
  await rest();
  expect(await jobs.get("one")).toMatchObject({ status: "COMPLETED", counts: {} });
});

test("12.2 a rate is kept, and a restart goes on", async () => {
  const { jobs, clock, store } = await open();
  const targets = ["a", "b", "c", "d", "e"].map((name) => ({ kind: "thing", name }) as const);
  await jobs.create(job("slow", { targets, rollout: { perMinuteMax: 2 } }));
  await rest();
  expect((await jobs.get("slow")).counts).toEqual({ QUEUED: 2 });
  await clock.pass(minute);
  await rest();
  expect((await jobs.get("slow")).counts).toEqual({ QUEUED: 4 });
  await jobs.close();
  const again = await open({}, { store, clock });
  await again.start();
  expect((await again.jobs.get("slow")).counts).toEqual({ QUEUED: 5 });
});

test("12.2 a job is canceled: what waits at once, what runs when forced; then it is deleted", async () => {
  const { jobs, take } = await open({ executionsPerTurn: 2 });
  const names = ["a", "b", "c", "d", "e"];
  await jobs.create(job("one", { targets: names.map((name) => ({ kind: "thing", name })) }));
  await rest();
  await jobs.startNext("e", {});
  take();
  await expect(jobs.delete("one", false)).rejects.toMatchObject({ code: "fleet_jobs.invalid_state" });
  expect(await jobs.cancel("one", { isForced: false, reasonCode: "stop", comment: "enough" })).toMatchObject({
    status: "CANCELED",
    comment: "enough",
  });
  await rest();
  const told = take();
  expect(told[0]).toBe("job one cancellation_in_progress");
  expect(told.at(-1)).toBe("job one canceled");
  expect(told.filter((line) => line.endsWith("/d canceled"))).toHaveLength(1);
  expect((await jobs.get("one")).counts).toEqual({ CANCELED: 4, IN_PROGRESS: 1 });
  await expect(jobs.cancel("one", { isForced: false })).rejects.toMatchObject({ code: "fleet_jobs.not_cancelable" });
  await jobs.cancel("one", { isForced: true });
  await rest();
  expect((await jobs.get("one")).counts).toEqual({ CANCELED: 5 });
  expect(await jobs.execution("one", "e")).toMatchObject({ isForceCanceled: true });
  take();
  await jobs.delete("one", false);
  await rest();
  expect(take()).toEqual(["job one deletion_in_progress", "job one deleted"]);
  await expect(jobs.get("one")).rejects.toMatchObject({ code: "fleet_jobs.job_not_found" });
  await jobs.create(job("one"));
});

test("12.2 too many failures end the job, and what failed is tried again", async () => {
  const { jobs } = await open();
  const targets = ["a", "b", "c", "d"].map((name) => ({ kind: "thing", name }) as const);
  await jobs.create(job("abort", { targets, abort: [{ failure: "FAILED", thresholdPercentage: 50, executedThingsMin: 2 }] }));
  await jobs.report("a", "abort", { status: "FAILED" });
  await rest();
  expect(await jobs.get("abort")).toMatchObject({ status: "IN_PROGRESS" });
  await jobs.report("b", "abort", { status: "SUCCEEDED" });
  await rest();
  expect(await jobs.get("abort")).toMatchObject({ status: "CANCELED", counts: { FAILED: 1, SUCCEEDED: 1, CANCELED: 2 } });

  await jobs.create(job("retry", { retry: [{ failure: "FAILED", retries: 1 }] }));
  await jobs.report("lamp", "retry", { status: "FAILED" });
  expect(await jobs.execution("retry", "lamp")).toMatchObject({ executionNumber: 2, retryAttempt: 1, status: "QUEUED" });
  expect(await jobs.execution("retry", "lamp", 1)).toMatchObject({ status: "FAILED" });
  await jobs.report("lamp", "retry", { status: "FAILED" });
  await rest();
  expect(await jobs.get("retry")).toMatchObject({ status: "COMPLETED", counts: { FAILED: 1 } });
});

test("12.2 a job begins and ends at its time", async () => {
  const { jobs, clock } = await open();
  const now = clock.now();
  await jobs.create(job("planned", { startsAt: now + 10 * minute, end: { at: now + 20 * minute, behavior: "FORCE_CANCEL" } }));
  expect(await jobs.get("planned")).toMatchObject({ status: "SCHEDULED", counts: {} });
  await clock.pass(10 * minute);
  await rest();
  expect(await jobs.startNext("lamp", {})).toMatchObject({ jobId: "planned" });
  await clock.pass(10 * minute);
  await rest();
  expect(await jobs.get("planned")).toMatchObject({ status: "CANCELED", counts: { CANCELED: 1 } });
});

test("12.2 an execution is canceled and deleted by its maker", async () => {
  const { jobs, take } = await open();
  await jobs.create(job("one"));
  await jobs.startNext("lamp", {});
  await rest();
  take();
  await expect(jobs.cancelExecution("one", "lamp", { isForced: false })).rejects.toMatchObject({ code: "fleet_jobs.invalid_state" });
  await expect(jobs.cancelExecution("one", "lamp", { isForced: true, expectedVersion: 9 })).rejects.toMatchObject({
    code: "fleet_jobs.version_conflict",
  });
  await jobs.cancelExecution("one", "lamp", { isForced: true, expectedVersion: 2, statusDetails: { why: "late" } });
  expect(await jobs.execution("one", "lamp")).toMatchObject({ status: "CANCELED", statusDetails: { why: "late" } });
  await jobs.deleteExecution("one", "lamp", 1, false);
  await rest();
  expect(take()).toContain("execution one/lamp deleted");
  await expect(jobs.execution("one", "lamp")).rejects.toMatchObject({ code: "fleet_jobs.execution_not_found" });
});

test.each<[string, Partial<NewFleetJob>, string]>([
  ["an id with a slash", { id: "a/b" }, "fleet_jobs.invalid"],
  ["an id of 65 characters", { id: "x".repeat(65) }, "fleet_jobs.invalid"],
  ["a document that is no JSON", { document: "{" }, "fleet_jobs.invalid"],
  ["a document of more than 32 KB", { document: JSON.stringify("x".repeat(32 * 1024)) }, "fleet_jobs.invalid"],
  ["a document with a place nobody fills", { document: '{"a":"${aws:iot:parameter:b}"}' }, "fleet_jobs.invalid"],
  ["a presigned link", { document: '{"a":"${aws:iot:s3-presigned-url:https://s3/x}"}' }, "fleet_jobs.placeholder"],
  ["no targets", { targets: [] }, "fleet_jobs.invalid"],
  ["a target that is not there", { targets: [{ kind: "thing", name: "nobody" }] }, "fleet_jobs.target_not_found"],
  ["a timeout of no minutes", { timeoutMinutes: 0 }, "fleet_jobs.invalid"],
])("8 refused: %s", async (_name, more, code) => {
  const { jobs } = await open();
  await expect(jobs.create(job("one", more))).rejects.toMatchObject({ code });
  await expect(jobs.get("one")).rejects.toMatchObject({ code: "fleet_jobs.job_not_found" });
});

test("12.2 lists page to their end", async () => {
  const { jobs, directory } = await open();
  directory.group("house", "lamp");
  for (const id of ["one", "two", "three"]) await jobs.create(job(id));
  await jobs.create(job("grouped", { targets: [{ kind: "group", name: "house" }] }));
  await rest();
  const first = await jobs.list({ maxResults: 3 });
  expect(first.items.map(({ id }) => id)).toEqual(["grouped", "three", "two"]);
  const second = await jobs.list({ maxResults: 3, ...first });
  expect(second.items.map(({ id }) => id)).toEqual(["one"]);
  expect(second.nextToken).toBeUndefined();
  expect((await jobs.list({}, { groupName: "house" })).items.map(({ id }) => id)).toEqual(["grouped"]);
  const executions = await jobs.executions({ thingName: "lamp" }, { maxResults: 3 });
  expect(executions.items.map(({ jobId }) => jobId)).toEqual(["one", "two", "three"]);
  expect((await jobs.executions({ thingName: "lamp" }, { maxResults: 3, ...executions })).items).toHaveLength(1);
  await expect(jobs.list({ nextToken: "what" })).rejects.toMatchObject({ code: "fleet_jobs.invalid_token" });
});
