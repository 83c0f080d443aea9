import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../clock.ts";
import { systemRandom } from "../clock.ts";
import type { PlatformError } from "../errors/index.ts";
import { openStore, type Store } from "../store/index.ts";
import { createRegistry, type Registry, type RegistryChange, type RegistryLimits, type RegistryStore } from "./index.ts";

let now: number;
let timers: { at: number; task: () => void }[];
const clock: Clock = {
  now: () => now,
  after(milliseconds, task) {
    const timer = { at: now + milliseconds, task };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  },
  soon: (task) => queueMicrotask(task),
};

/** Lets time pass; work started by timers ends before the caller goes on. */
async function pass(milliseconds: number): Promise<void> {
  now += milliseconds;
  const due = timers.filter((timer) => timer.at <= now);
  timers = timers.filter((timer) => timer.at > now);
  for (const timer of due) timer.task();
  await settle();
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}

let store: Store;
let registry: Registry;
let changes: RegistryChange[];
let reports: PlatformError[];

function make(limits: Partial<RegistryLimits> = {}, over: Partial<RegistryStore> = {}): Registry {
  const made = createRegistry({
    store: { ...store.registry, ...over },
    clock,
    random: systemRandom,
    limits,
    report: (problem) => reports.push(problem),
  });
  made.onChange((change) => changes.push(change));
  return made;
}

beforeEach(async () => {
  now = 1_000;
  timers = [];
  changes = [];
  reports = [];
  store = await openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 1) });
  registry = make();
});
afterEach(() => store.close());

const code = (name: string) => expect.objectContaining({ code: name });

