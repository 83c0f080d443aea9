/** Comparisons and arithmetic of the AWS rule SQL, by the operator tables of its guide [aws-iot 14.2]. */
import type { ArithmeticOperator, ComparisonOperator } from "../sql/ast.ts";
import { computeWhole, isEqual, isWhole, settle, toAwsText, toDecimal } from "./aws-value.ts";
import { checkLength } from "./functions.ts";
import type { SqlValue } from "./value.ts";

const orders: Readonly<Record<Exclude<ComparisonOperator, "=" | "<>">, (a: number | bigint, b: number | bigint) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

export function compare(operator: ComparisonOperator, left: SqlValue, right: SqlValue): SqlValue {
  if (left === undefined || right === undefined) return undefined;
  if (operator === "=") return isEqual(left, right);
  if (operator === "<>") return !isEqual(left, right);
  const a = toDecimal(left);
  const b = toDecimal(right);
  return a === undefined || b === undefined ? undefined : orders[operator](a, b);
}

type Compute = (left: SqlValue, right: SqlValue) => SqlValue;

function arithmetic(compute: (a: number, b: number) => number, exact: (a: bigint, b: bigint) => bigint): Compute {
  return (left, right) => {
    const a = toDecimal(left);
    const b = toDecimal(right);
    if (a === undefined || b === undefined) return undefined;
    const number = compute(Number(a), Number(b));
    // Between Ints that a double does not hold exactly.
    const isLong = typeof a === "bigint" || typeof b === "bigint" || !Number.isSafeInteger(number);
    return isLong && isWhole(a) && isWhole(b) ? computeWhole(a, b, exact) : settle(number);
  };
}

/** The operator tables of the guide: a quotient of two Ints is an Int. */
const divide: Compute = (left, right) => {
  const a = toDecimal(left);
  const b = toDecimal(right);
  if (a === undefined || b === undefined || Number(b) === 0) return undefined;
  if (!isWhole(a) || !isWhole(b)) return settle(Number(a) / Number(b));
  if (typeof a === "number" && typeof b === "number") return Math.trunc(a / b) + 0;
  return computeWhole(a, b, (x, y) => x / y);
};

export const remainder: Compute = (left, right) => {
  const a = toDecimal(left);
  const b = toDecimal(right);
  if (a === undefined || b === undefined || Number(b) === 0) return undefined;
  if (typeof a === "bigint" || typeof b === "bigint") {
    return isWhole(a) && isWhole(b) ? computeWhole(a, b, (x, y) => x % y) : settle(Number(a) % Number(b));
  }
  return (a % b) + 0;
};

const addNumbers = arithmetic(
  (a, b) => a + b,
  (a, b) => a + b,
);

/** Between a text and anything a concatenation. */
function addition(textCharactersMax: number): Compute {
  return (left, right) => {
    if (typeof left !== "string" && typeof right !== "string") return addNumbers(left, right);
    const a = toAwsText(left);
    const b = toAwsText(right);
    if (a === undefined || b === undefined) return undefined;
    checkLength(a.length + b.length, textCharactersMax);
    return a + b;
  };
}

const numeric: Readonly<Record<Exclude<ArithmeticOperator, "+">, Compute>> = {
  "-": arithmetic(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  "*": arithmetic(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  "/": divide,
  "%": remainder,
};

export function createArithmetic(textCharactersMax: number): Readonly<Record<ArithmeticOperator, Compute>> {
  return { ...numeric, "+": addition(textCharactersMax) };
}
