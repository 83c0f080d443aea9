/** Turns a data type into a closure that checks values [alibaba-device 5.10, 5.11]. */
import type { ArrayType, ChoiceType, DataType, NumberType, Parameter, StructType, TextType } from "../model.ts";
import { utf8Bytes } from "../model.ts";
import { int32Max, int32Min } from "../parse/parse-data-type.ts";
import { type Check, type RefusalKind, refuse, within } from "./refusal.ts";

export interface CheckRules {
  /** Ranges, lengths, choices and counts, not the types alone. */
  readonly isStrong: boolean;
  /** Numbers must lie on a step. The vendor's cloud does not ask for it. */
  readonly isStepEnforced: boolean;
}

const float32Max = 3.4028234663852886e38;

/** The vendor's code of each type. */
const typeCodes = {
  int: 6306,
  float: 6307,
  double: 6322,
  bool: 6308,
  enum: 6309,
  text: 6310,
  date: 6311,
  struct: 6312,
  arraySize: 6324,
  arrayItem: 6325,
  array: 6328,
} as const;

const emptyCode = 6302;
const unknownCode = 6304;

/** The check of a value that must be there: null is an empty parameter, everything else goes by its type. */
export function compileCheck(dataType: DataType, rules: CheckRules): Check {
  const check = compileType(dataType, rules);
  const isNull: RefusalKind = { code: "thing_model.value_null", alibaba: emptyCode, words: "params value empty", expected: dataType.type };
  return (value) => (value === null || value === undefined ? refuse(isNull, value) : check(value));
}

function compileType(dataType: DataType, rules: CheckRules): Check {
  switch (dataType.type) {
    case "int":
    case "float":
    case "double":
      return compileNumber(dataType, rules);
    case "bool":
      return compileBool();
    case "enum":
      return compileEnum(dataType, rules);
    case "text":
      return compileText(dataType, rules);
    case "date":
      return compileDate();
    case "struct":
      return compileStruct(dataType, rules);
    case "array":
      return compileArray(dataType, rules);
  }
}

/** A bound of the specs; an empty or absent text is no bound. */
function boundOf(text: string | undefined): number | undefined {
  return text === undefined || text === "" ? undefined : Number(text);
}

function compileNumber({ type, specs }: NumberType, { isStrong, isStepEnforced }: CheckRules): Check {
  const alibaba = typeCodes[type];
  const bare: RefusalKind = { code: "thing_model.value_type", alibaba, words: `data type is not ${type}`, expected: type };
  const isOfType: (value: unknown) => value is number =
    type === "int"
      ? (value): value is number => typeof value === "number" && Number.isInteger(value) && value >= int32Min && value <= int32Max
      : type === "float"
        ? (value): value is number => typeof value === "number" && Math.abs(value) <= float32Max
        : (value): value is number => typeof value === "number" && Number.isFinite(value);
  if (!isStrong) return (value) => (isOfType(value) ? undefined : refuse(bare, value));

  const min = boundOf(specs?.min);
  const max = boundOf(specs?.max);
  const step = boundOf(specs?.step);
  const expected = min === undefined && max === undefined ? type : `${type} ${min ?? ""}..${max ?? ""}`;
  const wrongType: RefusalKind = { ...bare, expected };
  const tooSmall: RefusalKind = {
    code: "thing_model.value_too_small",
    alibaba,
    words: `${type} value is smaller than min ${specs?.min ?? ""}`,
    expected,
  };
  const tooLarge: RefusalKind = {
    code: "thing_model.value_too_large",
    alibaba,
    words: `${type} value is bigger than max ${specs?.max ?? ""}`,
    expected,
  };
  const offStep: RefusalKind = {
    code: "thing_model.value_off_step",
    alibaba,
    words: `${type} specs error`,
    expected: `${min ?? 0} + n * ${step ?? 1}`,
  };
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  const isStepChecked = isStepEnforced && step !== undefined && step > 0;
  return (value) => {
    if (!isOfType(value)) return refuse(wrongType, value);
    if (value < low) return refuse(tooSmall, value);
    if (value > high) return refuse(tooLarge, value);
    if (isStepChecked && !isOnStep(value, min ?? 0, step)) return refuse(offStep, value);
    return undefined;
  };
}

/** Decimal steps are not exact in binary: a millionth of a step is forgiven, and whatever the number's own precision blurs. */
function isOnStep(value: number, start: number, step: number): boolean {
  const steps = (value - start) / step;
  return Math.abs(steps - Math.round(steps)) <= Math.max(1e-6, Math.abs(steps) * 1e-12);
}

function compileBool(): Check {
  const alibaba = typeCodes.bool;
  const wrongType: RefusalKind = { code: "thing_model.value_type", alibaba, words: "value of bool type must be int", expected: "0 | 1" };
  const wrongNumber: RefusalKind = { code: "thing_model.value_not_listed", alibaba, words: "bool specs error", expected: "0 | 1" };
  return (value) => {
    if (value === 0 || value === 1) return undefined;
    return refuse(typeof value === "number" ? wrongNumber : wrongType, value);
  };
}

