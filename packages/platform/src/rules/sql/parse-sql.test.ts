import fc from "fast-check";
import { expect, test } from "vitest";
import { compileSql } from "../compile/index.ts";
import { defaultRuleLimits } from "../limits.ts";
import { parseSql } from "./parse-sql.ts";

const limits = { ...defaultRuleLimits, sqlCharactersMax: 100_000 };

function problemOf(sql: string, changed: Partial<typeof limits> = {}): string {
  const { problems } = parseSql(sql, { ...limits, ...changed });
  return problems[0]?.message ?? "none";
}

test("names the limit that a statement breaks", () => {
  expect(problemOf("SELECT a", { sqlCharactersMax: 7 })).toBe("statement is 8 characters long; at most 7");
  const deep = `SELECT ${"(".repeat(33)}1${")".repeat(33)} AS a FROM "x"`;
  expect(problemOf(deep)).toBe("nested deeper than 32 levels");
  expect(problemOf(`SELECT ${"- ".repeat(40)}1 AS a FROM "x"`)).toBe("nested deeper than 32 levels");
  expect(problemOf(`SELECT 1 AS a FROM "x" WHERE ${"NOT ".repeat(40)}true`)).toBe("nested deeper than 32 levels");
  const allowed = `SELECT ${"(".repeat(32)}1${")".repeat(32)} AS a FROM "x"`;
  expect(problemOf(allowed)).toBe("none");
});

test("takes 50 fields and refuses 51 where the last begins", () => {
  const list = (count: number): string => `SELECT ${Array.from({ length: count }, (_, index) => `f${index}`).join(",")} FROM "x"`;
  const options = { dataType: "json", limits, settings: { offsetMinutes: 0 } } as const;
  expect(compileSql(list(50), options).problems).toEqual([]);
  expect(compileSql(list(51), options).problems).toEqual([
    { message: "51 entries in the SELECT list; at most 50", line: 1, column: list(51).indexOf("f50") + 1 },
  ]);
});

test("reads long chains without deep recursion", () => {
  expect(problemOf(`SELECT 1 AS a FROM "x" WHERE ${Array(5000).fill("a = 1").join(" OR ")}`)).toBe("none");
  expect(problemOf(`SELECT ${Array(5000).fill("1").join(" + ")} AS a FROM "x"`)).toBe("none");
});

test("reports at most problemsMax problems", () => {
  const sql = `SELECT ${Array(30).fill("nope()").join(",")} FROM "x"`;
  const { problems } = compileSql(sql, { dataType: "json", limits: { ...limits, problemsMax: 3 }, settings: { offsetMinutes: 0 } });
  expect(problems).toHaveLength(3);
});

const words = [
  ..."SELECT FROM WHERE AS AND OR NOT IN LIKE BETWEEN IS NULL CASE WHEN THEN ELSE END a b.c a[0] 1 .5 ( ) , * + - / % = <> < >".split(" "),
  `"/pk/+/data"`,
  `"a`,
  "'text'",
  "'open",
  "\\",
  "\n",
  "deviceName()",
  "topic(",
  "substring('a', 1)",
  ";",
  "中文",
  "\u0000",
];

function answers(sql: string): void {
  const { rule, problems } = compileSql(sql, { dataType: "json", limits, settings: { offsetMinutes: 480 } });
  expect(rule === undefined).toBe(problems.length > 0);
  for (const { line, column, message } of problems) {
    expect(Number.isInteger(line) && line >= 1 && Number.isInteger(column) && column >= 1 && message !== "").toBe(true);
  }
}

test("fuzz: any text is a rule or has problems with a place", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), answers), { numRuns: 300 });
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 30 }), (parts) => answers(parts.join(" "))),
    { numRuns: 700 },
  );
});

test("fuzz: every cut of a good statement answers", () => {
  const sql = `SELECT *, CASE a WHEN 1 THEN 'x' ELSE "b.c" END AS v FROM "/pk/+/data" WHERE NOT (a IN (1, 2) OR b LIKE 'x%') AND c IS NOT NULL`;
  for (let end = 0; end <= sql.length; end += 1) answers(sql.slice(0, end));
});
