/**
 * Values of the AWS rule SQL and how they convert [aws-iot 14.2]. Undefined is `undefined`; a conversion that cannot be made gives it.
 * A number without a fraction is an Int, whatever it was written as: that is how SQL version 2016-03-23 has it.
 */
import { formatJson, type SqlValue, type Value } from "./value.ts";

const decimalText = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;
const integerText = /^-?\d+$/;
const textCharactersMax = 400;

export function toDecimal(value: SqlValue): number | bigint | undefined {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value !== "string" || value.length > textCharactersMax || !decimalText.test(value)) return undefined;
  const number = Number(value);
  if (integerText.test(value) && !Number.isSafeInteger(number)) return BigInt(value);
  return Number.isFinite(number) ? number : undefined;
}

/** As a double. */
export function toDouble(value: SqlValue): number | undefined {
  const decimal = toDecimal(value);
  return decimal === undefined ? undefined : Number(decimal);
}

/** Rounded down. */
export function toInt(value: SqlValue): number | undefined {
  const number = toDouble(value);
  return number === undefined ? undefined : Math.floor(number);
}

export function toAwsText(value: SqlValue): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "string") return value;
  return typeof value === "object" ? formatJson(value) : String(value);
}

export function toBoolean(value: SqlValue): boolean | undefined {
  if (typeof value === "boolean") return value;
  const word = typeof value === "string" ? value.toLowerCase() : "";
  return word === "true" ? true : word === "false" ? false : undefined;
}

export function isObject(value: SqlValue): value is { [key: string]: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Of values of different kinds false; the order of an object's keys does not count. Neither may be Undefined. */
export function isEqual(left: Value, right: Value): boolean {
  if (isNumeric(left) && isNumeric(right)) return left >= right && left <= right;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isEqual(item, right[index] ?? null));
  }
  if (isObject(left) && isObject(right)) {
    const keys = Object.keys(left);
    if (keys.length !== Object.keys(right).length) return false;
    return keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key] ?? null, right[key] ?? null));
  }
  return left === right;
}

function isNumeric(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

export function isWhole(number: number | bigint): boolean {
  return typeof number === "bigint" || Number.isInteger(number);
}

/** What is not a finite number is Undefined; an integer that a double can hold is one. */
export function settle(number: number | bigint): number | bigint | undefined {
  if (typeof number === "number") return Number.isFinite(number) ? number : undefined;
  const double = Number(number);
  return Number.isSafeInteger(double) ? double : number;
}

/** 34 digits are the vendor's; beyond them an Int would grow without bound. */
const intMax = 10n ** 34n;

/** Exact between Ints; both must be whole. */
export function computeWhole(
  left: number | bigint,
  right: number | bigint,
  compute: (a: bigint, b: bigint) => bigint,
): number | bigint | undefined {
  const exact = compute(BigInt(left), BigInt(right));
  return exact < intMax && exact > -intMax ? settle(exact) : undefined;
}
