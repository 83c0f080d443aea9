import { beforeEach, describe, expect, test } from "vitest";
import { settle } from "../fake-clock.ts";
import type { RegistryStore } from "./index.ts";
import { code, useBench } from "./testing/bench.ts";

const bench = useBench();

describe("devices", () => {
  beforeEach(async () => {
    await bench.registry.createProduct({ name: "p", productKey: "a1" });
    bench.changes = [];
  });

  test("1.1: draws what is not given in the vendor's formats", async () => {
    const device = await bench.registry.createDevice("a1", {});
    expect(device.deviceName).toMatch(/^[A-Za-z0-9]{20}$/);
    expect(device.deviceSecret).toMatch(/^[0-9a-f]{32}$/);
    expect(device.iotId).toMatch(/^[A-Za-z0-9]{30}$/);
    expect(device).toMatchObject({ status: "UNACTIVE", isEnabled: true, createdAt: 1_000, nickname: "" });
    expect(await bench.registry.findDevice("a1", device.deviceName)).toEqual(device);
    expect(await bench.registry.findDeviceByIotId(device.iotId)).toEqual(device);
    expect(bench.changes).toEqual([{ kind: "device.created", productKey: "a1", deviceName: device.deviceName, iotId: device.iotId }]);
  });

  test.each(["esp8266_test001", "RGB-LED-DEV-1", "a.b:c@d", "sub1", "x".repeat(32)])("accepts the name %j", async (deviceName) => {
    expect(await bench.registry.createDevice("a1", { deviceName, deviceSecret: "K", iotId: "42Ze0mk3556498a1AlTP" })).toMatchObject({
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
    await expect(bench.registry.createDevice("a1", wish)).rejects.toEqual(code(expected));
  });

  test("a batch is all or nothing and names the offender", async () => {
    await bench.registry.createDevice("a1", { deviceName: "taken", iotId: "id-taken" });
    const batch = (...devices: { deviceName?: string; iotId?: string }[]) => bench.registry.createDevices("a1", { devices });
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
      await expect(bench.registry.createDevices("a1", { count })).rejects.toEqual(code("registry.invalid_batch"));
    }
    await expect(bench.registry.createDevices("none", { count: 1 })).rejects.toEqual(code("registry.product_not_found"));
    expect(await bench.registry.getProduct("a1")).toMatchObject({ deviceCount: 1 });
    expect(bench.changes).toHaveLength(1);

    const made = await batch({ deviceName: "new2" }, {}, { deviceName: "new1" });
    expect([made[0]?.deviceName, made[2]?.deviceName]).toEqual(["new2", "new1"]);
    expect(await bench.registry.createDevices("a1", { count: 1_500 })).toHaveLength(1_500);
  });

  test("refuses more devices than the limit of a product", async () => {
    bench.registry = bench.make({ devicesPerProductMax: 3 });
    await bench.registry.createDevices("a1", { count: 2 });
    await expect(bench.registry.createDevices("a1", { count: 2 })).rejects.toMatchObject({
      code: "registry.too_many_devices",
      details: { received: 4, expected: 3 },
    });
    await bench.registry.createDevice("a1", {});
  });

  test("tells an unknown device from an unknown product", async () => {
    expect(await bench.registry.findDevice("a1", "ghost")).toBeUndefined();
    await expect(bench.registry.getDevice("a1", "ghost")).rejects.toEqual(code("registry.device_not_found"));
    await expect(bench.registry.getDevice("none", "ghost")).rejects.toEqual(code("registry.product_not_found"));
    await expect(bench.registry.deleteDevice("a1", "ghost")).rejects.toEqual(code("registry.device_not_found"));
    await expect(bench.registry.listDevices("none", { page: 1, pageSize: 1 })).rejects.toEqual(code("registry.product_not_found"));
  });

  test("disables, enables and deletes; each change is told once and seen at once", async () => {
    await bench.registry.createDevice("a1", { deviceName: "lamp", iotId: "id" });
    bench.registry.markOnline("a1", "lamp", 5, "::1");
    expect(await bench.registry.setDeviceEnabled("a1", "lamp", false)).toMatchObject({ status: "DISABLE", isEnabled: false });
    await bench.registry.setDeviceEnabled("a1", "lamp", false);
    expect(await bench.registry.setDeviceEnabled("a1", "lamp", true)).toMatchObject({ status: "ONLINE", isEnabled: true });
    bench.clock.set(2_000);
    expect(await bench.registry.updateDevice("a1", "lamp", { nickname: "灯" })).toMatchObject({ nickname: "灯", modifiedAt: 2_000 });
    await bench.registry.deleteDevice("a1", "lamp");
    expect(await bench.registry.findDevice("a1", "lamp")).toBeUndefined();
    expect(await bench.registry.findDeviceByIotId("id")).toBeUndefined();
    expect(bench.changes.map((change) => change.kind)).toEqual(["device.created", "device.disabled", "device.enabled", "device.deleted"]);
  });

  test("a listener that fails stops nobody", async () => {
    const heard: string[] = [];
    bench.registry.onChange(() => {
      throw new Error("broken");
    });
    bench.registry.onChange((change) => heard.push(change.kind));
    await bench.registry.createDevice("a1", {});
    expect(heard).toEqual(["device.created"]);
    expect(bench.reports.map((problem) => problem.code)).toEqual(["registry.listener_failed"]);
  });

  test.each([
    [0, 10],
    [1, 0],
    [1, 1_001],
    [1.5, 1],
    [1, Number.NaN],
  ])("refuses page %d of %d", async (page, pageSize) => {
    await expect(bench.registry.listDevices("a1", { page, pageSize })).rejects.toEqual(code("registry.invalid_page"));
    await expect(bench.registry.listProducts({ page, pageSize })).rejects.toEqual(code("registry.invalid_page"));
  });

  test("answers connects from memory, bounded, and forgets what changed", async () => {
    let reads = 0;
    const findDevice: RegistryStore["findDevice"] = (productKey, deviceName) => {
      reads++;
      return bench.store.registry.findDevice(productKey, deviceName);
    };
    bench.registry = bench.make({ devicesCachedMax: 2 }, { findDevice });
    await bench.registry.createDevices("a1", { devices: ["dev1", "dev2", "dev3"].map((deviceName) => ({ deviceName })) });
    await Promise.all([bench.registry.findDevice("a1", "dev1"), bench.registry.findDevice("a1", "dev1")]);
    await bench.registry.findDevice("a1", "dev1");
    expect(reads).toBe(1);
    await bench.registry.findDevice("a1", "dev2");
    await bench.registry.findDevice("a1", "dev1");
    await bench.registry.findDevice("a1", "dev3");
    await bench.registry.findDevice("a1", "dev1");
    expect(reads).toBe(3);
    await bench.registry.findDevice("a1", "dev2");
    expect(reads).toBe(4);
    await bench.registry.updateDevice("a1", "dev2", { nickname: "n" });
    expect(await bench.registry.findDevice("a1", "dev2")).toMatchObject({ nickname: "n" });
  });

  test("a read that crosses a change does not leave the old value in memory", async () => {
    await bench.registry.createDevice("a1", { deviceName: "lamp" });
    let letGo = () => {};
    let isFirst = true;
    const findDevice: RegistryStore["findDevice"] = async (productKey, deviceName) => {
      const row = await bench.store.registry.findDevice(productKey, deviceName);
      if (isFirst) {
        isFirst = false;
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
      }
      return row;
    };
    const slow = bench.make({}, { findDevice });
    const crossing = slow.findDevice("a1", "lamp");
    await settle();
    slow.markOnline("a1", "lamp", 7, "::1");
    await bench.clock.pass(200);
    letGo();
    expect(await crossing).toMatchObject({ status: "ONLINE", activatedAt: 7 });
    expect(await slow.findDevice("a1", "lamp")).toMatchObject({ status: "ONLINE", activatedAt: 7 });
  });
});
