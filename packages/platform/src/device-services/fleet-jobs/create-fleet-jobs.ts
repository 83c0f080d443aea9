/** Jobs of a fleet: what their makers do with them, and everything wired that happens by itself. */
import type { Clock } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import { createBackground } from "../background.ts";
import { checkComment, checkJob, checkSettings, checkTargetCount, checkTargets, checkTemplate, invalid } from "./checks.ts";
import { createDueTimer } from "./due-timer.ts";
import { createExecutions } from "./executions.ts";
import type { FleetJob, FleetJobs, FleetJobTarget, JobsPage, JobsPaged, JobTargets } from "./fleet-jobs.ts";
import type { FleetJobLimits } from "./limits.ts";
import { createMemberships } from "./memberships.ts";
import { createNotices } from "./notices.ts";
import type { FleetJobStore, StoredFleetJob } from "./ports.ts";
import { createRollout } from "./rollout.ts";

export interface FleetJobsPorts {
  store: FleetJobStore;
  targets: JobTargets;
  clock: Clock;
  limits: FleetJobLimits;
  onFailure(error: unknown): void;
}

/**
 * Jobs for things and groups of things.
 *
 * @example
 * const jobs = createFleetJobs({ store: store.fleetJobs, targets, clock, limits: defaultFleetJobLimits, onFailure });
 * await jobs.start();
 * await jobs.create({ id: "reboot-1", document: '{"operation":"reboot"}', targets: [{ kind: "thing", name: "lamp" }] });
 */
