/** What every RegistryStore must do, whatever database is behind it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeviceRow, Product, RegistryStore } from "../../registry/index.ts";

export function describeRegistryStore(name: string, open: () => Promise<{ store: RegistryStore; close(): Promise<void> }>): void {
  describe(`${name} as RegistryStore`, () => {
    let store: RegistryStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, close } = await open());
      await store.insertProduct(product("a1"), [topicClass("a1", "update"), topicClass("a1", "get")]);
    });
    afterEach(() => close());

    test("gives a product back as it was put in, with its classes in order", async () => {
      expect(await store.findProduct("a1")).toEqual(product("a1"));
      expect(await store.findProduct("A1")).toBeUndefined();
      expect((await store.listTopicClasses("a1")).map((row) => row.template)).toEqual([
        "/${productKey}/${deviceName}/update",
        "/${productKey}/${deviceName}/get",
      ]);
    });

    test("tells a taken key from a taken name, and keeps nothing of the refused", async () => {
      expect(await store.insertProduct({ ...product("a1"), name: "other" }, [])).toBe("duplicate_key");
      expect(await store.insertProduct({ ...product("b1"), name: "product a1" }, [topicClass("b1", "x")])).toBe("duplicate_name");
      expect(await store.findProduct("b1")).toBeUndefined();
      expect(await store.listTopicClasses("b1")).toEqual([]);
    });

    test("updates a product; its own name is not a duplicate", async () => {
      await store.insertProduct(product("b1"), []);
      expect(await store.updateProduct("b1", { name: "product a1" })).toBe("duplicate_name");
      expect(
        await store.updateProduct("b1", {
          name: "product b1",
          description: "new",
          isRegistrationOpen: false,
          isSelfRegistrationOpen: true,
        }),
      ).toBe("ok");
      expect(await store.updateProduct("b1", {})).toBe("ok");
      expect(await store.findProduct("b1")).toEqual({
        ...product("b1"),
        description: "new",
        isRegistrationOpen: false,
        isSelfRegistrationOpen: true,
      });
    });

    test("[2.5] replaces the secret of a device until it is activated, and from its reset on", async () => {
      await store.insertDevices([device("a1", "one")]);
      expect(await store.replaceSecret("a1", "one", "second", 5)).toBe(true);
      expect(await store.findDevice("a1", "one")).toMatchObject({ deviceSecret: "second", modifiedAt: 5 });
      await store.writeStatuses([{ productKey: "a1", deviceName: "one", isOnline: false, activatedAt: 6 }]);
      expect(await store.replaceSecret("a1", "one", "third", 7)).toBe(false);
      await store.resetDevice("a1", "one", 8);
      expect((await store.findDevice("a1", "one"))?.activatedAt).toBeUndefined();
      expect(await store.replaceSecret("a1", "one", "third", 9)).toBe(true);
      expect(await store.replaceSecret("a1", "nobody", "third", 9)).toBe(false);
    });

    test("lists products newest first with their device counts", async () => {
      await store.insertProduct({ ...product("b1"), createdAt: 5 }, []);
      await store.insertProduct({ ...product("c1"), createdAt: 9 }, []);
      await store.insertDevices([device("a1", "one"), device("a1", "two"), device("b1", "one")]);
      const { rows, total } = await store.listProducts({ page: 1, pageSize: 2 });
      expect(total).toBe(3);
      expect(rows.map((row) => [row.productKey, row.deviceCount])).toEqual([
        ["c1", 0],
        ["b1", 1],
      ]);
      expect((await store.listProducts({ page: 2, pageSize: 2 })).rows.map((row) => row.productKey)).toEqual(["a1"]);
    });

    test("lists the products of one data format", async () => {
      const { dataFormat } = product("a1");
      const other = dataFormat === 1 ? 0 : 1;
      await store.insertProduct({ ...product("b1"), dataFormat: other }, []);
      const found = await store.listProducts({ page: 1, pageSize: 10 }, { dataFormat: other });
      expect([found.rows.map((row) => row.productKey), found.total]).toEqual([["b1"], 1]);
      expect((await store.listProducts({ page: 1, pageSize: 10 }, {})).total).toBe(2);
    });

    test("deletes a product with its classes, and refuses while it has devices", async () => {
      await store.insertDevices([device("a1", "one")]);
      await expect(store.deleteProduct("a1")).rejects.toMatchObject({ code: "registry.product_has_devices" });
      expect(await store.listTopicClasses("a1")).toHaveLength(2);
      await store.deleteDevice("a1", "one");
      await store.deleteProduct("a1");
      expect(await store.findProduct("a1")).toBeUndefined();
      expect(await store.listTopicClasses("a1")).toEqual([]);
    });

    test("finds a device by its names and by its iotId", async () => {
      const full = { ...device("a1", "one"), activatedAt: 3, lastOnlineAt: 4, lastOfflineAt: 5, remoteAddress: "::1", nickname: "灯" };
      await store.insertDevices([full, device("a1", "two")]);
      expect(await store.findDevice("a1", "one")).toEqual(full);
      expect(await store.findDeviceByIotId("iot-a1-two")).toEqual(device("a1", "two"));
      expect(await store.findDevice("a1", "ONE")).toBeUndefined();
    });

    test("inserts all devices of a batch or none, and names the first duplicate", async () => {
      await store.insertDevices([device("a1", "old")]);
      const many = Array.from({ length: 1_200 }, (_, index) => device("a1", `d${index}`));
      expect(await store.insertDevices([...many, device("a1", "old"), device("a1", "d7")])).toEqual({
        kind: "duplicate",
        deviceName: "old",
      });
      expect(await store.countDevices("a1")).toBe(1);
      expect(await store.insertDevices([device("a1", "x"), { ...device("a1", "x"), iotId: "other" }])).toEqual({
        kind: "duplicate",
        deviceName: "x",
      });
      expect(await store.insertDevices([{ ...device("a1", "y"), iotId: "iot-a1-old" }])).toEqual({ kind: "duplicate", deviceName: "y" });
      expect(await store.insertDevices(many)).toEqual({ kind: "ok" });
      expect(await store.countDevices("a1")).toBe(1_201);
    });

    test("nobody sees a batch before all of it is there", async () => {
      const many = Array.from({ length: 1_200 }, (_, index) => device("a1", `d${index}`));
      const [outcome, found, count] = await Promise.all([
        store.insertDevices([...many, device("a1", "d7")]),
        store.findDevice("a1", "d0"),
        store.countDevices("a1"),
      ]);
      expect(outcome).toEqual({ kind: "duplicate", deviceName: "d7" });
      expect([found, count]).toEqual([undefined, 0]);
    });

    test("refuses devices and classes of a product that is gone, by code", async () => {
      await expect(store.insertDevices([device("none", "one")])).rejects.toMatchObject({ code: "registry.product_not_found" });
      await expect(store.insertTopicClass(topicClass("none", "x"))).rejects.toMatchObject({ code: "registry.product_not_found" });
    });

    test("lists devices by product, status and literal name prefix, in the order of names", async () => {
      await store.insertProduct(product("b1"), []);
      await store.insertDevices([
        device("a1", "lamp_1"),
        device("a1", "lampX1"),
        { ...device("a1", "lamp_2"), isOnline: true, activatedAt: 1 },
        { ...device("a1", "lamp_3"), activatedAt: 1 },
        { ...device("a1", "lamp_4"), isOnline: true, activatedAt: 1, isEnabled: false },
        { ...device("b1", "lamp_5"), isOnline: true, activatedAt: 1 },
      ]);
      const names = async (productKey: string | undefined, filter: Parameters<RegistryStore["listDevices"]>[2]) =>
        (await store.listDevices(productKey, { page: 1, pageSize: 10 }, filter)).rows.map((row) => row.deviceName);
      expect(await names("a1", { namePrefix: "lamp_" })).toEqual(["lamp_1", "lamp_2", "lamp_3", "lamp_4"]);
      expect(await names("a1", { status: "UNACTIVE" })).toEqual(["lampX1", "lamp_1"]);
      expect(await names("a1", { status: "OFFLINE" })).toEqual(["lamp_3"]);
      expect(await names("a1", { status: "DISABLE", namePrefix: "lamp" })).toEqual(["lamp_4"]);
      expect(await names(undefined, { status: "ONLINE" })).toEqual(["lamp_2", "lamp_5"]);
      expect(await store.listDevices("a1", { page: 2, pageSize: 2 }, { namePrefix: "lamp_" })).toMatchObject({ total: 4 });
    });

    test("updates and deletes a device without touching others", async () => {
      await store.insertDevices([device("a1", "one"), device("a1", "two")]);
      await store.updateDevice("a1", "one", { nickname: "n", isEnabled: false, modifiedAt: 9 });
      await store.updateDevice("a1", "one", { modifiedAt: 10 });
      expect(await store.findDevice("a1", "one")).toEqual({ ...device("a1", "one"), nickname: "n", isEnabled: false, modifiedAt: 10 });
      await store.deleteDevice("a1", "one");
      expect(await store.findDevice("a1", "one")).toBeUndefined();
      expect(await store.findDevice("a1", "two")).toEqual(device("a1", "two"));
    });

    test("writes states; the first activation stays, absent values keep what is stored", async () => {
      await store.insertDevices([device("a1", "one")]);
      const names = { productKey: "a1", deviceName: "one" };
      await store.writeStatuses([{ ...names, isOnline: true, activatedAt: 5, lastOnlineAt: 5, remoteAddress: "10.0.0.1" }]);
      await store.writeStatuses([
        { ...names, isOnline: false, lastOfflineAt: 7 },
        { ...names, deviceName: "gone", isOnline: true },
      ]);
      await store.writeStatuses([{ ...names, isOnline: true, activatedAt: 8, lastOnlineAt: 8 }]);
      expect(await store.findDevice("a1", "one")).toEqual({
        ...device("a1", "one"),
        isOnline: true,
        activatedAt: 5,
        lastOnlineAt: 8,
        lastOfflineAt: 7,
        remoteAddress: "10.0.0.1",
      });
    });

    test("writes the states of many devices, each of them its own", async () => {
      const names = Array.from({ length: 123 }, (_, index) => `device${index}`);
      await store.insertDevices(names.map((name) => device("a1", name)));
      await store.writeStatuses(
        names.map((deviceName, index) => ({ productKey: "a1", deviceName, isOnline: index % 2 === 1, activatedAt: 1_000 + index })),
      );
      for (const [index, name] of names.entries()) {
        expect(await store.findDevice("a1", name)).toEqual({
          ...device("a1", name),
          isOnline: index % 2 === 1,
          activatedAt: 1_000 + index,
        });
      }
    });

    test("marks everybody offline and says how many that were", async () => {
      await store.insertDevices([{ ...device("a1", "one"), isOnline: true, activatedAt: 1 }, device("a1", "two")]);
      expect(await store.markAllOffline(20)).toBe(1);
      expect(await store.findDevice("a1", "one")).toMatchObject({ isOnline: false, lastOfflineAt: 20 });
      expect(await store.findDevice("a1", "two")).toEqual(device("a1", "two"));
      expect(await store.markAllOffline(21)).toBe(0);
    });

    test("keeps topic classes apart by product, refuses a duplicate, never uses an id twice", async () => {
      await store.insertProduct(product("b1"), []);
      expect(await store.insertTopicClass(topicClass("a1", "update"))).toBe("duplicate");
      const added = await store.insertTopicClass(topicClass("b1", "update"));
      if (added === "duplicate") throw new Error("classes of two products got in each other's way");
      expect(await store.findTopicClass(added.id)).toEqual({ ...topicClass("b1", "update"), id: added.id });
      await store.deleteTopicClass(added.id);
      expect(await store.findTopicClass(added.id)).toBeUndefined();
      expect(await store.insertTopicClass(topicClass("b1", "update"))).not.toMatchObject({ id: added.id });
    });
  });
}

function product(productKey: string): Product {
  return {
    productKey,
    productSecret: `secret of ${productKey}`,
    name: `product ${productKey}`,
    description: "",
    nodeType: "gateway",
    topicStyle: "legacy",
    dataFormat: 0,
    authType: "x509",
    isRegistrationOpen: true,
    isSelfRegistrationOpen: false,
    createdAt: 1,
  };
}

function device(productKey: string, deviceName: string): DeviceRow {
  return {
    iotId: `iot-${productKey}-${deviceName}`,
    productKey,
    deviceName,
    deviceSecret: `secret of ${deviceName}`,
    nickname: "",
    isEnabled: true,
    isOnline: false,
    createdAt: 1,
    modifiedAt: 2,
  };
}

function topicClass(productKey: string, suffix: string) {
  return { productKey, template: `/\${productKey}/\${deviceName}/${suffix}`, operation: "ALL" as const, description: "d", createdAt: 1 };
}
