import fc from "fast-check";
import { expect, test } from "vitest";
import { joinRuleParts, joinTopic, splitRuleSql, splitTopic } from "./rule-parts.ts";

test.each([
  ["pk1", "+/user/#", 1, "/pk1/+/user/#"],
  ["pk1", "/+/user/#", 1, "/pk1/+/user/#"],
  ["pk1", "dev1/thing/event/property/post", 0, "/pk1/dev1/thing/event/property/post"],
  ["pk1", "+", 2, "/as/mqtt/status/pk1/+"],
  ["", "", 1, ""],
] as const)("reference 2.5: %s and %s of type %i make %s", (productKey, shortTopic, topicType, topic) => {
  expect(joinTopic(productKey, shortTopic, topicType)).toBe(topic);
  const split = splitTopic(topic);
  expect(split).toEqual({ productKey, shortTopic: shortTopic.replace(/^\//, ""), topicType, topic });
});

test("reference 2.5: a topic below /sys is the same stream", () => {
  expect(splitTopic("/sys/pk1/+/thing/event/property/post")).toMatchObject({ productKey: "pk1", topicType: 0 });
});

test("reference 2.1: a statement in parts, whatever its quoted text says", () => {
  const sql = `select deviceName() as "from", 'a FROM "x" WHERE' as t, fromage as f from "/pk1/+/user/update" where t <> 'it' and a > 1`;
  expect(splitRuleSql(sql)).toEqual({
    select: `deviceName() as "from", 'a FROM "x" WHERE' as t, fromage as f`,
    productKey: "pk1",
    shortTopic: "+/user/update",
    topicType: 1,
    topic: "/pk1/+/user/update",
    where: "t <> 'it' and a > 1",
  });
});

test("nothing yet is an empty statement, and a rule made in steps is a valid one at every step", () => {
  expect(joinRuleParts({ select: "", topic: "", where: "" })).toBe("");
  expect(splitRuleSql("")).toMatchObject({ select: "", topic: "", where: "" });
  expect(joinRuleParts({ select: "a", topic: "", where: "" })).toBe('SELECT a FROM "/"');
  expect(splitRuleSql('SELECT a FROM "/"')).toMatchObject({ select: "a", productKey: "", shortTopic: "", topic: "" });
  expect(joinRuleParts({ select: "", topic: "/pk1/", where: "a > 1" })).toBe('SELECT * FROM "/pk1/" WHERE a > 1');
  expect(splitRuleSql('SELECT * FROM "/pk1/" WHERE a > 1')).toMatchObject({
    select: "*",
    productKey: "pk1",
    shortTopic: "",
    where: "a > 1",
  });
});

test.each(["UPDATE x", "SELECT * FROM t", `SELECT 'open FROM "/a/b"`, `SELECT * FROM "/a/b" GROUP BY c`])("%s has no parts", (sql) => {
  expect(splitRuleSql(sql)).toBeUndefined();
});

test("parts survive the way there and back", () => {
  const word = fc.constantFrom("a", "b.c", "'FROM \"x\"'", '"a[0]"', "timestamp()", "from_", "x AS y");
  const list = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(", "));
  fc.assert(
    fc.property(
      list,
      fc.constantFrom("/pk/+/user/#", "/as/mqtt/status/pk/d", ""),
      fc.oneof(list, fc.constant("")),
      (select, topic, where) => {
        expect(splitRuleSql(joinRuleParts({ select, topic, where }))).toMatchObject({ select, topic, where });
      },
    ),
  );
});
