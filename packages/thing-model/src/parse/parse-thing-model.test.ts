import { expect, test } from "vitest";
import {
  formatProblem,
  formatThingModel,
  inspectThingModel,
  parseThingModel,
  ThingModelError,
  type ThingModelLimits,
  wireIdentifier,
} from "../index.ts";
import { loadVectors, type ValidModels } from "../testing/vectors.ts";

interface InvalidModels {
  readonly vectors: readonly {
    readonly id: string;
    readonly tsl?: unknown;
    readonly text?: string;
    readonly limits?: Partial<ThingModelLimits>;
    readonly problems: readonly (readonly [string, string])[];
  }[];
}

const valid = loadVectors<ValidModels>("models-valid.json");
const invalid = loadVectors<InvalidModels>("models-invalid.json");

test.each(valid.vectors)("[$clause] $id is written as it was read", ({ tsl }) => {
  const text = JSON.stringify(tsl);
  const { model, problems } = inspectThingModel(text);
  expect(problems).toEqual([]);
  expect(model).toBeDefined();
  if (model === undefined) return;
  expect(JSON.stringify(formatThingModel(model))).toBe(text);
  expect(parseThingModel(tsl)).toEqual(model);
});

test.each(valid.rewritten)("[$clause] $id is written as the vendor would", ({ tsl, written, warnings }) => {
  const { model, problems } = inspectThingModel(tsl);
  expect(problems.map(({ code, path }) => ({ code, path }))).toEqual(warnings);
  expect(model).toBeDefined();
  if (model === undefined) return;
  expect(JSON.stringify(formatThingModel(model))).toBe(JSON.stringify(written));
});

test.each(invalid.vectors)("$id is refused with every problem", ({ tsl, text, limits, problems }) => {
  const inspection = inspectThingModel(text ?? tsl, limits);
  expect(inspection.problems.map(({ code, path }) => [code, path])).toEqual(problems);
  expect(inspection.model).toBeUndefined();
  expect(() => parseThingModel(text ?? tsl, limits)).toThrow(ThingModelError);
});

test("a problem reads in both languages, with path, what came and what was expected", () => {
  const { problems } = inspectThingModel({
    properties: [{ identifier: "A", name: "A", accessMode: "x", dataType: { type: "int", specs: { min: "9", max: "1" } } }],
  });
  expect(problems.map((problem) => formatProblem(problem, "en"))).toEqual([
    'properties[0].accessMode is "x"; expected one of r | rw | w.',
    "properties[0].dataType.specs: no value lies in 9..1; expected min <= max.",
  ]);
  expect(problems.map((problem) => formatProblem(problem, "zh"))).toEqual([
    'properties[0].accessMode 为 "x"，应为 r | rw | w 之一。',
    "properties[0].dataType.specs：取值范围 9..1 为空，应为 min <= max。",
  ]);
});

test("what is not JSON at all is refused, not thrown", () => {
  const ring: Record<string, unknown> = {};
  ring.self = ring;
  for (const json of [undefined, null, 5, true, ring, { x: 1n }, () => 1, Symbol("x"), "", "\u0000", "[".repeat(100_000)]) {
    const { model, problems } = inspectThingModel(json);
    expect(model).toBeUndefined();
    expect(problems).toHaveLength(1);
  }
});

test("a byte order mark before the text does not matter", () => {
  expect(parseThingModel('\ufeff{"properties":[]}').properties).toEqual([]);
});

test("the model shares nothing with what it was read from", () => {
  const tsl = { custom: { deep: [1] }, properties: [] };
  const model = parseThingModel(tsl);
  tsl.custom.deep.push(2);
  expect(model.extra).toEqual({ custom: { deep: [1] } });
});

test("a member called __proto__ is kept like any other", () => {
  const text = '{"schema":"s","profile":{},"properties":[],"events":[],"services":[],"__proto__":{"a":1}}';
  expect(JSON.stringify(formatThingModel(parseThingModel(text)))).toBe(text);
});

test("[alibaba-device 5.10] a custom module's functions carry its identifier once, written or not", () => {
  const model = parseThingModel({
    functionBlockId: "Battery",
    properties: [{ identifier: "Battery:level", name: "level", accessMode: "r", dataType: { type: "int" } }],
    events: [{ identifier: "low", name: "low", method: "thing.event.low.post" }],
  });
  expect(wireIdentifier(model, "Battery:level")).toBe("Battery:level");
  expect(wireIdentifier(model, "low")).toBe("Battery:low");
  expect(formatThingModel(model)).toMatchObject({
    properties: [{ identifier: "Battery:level" }],
    events: [{ identifier: "low", method: "thing.event.Battery:low.post" }],
    services: [],
  });
});

test("generated functions can be left out, put into a module, and be described in Chinese", () => {
  const property = { identifier: "A", name: "A", accessMode: "rw", dataType: { type: "bool" } };
  const model = parseThingModel({ functionBlockId: "M", properties: [property] });
  expect(formatThingModel(model)).toMatchObject({ events: [], services: [] });
  expect(formatThingModel(model, { isGeneratedIncluded: true, language: "zh" })).toMatchObject({
    events: [{ identifier: "post", desc: "属性上报" }],
    services: [
      { identifier: "set", desc: "属性设置" },
      { identifier: "get", desc: "属性获取", inputData: ["A"] },
    ],
  });
  const standard = parseThingModel({ properties: [property] });
  expect(formatThingModel(standard, { isGeneratedIncluded: false })).toMatchObject({ events: [], services: [] });
});

test("300 functions fit, the generated ones not counted; one more does not", () => {
  const properties = Array.from({ length: 300 }, (_, i) => ({
    identifier: `p${i}`,
    name: "p",
    accessMode: "rw",
    dataType: { type: "int" },
  }));
  const written = formatThingModel(parseThingModel({ properties }));
  expect(inspectThingModel(written).problems).toEqual([]);
  const property = properties[0];
  const services = Array.from({ length: 299 }, (_, i) => ({ identifier: `s${i}`, name: "s" }));
  const withServices = formatThingModel(parseThingModel({ properties: [property], services }));
  expect(withServices.services).toHaveLength(301);
  expect(inspectThingModel(withServices).problems).toEqual([]);
  const more = [...properties, { identifier: "q", name: "q", accessMode: "r", dataType: { type: "int" } }];
  expect(inspectThingModel({ properties: more }).problems.map(({ code }) => code)).toEqual(["thing_model.too_many"]);
});