describe("products", () => {
  test("1.1: draws a key and a secret in the vendor's format, and takes given ones", async () => {
    const drawn = await registry.createProduct({ name: "lamp" });
    expect(drawn.productKey).toMatch(/^a1[A-Za-z0-9]{9}$/);
    expect(drawn.productSecret).toMatch(/^[A-Za-z0-9]{16}$/);
    const given = await registry.createProduct({ name: "seed", productKey: "ymXuzyfmuQb", productSecret: "s" });
    expect(given).toMatchObject({ productKey: "ymXuzyfmuQb", productSecret: "s", nodeType: "device", dataFormat: 1, topicStyle: "user" });
    expect(changes.map((change) => change.kind)).toEqual(["product.created", "product.created"]);
  });

  test.each([
    [{ name: "" }, "registry.invalid_product_name"],
    [{ name: "   " }, "registry.invalid_product_name"],
    [{ name: "a\u0000" }, "registry.invalid_product_name"],
    [{ name: "x".repeat(65) }, "registry.invalid_product_name"],
    [{ name: "ok", productKey: "with-dash" }, "registry.invalid_product_key"],
    [{ name: "ok", productKey: "x".repeat(21) }, "registry.invalid_product_key"],
    [{ name: "ok", productSecret: "x".repeat(65) }, "registry.invalid_product_secret"],
    [{ name: "ok", description: "x".repeat(101) }, "registry.invalid_description"],
    [{ name: "ok", nodeType: "toaster" as "device" }, "registry.invalid_node_type"],
    [{ name: "ok", topicStyle: "other" as "user" }, "registry.invalid_topic_style"],
    [{ name: "ok", dataFormat: 7 as 0 }, "registry.invalid_data_format"],
  ])("refuses %j", async (wish, expected) => {
    await expect(registry.createProduct(wish)).rejects.toEqual(code(expected));
    expect((await registry.listProducts({ page: 1, pageSize: 10 })).total).toBe(0);
    expect(changes).toEqual([]);
  });

  test("a refused secret is not in the error", async () => {
    const secret = `hidden ${"x".repeat(70)}`;
    const error = await registry.createProduct({ name: "ok", productSecret: secret }).catch((caught: PlatformError) => caught);
    expect(JSON.stringify(error) + String(error)).not.toContain("hidden");
  });

  test("refuses taken keys and names, and more than the limit", async () => {
    registry = make({ productsMax: 2 });
    await registry.createProduct({ name: "one", productKey: "a1" });
    await expect(registry.createProduct({ name: "two", productKey: "a1" })).rejects.toEqual(code("registry.product_key_taken"));
    await expect(registry.createProduct({ name: "one" })).rejects.toEqual(code("registry.product_name_taken"));
    const race = await Promise.allSettled([registry.createProduct({ name: "b" }), registry.createProduct({ name: "c" })]);
    expect(race.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected"]);
    await expect(registry.createProduct({ name: "d" })).rejects.toEqual(code("registry.too_many_products"));
  });

  test("4.2: the default topic classes follow the topic style", async () => {
    const classes = async (topicStyle: "user" | "legacy" | "none") => {
      const { productKey } = await registry.createProduct({ name: topicStyle, topicStyle });
      return (await registry.listTopicClasses(productKey)).map((row) => `${row.operation} ${row.template}`);
    };
    const own = "/${productKey}/${deviceName}";
    expect(await classes("user")).toEqual([`PUB ${own}/user/update`, `PUB ${own}/user/update/error`, `SUB ${own}/user/get`]);
    expect(await classes("legacy")).toEqual([`PUB ${own}/update`, `PUB ${own}/update/error`, `SUB ${own}/get`]);
    expect(await classes("none")).toEqual([]);
  });

  test("updates and deletes, but not while devices exist", async () => {
    await registry.createProduct({ name: "one", productKey: "a1" });
    await registry.createProduct({ name: "two", productKey: "b1" });
    await expect(registry.updateProduct("a1", { name: "two" })).rejects.toEqual(code("registry.product_name_taken"));
    expect(await registry.updateProduct("a1", { name: "new", description: "d" })).toMatchObject({ name: "new", description: "d" });
    expect(await registry.findProduct("a1")).toMatchObject({ name: "new" });
    await registry.createDevice("a1", { deviceName: "lamp" });
    expect(await registry.getProduct("a1")).toMatchObject({ deviceCount: 1 });
    await expect(registry.deleteProduct("a1")).rejects.toEqual(code("registry.product_has_devices"));
    await registry.deleteDevice("a1", "lamp");
    await registry.deleteProduct("a1");
    expect(await registry.findProduct("a1")).toBeUndefined();
    for (const gone of [registry.getProduct("a1"), registry.deleteProduct("a1"), registry.listTopicClasses("a1")]) {
      await expect(gone).rejects.toEqual(code("registry.product_not_found"));
    }
  });
});

describe("devices", () => {
  beforeEach(async () => {
    await registry.createProduct({ name: "p", productKey: "a1" });
    changes = [];
  });

  test("1.1: draws what is not given in the vendor's formats", async () => {
    const device = await registry.createDevice("a1", {});
    expect(device.deviceName).toMatch(/^[A-Za-z0-9]{20}$/);
    expect(device.deviceSecret).toMatch(/^[0-9a-f]{32}$/);
    expect(device.iotId).toMatch(/^[A-Za-z0-9]{30}$/);
    expect(device).toMatchObject({ status: "UNACTIVE", isEnabled: true, createdAt: 1_000, nickname: "" });
    expect(await registry.findDevice("a1", device.deviceName)).toEqual(device);
    expect(await registry.findDeviceByIotId(device.iotId)).toEqual(device);
    expect(changes).toEqual([{ kind: "device.created", productKey: "a1", deviceName: device.deviceName, iotId: device.iotId }]);
  });

  test.each(["esp8266_test001", "RGB-LED-DEV-1", "a.b:c@d", "sub1", "x".repeat(32)])("accepts the name %j", async (deviceName) => {
    expect(await registry.createDevice("a1", { deviceName, deviceSecret: "K", iotId: "42Ze0mk3556498a1AlTP" })).toMatchObject({
      deviceName,
      deviceSecret: "K",
      iotId: "42Ze0mk3556498a1AlTP",
    });
  });

  test.each([
    [{ deviceName: "abc" }, "registry.invalid_device_name"],
    [{ deviceName: "x".repeat(33) }, "registry.invalid_device_name"],
    [{ deviceName: "a/bcd" }, "registry.invalid_device_name"],
    [{ deviceName: "lamp\n" }, "registry.invalid_device_name"],
    [{ deviceName: "lamp+" }, "registry.invalid_device_name"],
    [{ deviceSecret: "" }, "registry.invalid_device_secret"],
    [{ deviceSecret: "密" }, "registry.invalid_device_secret"],
    [{ iotId: "a b" }, "registry.invalid_iot_id"],
    [{ nickname: "x".repeat(65) }, "registry.invalid_nickname"],
  ])("refuses %j", async (wish, expected) => {
    await expect(registry.createDevice("a1", wish)).rejects.toEqual(code(expected));
  });

  test("a batch is all or nothing and names the offender", async () => {
    await registry.createDevice("a1", { deviceName: "taken", iotId: "id-taken" });
    const batch = (...devices: { deviceName?: string; iotId?: string }[]) => registry.createDevices("a1", { devices });
    await expect(batch({ deviceName: "new1" }, { deviceName: "taken" })).rejects.toMatchObject({
      code: "registry.device_name_taken",
      details: { deviceName: "taken" },
    });
    await expect(batch({ deviceName: "new1" }, { deviceName: "new2", iotId: "id-taken" })).rejects.toMatchObject({
      code: "registry.iot_id_taken",
      details: { iotId: "id-taken", deviceName: "new2" },
    });
    await expect(batch({ deviceName: "new1" }, { deviceName: "new1" })).rejects.toMatchObject({
      code: "registry.duplicate_in_batch",
      details: { received: "new1" },
    });
    await expect(batch({ iotId: "same" }, { iotId: "same" })).rejects.toEqual(code("registry.duplicate_in_batch"));
    await expect(batch()).rejects.toEqual(code("registry.invalid_batch"));
    for (const count of [0, -1, 1.5, 10_001, Number.NaN]) {
      await expect(registry.createDevices("a1", { count })).rejects.toEqual(code("registry.invalid_batch"));
    }
    await expect(registry.createDevices("none", { count: 1 })).rejects.toEqual(code("registry.product_not_found"));
    expect(await registry.getProduct("a1")).toMatchObject({ deviceCount: 1 });
    expect(changes).toHaveLength(1);

    const made = await batch({ deviceName: "new2" }, {}, { deviceName: "new1" });
    expect([made[0]?.deviceName, made[2]?.deviceName]).toEqual(["new2", "new1"]);
    expect(await registry.createDevices("a1", { count: 1_500 })).toHaveLength(1_500);
  });

  test("refuses more devices than the limit of a product", async () => {
    registry = make({ devicesPerProductMax: 3 });
    await registry.createDevices("a1", { count: 2 });
    await expect(registry.createDevices("a1", { count: 2 })).rejects.toMatchObject({
      code: "registry.too_many_devices",
      details: { received: 4, expected: 3 },
    });
    await registry.createDevice("a1", {});
  });

  test("tells an unknown device from an unknown product", async () => {
    expect(await registry.findDevice("a1", "ghost")).toBeUndefined();
    await expect(registry.getDevice("a1", "ghost")).rejects.toEqual(code("registry.device_not_found"));
    await expect(registry.getDevice("none", "ghost")).rejects.toEqual(code("registry.product_not_found"));
    await expect(registry.deleteDevice("a1", "ghost")).rejects.toEqual(code("registry.device_not_found"));
    await expect(registry.listDevices("none", { page: 1, pageSize: 1 })).rejects.toEqual(code("registry.product_not_found"));
  });

  test("disables, enables and deletes; each change is told once and seen at once", async () => {
    await registry.createDevice("a1", { deviceName: "lamp", iotId: "id" });
    registry.markOnline("a1", "lamp", 5, "::1");
    expect(await registry.setDeviceEnabled("a1", "lamp", false)).toMatchObject({ status: "DISABLE", isEnabled: false });
    await registry.setDeviceEnabled("a1", "lamp", false);
    expect(await registry.setDeviceEnabled("a1", "lamp", true)).toMatchObject({ status: "ONLINE", isEnabled: true });
    now = 2_000;
    expect(await registry.updateDevice("a1", "lamp", { nickname: "灯" })).toMatchObject({ nickname: "灯", modifiedAt: 2_000 });
    await registry.deleteDevice("a1", "lamp");
    expect(await registry.findDevice("a1", "lamp")).toBeUndefined();
    expect(await registry.findDeviceByIotId("id")).toBeUndefined();
    expect(changes.map((change) => change.kind)).toEqual(["device.created", "device.disabled", "device.enabled", "device.deleted"]);
  });

  test("a listener that fails stops nobody", async () => {
    const heard: string[] = [];
    registry.onChange(() => {
      throw new Error("broken");
    });
    registry.onChange((change) => heard.push(change.kind));
    await registry.createDevice("a1", {});
    expect(heard).toEqual(["device.created"]);
    expect(reports.map((problem) => problem.code)).toEqual(["registry.listener_failed"]);
  });

  test.each([
    [0, 10],
    [1, 0],
    [1, 1_001],
    [1.5, 1],
    [1, Number.NaN],
  ])("refuses page %d of %d", async (page, pageSize) => {
    await expect(registry.listDevices("a1", { page, pageSize })).rejects.toEqual(code("registry.invalid_page"));
    await expect(registry.listProducts({ page, pageSize })).rejects.toEqual(code("registry.invalid_page"));
  });

  test("answers connects from memory, bounded, and forgets what changed", async () => {
    let reads = 0;
    const findDevice: RegistryStore["findDevice"] = (productKey, deviceName) => {
      reads++;
      return store.registry.findDevice(productKey, deviceName);
    };
    registry = make({ devicesCachedMax: 2 }, { findDevice });
    await registry.createDevices("a1", { devices: ["dev1", "dev2", "dev3"].map((deviceName) => ({ deviceName })) });
    await Promise.all([registry.findDevice("a1", "dev1"), registry.findDevice("a1", "dev1")]);
    await registry.findDevice("a1", "dev1");
    expect(reads).toBe(1);
    await registry.findDevice("a1", "dev2");
    await registry.findDevice("a1", "dev1");
    await registry.findDevice("a1", "dev3");
    await registry.findDevice("a1", "dev1");
    expect(reads).toBe(3);
    await registry.findDevice("a1", "dev2");
    expect(reads).toBe(4);
    await registry.updateDevice("a1", "dev2", { nickname: "n" });
    expect(await registry.findDevice("a1", "dev2")).toMatchObject({ nickname: "n" });
  });

  test("a read that crosses a change does not leave the old value in memory", async () => {
    await registry.createDevice("a1", { deviceName: "lamp" });
    let letGo = () => {};
    let isFirst = true;
    const findDevice: RegistryStore["findDevice"] = async (productKey, deviceName) => {
      const row = await store.registry.findDevice(productKey, deviceName);
      if (isFirst) {
        isFirst = false;
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
      }
      return row;
    };
    const slow = make({}, { findDevice });
    const crossing = slow.findDevice("a1", "lamp");
    await settle();
    slow.markOnline("a1", "lamp", 7, "::1");
    await pass(200);
    letGo();
    expect(await crossing).toMatchObject({ status: "ONLINE", activatedAt: 7 });
    expect(await slow.findDevice("a1", "lamp")).toMatchObject({ status: "ONLINE", activatedAt: 7 });
  });
});

describe("connection states", () => {
  beforeEach(async () => {
    await registry.createProduct({ name: "p", productKey: "a1" });
    await registry.createDevices("a1", { devices: ["dev1", "dev2"].map((deviceName) => ({ deviceName })) });
  });

  test("are seen at once, written together, and the first activation stays", async () => {
    const batches: number[] = [];
    registry = make(
      {},
      {
        async writeStatuses(writes) {
          batches.push(writes.length);
          await store.registry.writeStatuses(writes);
        },
      },
    );
    registry.markOnline("a1", "dev1", 10, "10.0.0.1");
    registry.markOffline("a1", "dev1", 20);
    registry.markOnline("a1", "dev2", 30, "10.0.0.2");
    expect(await registry.getDevice("a1", "dev1")).toMatchObject({ status: "OFFLINE", activatedAt: 10, lastOfflineAt: 20 });
    expect(await store.registry.findDevice("a1", "dev1")).not.toHaveProperty("activatedAt");
    await pass(200);
    expect(batches).toEqual([2]);
    expect(await store.registry.findDevice("a1", "dev1")).toMatchObject({ isOnline: false, activatedAt: 10, lastOnlineAt: 10 });
    registry.markOnline("a1", "dev1", 40, "10.0.0.3");
    expect(await registry.getDevice("a1", "dev1")).toMatchObject({
      status: "ONLINE",
      activatedAt: 10,
      lastOnlineAt: 40,
      remoteAddress: "10.0.0.3",
    });
    await pass(200);
    expect(await make().getDevice("a1", "dev1")).toMatchObject({ status: "ONLINE", activatedAt: 10, lastOnlineAt: 40, lastOfflineAt: 20 });
  });

  test("are in lists and their filters, and are written by close", async () => {
    registry.markOnline("a1", "dev2", 10, "::1");
    const online = await registry.listDevices("a1", { page: 1, pageSize: 10 }, { status: "ONLINE" });
    expect(online).toMatchObject({ total: 1, items: [{ deviceName: "dev2", status: "ONLINE" }] });
    registry.markOffline("a1", "dev2", 11);
    await registry.close();
    expect(await store.registry.findDevice("a1", "dev2")).toMatchObject({ isOnline: false, lastOfflineAt: 11 });
  });

  test("a full batch is written without waiting for the timer", async () => {
    registry = make({ statusBatchDevices: 2 });
    registry.markOnline("a1", "dev1", 10, "::1");
    registry.markOnline("a1", "dev2", 10, "::1");
    await settle();
    expect(await store.registry.findDevice("a1", "dev2")).toMatchObject({ isOnline: true });
  });

  test("survive a failing store: reported once, kept, tried again", async () => {
    let isBroken = true;
    registry = make(
      {},
      {
        async writeStatuses(writes) {
          if (isBroken) throw new Error("disk full");
          await store.registry.writeStatuses(writes);
        },
      },
    );
    registry.markOnline("a1", "dev1", 10, "::1");
    await pass(200);
    await pass(5_000);
    registry.markOffline("a1", "dev1", 11);
    expect(await registry.getDevice("a1", "dev1")).toMatchObject({ status: "OFFLINE", lastOnlineAt: 10, lastOfflineAt: 11 });
    expect(reports.map((problem) => problem.code)).toEqual(["registry.status_write_failed"]);
    isBroken = false;
    await pass(5_000);
    expect(await store.registry.findDevice("a1", "dev1")).toMatchObject({ isOnline: false, activatedAt: 10, lastOfflineAt: 11 });
  });

  test("start marks what a crash left online", async () => {
    registry.markOnline("a1", "dev1", 10, "::1");
    await pass(200);
    const after = make();
    await after.start();
    expect(await after.getDevice("a1", "dev1")).toMatchObject({ status: "OFFLINE", lastOfflineAt: now });
  });
});

describe("topic classes", () => {
  beforeEach(async () => {
    await registry.createProduct({ name: "p", productKey: "ymXuzyfmuQb", topicStyle: "none" });
    changes = [];
  });
  const own = "/${productKey}/${deviceName}/";

  test.each([
    ["data", "ALL", `${own}data`],
    ["update/error", "PUB", `${own}update/error`],
    ["user/x", "PUB", `${own}user/x`],
    [`${own}user/get`, "SUB", `${own}user/get`],
    ["/ymXuzyfmuQb/${deviceName}/relay", "SUB", `${own}relay`],
    ["user/+/x", "SUB", `${own}user/+/x`],
    ["#", "SUB", `${own}#`],
    ["1/2/3/4/5", "PUB", `${own}1/2/3/4/5`],
  ] as const)("4.2: %s with %s", async (topic, operation, template) => {
    const made = await registry.createTopicClass("ymXuzyfmuQb", { topic, operation });
    expect(made).toMatchObject({ template, operation });
    expect(await registry.listTopicClasses("ymXuzyfmuQb")).toEqual([made]);
    expect(changes).toEqual([{ kind: "topics.changed", productKey: "ymXuzyfmuQb" }]);
  });

  test.each([
    ["", "PUB"],
    ["a//b", "PUB"],
    ["a/", "PUB"],
    ["a-b", "PUB"],
    ["数据", "PUB"],
    ["a b", "PUB"],
    ["user/+", "PUB"],
    ["user/#", "ALL"],
    ["user/#/x", "SUB"],
    ["user/x+", "SUB"],
    ["user/x#", "SUB"],
    ["/sys/${productKey}/${deviceName}/x", "PUB"],
    ["/other/${deviceName}/x", "PUB"],
    ["/${productKey}/x", "PUB"],
    ["1/2/3/4/5/6", "PUB"],
    ["x".repeat(103), "PUB"],
  ] as const)("4.2: refuses %j with %s", async (topic, operation) => {
    await expect(registry.createTopicClass("ymXuzyfmuQb", { topic, operation })).rejects.toEqual(code("registry.invalid_topic"));
    expect(await registry.listTopicClasses("ymXuzyfmuQb")).toEqual([]);
  });

  test("refuses an unknown operation, a duplicate, and more than the limit", async () => {
    registry = make({ topicClassesPerProductMax: 2 });
    const create = (topic: string, operation: "PUB" | "SUB" | "ALL" = "PUB") =>
      registry.createTopicClass("ymXuzyfmuQb", { topic, operation });
    await expect(create("x", "BOTH" as "ALL")).rejects.toEqual(code("registry.invalid_operation"));
    await create("x");
    await expect(create(`${own}x`, "SUB")).rejects.toEqual(code("registry.topic_class_taken"));
    const race = await Promise.allSettled([create("y"), create("z")]);
    expect(race.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected"]);
    await expect(create("z")).rejects.toEqual(code("registry.too_many_topic_classes"));
    await expect(registry.createTopicClass("none", { topic: "x", operation: "PUB" })).rejects.toEqual(code("registry.product_not_found"));
  });

  test("deletes a class once", async () => {
    const { id } = await registry.createTopicClass("ymXuzyfmuQb", { topic: "data", operation: "ALL" });
    await registry.listTopicClasses("ymXuzyfmuQb");
    await registry.deleteTopicClass(id);
    expect(await registry.listTopicClasses("ymXuzyfmuQb")).toEqual([]);
    await expect(registry.deleteTopicClass(id)).rejects.toEqual(code("registry.topic_class_not_found"));
  });
});
