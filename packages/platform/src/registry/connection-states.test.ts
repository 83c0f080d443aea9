import { beforeEach, describe, expect, test } from "vitest";
import { settle } from "../fake-clock.ts";
import { useBench } from "./testing/bench.ts";

const bench = useBench();

describe("connection states", () => {
  beforeEach(async () => {
    await bench.registry.createProduct({ name: "p", productKey: "a1" });
    await bench.registry.createDevices("a1", { devices: ["dev1", "dev2"].map((deviceName) => ({ deviceName })) });
  });

  test("are seen at once, written together, and the first activation stays", async () => {
    const batches: number[] = [];
    bench.registry = bench.make(
      {},
      {
        async writeStatuses(writes) {
          batches.push(writes.length);
          await bench.store.registry.writeStatuses(writes);
        },
      },
    );
    bench.registry.markOnline("a1", "dev1", 10, "10.0.0.1");
    bench.registry.markOffline("a1", "dev1", 20);
    bench.registry.markOnline("a1", "dev2", 30, "10.0.0.2");
    expect(await bench.registry.getDevice("a1", "dev1")).toMatchObject({ status: "OFFLINE", activatedAt: 10, lastOfflineAt: 20 });
    expect(await bench.store.registry.findDevice("a1", "dev1")).not.toHaveProperty("activatedAt");
    await bench.clock.pass(200);
    expect(batches).toEqual([2]);
    expect(await bench.store.registry.findDevice("a1", "dev1")).toMatchObject({ isOnline: false, activatedAt: 10, lastOnlineAt: 10 });
    bench.registry.markOnline("a1", "dev1", 40, "10.0.0.3");
    expect(await bench.registry.getDevice("a1", "dev1")).toMatchObject({
      status: "ONLINE",
      activatedAt: 10,
      lastOnlineAt: 40,
      remoteAddress: "10.0.0.3",
    });
    await bench.clock.pass(200);
    expect(await bench.make().getDevice("a1", "dev1")).toMatchObject({
      status: "ONLINE",
      activatedAt: 10,
      lastOnlineAt: 40,
      lastOfflineAt: 20,
    });
  });

  test("are in lists and their filters, and are written by close", async () => {
    bench.registry.markOnline("a1", "dev2", 10, "::1");
    const online = await bench.registry.listDevices("a1", { page: 1, pageSize: 10 }, { status: "ONLINE" });
    expect(online).toMatchObject({ total: 1, items: [{ deviceName: "dev2", status: "ONLINE" }] });
    bench.registry.markOffline("a1", "dev2", 11);
    await bench.registry.close();
    expect(await bench.store.registry.findDevice("a1", "dev2")).toMatchObject({ isOnline: false, lastOfflineAt: 11 });
  });

  test("a full batch is written without waiting for the timer", async () => {
    bench.registry = bench.make({ statusBatchDevices: 2 });
    bench.registry.markOnline("a1", "dev1", 10, "::1");
    bench.registry.markOnline("a1", "dev2", 10, "::1");
    await settle();
    expect(await bench.store.registry.findDevice("a1", "dev2")).toMatchObject({ isOnline: true });
  });

  test("survive a failing store: reported once, kept, tried again", async () => {
    let isBroken = true;
    bench.registry = bench.make(
      {},
      {
        async writeStatuses(writes) {
          if (isBroken) throw new Error("disk full");
          await bench.store.registry.writeStatuses(writes);
        },
      },
    );
    bench.registry.markOnline("a1", "dev1", 10, "::1");
    await bench.clock.pass(200);
    await bench.clock.pass(5_000);
    bench.registry.markOffline("a1", "dev1", 11);
    expect(await bench.registry.getDevice("a1", "dev1")).toMatchObject({ status: "OFFLINE", lastOnlineAt: 10, lastOfflineAt: 11 });
    expect(bench.reports.map((problem) => problem.code)).toEqual(["registry.status_write_failed"]);
    isBroken = false;
    await bench.clock.pass(5_000);
    expect(await bench.store.registry.findDevice("a1", "dev1")).toMatchObject({ isOnline: false, activatedAt: 10, lastOfflineAt: 11 });
  });

  test("start marks what a crash left online", async () => {
    bench.registry.markOnline("a1", "dev1", 10, "::1");
    await bench.clock.pass(200);
    const after = bench.make();
    await after.start();
    expect(await after.getDevice("a1", "dev1")).toMatchObject({ status: "OFFLINE", lastOfflineAt: bench.clock.now() });
  });
});