function compileEnum({ specs }: ChoiceType, { isStrong }: CheckRules): Check {
  const alibaba = typeCodes.enum;
  const keys = specs === undefined ? [] : Object.keys(specs);
  const listed = keys.length > 12 ? `${keys.slice(0, 12).join(" | ")} | …` : keys.join(" | ");
  const expected = keys.length === 0 ? "int" : listed;
  const wrongType: RefusalKind = { code: "thing_model.value_type", alibaba, words: "value of enum type must be int", expected };
  const notListed: RefusalKind = { code: "thing_model.value_not_listed", alibaba, words: "enum specs error", expected };
  const choices = isStrong && keys.length > 0 ? new Set(keys.map(Number)) : undefined;
  return (value) => {
    if (typeof value !== "number" || !Number.isInteger(value)) return refuse(wrongType, value);
    return choices === undefined || choices.has(value) ? undefined : refuse(notListed, value);
  };
}

function compileText({ specs }: TextType, { isStrong }: CheckRules): Check {
  const alibaba = typeCodes.text;
  const wrongType: RefusalKind = { code: "thing_model.value_type", alibaba, words: "data type is not string", expected: "string" };
  const bytesMax = boundOf(specs?.length);
  if (!isStrong || bytesMax === undefined) return (value) => (typeof value === "string" ? undefined : refuse(wrongType, value));
  const tooLong: RefusalKind = {
    code: "thing_model.text_too_long",
    alibaba,
    words: `string length bigger than max length ${bytesMax}`,
    expected: `<= ${bytesMax} bytes`,
  };
  return (value) => {
    if (typeof value !== "string") return refuse(wrongType, value);
    // A character has one to three bytes, so that most texts are judged without counting.
    if (value.length * 3 <= bytesMax) return undefined;
    return value.length > bytesMax || utf8Bytes(value) > bytesMax ? refuse(tooLong, value) : undefined;
  };
}

function compileDate(): Check {
  const kind: RefusalKind = {
    code: "thing_model.value_type",
    alibaba: typeCodes.date,
    words: "date type must be a string of long(UTC ms)",
    expected: "digits of UTC milliseconds, as a string",
  };
  return (value) => (typeof value === "string" && /^\d{1,16}$/.test(value) ? undefined : refuse(kind, value));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function compileStruct({ specs }: StructType, rules: CheckRules): Check {
  const alibaba = typeCodes.struct;
  const names = specs.map((member) => member.identifier).join(", ");
  const expected = `{${names}}`;
  const wrongType: RefusalKind = { code: "thing_model.value_type", alibaba, words: "struct type must be json", expected };
  const wrongCount: RefusalKind = { code: "thing_model.member_count", alibaba, words: "struct param size error", expected };
  const unknown: RefusalKind = { code: "thing_model.member_unknown", alibaba: unknownCode, words: "params not exist", expected };
  const checks = compileChecks(specs, rules);
  return (value) => {
    if (!isObject(value)) return refuse(wrongType, value);
    let count = 0;
    for (const name of Object.keys(value)) {
      const check = checks.get(name);
      if (check === undefined) return within(refuse(unknown, value[name]), name);
      const refusal = check(value[name]);
      if (refusal !== undefined) return within(refusal, name);
      count++;
    }
    return rules.isStrong && count !== checks.size ? refuse(wrongCount, value) : undefined;
  };
}

function compileChecks(parameters: readonly Parameter[], rules: CheckRules): ReadonlyMap<string, Check> {
  return new Map(parameters.map((parameter) => [parameter.identifier, compileCheck(parameter.dataType, rules)]));
}

function compileArray({ specs }: ArrayType, rules: CheckRules): Check {
  const { item } = specs;
  const elementsMax = Number(specs.size);
  const expected = `array of ${item.type}`;
  const wrongType: RefusalKind = { code: "thing_model.value_type", alibaba: typeCodes.array, words: "data type is not array", expected };
  const tooLong: RefusalKind = {
    code: "thing_model.array_too_long",
    alibaba: typeCodes.arraySize,
    words: `array size is bigger than max size ${elementsMax}`,
    expected: `<= ${elementsMax}`,
  };
  const check = compileCheck(item, rules);
  return (value) => {
    if (!Array.isArray(value)) return refuse(wrongType, value);
    if (rules.isStrong && value.length > elementsMax) return refuse(tooLong, value.length);
    for (let i = 0; i < value.length; i++) {
      const refusal = check(value[i]);
      if (refusal === undefined) continue;
      // An element of a wrong type has a code of its own; one out of its range, or wrong inside, keeps the code of what is wrong.
      const isTypeWrong = refusal.path.length === 0 && refusal.kind.code === "thing_model.value_type";
      return within(isTypeWrong ? { ...refusal, kind: { ...refusal.kind, alibaba: typeCodes.arrayItem } } : refusal, i);
    }
    return undefined;
  };
}
