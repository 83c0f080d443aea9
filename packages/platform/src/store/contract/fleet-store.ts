/** What a store of the fleet must do, whatever database is behind it; what may be done at all the fleet decides. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FleetCertificate, type FleetStore, type PolicyTarget, type ThingType, thingProductKey } from "../../fleet/index.ts";
import type { DeviceRow, Product } from "../../registry/index.ts";
import type { Store } from "../index.ts";

export function describeFleetStore(name: string, open: () => Promise<Store>): void {
  describe(`${name} as store of the fleet`, () => {
    let store: Store;
    let fleet: FleetStore;
    beforeEach(async () => {
      store = await open();
      fleet = store.fleet;
      for (const key of [thingProductKey, "other"]) await store.registry.insertProduct(product(key), []);
      await store.registry.insertDevices([...["a", "b", "c"].map((one) => device(thingProductKey, one)), device("other", "a")]);
    });
    afterEach(() => store.close());

    const certificate = { kind: "certificate", id: "c1" } as const;
    const type = "NON_EXCLUSIVE_THING";

    test("a thing without content is one of version 1", async () => {
      expect(await fleet.things.find("a")).toEqual({
        name: "a",
        id: "aws/a",
        attributes: {},
        version: 1,
        createdAt: 1,
        hasContent: false,
      });
      expect(await fleet.things.find("d")).toBeUndefined();
      expect(await fleet.things.write("d", { attributes: {}, version: 1 })).toBe(false);
    });

    test("content is written whole, and goes with the device", async () => {
      await fleet.types.insert(thingType("t"));
      expect(await fleet.things.write("a", { attributes: { x: "1" }, version: 1, typeName: "t", billingGroupName: "g" })).toBe(true);
      expect(await fleet.things.find("a")).toMatchObject({ typeName: "t", billingGroupName: "g", hasContent: true });
      await fleet.things.write("a", { attributes: { y: "2" }, version: 2 });
      expect(await fleet.things.find("a")).toEqual({
        name: "a",
        id: "aws/a",
        attributes: { y: "2" },
        version: 2,
        createdAt: 1,
        hasContent: true,
      });
      const byX = { attribute: { name: "x", value: "1" } };
      const byY = { attribute: { name: "y", value: "2" } };
      expect(await fleet.things.list(byX, { size: 9 })).toEqual([]);
      expect(await fleet.things.list(byY, { size: 9 })).toMatchObject([{ name: "a", version: 2 }]);
      await fleet.things.attach("a", { principal: certificate, type });
      await fleet.groups.insert(group("g"));
      await fleet.groups.addThing("g", "a", "m1");
      await store.registry.deleteDevice(thingProductKey, "a");
      await store.registry.insertDevices([device(thingProductKey, "a")]);
      expect(await fleet.things.find("a")).toMatchObject({ version: 1, hasContent: false });
      expect(await fleet.things.list(byY, { size: 9 })).toEqual([]);
      expect(await fleet.things.ofPrincipal(certificate, { size: 9 })).toEqual([]);
      expect(await fleet.groups.things("g", { size: 9 }, false)).toEqual([]);
    });

    test("things are listed by name, or by a value and a name", async () => {
      await fleet.types.insert(thingType("t"));
      await fleet.things.write("a", { attributes: { k: "v2" }, version: 1 });
      await fleet.things.write("b", { attributes: { k: "v1" }, version: 1, typeName: "t" });
      const list = async (...given: Parameters<typeof fleet.things.list>) =>
        (await fleet.things.list(...given)).map((thing) => thing.name).join("");
      expect(await list({}, { size: 9 })).toBe("abc");
      expect(await list({}, { size: 1, after: { name: "a" } })).toBe("b");
      expect(await list({ typeName: "t" }, { size: 9 })).toBe("b");
      expect(await list({ typeName: "t" }, { size: 9, after: { name: "b" } })).toBe("");
      const byPrefix = { attribute: { name: "k", value: "v", isPrefix: true } };
      expect(await list(byPrefix, { size: 9 })).toBe("ba");
      expect(await list(byPrefix, { size: 9, after: { value: "v1", name: "b" } })).toBe("a");
      expect(await list({ ...byPrefix, typeName: "t" }, { size: 9 })).toBe("b");
      expect(await list({ attribute: { name: "k", value: "v_", isPrefix: true } }, { size: 9 })).toBe("");
    });

    test("a device of another product with the same name is no thing", async () => {
      await store.registry.deleteDevice(thingProductKey, "a");
      expect(await fleet.things.find("a")).toBeUndefined();
      expect(await fleet.things.attach("a", { principal: certificate, type })).toBe(false);
      await fleet.groups.insert(group("g"));
      expect(await fleet.groups.addThing("g", "a", "m")).toBe(false);
    });

    test("attachments are found from both sides; the same again changes their kind", async () => {
      await fleet.things.attach("a", { principal: certificate, type });
      await fleet.things.attach("a", { principal: certificate, type: "EXCLUSIVE_THING" });
      expect(await fleet.things.attachment("a", certificate)).toBe("EXCLUSIVE_THING");
      expect(await fleet.things.principals("a", { size: 9 }, type)).toEqual([]);
      expect(await fleet.things.principals("a", { size: 9 })).toEqual([{ principal: certificate, type: "EXCLUSIVE_THING" }]);
      expect(await fleet.things.principals("a", { size: 9, after: certificate })).toEqual([]);
      expect(await fleet.things.ofPrincipal({ kind: "identity", id: "c1" }, { size: 9 })).toEqual([]);
      expect(await fleet.things.detach("a", certificate)).toBe(true);
      expect(await fleet.things.detach("a", certificate)).toBe(false);
      expect(await fleet.things.attachment("a", certificate)).toBeUndefined();
    });

    test("a type is not removed from under its things", async () => {
      expect(await fleet.types.insert(thingType("t"))).toBe(true);
      expect(await fleet.types.insert(thingType("t"))).toBe(false);
      await fleet.things.write("a", { attributes: {}, version: 1, typeName: "t" });
      expect(await fleet.types.remove("t")).toBe("in_use");
      await fleet.things.write("a", { attributes: {}, version: 2 });
      await fleet.types.update({ ...thingType("t"), deprecatedAt: 5 });
      expect(await fleet.types.find("t")).toEqual({ ...thingType("t"), deprecatedAt: 5 });
      expect(await fleet.types.list({ size: 9, after: "t" })).toEqual([]);
      expect(await fleet.types.remove("t")).toBe("ok");
    });

    test("groups: a tree, and what becomes of what hangs on it", async () => {
      await fleet.groups.insert(group("g"));
      await fleet.groups.insert({ ...group("h"), parentName: "g" });
      expect(await fleet.groups.insert(group("h"))).toBe(false);
      expect((await fleet.groups.find("h"))?.ancestors).toEqual([{ name: "g", id: "id-g" }]);
      expect(await fleet.groups.countChildren("g")).toBe(1);
      expect(await fleet.groups.remove("g")).toBe("has_children");
      expect(await fleet.groups.addThing("h", "a", "m1")).toBe(true);
      expect(await fleet.groups.addThing("h", "a", "m2")).toBe(false);
      expect(await fleet.groups.things("g", { size: 9 }, true)).toEqual(["a"]);
      expect(await fleet.groups.removeThing("h", "a")).toBe("m1");
      expect(await fleet.groups.removeThing("h", "a")).toBeUndefined();
      await fleet.policies.insert(policy("p"));
      await fleet.policies.attach("p", { kind: "group", name: "h" });
      expect(await fleet.groups.remove("h")).toBe("ok");
      expect(await fleet.policies.ofTarget({ kind: "group", name: "h" }, { size: 9 }, false)).toEqual([]);
    });

    test("a certificate takes its attachments along", async () => {
      expect(await fleet.certificates.insert(stored("c1", 1))).toBe(true);
      expect(await fleet.certificates.insert(stored("c1", 2))).toBe(false);
      expect(await fleet.certificates.isAttached("c1")).toBe(false);
      await fleet.things.attach("a", { principal: certificate, type });
      expect(await fleet.certificates.isAttached("c1")).toBe(true);
      await fleet.certificates.setStatus("c1", "REVOKED", 7);
      expect(await fleet.certificates.find("c1")).toEqual({ ...stored("c1", 1), status: "REVOKED", modifiedAt: 7 });
      await fleet.certificates.remove("c1");
      expect(await fleet.things.principals("a", { size: 9 })).toEqual([]);
      expect(await fleet.certificates.find("c1")).toBeUndefined();
    });

    test("certificates are listed by time, then id, both ways", async () => {
      for (const [id, time] of [
        ["x", 1],
        ["z", 2],
        ["y", 2],
      ] as const)
        await fleet.certificates.insert({ ...stored(id, time), caId: "ca" });
      const list = async (isAscending: boolean, after?: { time: number; id: string }) => {
        const slice = { size: 9, isAscending, ...(after !== undefined && { after }) };
        return (await fleet.certificates.list(slice, { caId: "ca" })).map(({ id }) => id).join("");
      };
      expect(await list(true)).toBe("xyz");
      expect(await list(false)).toBe("zyx");
      expect(await list(true, { time: 2, id: "y" })).toBe("z");
      expect(await list(false, { time: 2, id: "y" })).toBe("x");
      expect(await fleet.certificates.list({ size: 9, isAscending: true }, { caId: "nobody" })).toEqual([]);
    });

    test("CAs are found by id, subject and template", async () => {
      const authority = {
        id: "ca",
        status: "ACTIVE",
        pem: "pem",
        isAutoRegistering: true,
        mode: "DEFAULT",
        registration: { templateName: "t" },
        notBefore: 1,
        notAfter: 2,
        createdAt: 3,
        modifiedAt: 4,
      } as const;
      expect(await fleet.authorities.insert({ ...authority, subject: "s" })).toBe(true);
      expect(await fleet.authorities.insert({ ...authority, subject: "s" })).toBe(false);
      expect(await fleet.authorities.withSubject("s")).toEqual([authority]);
      const slice = { size: 9, isAscending: true };
      expect(await fleet.authorities.list(slice, { templateName: "t" })).toEqual([authority]);
      const { registration: _, ...bare } = authority;
      await fleet.authorities.update({ ...bare, status: "INACTIVE", isAutoRegistering: false, modifiedAt: 9 });
      expect(await fleet.authorities.find("ca")).toEqual({ ...bare, status: "INACTIVE", isAutoRegistering: false, modifiedAt: 9 });
      expect(await fleet.authorities.list(slice, { templateName: "t" })).toEqual([]);
      await fleet.authorities.remove("ca");
      expect(await fleet.authorities.withSubject("s")).toEqual([]);
    });

    test("versions of a policy are numbered once", async () => {
      expect(await fleet.policies.insert(policy("p"))).toBe(true);
      expect(await fleet.policies.insert(policy("p"))).toBe(false);
      expect(await fleet.policies.insertVersion("p", { document: "2", isDefault: true, createdAt: 2 })).toMatchObject({ versionId: "2" });
      await fleet.policies.removeVersion("p", "1");
      expect(await fleet.policies.insertVersion("p", { document: "3", isDefault: false, createdAt: 3 })).toMatchObject({ versionId: "3" });
      expect((await fleet.policies.versions("p")).map(({ versionId, isDefault }) => [versionId, isDefault])).toEqual([
        ["3", false],
        ["2", true],
      ]);
      await fleet.policies.setDefaultVersion("p", "3", 9);
      expect(await fleet.policies.find("p")).toMatchObject({ defaultVersionId: "3", document: "3", modifiedAt: 9, createdAt: 1 });
      await fleet.policies.remove("p");
      expect(await fleet.policies.versions("p")).toEqual([]);
    });

    test("policies of a certificate: its own, of its things' groups and of those above", async () => {
      for (const one of ["own", "above", "direct", "unrelated"]) await fleet.policies.insert(policy(one));
      await fleet.groups.insert(group("g"));
      await fleet.groups.insert({ ...group("h"), parentName: "g" });
      await fleet.groups.insert(group("elsewhere"));
      const attachments: [string, PolicyTarget][] = [
        ["own", certificate],
        ["own", { kind: "group", name: "h" }],
        ["above", { kind: "group", name: "g" }],
        ["direct", { kind: "group", name: "h" }],
        ["unrelated", { kind: "group", name: "elsewhere" }],
        ["unrelated", { kind: "identity", id: "c1" }],
      ];
      for (const [one, target] of attachments) expect(await fleet.policies.attach(one, target)).toBe(true);
      expect(await fleet.policies.attach("own", certificate)).toBe(false);
      const names = async () => (await fleet.policies.ofCertificate("c1")).map((one) => one.name);
      expect(await names()).toEqual(["own"]);
      await fleet.things.attach("a", { principal: certificate, type });
      await fleet.groups.addThing("h", "a", "m");
      expect(await names()).toEqual(["above", "direct", "own"]);
      expect(
        (await fleet.policies.ofTarget({ kind: "group", name: "h" }, { size: 9, after: "direct" }, false)).map((one) => one.name),
      ).toEqual(["own"]);
      expect(await fleet.policies.targets("own", { size: 9, after: { kind: "certificate", id: "c1" } })).toEqual([
        { kind: "group", name: "h" },
      ]);
      expect(await fleet.policies.detach("own", certificate)).toBe(true);
      expect(await fleet.policies.detach("own", certificate)).toBe(false);
    });

    test("records and tags", async () => {
      await fleet.records.put("f", "a", "1");
      await fleet.records.put("f", "a", "2");
      expect(await fleet.records.insert("f", "a", "3")).toBe(false);
      expect(await fleet.records.insert("e", "a", "3")).toBe(true);
      expect(await fleet.records.count("f")).toBe(1);
      expect(await fleet.records.list("f", { size: 9 })).toEqual([{ name: "a", value: "2" }]);
      expect(await fleet.records.list("f", { size: 9, after: "a" })).toEqual([]);
      expect(await fleet.records.remove("f", "a")).toBe(true);
      expect(await fleet.records.find("f", "a")).toBeUndefined();
      expect(await fleet.resourceTags.set("arn", { a: "1", b: "2" }, 2)).toBe("ok");
      expect(await fleet.resourceTags.set("arn", { a: "9", c: "3" }, 2)).toBe("too_many");
      await fleet.resourceTags.remove("arn", []);
      expect(await fleet.resourceTags.of("arn")).toEqual({ a: "1", b: "2" });
    });
  });
}

function product(productKey: string): Product {
  return {
    productKey,
    productSecret: "s",
    name: productKey,
    description: "",
    nodeType: "device",
    topicStyle: "none",
    dataFormat: 1,
    authType: "x509",
    isRegistrationOpen: false,
    isSelfRegistrationOpen: false,
    createdAt: 1,
  };
}

function device(productKey: string, deviceName: string): DeviceRow {
  return {
    iotId: `${productKey}/${deviceName}`,
    productKey,
    deviceName,
    deviceSecret: "s",
    nickname: "",
    isEnabled: true,
    isOnline: false,
    createdAt: 1,
    modifiedAt: 1,
  };
}

function thingType(name: string): ThingType {
  const propagatingAttributes = [{ userPropertyKey: "k", thingAttribute: "a" }];
  return { name, id: `id-${name}`, description: "d", searchableAttributes: ["a"], propagatingAttributes, createdAt: 1 };
}

function group(name: string) {
  return { name, id: `id-${name}`, description: "d", attributes: { a: "1" }, version: 1, createdAt: 1 };
}

function policy(name: string) {
  return { name, document: "1", defaultVersionId: "1", createdAt: 1, modifiedAt: 1 };
}

function stored(id: string, createdAt: number): FleetCertificate {
  return { id, status: "ACTIVE", pem: "pem", mode: "DEFAULT", notBefore: 1, notAfter: 2, createdAt, modifiedAt: createdAt };
}
