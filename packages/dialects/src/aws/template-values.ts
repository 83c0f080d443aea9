/** Values in provisioning templates: constants, and functions of the template's parameters. */
import { TemplateFault } from "./template-fault.ts";

/** Checked JSON: every object with a member `Ref` or `Fn::…` is a call. */
export type TemplateValue = string | number | boolean | readonly TemplateValue[] | { readonly [name: string]: TemplateValue };

type Resolved = string | readonly Resolved[] | { readonly [name: string]: Resolved };

export interface TemplateScope {
  readonly parameters: ReadonlyMap<string, string>;
  readonly mappings: Readonly<Record<string, unknown>>;
}

export function isTemplateObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface TemplateFunction {
  readonly expected: string;
  isWellFormed(argument: TemplateValue): boolean;
  /** Throws TemplateFault. */
  evaluate(argument: TemplateValue, scope: TemplateScope, path: string): Resolved;
}

const isList = (value: TemplateValue | undefined): value is readonly TemplateValue[] => Array.isArray(value);

/** A list, or a call that gives one when it is evaluated. */
const mayBeList = (value: TemplateValue | undefined) => isList(value) || isTemplateObject(value);

const functions: Readonly<Record<string, TemplateFunction>> = {
  Ref: {
    expected: "the name of a parameter",
    isWellFormed: (argument) => typeof argument === "string",
    evaluate: (argument, scope, path) => parameterOf(String(argument), scope, path),
  },
  "Fn::Join": {
    expected: "[delimiter, [values]]",
    isWellFormed: (argument) => isList(argument) && argument.length === 2 && typeof argument[0] === "string" && mayBeList(argument[1]),
    evaluate: (argument, scope, path) => {
      const [delimiter, values] = pairOf(argument);
      return listOf(values, scope, path)
        .map((value) => textOf(value, path))
        .join(String(delimiter));
    },
  },
  "Fn::Select": {
    expected: "[index, [values]]",
    isWellFormed: (argument) =>
      isList(argument) && argument.length === 2 && (isIndex(argument[0]) || isTemplateObject(argument[0])) && mayBeList(argument[1]),
    evaluate: (argument, scope, path) => {
      const [index, values] = pairOf(argument);
      const list = listOf(values, scope, path);
      const wanted = evaluateText(index, scope, path);
      const value = isIndex(wanted) ? list[Number(wanted)] : undefined;
      if (value === undefined) throw new TemplateFault(path, wanted, `an index below ${list.length}`);
      return value;
    },
  },
  "Fn::FindInMap": {
    expected: "[map, first key, second key]",
    isWellFormed: (argument) => isList(argument) && argument.length === 3,
    evaluate: (argument, scope, path) => {
      const keys = (isList(argument) ? argument : []).map((key) => evaluateText(key, scope, path));
      let found: unknown = scope.mappings;
      for (const key of keys) {
        if (!isTemplateObject(found) || !Object.hasOwn(found, key))
          throw new TemplateFault(path, keys.join("."), "keys that are in Mappings");
        found = found[key];
      }
      return evaluateValue(checkTemplateValue(found, path), { ...scope, mappings: {} }, path);
    },
  },
  "Fn::Split": {
    expected: "[delimiter, text]",
    isWellFormed: (argument) => isList(argument) && argument.length === 2 && typeof argument[0] === "string" && argument[0] !== "",
    evaluate: (argument, scope, path) => {
      const [delimiter, text] = pairOf(argument);
      return evaluateText(text, scope, path).split(String(delimiter));
    },
  },
  "Fn::Sub": {
    expected: "a text with ${names}, or [text, {values}]",
    isWellFormed: (argument) =>
      typeof argument === "string" ||
      (isList(argument) && argument.length === 2 && typeof argument[0] === "string" && isTemplateObject(argument[1])),
    evaluate: (argument, scope, path) => {
      const [text, values] = typeof argument === "string" ? [argument, {}] : pairOf(argument);
      return substituteNames(String(text), isTemplateObject(values) ? values : {}, scope, path);
    },
  },
};

