/** Checks a request part against its typebox schema and says, in one problem, where it is wrong, what came and what was expected. */

import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { TLocalizedValidationError } from "typebox/error";
import { PlatformError } from "../errors/index.ts";

const receivedCharactersMax = 80;

export type ValidatorOutcome = { value: unknown } | { error: PlatformError };

/**
 * Query, path and header values are text and are converted; a body is taken as it is, so `"1"` is not a number there. Compiled at the first
 * use: a server asks few of its routes, and all of them compiled were some 10 MB.
 */
export function compileValidator(schema: TSchema, httpPart: string): (value: unknown) => ValidatorOutcome {
  let compiled: ReturnType<typeof Compile<TSchema>> | undefined;
  return (value) => {
    compiled ??= Compile(schema);
    const validator = compiled;
    const wished = validator.Default(httpPart === "body" ? value : convertTexts(validator, value));
    if (validator.Check(wished)) return { value: wished };
    const problem = choosePlainest(validator.Errors(wished));
    return { error: new PlatformError("api.request_invalid", describeProblem(problem, wished, httpPart)) };
  };
}

/** Numbers in a query or path are whole and written as such: `1.5` would become 1 and `1e1` 10, which nobody asked for. */
function convertTexts(validator: { Convert(value: unknown): unknown }, value: unknown): unknown {
  const texts = new Map(Object.entries(value ?? {}));
  const converted = validator.Convert(value);
  if (typeof converted !== "object" || converted === null) return converted;
  return Object.fromEntries(
    Object.entries(converted).map(([name, one]) => {
      const text = texts.get(name);
      return [name, typeof one === "number" && !/^-?\d+$/.test(String(text)) ? text : one];
    }),
  );
}

/**
 * A union reports the failures of all its branches. The branch that is meant is the one whose discriminator fits, that is,
 * the one without a failed `const`.
 */
function choosePlainest(errors: TLocalizedValidationError[]): TLocalizedValidationError | undefined {
  const branches = new Map<string, TLocalizedValidationError[]>();
  const outside: TLocalizedValidationError[] = [];
  for (const error of errors) {
    const branch = /^(.*\/anyOf\/\d+)/.exec(error.schemaPath)?.[1];
    if (branch === undefined) outside.push(error);
    else branches.set(branch, [...(branches.get(branch) ?? []), error]);
  }
  const meant = [...branches.values()].find((group) => !group.some((error) => error.keyword === "const"));
  const candidates = meant ?? (outside.length > 0 ? outside : errors);
  return (
    candidates.find((error) => error.keyword === "additionalProperties") ??
    candidates.find((error) => error.keyword !== "boolean" && error.keyword !== "anyOf") ??
    candidates[0]
  );
}

function describeProblem(
  problem: TLocalizedValidationError | undefined,
  root: unknown,
  httpPart: string,
): { path: string; received: string; expected: string } {
  if (problem === undefined) return { path: httpPart, received: "something else", expected: "a value that fits the document" };
  const place = `${httpPart}${problem.instancePath}`;
  const value = valueAt(root, problem.instancePath);
  const plain = { path: place, received: showReceived(value, problem.instancePath) };
  switch (problem.keyword) {
    case "additionalProperties": {
      const unknown = problem.params.additionalProperties[0] ?? "";
      return { path: `${place}/${unknown}`, received: "an unknown member", expected: "only members that the API document lists" };
    }
    case "required":
      return {
        path: `${place}/${problem.params.requiredProperties[0] ?? ""}`,
        received: "nothing",
        expected: "a value (the member is required)",
      };
    case "const":
      return { ...plain, expected: JSON.stringify(problem.params.allowedValue) };
    case "enum":
      return { ...plain, expected: `one of ${problem.params.allowedValues.map((allowed) => JSON.stringify(allowed)).join(", ")}` };
    case "pattern":
      return { ...plain, expected: `text that matches ${problem.params.pattern}` };
    case "anyOf":
      return { ...plain, expected: "one of the forms that the API document lists" };
    default:
      return { ...plain, expected: problem.message.replace(/^must (not )?(be |have )?/, (_, not?: string) => (not ? "not " : "")) };
  }
}

function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const raw of pointer.split("/").slice(1)) {
    if (typeof value !== "object" || value === null) return undefined;
    const key = raw.replaceAll("~1", "/").replaceAll("~0", "~");
    value = Object.entries(value).find(([name]) => name === key)?.[1];
  }
  return value;
}

function showReceived(value: unknown, pointer: string): string {
  if (value === undefined) return "nothing";
  if (/secret|password|token/i.test(pointer.slice(pointer.lastIndexOf("/") + 1))) return `a ${typeof value} (hidden)`;
  if (typeof value === "object") return value === null ? "null" : Array.isArray(value) ? `an array of ${value.length}` : "an object";
  const text = JSON.stringify(value);
  return text.length <= receivedCharactersMax ? text : `${text.slice(0, receivedCharactersMax)}…`;
}
