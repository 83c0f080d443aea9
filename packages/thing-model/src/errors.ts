/**
 * Everything that can be wrong with a thing model or with a value: one table. The code (the key) is API, the texts are not.
 * `{path}`, `{received}` and `{expected}` are filled in; they are in no language (`RGBColor.Red`, `"on"`, `int 0..255`).
 */
interface ErrorRow {
  /** A warning leaves the model usable. */
  readonly isWarning?: true;
  readonly en: string;
  readonly zh: string;
}

/** Codes of this package with their English and Chinese texts. */
export const thingModelErrors = {
  // The model itself.
  "thing_model.not_json": { en: "The thing model is not JSON: {received}.", zh: "物模型不是合法的 JSON：{received}。" },
  "thing_model.too_large": {
    en: "The thing model has {received}; at most {expected} are allowed.",
    zh: "物模型大小为 {received}，最多允许 {expected}。",
  },
  "thing_model.too_deep": { en: "{path} is nested too deeply; expected {expected}.", zh: "{path} 嵌套过深，应为 {expected}。" },
  "thing_model.too_many_problems": {
    en: "More than {expected} problems were found; the rest is not listed.",
    zh: "问题超过 {expected} 个，其余未列出。",
  },
  "thing_model.member_missing": { en: "{path} is missing; expected {expected}.", zh: "缺少 {path}，应为 {expected}。" },
  "thing_model.type_wrong": { en: "{path} is {received}; expected {expected}.", zh: "{path} 为 {received}，应为 {expected}。" },
  "thing_model.identifier_invalid": {
    en: "{path} is {received}; an identifier is {expected}.",
    zh: "{path} 为 {received}，标识符应为 {expected}。",
  },
  "thing_model.identifier_reserved": {
    en: "{path} is {received}; this identifier is reserved.",
    zh: "{path} 为 {received}，该标识符为保留字。",
  },
  "thing_model.identifier_taken": {
    en: "{path} is {received}; this identifier is used already.",
    zh: "{path} 为 {received}，该标识符已被使用。",
  },
  "thing_model.name_unusual": {
    isWarning: true,
    en: "{path} is {received}; a name is {expected}.",
    zh: "{path} 为 {received}，名称应为 {expected}。",
  },
  "thing_model.text_long": {
    isWarning: true,
    en: "{path} has {received}; the vendor allows {expected}.",
    zh: "{path} 长度为 {received}，厂商允许 {expected}。",
  },
  "thing_model.too_many": { en: "{path} has {received} entries; expected {expected}.", zh: "{path} 有 {received} 项，应为 {expected}。" },
  "thing_model.data_type_unknown": {
    en: "{path} is {received}; a data type is one of {expected}.",
    zh: "{path} 为 {received}，数据类型应为 {expected} 之一。",
  },
  "thing_model.data_type_nested": {
    en: "{path} is {received}; a struct holds no struct and an array no array. Expected one of {expected}.",
    zh: "{path} 为 {received}，结构体不能嵌套结构体，数组不能嵌套数组。应为 {expected} 之一。",
  },
  "thing_model.number_invalid": {
    en: "{path} is {received}; expected a number as text: {expected}.",
    zh: "{path} 为 {received}，应为文本形式的数值：{expected}。",
  },
  "thing_model.range_empty": {
    en: "{path}: no value lies in {received}; expected {expected}.",
    zh: "{path}：取值范围 {received} 为空，应为 {expected}。",
  },
  "thing_model.step_unusual": {
    isWarning: true,
    en: "{path} is {received}; a step is {expected}.",
    zh: "{path} 为 {received}，步长应为 {expected}。",
  },
  "thing_model.choice_invalid": {
    en: "{path}: {received} cannot be a value; expected {expected}.",
    zh: "{path}：{received} 不能作为取值，应为 {expected}。",
  },
  "thing_model.word_invalid": {
    en: "{path} is {received}; expected one of {expected}.",
    zh: "{path} 为 {received}，应为 {expected} 之一。",
  },
  "thing_model.method_corrected": {
    isWarning: true,
    en: "{path} was {received}; it is written as {expected}.",
    zh: "{path} 原为 {received}，将写为 {expected}。",
  },
  "thing_model.block_invalid": { en: "{path} is {received}; expected {expected}.", zh: "{path} 为 {received}，应为 {expected}。" },
  "thing_model.version_invalid": { en: "{path} is {received}; expected {expected}.", zh: "{path} 为 {received}，应为 {expected}。" },
  // Values.
  "thing_model.params_type": { en: "The parameters are {received}; expected {expected}.", zh: "参数为 {received}，应为 {expected}。" },
  "thing_model.params_too_many": {
    en: "{path} has {received} entries; expected {expected}.",
    zh: "{path} 有 {received} 项，应为 {expected}。",
  },
  "thing_model.property_unknown": { en: "The model has no property {path}.", zh: "物模型中没有属性 {path}。" },
  "thing_model.property_read_only": { en: "Property {path} can only be read.", zh: "属性 {path} 为只读。" },
  "thing_model.event_unknown": { en: "The model has no event {path}.", zh: "物模型中没有事件 {path}。" },
  "thing_model.service_unknown": { en: "The model has no service {path}.", zh: "物模型中没有服务 {path}。" },
  "thing_model.parameter_unknown": { en: "The model has no parameter {path}.", zh: "物模型中没有参数 {path}。" },
  "thing_model.parameter_missing": { en: "Parameter {path} is missing; expected {expected}.", zh: "缺少参数 {path}，应为 {expected}。" },
  "thing_model.member_unknown": {
    en: "The struct has no member {path}; expected {expected}.",
    zh: "结构体没有成员 {path}，应为 {expected}。",
  },
  "thing_model.member_count": {
    en: "{path} has the members {received}; expected {expected}.",
    zh: "{path} 的成员为 {received}，应为 {expected}。",
  },
  "thing_model.value_null": { en: "{path} is null; expected {expected}.", zh: "{path} 为 null，应为 {expected}。" },
  "thing_model.value_type": { en: "{path} is {received}; expected {expected}.", zh: "{path} 为 {received}，应为 {expected}。" },
  "thing_model.value_too_small": {
    en: "{path} is {received}, too small; expected {expected}.",
    zh: "{path} 为 {received}，过小，应为 {expected}。",
  },
  "thing_model.value_too_large": {
    en: "{path} is {received}, too large; expected {expected}.",
    zh: "{path} 为 {received}，过大，应为 {expected}。",
  },
  "thing_model.value_off_step": {
    en: "{path} is {received}, between two steps; expected {expected}.",
    zh: "{path} 为 {received}，不符合步长，应为 {expected}。",
  },
  "thing_model.value_not_listed": {
    en: "{path} is {received}; expected one of {expected}.",
    zh: "{path} 为 {received}，应为 {expected} 之一。",
  },
  "thing_model.text_too_long": {
    en: "{path} is {received}, too long; expected {expected}.",
    zh: "{path} 为 {received}，过长，应为 {expected}。",
  },
  "thing_model.array_too_long": {
    en: "{path} has {received} elements; expected {expected}.",
    zh: "{path} 有 {received} 个元素，应为 {expected}。",
  },
  "thing_model.time_invalid": {
    en: "The time of {path} is {received}; expected {expected}.",
    zh: "{path} 的时间为 {received}，应为 {expected}。",
  },
} as const satisfies Record<string, ErrorRow>;

