import { describe, expect, test } from "vitest";
import { refusal, useBench } from "./testing/bench.ts";

const bench = useBench();
const kinds = () => bench.changes.map(({ kind }) => kind);
const names = (page: { items: readonly { name: string }[] }) => page.items.map(({ name }) => name);

describe("AW 4 thing types", () => {
  test("the same again answers the same, other properties are refused", async () => {
    const { types } = bench.fleet;
    const wish = { name: "lamp", description: "d", searchableAttributes: ["a", "b"] };
    const type = await types.create(wish);
    expect(type).toMatchObject({ ...wish, propagatingAttributes: [], createdAt: 1_000 });
    expect(await types.create(wish)).toEqual(type);
    expect(await refusal(types.create({ ...wish, description: "other" }))).toBe("fleet.type_exists");
    expect(await types.update("lamp", { propagatingAttributes: [{ userPropertyKey: "k", thingAttribute: "a" }] })).toMatchObject({
      description: "d",
      propagatingAttributes: [{ userPropertyKey: "k", thingAttribute: "a" }],
    });
    expect(names(await types.list({}))).toEqual(["lamp"]);
    expect(names(await types.list({}, { name: "other" }))).toEqual([]);
  });

  test.each([
    [{ searchableAttributes: ["a", "b", "c", "d"] }, "fleet.invalid_type"],
    [{ searchableAttributes: ["a b"] }, "fleet.invalid_attributes"],
    [{ description: "a\nb" }, "fleet.invalid_description"],
    [{ propagatingAttributes: [{ userPropertyKey: "k" }] }, "fleet.invalid_type"],
  ])("refuses %j", async (properties, code) => {
    expect(await refusal(bench.fleet.types.create({ name: "t", ...properties }))).toBe(code);
  });

  test("is deleted five minutes after it was deprecated, and by then no thing has it", async () => {
    const { types, things } = bench.fleet;
    await types.create({ name: "t" });
    await things.create({ name: "a", typeName: "t" });
    expect(await refusal(types.delete("t"))).toBe("fleet.type_not_deprecated");
    expect(await types.setDeprecated("t", true)).toMatchObject({ deprecatedAt: 1_000 });
    await bench.clock.pass(299_999);
    expect(await refusal(types.delete("t"))).toBe("fleet.type_not_deprecated");
    expect(await types.setDeprecated("t", true)).toMatchObject({ deprecatedAt: 1_000 });
    await bench.clock.pass(1);
    expect(await refusal(types.delete("t"))).toBe("fleet.type_in_use");
    await things.update("a", { removesType: true });
    await types.delete("t");
    expect(await refusal(types.get("t"))).toBe("fleet.type_not_found");
  });

  test("deprecation can be undone", async () => {
    await bench.fleet.types.create({ name: "t" });
    await bench.fleet.types.setDeprecated("t", true);
    expect(await bench.fleet.types.setDeprecated("t", false)).not.toHaveProperty("deprecatedAt");
    expect(kinds()).toEqual(["type.created", "type.updated", "type.updated"]);
  });
});

