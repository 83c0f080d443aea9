import { expect, test } from "vitest";
import { PlatformError } from "../../errors/index.ts";
import { MemberReader, queryChoice, queryFlag, queryInteger } from "./members.ts";

const members = new MemberReader({
  text: "a",
  empty: "",
  none: null,
  flag: true,
  number: 7,
  fraction: 1.5,
  list: ["a", "b"],
  mixed: ["a", 1],
  map: { a: "b" },
  numbers: { a: 1 },
  objects: [{ Key: "k" }, { Key: 2 }],
});

function refusalOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof PlatformError)
      return `${error.code}: ${error.details.member}, ${error.details.received}, ${error.details.expected}`;
    throw error;
  }
  throw new Error("it was not refused");
}

test("members are read by type; null stands for absence", () => {
  expect(members.text("text")).toBe("a");
  expect(members.text("none")).toBeUndefined();
  expect(members.text("toString")).toBeUndefined();
  expect(members.flag("flag")).toBe(true);
  expect(members.integer("number")).toBe(7);
  expect(members.textList("list")).toEqual(["a", "b"]);
  expect(members.textMap("map")).toEqual({ a: "b" });
  expect(members.objectList("objects")?.[0]?.requiredText("Key")).toBe("k");
  expect(members.object("absent")).toBeUndefined();
});

test.each<[string, () => unknown, string]>([
  ["a string", () => members.text("flag"), "flag, true, a string"],
  ["a string that is not empty", () => members.requiredText("empty"), 'empty, "", a string that is not empty'],
  ["something", () => members.requiredText("none"), "none, nothing, a string that is not empty"],
  ["a flag", () => members.flag("text"), 'text, "a", true or false'],
  ["a whole number", () => members.integer("fraction", { max: 3 }), "fraction, 1.5, a whole number from 0 to 3"],
  ["a number in bounds", () => members.integer("number", { max: 3 }), "number, 7, a whole number from 0 to 3"],
  ["one of some", () => members.choice("text", ["x", "y"]), 'text, "a", one of x, y'],
  ["an object", () => members.object("list"), 'list, ["a","b"], an object'],
  ["strings", () => members.textList("mixed"), 'mixed, ["a",1], a list of strings'],
  ["a map of strings", () => members.textMap("numbers"), 'numbers, {"a":1}, an object of strings'],
  ["a list of objects", () => members.objectList("list"), 'list, ["a","b"], a list of objects'],
  ["a member of a list's item", () => members.objectList("objects")?.[1]?.text("Key"), "objects[1].Key, 2, a string"],
])("what is not %s is refused by its place", (_, read, expected) => {
  expect(refusalOf(read)).toBe(`aws.member_invalid: ${expected}`);
});

test("a long value is told by its beginning", () => {
  const reader = new MemberReader({ a: ["x".repeat(1000)] });
  expect(refusalOf(() => reader.text("a")).length).toBeLessThan(200);
});

test("parameters of the query are read by type", () => {
  const query = new URLSearchParams("yes=TRUE&no=false&n=12&word=x&empty=");
  expect([queryFlag(query, "yes"), queryFlag(query, "no"), queryFlag(query, "empty")]).toEqual([true, false, undefined]);
  expect(queryInteger(query, "n")).toBe(12);
  expect(refusalOf(() => queryFlag(query, "word"))).toBe('aws.member_invalid: word, "x", true or false');
  expect(refusalOf(() => queryInteger(query, "word", { max: 9 }))).toBe('aws.member_invalid: word, "x", a whole number from 0 to 9');
  expect(refusalOf(() => queryChoice(query, "word", ["y"]))).toBe('aws.member_invalid: word, "x", one of y');
});
