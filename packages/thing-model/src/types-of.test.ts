import { expect, test } from "vitest";
import { parseThingModel, typesOf } from "./index.ts";
import { loadModel, loadVectors } from "./testing/vectors.ts";

interface TypesVectors {
  readonly vectors: readonly {
    readonly id: string;
    readonly models: readonly string[];
    readonly name?: string;
    readonly lines: readonly string[];
  }[];
}

test.each(loadVectors<TypesVectors>("types.json").vectors)("$id", ({ models, name, lines }) => {
  const text = typesOf(models.map(loadModel), name === undefined ? {} : { name });
  expect(text.split("\n")).toEqual(lines);
});

test("one module is the list of one module", () => {
  const model = loadModel("M-RGB-LED");
  expect(typesOf(model)).toBe(typesOf([model]));
});

test("no text of a model ends a comment or starts a line", () => {
  const hostile = "*/ } evil: 1; /* \n export {} \u2028 @see";
  const model = parseThingModel({
    profile: { productKey: hostile, version: "1" },
    properties: [
      { identifier: "A", name: hostile, desc: hostile, accessMode: "r", dataType: { type: "enum", specs: { "1": hostile } } },
      {
        identifier: "B",
        name: "b",
        accessMode: "r",
        dataType: { type: "struct", specs: [{ identifier: "c", name: hostile, dataType: { type: "int", specs: { unit: hostile } } }] },
      },
    ],
  });
  const text = typesOf(model);
  for (const line of text.split("\n")) expect(line.split("*/").length - 1, line).toBe(line.includes("/**") ? 1 : 0);
  expect(text).not.toMatch(/(?<!\\)@/);
  const code = text.replace(/\/\*\*.*? \*\/$/gm, "");
  expect(code).not.toContain("evil");
  expect(code.replace(/\s+/g, " ").trim()).toBe(
    "export interface Thing { properties: { A: 1; B: { c: number }; }; writable: never; events: Record<never, never>; services: Record<never, never>; }",
  );
});

test("an interface needs a name that TypeScript takes", () => {
  expect(() => typesOf(loadModel("M-EMPTY"), { name: "a b" })).toThrow('name is "a b"; expected a TypeScript identifier');
});
