/** What changed between two data types, and whether every value of the old one still fits and means the same. */
import type { ChoiceType, DataType, NumberType, Parameter } from "../model.ts";

/** One member that differs. `before` or `after` is absent when it was not there. */
export interface MemberDifference {
  /** Below the function: `dataType.specs.max`, `inputData.Speed`. */
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
  readonly isCompatible: boolean;
}

export type Differences = MemberDifference[];

export function addDifference(
  into: Differences,
  path: string,
  before: string | undefined,
  after: string | undefined,
  isCompatible: boolean,
): void {
  if (before === after) return;
  into.push({ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }), isCompatible });
}

export function diffDataTypes(into: Differences, path: string, before: DataType, after: DataType): void {
  if (before.type !== after.type) {
    addDifference(into, `${path}.type`, before.type, after.type, false);
    return;
  }
  const specsPath = `${path}.specs`;
  switch (before.type) {
    case "int":
    case "float":
    case "double":
      if (after.type === before.type) diffNumbers(into, specsPath, before, after);
      return;
    case "bool":
    case "enum":
      if (after.type === before.type) diffChoices(into, specsPath, before, after);
      return;
    case "text":
      if (after.type === "text") diffBound(into, `${specsPath}.length`, before.specs?.length, after.specs?.length, "upper");
      return;
    case "date":
      return;
    case "struct":
      // A struct is complete: one member more or less refuses what the other side sends.
      if (after.type === "struct")
        diffParameters(into, specsPath, before.specs, after.specs, { isAddedCompatible: false, isRemovedCompatible: false });
      return;
    case "array":
      if (after.type !== "array") return;
      diffBound(into, `${specsPath}.size`, before.specs.size, after.specs.size, "upper");
      diffDataTypes(into, `${specsPath}.item`, before.specs.item, after.specs.item);
      return;
  }
}

/** A bound may move outwards. None at all is the widest. */
function diffBound(into: Differences, path: string, before: string | undefined, after: string | undefined, side: "lower" | "upper"): void {
  const widest = side === "lower" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const numberOf = (text: string | undefined) => (text === undefined || text === "" ? widest : Number(text));
  const isWider = side === "lower" ? numberOf(after) <= numberOf(before) : numberOf(after) >= numberOf(before);
  addDifference(into, path, before, after, isWider);
}

function diffNumbers(into: Differences, path: string, { specs: before }: NumberType, { specs: after }: NumberType): void {
  diffBound(into, `${path}.min`, before?.min, after?.min, "lower");
  diffBound(into, `${path}.max`, before?.max, after?.max, "upper");
  // The same number in another unit is another value.
  addDifference(into, `${path}.unit`, before?.unit, after?.unit, false);
  addDifference(into, `${path}.unitName`, before?.unitName, after?.unitName, true);
  addDifference(into, `${path}.step`, before?.step, after?.step, true);
}

function diffChoices(into: Differences, path: string, before: ChoiceType, after: ChoiceType): void {
  const old = before.specs ?? {};
  const now = after.specs ?? {};
  // A bool has both values whatever is labelled.
  const isAlwaysCompatible = before.type === "bool";
  for (const key of Object.keys(old))
    addDifference(into, `${path}.${key}`, old[key], now[key], isAlwaysCompatible || now[key] !== undefined);
  for (const key of Object.keys(now)) if (!Object.hasOwn(old, key)) addDifference(into, `${path}.${key}`, undefined, now[key], true);
}

export interface ParameterRules {
  readonly isAddedCompatible: boolean;
  readonly isRemovedCompatible: boolean;
}

export function diffParameters(
  into: Differences,
  path: string,
  before: readonly Parameter[],
  after: readonly Parameter[],
  rules: ParameterRules,
): void {
  const now = new Map(after.map((parameter) => [parameter.identifier, parameter]));
  for (const old of before) {
    const place = `${path}.${old.identifier}`;
    const current = now.get(old.identifier);
    if (current === undefined) {
      addDifference(into, place, old.dataType.type, undefined, rules.isRemovedCompatible);
      continue;
    }
    addDifference(into, `${place}.name`, old.name, current.name, true);
    addDifference(into, `${place}.desc`, old.desc, current.desc, true);
    // What was optional and no longer is refuses calls that leave it out.
    const isLoosened = old.required !== false || current.required === false;
    addDifference(into, `${place}.required`, textOf(old.required), textOf(current.required), isLoosened);
    diffDataTypes(into, `${place}.dataType`, old.dataType, current.dataType);
  }
  const known = new Set(before.map((parameter) => parameter.identifier));
  for (const added of after) {
    if (known.has(added.identifier)) continue;
    const isCompatible = rules.isAddedCompatible || added.required === false;
    addDifference(into, `${path}.${added.identifier}`, undefined, added.dataType.type, isCompatible);
  }
}

function textOf(flag: boolean | undefined): string | undefined {
  return flag === undefined ? undefined : String(flag);
}