describe("AW 4 thing groups", () => {
  test("are a tree; ancestors are told from the root", async () => {
    const { groups } = bench.fleet;
    const root = await groups.create({ name: "root", attributes: { a: "1" } });
    const middle = await groups.create({ name: "middle", parentName: "root" });
    const leaf = await groups.create({ name: "leaf", parentName: "middle", description: "d" });
    expect(leaf.ancestors).toEqual([
      { name: "root", id: root.id },
      { name: "middle", id: middle.id },
    ]);
    expect(await groups.get("leaf")).toEqual(leaf);
    expect(names(await groups.list({}))).toEqual(["leaf", "middle", "root"]);
    expect(names(await groups.list({}, { isRecursive: false }))).toEqual(["root"]);
    expect(names(await groups.list({}, { parentName: "root" }))).toEqual(["leaf", "middle"]);
    expect(names(await groups.list({}, { parentName: "root", isRecursive: false }))).toEqual(["middle"]);
    expect(names(await groups.list({}, { namePrefix: "m" }))).toEqual(["middle"]);
    const first = await groups.list({ maxResults: 2 });
    expect(names(await groups.list({ nextToken: first.nextToken ?? "" }))).toEqual(["root"]);
    expect(kinds()).toEqual(["group.created", "group.created", "group.child_added", "group.created", "group.child_added"]);
  });

  test("the same again answers the same; another parent or unknown one is refused", async () => {
    const { groups } = bench.fleet;
    const group = await groups.create({ name: "g", description: "d" });
    expect(await groups.create({ name: "g", description: "d" })).toEqual(group);
    expect(await refusal(groups.create({ name: "g" }))).toBe("fleet.group_exists");
    expect(await refusal(groups.create({ name: "h", parentName: "nobody" }))).toBe("fleet.group_not_found");
    expect(await refusal(groups.list({}, { parentName: "nobody" }))).toBe("fleet.group_not_found");
  });

  test("seven levels, and so many children", async () => {
    const { groups } = bench.make({ groupChildrenMax: 2 });
    await groups.create({ name: "g1" });
    for (let level = 2; level <= 7; level++) await groups.create({ name: `g${level}`, parentName: `g${level - 1}` });
    expect(await refusal(groups.create({ name: "g8", parentName: "g7" }))).toBe("fleet.group_levels_exceeded");
    await groups.create({ name: "other", parentName: "g1" });
    expect(await refusal(groups.create({ name: "third", parentName: "g1" }))).toBe("fleet.group_children_exceeded");
  });

  test("attributes, versions", async () => {
    const { groups } = bench.fleet;
    await groups.create({ name: "g", attributes: { a: "1" } });
    expect(await groups.update("g", { attributes: { attributes: { b: "2" }, merge: true }, description: "d" })).toMatchObject({
      attributes: { a: "1", b: "2" },
      version: 2,
    });
    expect(await refusal(groups.update("g", { expectedVersion: 1 }))).toBe("fleet.version_conflict");
    expect(await groups.get("g")).toMatchObject({ description: "d", attributes: { a: "1", b: "2" }, version: 2 });
  });

  test("hold things, directly and below", async () => {
    const { groups, things } = bench.fleet;
    await groups.create({ name: "root" });
    await groups.create({ name: "leaf", parentName: "root" });
    for (const name of ["a", "b"]) await things.create({ name });
    await groups.addThing("leaf", "b");
    await groups.addThing("leaf", "b");
    await groups.addThing("root", "a");
    expect((await groups.things("root", {})).items).toEqual(["a"]);
    expect((await groups.things("root", {}, true)).items).toEqual(["a", "b"]);
    expect((await groups.things("root", { maxResults: 1 }, true)).items).toEqual(["a"]);
    expect(names(await groups.ofThing("b", {}))).toEqual(["leaf"]);
    expect(kinds().filter((kind) => kind === "group.thing_added")).toHaveLength(2);
    await groups.removeThing("leaf", "b");
    await groups.removeThing("leaf", "b");
    expect(kinds().filter((kind) => kind === "group.thing_removed")).toHaveLength(1);
    await bench.registry.deleteDevice("aws", "a");
    expect((await groups.things("root", {}, true)).items).toEqual([]);
  });

  test("a thing is in one group of a tree, and in ten of all", async () => {
    const { groups, things } = bench.fleet;
    await things.create({ name: "a" });
    await groups.create({ name: "root" });
    for (const name of ["x", "y"]) await groups.create({ name, parentName: "root" });
    await groups.addThing("x", "a");
    expect(await refusal(groups.addThing("y", "a"))).toBe("fleet.thing_groups_same_tree");
    expect(await refusal(groups.addThing("root", "a"))).toBe("fleet.thing_groups_same_tree");
    for (let index = 2; index <= 10; index++) {
      await groups.create({ name: `g${index}` });
      await groups.addThing(`g${index}`, "a");
    }
    await groups.create({ name: "g11" });
    expect(await refusal(groups.addThing("g11", "a"))).toBe("fleet.thing_groups_exceeded");
    expect(await refusal(groups.addThing("g11", "nobody"))).toBe("fleet.thing_not_found");
  });

  test("are deleted from the leaves on, with their policies' attachments", async () => {
    const { groups, policies } = bench.fleet;
    await groups.create({ name: "root" });
    await groups.create({ name: "leaf", parentName: "root" });
    await policies.create("p", '{"Statement":[]}');
    await policies.attach("p", { kind: "group", name: "leaf" });
    expect(await refusal(groups.delete("root"))).toBe("fleet.group_has_children");
    bench.changes.length = 0;
    await groups.delete("leaf");
    expect(kinds()).toEqual(["group.child_removed", "group.deleted", "permissions"]);
    expect((await policies.targets("p", {})).items).toEqual([]);
    await groups.delete("root", 1);
    expect(names(await groups.list({}))).toEqual([]);
  });
});
