/** The vectors of conformance/thing-model, for this package's tests. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseThingModel } from "../index.ts";
import type { ThingModel } from "../model.ts";

const folder = join(import.meta.dirname, "../../../../conformance/thing-model");

export function loadVectors<T>(file: string): T {
  return JSON.parse(readFileSync(join(folder, file), "utf8")) as T;
}

interface ValidModel {
  readonly id: string;
  readonly clause: string;
  readonly tsl: Readonly<Record<string, unknown>>;
}

interface RewrittenModel extends ValidModel {
  readonly written: Readonly<Record<string, unknown>>;
  readonly warnings: readonly { code: string; path: string }[];
}

export interface ValidModels {
  readonly vectors: readonly ValidModel[];
  readonly rewritten: readonly RewrittenModel[];
}

export function loadModel(id: string): ThingModel {
  const found = loadVectors<ValidModels>("models-valid.json").vectors.find((vector) => vector.id === id);
  if (found === undefined) throw new Error(`no model vector ${id}`);
  return parseThingModel(found.tsl);
}
