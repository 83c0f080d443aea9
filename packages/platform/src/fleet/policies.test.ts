import { beforeEach, describe, expect, test } from "vitest";
import { pems, refusal, useBench } from "./testing/bench.ts";

const bench = useBench();
const document = (n: number) => `{"Statement":[],"Id":"${n}"}`;
const names = (page: { items: readonly { name: string }[] }) => page.items.map(({ name }) => name);

async function registered(pem: string = pems.p256): Promise<string> {
  return (await bench.fleet.certificates.register(pem, { status: "ACTIVE", isCaRequired: false })).id;
}

describe("AW 5.1 policies", () => {
  test("the same again answers the same, another document is refused", async () => {
    const { policies } = bench.fleet;
    const policy = await policies.create("a+b=c,d.e@f-g_h", document(1));
    expect(policy).toMatchObject({ document: document(1), defaultVersionId: "1", createdAt: 1_000 });
    expect(await policies.create("a+b=c,d.e@f-g_h", document(1))).toEqual(policy);
    expect(await refusal(policies.create("a+b=c,d.e@f-g_h", document(2)))).toBe("fleet.policy_exists");
    expect(await refusal(policies.get("nobody"))).toBe("fleet.policy_not_found");
  });

  test.each(["", "a/b", "a b", "x".repeat(129)])("refuses the name %j", async (name) => {
    expect(await refusal(bench.fleet.policies.create(name, document(1)))).toBe("fleet.invalid_name");
  });

  test("documents are read, and counted without white space", async () => {
    const { policies } = bench.fleet;
    const error = await policies.create("p", "{}").catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "fleet.policy_malformed", details: { problem: "no Statement" } });
    const long = (characters: number) => `{"Statement":[],"Id":"${"x".repeat(characters - 24)}"}`;
    expect(await policies.create("p", `\n  ${long(2_048)}  \n`)).toMatchObject({ defaultVersionId: "1" });
    expect(await refusal(policies.create("q", long(2_049)))).toBe("fleet.policy_too_long");
  });

  test("versions: at most five, never used twice, one is the default", async () => {
    const { policies } = bench.fleet;
    await policies.create("p", document(1));
    for (let n = 2; n <= 5; n++) expect(await policies.createVersion("p", document(n), n === 3)).toMatchObject({ versionId: `${n}` });
    expect(await refusal(policies.createVersion("p", document(6), true))).toBe("fleet.policy_versions_exceeded");
    expect(await policies.get("p")).toMatchObject({ defaultVersionId: "3", document: document(3) });
    expect((await policies.versions("p")).filter(({ isDefault }) => isDefault).map(({ versionId }) => versionId)).toEqual(["3"]);
    expect(await refusal(policies.deleteVersion("p", "3"))).toBe("fleet.policy_version_default");
    expect(await refusal(policies.deleteVersion("p", "9"))).toBe("fleet.policy_version_not_found");
    await policies.deleteVersion("p", "5");
    expect(await policies.createVersion("p", document(6), false)).toMatchObject({ versionId: "6", isDefault: false });
    await policies.setDefaultVersion("p", "6");
    expect(await policies.getVersion("p", "6")).toMatchObject({ isDefault: true, document: document(6) });
    expect(await refusal(policies.getVersion("p", "5"))).toBe("fleet.policy_version_not_found");
    expect(await refusal(policies.setDefaultVersion("p", "5"))).toBe("fleet.policy_version_not_found");
  });

  test("is deleted with one version and no target", async () => {
    const { policies } = bench.fleet;
    await policies.create("p", document(1));
    await policies.createVersion("p", document(2), true);
    await policies.attach("p", { kind: "identity", id: "x" });
    expect(await refusal(policies.delete("p"))).toBe("fleet.policy_attached");
    await policies.detach("p", { kind: "identity", id: "x" });
    expect(await refusal(policies.delete("p"))).toBe("fleet.policy_has_versions");
    await policies.deleteVersion("p", "1");
    await policies.delete("p");
    expect(await refusal(policies.delete("p"))).toBe("fleet.policy_not_found");
  });

  test("are listed by time", async () => {
    for (const [index, name] of ["b", "a", "c"].entries()) {
      bench.clock.set(2_000 + index);
      await bench.fleet.policies.create(name, document(index));
    }
    expect(names(await bench.fleet.policies.list({ isAscending: true }))).toEqual(["b", "a", "c"]);
    const first = await bench.fleet.policies.list({ maxResults: 1 });
    expect(names(first)).toEqual(["c"]);
    expect(names(await bench.fleet.policies.list({ nextToken: first.nextToken ?? "" }))).toEqual(["a", "b"]);
  });

  test("are attached once, at most ten to one target", async () => {
    const { policies, groups } = bench.fleet;
    const id = await registered();
    await groups.create({ name: "g" });
    const target = { kind: "certificate", id } as const;
    for (let n = 1; n <= 11; n++) await policies.create(`p${n}`, document(n));
    for (let n = 1; n <= 10; n++) await policies.attach(`p${n}`, target);
    expect(await refusal(policies.attach("p11", target))).toBe("fleet.policies_exceeded");
    bench.changes.length = 0;
    await policies.attach("p1", target);
    expect(bench.changes).toEqual([]);
    await policies.attach("p1", { kind: "group", name: "g" });
    await policies.attach("p1", { kind: "identity", id: "x" });
    expect((await policies.targets("p1", {})).items).toEqual([target, { kind: "group", name: "g" }, { kind: "identity", id: "x" }]);
    const first = await policies.targets("p1", { maxResults: 2 });
    expect((await policies.targets("p1", { nextToken: first.nextToken ?? "" })).items).toEqual([{ kind: "identity", id: "x" }]);
    expect((await policies.ofTarget(target, {})).items).toHaveLength(10);
    await policies.detach("p1", target);
    await policies.detach("p1", target);
    expect((await policies.ofTarget(target, {})).items).toHaveLength(9);
    expect(await refusal(policies.attach("p1", { kind: "certificate", id: "0" }))).toBe("fleet.certificate_not_found");
    expect(await refusal(policies.attach("p1", { kind: "group", name: "nobody" }))).toBe("fleet.group_not_found");
  });

  test("groups hand theirs down", async () => {
    const { policies, groups } = bench.fleet;
    await groups.create({ name: "root" });
    await groups.create({ name: "leaf", parentName: "root" });
    await policies.create("p", document(1));
    await policies.create("q", document(2));
    await policies.attach("p", { kind: "group", name: "root" });
    await policies.attach("q", { kind: "group", name: "leaf" });
    expect(names(await policies.ofTarget({ kind: "group", name: "leaf" }, {}))).toEqual(["q"]);
    expect(names(await policies.ofTarget({ kind: "group", name: "leaf" }, {}, true))).toEqual(["p", "q"]);
  });
});