export function createFleetJobs(ports: FleetJobsPorts): FleetJobs {
  const { store, targets: directory, clock, limits } = ports;
  const background = createBackground(ports);
  const notices = createNotices(ports);
  const rollout = createRollout({ ...ports, directory, notices, background });
  const executions = createExecutions({
    ...ports,
    notices,
    background,
    onEnded: (jobId) => background.run(() => rollout.check(jobId)),
    onDeadline: (at) => timer.expect(at),
  });
  const memberships = createMemberships({ ...ports, directory, executions, rollout, background });
  /** When scheduled jobs begin, and when jobs end. */
  const appointments = new Map<string, number>();
  const timer = createDueTimer({ clock, background, secondsMax: limits.timerSecondsMax, look });

  async function look(): Promise<number | undefined> {
    while (await executions.timeOut(limits.executionsPerTurn)) await new Promise<void>((resolve) => clock.soon(resolve));
    for (const [jobId, at] of [...appointments]) if (at <= clock.now()) await keepAppointment(jobId);
    const times = [await store.nextDeadline(), ...appointments.values()].filter((at) => at !== undefined);
    return times.length === 0 ? undefined : times.reduce((earliest, at) => Math.min(earliest, at));
  }

  function appoint(job: FleetJob): void {
    const at = job.status === "SCHEDULED" ? job.startsAt : job.status === "IN_PROGRESS" ? job.end?.at : undefined;
    if (at === undefined) appointments.delete(job.id);
    else appointments.set(job.id, at);
    timer.expect(at);
  }

  async function keepAppointment(jobId: string): Promise<void> {
    appointments.delete(jobId);
    const job = await store.find(jobId);
    if (job?.status === "SCHEDULED") {
      await store.patch(jobId, { status: "IN_PROGRESS", modifiedAt: clock.now() });
      const begun: StoredFleetJob = { ...job, status: "IN_PROGRESS" };
      appoint(begun);
      memberships.follow(begun);
      await rollout.begin(jobId);
    } else if (job?.status === "IN_PROGRESS" && job.end !== undefined) {
      memberships.forget(jobId);
      if (job.end.behavior === "STOP_ROLLOUT") await rollout.stop(jobId);
      else await rollout.cancel(jobId, { isForced: job.end.behavior === "FORCE_CANCEL", reasonCode: "SCHEDULED_END" });
    }
  }

  async function need(jobId: string): Promise<StoredFleetJob> {
    const job = await store.find(jobId);
    if (job === undefined) throw new PlatformError("fleet_jobs.job_not_found", { jobId: jobId.slice(0, limits.jobIdCharactersMax) });
    return job;
  }

  /** Goes on where the last stop was. */
  async function resume(job: StoredFleetJob): Promise<void> {
    appoint(job);
    if (job.status === "DELETION_IN_PROGRESS") return rollout.delete(job.id);
    if (job.status === "CANCELED") {
      const { QUEUED = 0, IN_PROGRESS = 0 } = await store.counts(job.id);
      return QUEUED > 0 || (job.isForceCanceled && IN_PROGRESS > 0) ? rollout.finishCancel(job.id) : undefined;
    }
    if (job.status !== "IN_PROGRESS") return;
    memberships.follow(job);
    // Things may have joined while nobody was listening.
    if (job.isExpanded && job.selection === "SNAPSHOT") rollout.go(job.id);
    else await rollout.begin(job.id);
  }

  async function resumeAll(): Promise<void> {
    for (const status of ["IN_PROGRESS", "SCHEDULED", "DELETION_IN_PROGRESS", "CANCELED"] as const) {
      let beforeRow: number | undefined;
      do {
        const jobs = await store.list({ status, limit: limits.pageSizeMax, ...(beforeRow === undefined ? {} : { beforeRow }) });
        for (const job of jobs) {
          if (background.isClosed) return;
          await resume(job);
        }
        beforeRow = jobs.at(-1)?.row;
        await new Promise<void>((resolve) => clock.soon(resolve));
      } while (beforeRow !== undefined);
    }
  }

  return {
    ...executions,

    async create(request) {
      const now = clock.now();
      checkJob(request, now, limits);
      await checkTargets(request.targets, directory);
      const { startsAt } = request;
      const isLater = startsAt !== undefined && startsAt > now;
      const job: Omit<StoredFleetJob, "row"> = {
        selection: "SNAPSHOT",
        description: "",
        rollout: {},
        abort: [],
        retry: [],
        notes: {},
        parameters: {},
        ...request,
        targets: distinct(request.targets),
        status: isLater ? "SCHEDULED" : "IN_PROGRESS",
        isExpanded: false,
        isForceCanceled: false,
        createdAt: now,
        modifiedAt: now,
      };
      const outcome = await store.insert(job, limits.jobsMax);
      if (outcome === "taken") throw new PlatformError("fleet_jobs.job_exists", { jobId: job.id });
      if (outcome === "full") throw new PlatformError("fleet_jobs.too_many_jobs", { expected: limits.jobsMax });
      appoint(job);
      if (isLater) return job;
      memberships.follow(job);
      await rollout.begin(job.id);
      return need(job.id);
    },

    check: (template) => checkTemplate(template, limits),

    async get(jobId) {
      return { ...(await need(jobId)), counts: await store.counts(jobId) };
    },

    async list(page, { status, selection, groupName } = {}) {
      const beforeRow = readToken(page);
      const limit = readLimit(page, limits);
      const jobs = await store.list({
        limit: limit + 1,
        ...(beforeRow === undefined ? {} : { beforeRow }),
        ...(status === undefined ? {} : { status }),
        ...(selection === undefined ? {} : { selection }),
        ...(groupName === undefined ? {} : { target: { kind: "group", name: groupName } }),
      });
      return paged(jobs, limit);
    },

    async update(jobId, change) {
      const job = await need(jobId);
      checkSettings(change, limits);
      if (job.status !== "IN_PROGRESS" && job.status !== "SCHEDULED") throw notOpen(job);
      await store.patch(jobId, { ...change, modifiedAt: clock.now() });
    },

    async cancel(jobId, how) {
      const job = await need(jobId);
      checkComment(how.comment, limits);
      const isAgain = job.status === "CANCELED" && how.isForced;
      if (job.status !== "IN_PROGRESS" && job.status !== "SCHEDULED" && !isAgain) {
        throw new PlatformError("fleet_jobs.not_cancelable", { jobId, received: job.status });
      }
      appointments.delete(jobId);
      memberships.forget(jobId);
      await rollout.cancel(jobId, how);
      return need(jobId);
    },

    async delete(jobId, isForced) {
      const job = await need(jobId);
      if (job.status === "IN_PROGRESS" && !isForced) {
        throw new PlatformError("fleet_jobs.invalid_state", {
          what: `The job ${jobId}`,
          received: job.status,
          expected: "CANCELED or COMPLETED, or force",
        });
      }
      if (job.status === "DELETION_IN_PROGRESS") return;
      appointments.delete(jobId);
      memberships.forget(jobId);
      await store.patch(jobId, { status: "DELETION_IN_PROGRESS", modifiedAt: clock.now() });
      await notices.job(jobId, "deletion_in_progress");
      await rollout.delete(jobId);
    },

    async addTargets(jobId, added, comment) {
      const job = await need(jobId);
      checkComment(comment, limits);
      if (job.selection !== "CONTINUOUS") invalid("targetSelection", job.selection, "CONTINUOUS: a snapshot keeps its targets");
      if (job.status !== "IN_PROGRESS" && job.status !== "SCHEDULED") throw notOpen(job);
      const targets = distinct([...job.targets, ...added]);
      checkTargetCount(targets, limits);
      await checkTargets(added, directory);
      await store.patch(jobId, { targets, isExpanded: false, modifiedAt: clock.now(), ...(comment === undefined ? {} : { comment }) });
      const changed = await need(jobId);
      if (changed.status === "IN_PROGRESS") {
        memberships.follow(changed);
        await rollout.begin(jobId);
      }
      return changed;
    },

    async execution(jobId, thingName, executionNumber) {
      const execution = await store.findExecution(jobId, thingName, executionNumber);
      if (execution === undefined) throw new PlatformError("fleet_jobs.execution_not_found", { jobId, thingName });
      return execution;
    },

    async executions(of, page, status) {
      if (!("thingName" in of)) await need(of.jobId);
      const afterRow = readToken(page);
      const limit = readLimit(page, limits);
      const found = await store.executions({
        ...of,
        limit: limit + 1,
        ...(afterRow === undefined ? {} : { afterRow }),
        ...(status === undefined ? {} : { status }),
      });
      return paged(found, limit);
    },

    onChange: notices.onChange,

    async start() {
      memberships.start();
      timer.expect(clock.now());
      background.run(resumeAll);
    },

    async close() {
      timer.close();
      await background.close();
    },
  };
}

