import { beforeEach, describe, expect, test } from "vitest";
import type { PrincipalType } from "./index.ts";
import { pems, refusal, useBench } from "./testing/bench.ts";

const bench = useBench();
const kinds = () => bench.changes.map(({ kind }) => kind);

describe("AW 4 things", () => {
  test("a thing is a device, with a UUID as its id", async () => {
    const thing = await bench.fleet.things.create({ name: "lamp:1", attributes: { room: "kitchen" } });
    expect(thing).toMatchObject({ name: "lamp:1", version: 1, attributes: { room: "kitchen" }, createdAt: 1_000 });
    expect(thing.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await bench.registry.getDevice("aws", "lamp:1")).toMatchObject({ iotId: thing.id });
    expect(await bench.fleet.things.get("lamp:1")).toEqual(thing);
    expect(bench.changes).toEqual([{ kind: "thing.created", thing }]);
  });

  test.each(["", "a b", "a/b", "ü", "x".repeat(129), "a.b"])("refuses the name %j", async (name) => {
    expect(await refusal(bench.fleet.things.create({ name }))).toBe("fleet.invalid_name");
  });

  test("a name of 128 characters is one", async () => {
    expect(await bench.fleet.things.create({ name: "x".repeat(128) })).toMatchObject({ version: 1 });
    expect(await refusal(bench.registry.createDevice("aws", { deviceName: "a.b" }))).toBe("registry.invalid_device_name");
  });

  test("created again: the same answers the same, other content is refused", async () => {
    const wish = { name: "a", attributes: { x: "1", y: "2" }, billingGroupName: "b" };
    const thing = await bench.fleet.things.create(wish);
    expect(await bench.fleet.things.create({ ...wish, attributes: { y: "2", x: "1" } })).toEqual(thing);
    const error = bench.fleet.things.create({ name: "a" }).catch((cause: unknown) => cause);
    expect(await error).toMatchObject({ code: "fleet.thing_exists", details: { resourceId: thing.id } });
    expect(kinds()).toEqual(["thing.created"]);
  });

  test("a device made and deleted through the registry is a thing", async () => {
    const { iotId } = await bench.registry.createDevice("aws", { deviceName: "a" });
    expect(iotId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await bench.fleet.things.get("a")).toEqual({ name: "a", id: iotId, attributes: {}, version: 1, createdAt: 1_000 });
    // It has no content yet: whoever creates it gives it some.
    expect(await bench.fleet.things.create({ name: "a", attributes: { x: "1" } })).toMatchObject({ id: iotId, attributes: { x: "1" } });
    await bench.registry.deleteDevice("aws", "a");
    expect(await bench.fleet.things.find("a")).toBeUndefined();
    expect(kinds()).toEqual(["thing.created", "thing.updated", "thing.deleted", "permissions"]);
    expect(await bench.fleet.things.create({ name: "a" })).toMatchObject({ attributes: {} });
  });

  test("devices of other products are none", async () => {
    await bench.registry.createProduct({ name: "p", productKey: "a1" });
    await bench.registry.createDevice("a1", { deviceName: "lamp" });
    expect(await bench.fleet.things.find("lamp")).toBeUndefined();
    expect(kinds()).toEqual([]);
    expect((await bench.fleet.things.list({})).items).toEqual([]);
  });

  test("the product is made again when somebody deleted it", async () => {
    await bench.registry.deleteProduct("aws");
    expect(await bench.fleet.things.create({ name: "a" })).toMatchObject({ version: 1 });
    expect(await bench.registry.getProduct("aws")).toMatchObject({ name: "AWS IoT", authType: "x509", topicStyle: "none" });
  });

  test("attributes are replaced or merged; an empty value removes a key; the version grows", async () => {
    const { things } = bench.fleet;
    await things.create({ name: "a", attributes: { x: "1", y: "2" } });
    expect(await things.update("a", { attributes: { attributes: { y: "3", z: "4" }, merge: true } })).toMatchObject({
      attributes: { x: "1", y: "3", z: "4" },
      version: 2,
    });
    expect((await things.update("a", { attributes: { attributes: { x: "" }, merge: true } })).attributes).toEqual({ y: "3", z: "4" });
    expect((await things.update("a", { attributes: { attributes: { q: "5", r: "" } } })).attributes).toEqual({ q: "5" });
    expect(await things.update("a", { attributes: { attributes: {} } })).toMatchObject({ attributes: {}, version: 5 });
    expect(await things.update("a", {})).toMatchObject({ attributes: {}, version: 6 });
  });

  test.each([
    ["a key", { "a b": "1" }],
    ["a value", { a: "x y" }],
    ["a long key", { ["k".repeat(129)]: "1" }],
    ["a long value", { a: "v".repeat(801) }],
    ["a fourth attribute without a type", { a: "1", b: "2", c: "3", d: "4" }],
  ])("refuses %s", async (_, attributes) => {
    expect(await refusal(bench.fleet.things.create({ name: "a", attributes }))).toBe("fleet.invalid_attributes");
  });

  test("`__proto__` is a key like others", async () => {
    await bench.fleet.things.create({ name: "a", attributes: JSON.parse('{"__proto__":"1"}') as Record<string, string> });
    expect(Object.entries((await bench.fleet.things.get("a")).attributes)).toEqual([["__proto__", "1"]]);
  });

  test("with a type there may be 50 attributes, and without it again only 3", async () => {
    const { things, types } = bench.fleet;
    await types.create({ name: "t" });
    const attributes = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, "v"]));
    expect((await things.create({ name: "a", typeName: "t", attributes })).typeName).toBe("t");
    expect(await refusal(things.create({ name: "b", typeName: "t", attributes: { ...attributes, more: "1" } }))).toBe(
      "fleet.invalid_attributes",
    );
    expect(await refusal(things.update("a", { removesType: true }))).toBe("fleet.invalid_attributes");
    expect(await things.update("a", { removesType: true, attributes: { attributes: { k0: "v" } } })).not.toHaveProperty("typeName");
    expect(kinds()).toEqual(["type.created", "thing.created", "thing.type_added", "thing.updated", "thing.type_removed"]);
  });

  test("unknown and deprecated types are refused", async () => {
    const { things, types } = bench.fleet;
    expect(await refusal(things.create({ name: "a", typeName: "t" }))).toBe("fleet.type_not_found");
    await types.create({ name: "t" });
    await types.setDeprecated("t", true);
    expect(await refusal(things.create({ name: "a", typeName: "t" }))).toBe("fleet.type_deprecated");
  });

  test("an expected version is compared", async () => {
    const { things } = bench.fleet;
    await things.create({ name: "a" });
    expect(await refusal(things.update("a", { expectedVersion: 2 }))).toBe("fleet.version_conflict");
    await things.update("a", { expectedVersion: 1 });
    expect(await refusal(things.delete("a", 1))).toBe("fleet.version_conflict");
    await things.delete("a", 2);
    expect(await refusal(things.get("a"))).toBe("fleet.thing_not_found");
    expect(bench.changes.at(-1)).toMatchObject({ kind: "thing.deleted", thing: { name: "a", version: 2 } });
  });

  test("is not deleted while it has principals", async () => {
    const { things, certificates } = bench.fleet;
    const { id } = await certificates.register(pems.p256, { status: "ACTIVE", isCaRequired: false });
    await things.create({ name: "a" });
    await things.attachPrincipal("a", { kind: "certificate", id });
    expect(await refusal(things.delete("a"))).toBe("fleet.thing_has_principals");
    await things.detachPrincipal("a", { kind: "certificate", id });
    await things.detachPrincipal("a", { kind: "certificate", id });
    await things.delete("a");
  });
});

