/**
 * Values of the rule SQLs, and how they meet in Alibaba's.
 *
 * - A missing field is null. A comparison with null is unknown; AND, OR and NOT carry "unknown" on, and a WHERE passes
 *   only what is true.
 * - Number and text compare as numbers when the whole text is a number, otherwise they are different and unordered.
 * - Boolean and text compare by the texts `true` and `false`. Other mixed kinds are different and unordered.
 * - Texts order by UTF-16 code units. Objects and arrays are equal when their JSON is, and unordered.
 * - Arithmetic takes numbers and numeric texts; null makes null; anything else fails the run (`rules.value_kind`).
 * - Integers of a payload beyond 2^53 are kept exactly as bigint while they are passed on or compared; arithmetic turns
 *   them into (rounded) numbers.
 */
import { PlatformError } from "../../errors/index.ts";

export type Value = null | boolean | number | bigint | string | Value[] | { [key: string]: Value };

/** AWS tells a missing value (Undefined) from null. */
export type SqlValue = Value | undefined;

/** Stands for the bytes of the payload, which are no value of the SQL, in the arguments of functions that take them. */
export const rawPayload: Value = Object.freeze(Object.create(null));

/** `undefined` = null was involved or the two have no order. */
export function compareValues(left: Value, right: Value): { isEqual: boolean; order: number | undefined } | undefined {
  if (left === null || right === null) return undefined;
  const a = comparable(left, right);
  const b = comparable(right, left);
  if (isNumeric(a) && isNumeric(b)) return ordered(a < b, a > b, a >= b && a <= b);
  if (typeof a === "string" && typeof b === "string") return ordered(a < b, a > b, a === b);
  if (typeof a === "object" && typeof b === "object") return { isEqual: formatJson(a) === formatJson(b), order: undefined };
  return { isEqual: a === b, order: undefined };
}

function ordered(isLess: boolean, isGreater: boolean, isEqual: boolean): { isEqual: boolean; order: number | undefined } {
  return { isEqual, order: isLess ? -1 : isGreater ? 1 : isEqual ? 0 : undefined };
}

/** `value` in the shape in which it meets `other`. */
function comparable(value: Value, other: Value): Value {
  if (typeof value === "string" && isNumeric(other)) return numberOfText(value) ?? value;
  if (typeof value === "boolean" && typeof other === "string") return String(value);
  return value;
}

function isNumeric(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

const numericText = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

function numberOfText(text: string): number | bigint | undefined {
  if (text.length > 400 || !numericText.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) || !/^\s*[+-]?\d+\s*$/.test(text) ? number : BigInt(text.replace("+", ""));
}

/** For arithmetic and numeric functions. Null stays null. */
export function toNumber(value: Value): number | null {
  if (value === null || typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  const number = typeof value === "string" ? numberOfText(value) : undefined;
  if (number === undefined) throw new PlatformError("rules.value_kind", { expected: "a number", received: kindOf(value) });
  return Number(number);
}

/** What is not a finite number is null: JSON has no word for it. */
export function finite(number: number): number | null {
  return Number.isFinite(number) ? number : null;
}

/** For text functions: numbers and booleans are written out, objects as JSON. Null stays null. */
export function toText(value: Value): string | null {
  if (value === null || typeof value === "string") return value;
  return typeof value === "object" ? formatJson(value) : String(value);
}

export function kindOf(value: Value): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "string") return "text";
  return typeof value === "bigint" ? "number" : typeof value;
}

/** V8 has both since 11.4; the ES2024 library types do not know them yet. */
interface JsonWithSource {
  rawJSON(text: string): unknown;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
}
const jsonWithSource = JSON as unknown as JsonWithSource;

/** @throws SyntaxError when the text is not JSON */
export function parseJson(text: string): Value {
  // The reviver is about five times slower: used only when a number may be too long for a double.
  if (!/\d{16}/.test(text)) return JSON.parse(text) as Value;
  return jsonWithSource.parse(text, (_key, value, { source }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value,
  ) as Value;
}

/** Compact JSON; keys in the order of the object (integer-like keys come first, as JavaScript orders them). */
export function formatJson(value: Value): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? jsonWithSource.rawJSON(String(inner)) : inner));
}