describe("AW 5.6 what a connection is judged by", () => {
  let id = "";
  const facts = (clientId?: string) => bench.fleet.factsOf(id, clientId);
  const policyNames = async () => names({ items: (await facts()).policies });

  beforeEach(async () => {
    id = await registered();
    const { things, groups, policies } = bench.fleet;
    await things.create({ name: "lamp", attributes: { room: "hall" } });
    await groups.create({ name: "root" });
    await groups.create({ name: "leaf", parentName: "root" });
    for (const name of ["own", "inherited", "other"]) await policies.create(name, document(1));
  });

  test("merges the certificate's policies with those of its things' groups and their ancestors", async () => {
    const { things, groups, policies } = bench.fleet;
    expect(await facts()).toEqual({ policies: [] });
    await policies.attach("own", { kind: "certificate", id });
    expect(await facts()).toEqual({ policies: [{ name: "own", versionId: "1", document: document(1) }] });
    await things.attachPrincipal("lamp", { kind: "certificate", id });
    await groups.addThing("leaf", "lamp");
    await policies.attach("inherited", { kind: "group", name: "root" });
    expect(await policyNames()).toEqual(["inherited", "own"]);
    await policies.attach("other", { kind: "group", name: "leaf" });
    expect(await policyNames()).toEqual(["inherited", "other", "own"]);
    await groups.removeThing("leaf", "lamp");
    expect(await policyNames()).toEqual(["own"]);
    await groups.addThing("leaf", "lamp");
    await things.detachPrincipal("lamp", { kind: "certificate", id });
    expect(await policyNames()).toEqual(["own"]);
    await policies.detach("own", { kind: "certificate", id });
    expect(await policyNames()).toEqual([]);
  });

  test("follows versions, and policies made again under an old name", async () => {
    const { policies } = bench.fleet;
    const target = { kind: "certificate", id } as const;
    await policies.attach("own", target);
    await facts();
    await policies.createVersion("own", document(2), false);
    expect((await facts()).policies[0]).toMatchObject({ versionId: "1" });
    await policies.setDefaultVersion("own", "2");
    expect((await facts()).policies[0]).toMatchObject({ versionId: "2", document: document(2) });
    await policies.setDefaultVersion("own", "1");
    await facts();
    await policies.detach("own", target);
    await policies.deleteVersion("own", "2");
    await policies.delete("own");
    await policies.create("own", document(3));
    await policies.attach("own", target);
    expect((await facts()).policies[0]).toMatchObject({ versionId: "1", document: document(3) });
  });

  test("the thing is the one that the client id names, attached or not", async () => {
    const { things } = bench.fleet;
    expect(await facts("lamp")).toMatchObject({ thing: { name: "lamp", isAttached: false, isExclusive: false } });
    expect(await facts("nobody")).toEqual({ policies: [] });
    expect(await facts("no thing's name")).toEqual({ policies: [] });
    await things.attachPrincipal("lamp", { kind: "certificate", id });
    expect(await facts("lamp")).toMatchObject({ thing: { attributes: { room: "hall" }, isAttached: true, isExclusive: false } });
    expect(await facts("other")).toEqual({ policies: [] });
    await things.update("lamp", { attributes: { attributes: { room: "attic" } } });
    expect(await facts("lamp")).toMatchObject({ thing: { attributes: { room: "attic" } } });
    await things.attachPrincipal("lamp", { kind: "certificate", id }, "EXCLUSIVE_THING");
    expect(await facts("other")).toMatchObject({ thing: { name: "lamp", isAttached: true, isExclusive: true } });
    expect(await facts()).toMatchObject({ thing: { name: "lamp" } });
    await bench.registry.deleteDevice("aws", "lamp");
    expect(await facts("lamp")).toEqual({ policies: [] });
  });

  test("a certificate of more things than are kept is asked thing by thing", async () => {
    const fleet = bench.make({ thingsPerPrincipalCachedMax: 1 });
    await fleet.things.create({ name: "second" });
    await fleet.things.create({ name: "third" });
    for (const name of ["lamp", "second"]) await fleet.things.attachPrincipal(name, { kind: "certificate", id });
    expect(await fleet.factsOf(id, "second")).toMatchObject({ thing: { isAttached: true } });
    expect(await fleet.factsOf(id, "third")).toMatchObject({ thing: { isAttached: false } });
  });

  test("certificates with the same policies share their texts", async () => {
    const other = await registered(pems.p384);
    for (const one of [id, other]) await bench.fleet.policies.attach("own", { kind: "certificate", id: one });
    expect((await bench.fleet.factsOf(other, undefined)).policies).toBe((await facts()).policies);
  });

  test("a second connect asks the store nothing", async () => {
    await bench.fleet.things.attachPrincipal("lamp", { kind: "certificate", id });
    await facts("lamp");
    await bench.store.close();
    expect(await facts("lamp")).toMatchObject({ thing: { isAttached: true } });
    bench.store = { ...bench.store, close: async () => {} };
  });

  test("whoever may do other things than before is told of", async () => {
    const { things, groups, policies } = bench.fleet;
    const told = () => bench.changes.splice(0).filter(({ kind }) => kind === "permissions");
    const mine = [{ kind: "permissions", certificateId: id }];
    told();
    await policies.attach("own", { kind: "certificate", id });
    expect(told()).toEqual(mine);
    await policies.createVersion("own", document(2), true);
    expect(told()).toEqual(mine);
    await things.attachPrincipal("lamp", { kind: "certificate", id });
    expect(told()).toEqual(mine);
    await groups.addThing("leaf", "lamp");
    expect(told()).toEqual(mine);
    await things.update("lamp", { attributes: { attributes: {} } });
    expect(told()).toEqual(mine);
    await policies.attach("inherited", { kind: "group", name: "root" });
    expect(told()).toEqual([{ kind: "permissions" }]);
    await policies.createVersion("inherited", document(2), true);
    expect(told()).toEqual([{ kind: "permissions" }]);
    await policies.createVersion("other", document(2), true);
    expect(told()).toEqual([]);
    await bench.fleet.certificates.setStatus(id, "INACTIVE");
    await bench.fleet.certificates.delete(id, true);
    expect(told()).toEqual(mine);
    await groups.delete("leaf");
    expect(told()).toEqual([{ kind: "permissions" }]);
  });
});