describe("lists", () => {
  const names = async (...list: Parameters<typeof bench.fleet.things.list>) => {
    const { items, nextToken } = await bench.fleet.things.list(...list);
    return { names: items.map(({ name }) => name), nextToken };
  };

  beforeEach(async () => {
    const { things, types } = bench.fleet;
    await types.create({ name: "lamp" });
    await things.create({ name: "c", typeName: "lamp", attributes: { room: "kitchen" } });
    await things.create({ name: "a", attributes: { room: "kitchen" } });
    await things.create({ name: "b", typeName: "lamp", attributes: { room: "hall", floor: "1" } });
    await bench.registry.createDevice("aws", { deviceName: "bare" });
  });

  test("page by name until there are no more", async () => {
    const first = await names({ maxResults: 3 });
    expect(first.names).toEqual(["a", "b", "bare"]);
    expect(await names({ maxResults: 3, nextToken: first.nextToken ?? "" })).toEqual({ names: ["c"], nextToken: undefined });
    expect((await names({ maxResults: 4 })).nextToken).toBeUndefined();
  });

  test.each([
    [{ typeName: "lamp" }, ["b", "c"]],
    [{ attributeName: "room", attributeValue: "kitchen" }, ["a", "c"]],
    [{ attributeName: "room", attributeValue: "kitchen", typeName: "lamp" }, ["c"]],
    [{ attributeName: "room", attributeValue: "kit", isValuePrefix: true }, ["a", "c"]],
    [{ attributeName: "room", attributeValue: "kit" }, []],
    [{ attributeName: "room" }, ["b", "a", "c"]],
    [{ attributeName: "nothing" }, []],
  ])("filter by %j", async (filter, expected) => {
    expect((await names({}, filter)).names).toEqual(expected);
    const paged: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await names({ maxResults: 1, ...(nextToken !== undefined && { nextToken }) }, filter);
      paged.push(...page.names);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    expect(paged).toEqual(expected);
  });

  test("follow changes of attributes", async () => {
    await bench.fleet.things.update("a", { attributes: { attributes: { room: "hall" } } });
    expect((await names({}, { attributeName: "room", attributeValue: "kitchen" })).names).toEqual(["c"]);
    await bench.registry.deleteDevice("aws", "a");
    expect((await names({}, { attributeName: "room", attributeValue: "hall" })).names).toEqual(["b"]);
  });

  test("refuse tokens and sizes that are none", async () => {
    const { nextToken = "" } = await bench.fleet.groups.list({});
    for (const token of [
      "x",
      "",
      nextToken,
      Buffer.from('["groups","a"]').toString("base64url"),
      Buffer.from("[1]").toString("base64url"),
    ]) {
      expect(await refusal(bench.fleet.things.list({ nextToken: token }))).toBe("fleet.invalid_token");
    }
    for (const maxResults of [0, 251, 1.5, Number.NaN]) {
      expect(await refusal(bench.fleet.things.list({ maxResults }))).toBe("fleet.invalid_page_size");
    }
  });
});

