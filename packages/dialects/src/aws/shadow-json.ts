/** JSON of shadow documents: numbers stay as they were written, and names are the device's own (`__proto__` is one like others). */

export type ShadowNode = Readonly<Record<string, unknown>>;

/** A number that JavaScript would write otherwise than it came: 64-bit integers, `1.0`. */
interface RawNumber {
  readonly rawJSON: string;
}

/** Newer than the compiler's library. */
const json = JSON as typeof JSON & {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
};

/** The reviver costs five times the parsing; few documents have such numbers. */
const mayChange = /\d{16}|\d[.eE]|-0/;

function keepNumber(_key: string, value: unknown, { source }: { source?: string }): unknown {
  return typeof value === "number" && source !== undefined && String(value) !== source ? json.rawJSON(source) : value;
}

/** @throws SyntaxError */
export function parseShadowJson(text: string): unknown {
  return mayChange.test(text) ? json.parse(text, keepNumber) : JSON.parse(text);
}

export function isShadowNode(value: unknown): value is ShadowNode {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !json.isRawJSON(value);
}

const wholeNumber = /^-?\d+$/;

/** As text, so that neighbours among large integers stay different; `1` and `1.0` are one number. */
function isSameNumber(left: string, right: string): boolean {
  if (left === right) return true;
  if (wholeNumber.test(left) && wholeNumber.test(right)) return BigInt(left) === BigInt(right);
  return Number(left) === Number(right);
}

function numberText(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return json.isRawJSON(value) ? value.rawJSON : undefined;
}

export function isSameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  const leftNumber = numberText(left);
  const rightNumber = numberText(right);
  if (leftNumber !== undefined || rightNumber !== undefined) {
    return leftNumber !== undefined && rightNumber !== undefined && isSameNumber(leftNumber, rightNumber);
  }
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((each, index) => isSameValue(each, right[index]));
  }
  if (!isShadowNode(left) || !isShadowNode(right)) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => Object.hasOwn(right, name) && isSameValue(left[name], right[name]));
}

/** Objects and arrays inside one another; stops counting at `depthMax` + 1. */
export function nestingOf(value: unknown, depthMax: number): number {
  if (depthMax < 0 || typeof value !== "object" || value === null || json.isRawJSON(value)) return 0;
  let deepest = 0;
  for (const inner of Object.values(value)) deepest = Math.max(deepest, nestingOf(inner, depthMax - 1));
  return deepest + 1;
}

function hasNull(value: unknown): boolean {
  if (value === null) return true;
  return typeof value === "object" && Object.values(value).some(hasNull);
}

/** Null forgets a member; inside an array it means nothing. */
export function hasNullInArray(value: unknown): boolean {
  if (Array.isArray(value)) return hasNull(value);
  return isShadowNode(value) && Object.values(value).some(hasNullInArray);
}
