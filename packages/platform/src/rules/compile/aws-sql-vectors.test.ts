import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultRuleLimits } from "../limits.ts";
import { type CompileOptions, compileAwsExpression, compileSql, formatJson, ReadFirst, RuleMessage, type SqlValue } from "./index.ts";

interface ExpressionVector {
  clause: string;
  expression: string;
  payload?: string;
  /** One of `value` and `isUndefined`. */
  value?: unknown;
  isUndefined?: true;
}

interface StatementVector {
  id: string;
  clause: string;
  sql: string;
  sqlVersion?: string;
  topic?: string;
  payload?: string;
  payloadHex?: string;
  result?: string;
  resultHex?: string;
  matched?: false;
  /** Not by FROM. */
  byName?: true;
  problems?: { line: number; column: number; message: string }[];
}

const file = new URL("../../../../../conformance/aws/sql-vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as { expressions: ExpressionVector[]; statements: StatementVector[] };

function optionsOf(sqlVersion = "2016-03-23"): CompileOptions {
  return { language: "aws", sqlVersion, limits: defaultRuleLimits, settings: { offsetMinutes: 0, accountId: "123456789012" } };
}

function messageOf(bytes: Uint8Array, topic: string): RuleMessage {
  return new RuleMessage({
    topic,
    bytes,
    device: undefined,
    time: 1_700_000_000_000,
    random: { bytes: (count) => Buffer.alloc(count, 7) },
    publisher: { clientId: "client-1", principal: "f0f0" },
    readShadow: async (thing, shadow): Promise<SqlValue> =>
      thing === "thing1" && shadow === undefined ? { state: { reported: { on: true } } } : undefined,
    shadowReadsMax: 2,
  });
}

/** As the pipeline does: what must be read first is read, then the run begins anew. */
async function run<T>(task: () => T): Promise<T> {
  for (;;) {
    try {
      return task();
    } catch (error) {
      if (!(error instanceof ReadFirst)) throw error;
      await error.ready;
    }
  }
}

test.each(vectors.expressions)("[$clause] $expression", async ({ expression, payload = "{}", value, isUndefined }) => {
  const compiled = compileAwsExpression(expression, optionsOf());
  if ("problem" in compiled) throw new Error(compiled.problem.message);
  const message = messageOf(Buffer.from(payload), "a/b/c");
  const found = await run(() => compiled.evaluate(message, message.json));
  if (isUndefined === true) expect(found).toBeUndefined();
  else expect(found === undefined ? found : JSON.parse(formatJson(found))).toEqual(value);
});

test.each(vectors.statements)("[$clause] $id", async (vector) => {
  const { sql, sqlVersion, topic = "a/b", payload = "", payloadHex } = vector;
  const { rule, problems } = compileSql(sql, optionsOf(sqlVersion));
  expect(problems).toEqual(
    (vector.problems ?? []).map(({ line, column, message }) => ({ line, column, message: expect.stringContaining(message) })),
  );
  if (rule === undefined) return;
  const bytes = payloadHex === undefined ? Buffer.from(payload) : Buffer.from(payloadHex, "hex");
  const isTaken = vector.byName === true ? !rule.matchesTopic(topic) : rule.matchesTopic(topic);
  const output = isTaken ? await run(() => rule.run(messageOf(bytes, topic))) : undefined;
  if (vector.matched === false) expect(output).toBeUndefined();
  else if (vector.resultHex !== undefined) expect(Buffer.from(output?.bytes ?? []).toString("hex")).toBe(vector.resultHex);
  else expect(output === undefined ? undefined : Buffer.from(output.bytes).toString()).toBe(vector.result);
});

const words = [
  ..."SELECT VALUE FROM WHERE AS AND OR NOT NULL CASE WHEN THEN ELSE END a b.c a[0] 1 .5 ( ) [ ] { } : . , * + - / % = <> < >".split(" "),
  "'a/+'",
  '"q"',
  "'text'",
  "'open",
  "cast(a AS Int)",
  "topic(",
  "get(*, 'a')",
  "(SELECT a FROM b)",
  "regexp_matches(a, '",
  "parse_time('yyyy', 1)",
  ";",
  "中文",
  "\u0000",
];

function answers(sql: string): void {
  const { rule, problems } = compileSql(sql, optionsOf());
  expect(rule === undefined).toBe(problems.length > 0);
  for (const { line, column, message } of problems) expect(line >= 1 && column >= 1 && message !== "").toBe(true);
  const template = compileAwsExpression(sql, optionsOf());
  if ("problem" in template) expect(template.problem.message).not.toBe("");
}

test("fuzz: any text is a rule or has problems with a place", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), answers), { numRuns: 200 });
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 30 }), (parts) => answers(parts.join(" "))),
    { numRuns: 700 },
  );
});

test("fuzz: every function takes whatever values come and fails with a code at most", () => {
  const calls = vectors.expressions.flatMap(({ expression }) => /^(\w+)\(/.exec(expression)?.[1] ?? []);
  const names = [...new Set(calls)].filter((name) => name !== "cast" && name !== "get_thing_shadow");
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.array(fc.jsonValue(), { maxLength: 3 }), (name, values) => {
      const expression = `${name}(${values.map((_, index) => `a[${index}]`).join(", ")})`;
      const compiled = compileAwsExpression(expression, optionsOf());
      if ("problem" in compiled) return;
      const message = messageOf(Buffer.from(JSON.stringify({ a: values })), "a/b");
      // Undefined or a value, never a throw.
      compiled.evaluate(message, message.json);
    }),
    { numRuns: 1500 },
  );
});

test("fuzz: every cut of a good statement answers", () => {
  const sql = `SELECT *, VALUE, CASE a WHEN 1 THEN [1, {'k': b."c d"[0]}] END AS v.w FROM 'a/+' WHERE NOT get((SELECT VALUE x FROM y WHERE z > 1), 0) = 'x'`;
  for (let end = 0; end <= sql.length; end += 1) answers(sql.slice(0, end));
});