describe("AW 4 principals", () => {
  const identity = { kind: "identity", id: "region:1" } as const;
  const attach = (name: string, type?: PrincipalType) => bench.fleet.things.attachPrincipal(name, identity, type);

  beforeEach(async () => {
    for (const name of ["a", "b"]) await bench.fleet.things.create({ name });
  });

  test("things and principals are many to many, listed both ways", async () => {
    const { things, certificates } = bench.fleet;
    const { id } = await certificates.register(pems.p256, { status: "ACTIVE", isCaRequired: false });
    const certificate = { kind: "certificate", id } as const;
    await attach("a");
    await attach("b");
    await things.attachPrincipal("a", certificate);
    const type = "NON_EXCLUSIVE_THING";
    expect(await things.principals("a", {})).toEqual({
      items: [
        { principal: certificate, type },
        { principal: identity, type },
      ],
    });
    const first = await things.principals("a", { maxResults: 1 });
    expect(await things.principals("a", { nextToken: first.nextToken ?? "" })).toEqual({ items: [{ principal: identity, type }] });
    expect((await things.ofPrincipal(identity, {})).items.map(({ name }) => name)).toEqual(["a", "b"]);
    expect((await things.ofPrincipal(identity, {}, "EXCLUSIVE_THING")).items).toEqual([]);
  });

  test("unknown things and certificates are refused", async () => {
    const { things } = bench.fleet;
    expect(await refusal(attach("nobody"))).toBe("fleet.thing_not_found");
    expect(await refusal(things.attachPrincipal("a", { kind: "certificate", id: "0" }))).toBe("fleet.certificate_not_found");
    expect(await refusal(things.principals("nobody", {}))).toBe("fleet.thing_not_found");
  });

  test("an exclusive principal has one thing", async () => {
    await attach("a", "EXCLUSIVE_THING");
    await attach("a", "EXCLUSIVE_THING");
    expect(await refusal(attach("b"))).toBe("fleet.principal_exclusive");
    await attach("a");
    await attach("b");
    expect(await refusal(attach("b", "EXCLUSIVE_THING"))).toBe("fleet.principal_exclusive");
  });
});