describe("records and tags", () => {
  test("records are kept as given, under a family and a name", async () => {
    const { records } = bench.fleet;
    await records.put("aliases", "b", { a: [1, "2"] });
    expect(await records.insert("aliases", "b", {})).toBe(false);
    expect(await records.insert("aliases", "a", {})).toBe(true);
    expect(await records.find("aliases", "b")).toEqual({ a: [1, "2"] });
    expect(await records.find("others", "b")).toBeUndefined();
    const first = await records.list("aliases", { maxResults: 1 });
    expect(first.items).toEqual([{ name: "a", value: {} }]);
    expect((await records.list("aliases", { nextToken: first.nextToken ?? "" })).items).toEqual([{ name: "b", value: { a: [1, "2"] } }]);
    expect(await refusal(records.list("others", { nextToken: first.nextToken ?? "" }))).toBe("fleet.invalid_token");
    expect(await records.remove("aliases", "a")).toBe(true);
    expect(await records.remove("aliases", "a")).toBe(false);
  });

  test("records are bounded in number and size", async () => {
    const { records } = bench.make({ recordsPerFamilyMax: 1, recordBytesMax: 10 });
    await records.put("f", "a", {});
    await records.put("f", "a", { b: 1 });
    expect(await refusal(records.put("f", "b", {}))).toBe("fleet.records_exceeded");
    expect(await refusal(records.insert("f", "b", {}))).toBe("fleet.records_exceeded");
    expect(await refusal(records.put("f", "a", { b: "0123456789" }))).toBe("fleet.invalid_record");
  });

  test("tags of an ARN are added, replaced and removed", async () => {
    const { resourceTags } = bench.make({ tagsPerResourceMax: 2 });
    await resourceTags.set("arn:1", { a: "1", b: "2 x" });
    await resourceTags.set("arn:1", { a: "" });
    expect(await resourceTags.of("arn:1")).toEqual({ a: "", b: "2 x" });
    expect(await refusal(resourceTags.set("arn:1", { c: "3" }))).toBe("fleet.tags_exceeded");
    expect(await refusal(resourceTags.set("arn:1", { "": "3" }))).toBe("fleet.invalid_tags");
    expect(await refusal(resourceTags.set("arn:1", { a: "<" }))).toBe("fleet.invalid_tags");
    await resourceTags.remove("arn:1", ["a", "nothing"]);
    expect(await resourceTags.of("arn:1")).toEqual({ b: "2 x" });
    expect(await resourceTags.of("arn:2")).toEqual({});
  });
});

describe("start", () => {
  test("takes another name when somebody's product bears the usual one", async () => {
    await bench.registry.deleteProduct("aws");
    await bench.registry.createProduct({ name: "AWS IoT" });
    await bench.fleet.start();
    expect(await bench.registry.getProduct("aws")).toMatchObject({ name: "AWS IoT things" });
    await bench.fleet.start();
  });

  test("refuses a product of another kind under its key", async () => {
    await bench.registry.deleteProduct("aws");
    await bench.registry.createProduct({ name: "p", productKey: "aws" });
    expect(await refusal(bench.fleet.start())).toBe("fleet.product_taken");
  });

  test("a listener that fails keeps nobody else from hearing", async () => {
    const fleet = bench.make({});
    fleet.onChange(() => {
      throw new Error("no");
    });
    let heard = 0;
    fleet.onChange(() => heard++);
    await fleet.things.create({ name: "a" });
    expect(heard).toBe(1);
    expect(bench.reports.map(({ code: reported }) => reported)).toEqual(["fleet.listener_failed"]);
  });
});
