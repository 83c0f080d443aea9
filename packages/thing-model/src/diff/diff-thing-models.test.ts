import { expect, test } from "vitest";
import { diffThingModels, parseThingModel } from "../index.ts";
import { loadModel, loadVectors } from "../testing/vectors.ts";

interface DiffVectors {
  readonly vectors: readonly {
    readonly id: string;
    readonly about: string;
    readonly before: unknown;
    readonly after: unknown;
    readonly isCompatible: boolean;
    readonly changes: readonly unknown[];
  }[];
}

test.each(loadVectors<DiffVectors>("diffs.json").vectors)("$id: $about", ({ before, after, isCompatible, changes }) => {
  const diff = diffThingModels(parseThingModel(before), parseThingModel(after));
  expect(diff.isCompatible).toBe(isCompatible);
  const seen = diff.changes.map(({ differences, ...change }) => ({ ...change, paths: differences.map(({ path }) => path) }));
  expect(seen).toEqual(changes);
});

test("a model does not differ from itself, and a difference tells both sides", () => {
  const model = loadModel("M-ALL-TYPES");
  expect(diffThingModels(model, model)).toEqual({ changes: [], isCompatible: true });
  const property = (max: string) =>
    parseThingModel({ properties: [{ identifier: "A", name: "A", accessMode: "r", dataType: { type: "int", specs: { max } } }] });
  expect(diffThingModels(property("9"), property("8")).changes[0]?.differences).toEqual([
    { path: "dataType.specs.max", before: "9", after: "8", isCompatible: false },
  ]);
});
