/** What stores of topology, tags, groups and device tokens must do, whatever database is behind them. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeviceRow, Product } from "../../registry/index.ts";
import type { Store } from "../index.ts";

export function describeRegistryAdditions(name: string, open: () => Promise<Store>): void {
  describe(`${name} as store of what is around devices`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
      await store.registry.insertProduct(product, []);
      await store.registry.insertDevices(["gw1", "gw2", "a", "b", "c"].map(device));
    });
    afterEach(() => store.close());

    test("6.2 a sub-device is behind one gateway; adding it elsewhere moves it", async () => {
      const { topology } = store;
      expect(await topology.add(identity("gw1"), [identity("b"), identity("a")], 2, 1)).toEqual({ kind: "ok", moved: [] });
      expect(await topology.list(names("gw1"), { page: 1, pageSize: 1 })).toEqual({ rows: [identity("a")], total: 2 });
      expect(await topology.add(identity("gw1"), [identity("a"), identity("c")], 2, 1)).toEqual({ kind: "too_many", total: 3 });
      expect(await topology.gatewayOf(names("c"))).toBeUndefined();
      const moved = [{ gateway: identity("gw1"), device: identity("a") }];
      expect(await topology.add(identity("gw2"), [identity("a")], 2, 2)).toEqual({ kind: "ok", moved });
      expect(await topology.gatewayOf(names("a"))).toEqual(identity("gw2"));
      await topology.remove(identity("gw1"), [identity("a"), identity("b")]);
      expect(await topology.gatewayOf(names("a"))).toEqual(identity("gw2"));
      expect(await topology.gatewayOf(names("b"))).toBeUndefined();
    });

    test("a relation goes with either of its devices", async () => {
      await store.topology.add(identity("gw1"), [identity("a"), identity("b")], 9, 1);
      expect(await store.registry.deleteDevice("pk", "a")).toEqual({ gateway: identity("gw1") });
      expect((await store.topology.list(names("gw1"), { page: 1, pageSize: 9 })).rows).toEqual([identity("b")]);
      expect(await store.registry.deleteDevice("pk", "gw1")).toEqual({});
      expect(await store.topology.gatewayOf(names("b"))).toBeUndefined();
    });

    test("8.2 tags are added and replaced, and devices found by all of them", async () => {
      const { tags } = store;
      expect(await tags.setDeviceTags("pk", "a", { room: "1", floor: "2" }, 2)).toBe("ok");
      expect(await tags.setDeviceTags("pk", "a", { room: "3" }, 2)).toBe("ok");
      expect(await tags.setDeviceTags("pk", "a", { x: "1" }, 2)).toBe("too_many");
      expect(await tags.deviceTags("pk", "a")).toEqual({ floor: "2", room: "3" });
      await tags.setDeviceTags("pk", "b", { room: "3" }, 2);
      const page = { page: 1, pageSize: 10 };
      expect(await tags.devicesByTags({ room: "3" }, page)).toEqual({ rows: [identity("a"), identity("b")], total: 2 });
      expect((await tags.devicesByTags({ room: "3", floor: "2" }, page)).rows).toEqual([identity("a")]);
      expect(await tags.deleteDeviceTags("pk", "a", ["room", "nothing"])).toEqual(["room"]);
      expect((await tags.devicesByTags({ room: "3" }, page)).rows).toEqual([identity("b")]);
      expect(await tags.setProductTags("pk", { line: "A" }, 1)).toBe("ok");
      expect(await tags.setProductTags("pk", { other: "A" }, 1)).toBe("too_many");
      expect(await tags.productsByTags({ line: "A" }, page)).toEqual({ rows: ["pk"], total: 1 });
      await tags.deleteProductTags("pk", ["line"]);
      expect(await tags.productTags("pk")).toEqual({});
    });

    test("[AS 1.8.E] groups hold devices, groups and tags", async () => {
      const { groups } = store;
      const page = { page: 1, pageSize: 10 };
      const top = { groupId: "g1", name: "house", description: "", createdAt: 1 };
      const floor = { groupId: "g2", name: "floor", description: "", superGroupId: "g1", createdAt: 2 };
      expect(await groups.insert(top)).toBe("ok");
      expect(await groups.insert(floor)).toBe("ok");
      expect(await groups.insert({ ...top, groupId: "g3" })).toBe("duplicate_name");
      expect(await groups.insert({ ...top, name: "other" })).toBe("duplicate_id");
      expect(await groups.list(page, {})).toEqual({ rows: [top], total: 1 });
      expect(await groups.list(page, { superGroupId: "g1" })).toEqual({ rows: [floor], total: 1 });
      expect((await groups.list(page, { name: "floor" })).rows).toEqual([floor]);
      const limits = { devicesMax: 2, groupsMax: 1 };
      const outcome = { added: 1, alreadyThere: 1, inTooManyGroups: 0, unknown: 1 };
      expect(await groups.addDevices("g1", ["a", "a", "nobody"].map(names), limits)).toEqual(outcome);
      expect(await groups.addDevices("g2", [names("a")], limits)).toMatchObject({ inTooManyGroups: 1, added: 0 });
      expect(await groups.addDevices("g1", ["b", "c"].map(names), limits)).toBe("too_many");
      await store.registry.writeStatuses([{ productKey: "pk", deviceName: "a", isOnline: true, activatedAt: 5 }]);
      expect(await groups.counts("g1")).toEqual({ deviceCount: 1, activeCount: 1, onlineCount: 1 });
      expect(await groups.devices("g1", page)).toEqual({ rows: [identity("a")], total: 1 });
      expect(await groups.groupsOf(names("a"))).toEqual([top]);
      await groups.setTags("g1", { h1: "v" });
      await groups.setTags("g1", { h2: "v" });
      expect(await groups.tags("g1")).toEqual({ h2: "v" });
      expect((await groups.byTags({ h2: "v" }, page)).rows).toEqual([top]);
      expect(await groups.remove("g1")).toBe("has_groups");
      expect(await groups.removeDevices("g1", ["a", "b"].map(names))).toBe(1);
      expect([await groups.remove("g2"), await groups.remove("g1"), await groups.count()]).toEqual(["ok", "ok", 0]);
    });

    test("2.7 a certificate is one device's and goes with it", async () => {
      const { deviceCertificates } = store;
      const one = { ...names("a"), fingerprint: "f1", serialNumber: "01", certificate: "PEM", expiresAt: 9, createdAt: 1 };
      expect(await deviceCertificates.insert(one, 2)).toBe("ok");
      expect(await deviceCertificates.insert({ ...one, deviceName: "b" }, 2)).toBe("duplicate");
      expect(await deviceCertificates.insert({ ...one, fingerprint: "f2" }, 2)).toBe("ok");
      expect(await deviceCertificates.insert({ ...one, fingerprint: "f3" }, 2)).toBe("too_many");
      expect(await deviceCertificates.insert({ ...one, deviceName: "nobody" }, 2)).toBe("no_device");
      expect(await deviceCertificates.find("f1")).toEqual(one);
      expect(await deviceCertificates.remove("pk", "b", "f1")).toBe(false);
      expect(await deviceCertificates.remove("pk", "a", "f1")).toBe(true);
      expect((await deviceCertificates.list("pk", "a")).map(({ fingerprint }) => fingerprint)).toEqual(["f2"]);
      await store.registry.deleteDevice("pk", "a");
      expect(await deviceCertificates.find("f2")).toBeUndefined();
    });

    test("2.6 so many clients share a device's names, each with a token that is kept as a hash", async () => {
      const { deviceTokens } = store;
      const token = { ...names("a"), clientId: "c1", tokenHash: "h1", createdAt: 1 };
      expect(await deviceTokens.insert(token, 2)).toBe("ok");
      expect(await deviceTokens.insert({ ...token, clientId: "c2", tokenHash: "h2" }, 2)).toBe("ok");
      expect(await deviceTokens.insert({ ...token, clientId: "c3" }, 2)).toBe("too_many");
      expect(await deviceTokens.insert({ ...token, deviceName: "nobody" }, 2)).toBe("no_device");
      expect(await deviceTokens.find("pk", "a", "c2")).toBe("h2");
      expect(await deviceTokens.find("pk", "b", "c2")).toBeUndefined();
      expect(await deviceTokens.list("pk", "a")).toEqual([
        { clientId: "c1", createdAt: 1 },
        { clientId: "c2", createdAt: 1 },
      ]);
      await store.registry.resetDevice("pk", "a", 9);
      expect(await deviceTokens.list("pk", "a")).toEqual([]);
    });
  });
}

const names = (deviceName: string) => ({ productKey: "pk", deviceName });
const identity = (deviceName: string) => ({ ...names(deviceName), iotId: `iot-${deviceName}` });

const product: Product = {
  productKey: "pk",
  productSecret: "secret of pk",
  name: "p",
  description: "",
  nodeType: "gateway",
  topicStyle: "user",
  dataFormat: 1,
  authType: "secret",
  isRegistrationOpen: false,
  isSelfRegistrationOpen: false,
  createdAt: 1,
};

function device(deviceName: string): DeviceRow {
  return {
    ...identity(deviceName),
    deviceSecret: `secret of ${deviceName}`,
    nickname: "",
    isEnabled: true,
    isOnline: false,
    createdAt: 1,
    modifiedAt: 1,
  };
}