function isIndex(value: TemplateValue | undefined): boolean {
  return /^\d{1,4}$/.test(String(value));
}

function pairOf(argument: TemplateValue): readonly [TemplateValue, TemplateValue] {
  const [first = "", second = ""] = isList(argument) ? argument : [];
  return [first, second];
}

/** Own values first, then parameters; `${!name}` stays as `${name}`. */
function substituteNames(text: string, values: Readonly<Record<string, unknown>>, scope: TemplateScope, path: string): string {
  return text.replace(/\$\{([^}]*)\}/g, (_whole, name: string) => {
    if (name.startsWith("!")) return `\${${name.slice(1)}}`;
    if (Object.hasOwn(values, name)) return evaluateText(checkTemplateValue(values[name], path), scope, path);
    return parameterOf(name, scope, path);
  });
}

function parameterOf(name: string, { parameters }: TemplateScope, path: string): string {
  const value = parameters.get(name);
  if (value === undefined) throw new TemplateFault(path, `no parameter ${name}`, `the parameter ${name}`);
  return value;
}

/** The call that an object is; undefined for an object of values. */
function callOf(value: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(value).find((name) => name === "Ref" || name.startsWith("Fn::"));
}

/** Checks shape and functions. Throws TemplateFault. */
export function checkTemplateValue(value: unknown, path: string): TemplateValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map((item: unknown, index) => checkTemplateValue(item, `${path}[${index}]`));
  if (!isTemplateObject(value)) throw new TemplateFault(path, value, "a value or a function");
  const entries = Object.entries(value).map(([name, item]): [string, TemplateValue] => [name, checkTemplateValue(item, `${path}.${name}`)]);
  const checked: Readonly<Record<string, TemplateValue>> = Object.fromEntries(entries);
  const name = callOf(value);
  if (name === undefined) return checked;
  const called = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (called === undefined) throw new TemplateFault(`${path}.${name}`, name, `one of ${Object.keys(functions).join(", ")}`);
  if (entries.length !== 1) throw new TemplateFault(path, value, `${name} alone`);
  const argument = checked[name] ?? "";
  if (!called.isWellFormed(argument)) throw new TemplateFault(`${path}.${name}`, value[name], called.expected);
  return checked;
}

/** Throws TemplateFault. */
function evaluateValue(value: TemplateValue, scope: TemplateScope, path: string): Resolved {
  if (isList(value)) return value.map((item) => evaluateValue(item, scope, path));
  if (!isTemplateObject(value)) return String(value);
  const name = callOf(value);
  const called = name === undefined ? undefined : functions[name];
  if (name !== undefined && called !== undefined) return called.evaluate(checkTemplateValue(value[name], path), scope, path);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, evaluateValue(checkTemplateValue(item, path), scope, path)]));
}

function textOf(value: Resolved, path: string): string {
  if (typeof value !== "string") throw new TemplateFault(path, value, "a text");
  return value;
}

export function evaluateText(value: TemplateValue, scope: TemplateScope, path: string): string {
  return textOf(evaluateValue(value, scope, path), path);
}

function listOf(value: TemplateValue, scope: TemplateScope, path: string): readonly Resolved[] {
  const resolved = evaluateValue(value, scope, path);
  if (typeof resolved !== "object" || !Array.isArray(resolved)) throw new TemplateFault(path, resolved, "a list");
  return resolved;
}

export function evaluateTexts(value: TemplateValue, scope: TemplateScope, path: string): string[] {
  return listOf(value, scope, path).map((item) => textOf(item, path));
}

export function evaluateTextMap(value: TemplateValue, scope: TemplateScope, path: string): Record<string, string> {
  const resolved = evaluateValue(value, scope, path);
  if (typeof resolved === "string" || Array.isArray(resolved)) throw new TemplateFault(path, resolved, "an object");
  return Object.fromEntries(Object.entries(resolved).map(([name, item]) => [name, textOf(item, `${path}.${name}`)]));
}
