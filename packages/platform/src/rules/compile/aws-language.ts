/** The AWS rule SQL [aws-iot 14.2]: what does not fit is Undefined and never fails the run. */
import type { RuleLimits } from "../limits.ts";
import type { Expression, MemberStep } from "../sql/ast.ts";
import { compare, createArithmetic } from "./aws-arithmetic.ts";
import { findAwsFunction } from "./aws-functions.ts";
import { compileProjection } from "./aws-select.ts";
import { isObject, settle, toAwsText, toBoolean, toDecimal, toInt } from "./aws-value.ts";
import { type CompileScope, compileExpression, type Evaluate, report } from "./expression.ts";
import type { Language, StructureExpression } from "./language.ts";
import { splitSteps } from "./path.ts";
import type { SqlValue, Value } from "./value.ts";

/** One step from a value; what is not there is Undefined. */
function step(value: SqlValue, key: SqlValue): SqlValue {
  if (typeof key === "string") return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  if (!Array.isArray(value)) return undefined;
  const index = toInt(key);
  return index === undefined || index < 0 ? undefined : value[index];
}

function walk(value: SqlValue, steps: readonly (string | number)[]): SqlValue {
  let found = value;
  for (const key of steps) found = step(found, key);
  return found;
}

function compileMember(of: Expression, steps: readonly MemberStep[], scope: CompileScope): Evaluate {
  const start = compileExpression(of, scope);
  const keys = steps.map((each) => (typeof each === "string" ? () => each : compileExpression(each, scope)));
  return (message, row) => {
    let value = start(message, row);
    for (const key of keys) value = step(value, key(message, row));
    return value;
  };
}

type Cast = (value: SqlValue) => SqlValue;

const castNumber: Cast = (value) => (typeof value === "boolean" ? Number(value) : toDecimal(value));
const castInt: Cast = (value) => {
  const number = castNumber(value);
  return typeof number === "number" ? settle(Math.floor(number)) : number;
};
const castBoolean: Cast = (value) => (typeof value === "number" || typeof value === "bigint" ? Number(value) !== 0 : toBoolean(value));

/** The words of the guide's page on cast(), in any letter case. */
const casts: Readonly<Record<string, Cast>> = {
  string: toAwsText,
  nvarchar: toAwsText,
  text: toAwsText,
  ntext: toAwsText,
  varchar: toAwsText,
  int: castInt,
  integer: castInt,
  double: castNumber,
  decimal: castNumber,
  bool: castBoolean,
  boolean: castBoolean,
};

function compileCast({ operand, type, at }: Extract<Expression, { kind: "cast" }>, scope: CompileScope): Evaluate {
  const word = type.toLowerCase();
  const cast = Object.hasOwn(casts, word) ? casts[word] : undefined;
  if (cast === undefined) return report(scope, at, `cast AS ${type}; expected one of ${Object.keys(casts).join(", ")}`);
  const evaluate = compileExpression(operand, scope);
  return (message, row) => cast(evaluate(message, row));
}

/** Of an array each element that passes, of an object the one; of anything else Undefined. */
function compileNested({ projection, from, where }: Extract<Expression, { kind: "select" }>, scope: CompileScope): Evaluate {
  const source = compileExpression(from, scope);
  const project = compileProjection(projection, scope);
  const passes = where === undefined ? undefined : compileExpression(where, scope);
  return (message, row) => {
    const found = source(message, row);
    if (isObject(found)) {
      return passes === undefined || toBoolean(passes(message, found)) === true ? project(message, found) : undefined;
    }
    if (!Array.isArray(found)) return undefined;
    const results: Value[] = [];
    for (const element of found) {
      if (passes !== undefined && toBoolean(passes(message, element)) !== true) continue;
      const result = project(message, element);
      if (result !== undefined) results.push(result);
    }
    return results;
  };
}

function compileStructure(expression: StructureExpression, scope: CompileScope): Evaluate {
  switch (expression.kind) {
    case "member":
      return compileMember(expression.of, expression.steps, scope);
    case "cast":
      return compileCast(expression, scope);
    case "select":
      needsSecondVersion(expression, "a nested SELECT", scope);
      return compileNested(expression, scope);
    case "array": {
      needsSecondVersion(expression, "an array", scope);
      const items = expression.items.map((item) => compileExpression(asText(item), scope));
      // An array has no gaps: Undefined in it is null.
      return (message, row) => items.map((item) => item(message, row) ?? null);
    }
    case "object": {
      needsSecondVersion(expression, "an object", scope);
      const entries = expression.entries.map(({ key, value }) => ({ key, evaluate: compileExpression(asText(value), scope) }));
      return (message, row) => {
        const object: { [key: string]: Value } = Object.create(null);
        for (const { key, evaluate } of entries) {
          const value = evaluate(message, row);
          if (value !== undefined) object[key] = value;
        }
        return object;
      };
    }
  }
}

/** The guide writes texts in double quotes as arguments and in literals, `concat("a", b)`; in every other place they enclose a name. */
function asText(expression: Expression): Expression {
  const isText = expression.kind === "path" && expression.isQuoted;
  return isText ? { kind: "constant", value: expression.text, at: expression.at } : expression;
}

function needsSecondVersion({ at }: Expression, what: string, scope: CompileScope): void {
  if (scope.settings.sqlVersion === "2015-10-08") report(scope, at, `${what} needs SQL version 2016-03-23`);
}

const common: Omit<Language, "arithmetic"> = {
  unknown: undefined,
  truthOf: toBoolean,
  compare,
  negate(value) {
    const number = toDecimal(value);
    // 0 - n: no negative zero.
    return number === undefined ? undefined : typeof number === "bigint" ? settle(-number) : 0 - number;
  },
  findFunction: findAwsFunction,
  readArguments: (given) => given.map((argument) => (argument === "*" ? argument : asText(argument))),
  compilePath({ text, isQuoted, at }, scope) {
    const steps = isQuoted ? [text] : splitSteps(text);
    if (steps === undefined) return report(scope, at, `"${text}" is not a path such as a.b[0].c`);
    return (_message, row) => walk(row, steps);
  },
  compileStructure,
};

export function createAwsLanguage({ textCharactersMax }: Pick<RuleLimits, "textCharactersMax">): Language {
  return { ...common, arithmetic: createArithmetic(textCharactersMax) };
}
