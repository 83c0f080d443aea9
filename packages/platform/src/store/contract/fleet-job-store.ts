/** What a store of a fleet's jobs must do, whatever database is behind it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StoredExecution, StoredFleetJob } from "../../device-services/index.ts";
import type { Store } from "../index.ts";

export function describeFleetJobStore(name: string, open: () => Promise<Store>): void {
  describe(`${name} as store of fleet jobs`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    async function release(jobId: string, ...things: string[]): Promise<StoredExecution[]> {
      await store.fleetJobs.insert(job(jobId), 100);
      await store.fleetJobs.addWaiting(jobId, things);
      return store.fleetJobs.release(jobId, 100, 5);
    }

    test("a job is kept as it is; its id is taken, and there is an end to jobs", async () => {
      const { fleetJobs } = store;
      const full = {
        ...job("full"),
        timeoutMinutes: 5,
        startsAt: 1,
        end: { at: 9, behavior: "CANCEL" as const },
        reasonCode: "r",
        comment: "c",
      };
      expect(await fleetJobs.insert(full, 2)).toBe("done");
      expect(await fleetJobs.find("full")).toEqual({ ...full, row: expect.any(Number) });
      expect(await fleetJobs.insert(job("full"), 2)).toBe("taken");
      expect(await fleetJobs.insert(job("two"), 2)).toBe("done");
      expect(await fleetJobs.insert(job("three"), 2)).toBe("full");
      await fleetJobs.patch("two", { status: "COMPLETED", completedAt: 7, description: "d", modifiedAt: 8 });
      expect(await fleetJobs.find("two")).toMatchObject({
        status: "COMPLETED",
        completedAt: 7,
        description: "d",
        modifiedAt: 8,
        targets: job("two").targets,
      });
      await fleetJobs.patch("nobody", { modifiedAt: 1 });
      expect(await fleetJobs.find("nobody")).toBeUndefined();
    });

    test("jobs are listed newest first, by status, selection and target", async () => {
      const { fleetJobs } = store;
      await fleetJobs.insert(job("a"), 9);
      await fleetJobs.insert({ ...job("b"), selection: "CONTINUOUS", targets: [{ kind: "group", name: "house" }] }, 9);
      await fleetJobs.insert({ ...job("c"), status: "CANCELED" }, 9);
      const ids = async (query: object) => (await fleetJobs.list({ limit: 9, ...query })).map(({ id }) => id);
      expect(await ids({})).toEqual(["c", "b", "a"]);
      expect(await ids({ limit: 1 })).toEqual(["c"]);
      expect(await ids({ status: "IN_PROGRESS" })).toEqual(["b", "a"]);
      expect(await ids({ selection: "CONTINUOUS" })).toEqual(["b"]);
      expect(await ids({ target: { kind: "group", name: "house" } })).toEqual(["b"]);
      expect(await ids({ target: { kind: "thing", name: "house" } })).toEqual([]);
      expect(await ids({ beforeRow: (await fleetJobs.find("c"))?.row })).toEqual(["b", "a"]);
    });

    test("things wait once, in order, and get executions only while the job runs", async () => {
      const { fleetJobs } = store;
      await fleetJobs.insert(job("one"), 9);
      await fleetJobs.addWaiting("one", ["a", "b", "c"]);
      await fleetJobs.addWaiting("one", ["b", "d"]);
      await fleetJobs.addWaiting("nothing", ["a"]);
      expect((await fleetJobs.release("one", 2, 5)).map(({ thingName, executionNumber }) => [thingName, executionNumber])).toEqual([
        ["a", 1],
        ["b", 1],
      ]);
      await fleetJobs.addWaiting("one", ["a"]);
      await fleetJobs.removeWaiting({ jobId: "one", thingName: "c" });
      await fleetJobs.patch("one", { status: "CANCELED", modifiedAt: 6 });
      expect(await fleetJobs.release("one", 2, 5)).toEqual([]);
      await fleetJobs.patch("one", { status: "IN_PROGRESS", modifiedAt: 6 });
      expect((await fleetJobs.release("one", 9, 5)).map(({ thingName }) => thingName)).toEqual(["d"]);
      expect(await fleetJobs.hasWaiting("one")).toBe(false);
      expect(await fleetJobs.counts("one")).toEqual({ QUEUED: 3 });
    });

    test("who was removed may come again: the latest one counts", async () => {
      const { fleetJobs } = store;
      const [first] = await release("one", "a");
      if (first === undefined) throw new Error("no execution");
      expect(await fleetJobs.save([{ execution: { ...first, status: "REMOVED", versionNumber: 2 }, previousVersion: 1 }])).toEqual([true]);
      await fleetJobs.addWaiting("one", ["a"]);
      expect(await fleetJobs.release("one", 9, 6)).toMatchObject([{ executionNumber: 2, isLatest: true }]);
      expect(await fleetJobs.counts("one")).toEqual({ QUEUED: 1 });
      expect(await fleetJobs.findExecution("one", "a", 1)).toMatchObject({ status: "REMOVED", isLatest: false });
      const latest = await fleetJobs.findExecution("one", "a");
      if (latest === undefined) throw new Error("no execution");
      await fleetJobs.deleteExecution(latest);
      expect(await fleetJobs.counts("one")).toEqual({ REMOVED: 1 });
    });

    test("one writer wins, and a retry comes with what it follows", async () => {
      const { fleetJobs } = store;
      const [first] = await release("one", "a");
      if (first === undefined) throw new Error("no execution");
      const failed = { ...first, status: "FAILED" as const, versionNumber: 2, isLatest: false, statusDetails: { why: "heat" } };
      const { row: _, ...rest } = first;
      const retry = { ...rest, executionNumber: 2, retryAttempt: 1 };
      const late = { execution: { ...first, status: "SUCCEEDED" as const, versionNumber: 2 }, previousVersion: 1 };
      expect(await fleetJobs.save([{ execution: failed, previousVersion: 1, retry }, late])).toEqual([true, false]);
      expect(await fleetJobs.save([late])).toEqual([false]);
      expect(await fleetJobs.findExecution("one", "a", 1)).toEqual(failed);
      expect(await fleetJobs.counts("one")).toEqual({ QUEUED: 1 });
      expect((await fleetJobs.pending("a", 9)).map(({ executionNumber }) => executionNumber)).toEqual([2]);
    });

    test("what runs comes first, and deadlines are found", async () => {
      const { fleetJobs } = store;
      await release("one", "a");
      const [second] = await release("two", "a", "b");
      if (second === undefined) throw new Error("no execution");
      expect(await fleetJobs.nextDeadline()).toBeUndefined();
      const running = {
        ...second,
        status: "IN_PROGRESS" as const,
        versionNumber: 2,
        startedAt: 6,
        jobDeadlineAt: 90,
        stepDeadlineAt: 50,
        deadlineAt: 50,
      };
      await fleetJobs.save([{ execution: running, previousVersion: 1 }]);
      expect((await fleetJobs.pending("a", 9)).map(({ jobId }) => jobId)).toEqual(["two", "one"]);
      expect(await fleetJobs.nextDeadline()).toBe(50);
      expect(await fleetJobs.due(49, 9)).toEqual([]);
      expect(await fleetJobs.due(50, 9)).toEqual([running]);
    });

    test("a job is canceled and deleted some at a time", async () => {
      const { fleetJobs } = store;
      const made = await release("one", "a", "b", "c");
      const [first] = made;
      if (first === undefined) throw new Error("no execution");
      await fleetJobs.save([{ execution: { ...first, status: "IN_PROGRESS", versionNumber: 2 }, previousVersion: 1 }]);
      const ended = await fleetJobs.cancelSome("one", { statuses: ["QUEUED"], isForced: false, at: 9, limit: 1 });
      expect(ended).toMatchObject([{ before: "QUEUED", execution: { thingName: "b", status: "CANCELED", versionNumber: 2 } }]);
      const rest = await fleetJobs.cancelSome("one", { statuses: ["QUEUED", "IN_PROGRESS"], isForced: true, at: 9, limit: 9 });
      expect(rest.map(({ before, execution }) => [execution.thingName, before, execution.isForceCanceled])).toEqual([
        ["a", "IN_PROGRESS", true],
        ["c", "QUEUED", true],
      ]);
      expect((await fleetJobs.executions({ jobId: "one", status: "CANCELED", limit: 9 })).map(({ thingName }) => thingName)).toEqual([
        "a",
        "b",
        "c",
      ]);
      expect(await fleetJobs.executions({ thingName: "b", afterRow: made[1]?.row ?? 0, limit: 9 })).toEqual([]);
      expect(await fleetJobs.deleteSome("one", 2)).toHaveLength(2);
      expect(await fleetJobs.counts("one")).toEqual({ CANCELED: 1 });
      expect(await fleetJobs.deleteSome("one", 2)).toHaveLength(1);
      await fleetJobs.delete("one");
      expect(await fleetJobs.find("one")).toBeUndefined();
    });
  });
}

function job(id: string): Omit<StoredFleetJob, "row"> {
  return {
    id,
    selection: "SNAPSHOT",
    status: "IN_PROGRESS",
    targets: [{ kind: "thing", name: "a" }],
    document: '{"n": 12345678901234567890}',
    parameters: { __proto__x: "y" },
    description: "",
    rollout: { perMinuteMax: 3 },
    abort: [],
    retry: [],
    notes: { namespaceId: "n" },
    isExpanded: false,
    isForceCanceled: false,
    createdAt: 1,
    modifiedAt: 2,
  };
}
