import { expect, test } from "vitest";
import { formatProblem, ThingModelError, type ThingModelErrorCode, thingModelErrors } from "./index.ts";
import { loadVectors, type ValidModels } from "./testing/vectors.ts";

const codes = Object.keys(thingModelErrors) as ThingModelErrorCode[];

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();
}

test("every code has both languages, with the same facts in them", () => {
  for (const code of codes) {
    const { en, zh } = thingModelErrors[code];
    expect(placeholders(zh), code).toEqual(placeholders(en));
    const problem = { code, path: "a.b", received: "1", expected: "2" };
    expect(formatProblem(problem, "en")).not.toMatch(/[{}]/);
    expect(formatProblem(problem, "zh")).toMatch(/\p{Script=Han}/u);
  }
});

test("every code is proved by a vector", () => {
  const invalid = loadVectors<{ vectors: { problems: [string, string][] }[] }>("models-invalid.json").vectors;
  const values = loadVectors<{ vectors: { problems?: { code: string }[] }[] }>("values.json").vectors;
  const { rewritten } = loadVectors<ValidModels>("models-valid.json");
  const proved = new Set([
    ...invalid.flatMap(({ problems }) => problems.map(([code]) => code)),
    ...rewritten.flatMap(({ warnings }) => warnings.map(({ code }) => code)),
    ...values.flatMap(({ problems }) => problems?.map(({ code }) => code) ?? []),
  ]);
  expect(codes.filter((code) => !proved.has(code))).toEqual([]);
});

test("an error speaks of the first problem that is one", () => {
  const warning = { code: "thing_model.text_long", path: "properties[0].name", received: "31", expected: "<= 30" } as const;
  const problem = { code: "thing_model.member_missing", path: "properties[0].dataType", received: "", expected: "object" } as const;
  const error = new ThingModelError([warning, problem]);
  expect(error).toMatchObject({ code: "thing_model.member_missing", message: "properties[0].dataType is missing; expected object." });
  expect(error.problems).toEqual([warning, problem]);
});

test("texts in a value cannot put placeholders into a sentence", () => {
  const problem = { code: "thing_model.value_type", path: "{expected}", received: "{path}", expected: "int" } as const;
  expect(formatProblem(problem, "en")).toBe("{expected} is {path}; expected int.");
});
