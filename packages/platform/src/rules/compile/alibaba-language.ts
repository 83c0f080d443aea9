/** Alibaba's rule SQL [alibaba-server 2.1]: null is the only nothing, and what does not fit fails the run. */
import type { ComparisonOperator } from "../sql/ast.ts";
import { report } from "./expression.ts";
import { findFunction } from "./functions.ts";
import type { Language } from "./language.ts";
import { compilePath } from "./path.ts";
import { compareValues, finite, type SqlValue, toNumber, type Value } from "./value.ts";

const comparisons: Readonly<Record<ComparisonOperator, (isEqual: boolean, order: number | undefined) => boolean | null>> = {
  "=": (isEqual) => isEqual,
  "<>": (isEqual) => !isEqual,
  "<": (_, order) => (order === undefined ? null : order < 0),
  "<=": (_, order) => (order === undefined ? null : order <= 0),
  ">": (_, order) => (order === undefined ? null : order > 0),
  ">=": (_, order) => (order === undefined ? null : order >= 0),
};

function arithmetic(compute: (a: number, b: number) => number): (left: SqlValue, right: SqlValue) => Value {
  return (left, right) => {
    const a = toNumber(left ?? null);
    const b = toNumber(right ?? null);
    return a === null || b === null ? null : finite(compute(a, b));
  };
}

export const alibabaLanguage: Language = {
  unknown: null,
  truthOf: (value) => (typeof value === "boolean" ? value : undefined),
  compare(operator, left, right) {
    const outcome = compareValues(left ?? null, right ?? null);
    return outcome === undefined ? null : comparisons[operator](outcome.isEqual, outcome.order);
  },
  arithmetic: {
    "+": arithmetic((a, b) => a + b),
    "-": arithmetic((a, b) => a - b),
    "*": arithmetic((a, b) => a * b),
    "/": arithmetic((a, b) => a / b),
    "%": arithmetic((a, b) => a % b),
  },
  negate(value) {
    if (typeof value === "bigint") return -value;
    const number = toNumber(value ?? null);
    return number === null ? null : -number;
  },
  findFunction,
  readArguments: (given) => given,
  compilePath({ text, at }, scope) {
    if (scope.dataType === "binary") return report(scope, at, `a binary rule cannot read the field ${text}: only * and functions`);
    const path = compilePath(text);
    if (path === undefined) return report(scope, at, `"${text}" is not a path such as a.b[0].c`);
    return (message) => path.read(message.payload);
  },
  // Its lexer makes none of the words that these begin with.
  compileStructure: ({ kind, at }, scope) => report(scope, at, `${kind} is not part of this SQL`),
};