function notOpen({ id, status }: FleetJob): PlatformError {
  return new PlatformError("fleet_jobs.invalid_state", { what: `The job ${id}`, received: status, expected: "SCHEDULED or IN_PROGRESS" });
}

function distinct(targets: readonly FleetJobTarget[]): FleetJobTarget[] {
  return [...new Map(targets.map(({ kind, name }) => [`${kind}/${name}`, { kind, name }])).values()];
}

function readLimit({ maxResults }: JobsPage, { pageSizeMax }: FleetJobLimits): number {
  if (maxResults === undefined) return pageSizeMax;
  if (!Number.isSafeInteger(maxResults) || maxResults < 1 || maxResults > pageSizeMax)
    invalid("maxResults", maxResults, `1 to ${pageSizeMax}`);
  return maxResults;
}

const token = /^r(\d{1,15})$/;

function readToken({ nextToken }: JobsPage): number | undefined {
  if (nextToken === undefined) return undefined;
  const row = token.exec(Buffer.from(nextToken, "base64url").toString())?.[1];
  if (row === undefined) throw new PlatformError("fleet_jobs.invalid_token", { received: nextToken.slice(0, 100) });
  return Number(row);
}

function paged<T extends { row: number }>(rows: readonly T[], limit: number): JobsPaged<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  if (rows.length <= limit || last === undefined) return { items };
  return { items, nextToken: Buffer.from(`r${last.row}`).toString("base64url") };
}