export type ThingModelErrorCode = keyof typeof thingModelErrors;

/** One thing that is wrong: where, what came, what was expected. */
export interface ThingModelProblem {
  readonly code: ThingModelErrorCode;
  /** Where in the model (`properties[2].dataType.specs.min`) or in the values (`RGBColor.Red`). */
  readonly path: string;
  /** Shortened JSON of what came; empty when nothing came. */
  readonly received: string;
  readonly expected: string;
}

/** Whether the problem makes the model unusable. */
export function isError(problem: ThingModelProblem): boolean {
  const row: ErrorRow = thingModelErrors[problem.code];
  return row.isWarning !== true;
}

/**
 * The problem as a sentence.
 *
 * @example formatProblem({ code: "thing_model.value_type", path: "Level", received: '"15"', expected: "int" }, "en")
 * // 'Level is "15"; expected int.'
 */
export function formatProblem(problem: ThingModelProblem, language: "en" | "zh"): string {
  return thingModelErrors[problem.code][language].replace(/\{(path|received|expected)\}/g, (_, name: "path" | "received" | "expected") =>
    name === "path" && problem.path === "" ? "(root)" : problem[name],
  );
}

/**
 * A model that cannot be used. `problems` names everything that is wrong with it, warnings included.
 *
 * @example catch (error) { if (error instanceof ThingModelError) reply(error.problems.map((problem) => formatProblem(problem, "zh"))); }
 */
export class ThingModelError extends Error {
  /** The code of the first problem that is an error. */
  readonly code: ThingModelErrorCode;
  readonly problems: readonly ThingModelProblem[];

  constructor(problems: readonly ThingModelProblem[]) {
    const first = problems.find(isError) ?? problems[0];
    super(first === undefined ? "thing_model.not_json" : formatProblem(first, "en"));
    this.name = "ThingModelError";
    this.code = first?.code ?? "thing_model.not_json";
    this.problems = problems;
  }
}

const describedCharactersMax = 64;

/** A value in a few characters, without walking into it. */
export function describe(value: unknown): string {
  if (typeof value === "string") {
    if (value.length <= describedCharactersMax) return JSON.stringify(value);
    return `${JSON.stringify(value.slice(0, describedCharactersMax))}… (${value.length})`;
  }
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[…] (${value.length})`;
  if (typeof value === "object" && value !== null) {
    const names = Object.keys(value);
    const shown = names.slice(0, 4).join(", ").slice(0, describedCharactersMax);
    return names.length === 0 ? "{}" : `{${shown}${names.length > 4 ? ", …" : ""}} (${names.length})`;
  }
  return String(value);
}
