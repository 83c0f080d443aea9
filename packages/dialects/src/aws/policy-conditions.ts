/** Condition operators (AWS reference, policies 5.5): a table of comparisons; qualifiers and `IfExists` around them. */
import { isInRange, parseIpRange } from "./ip-range.ts";
import { matchesArn, readArnPattern } from "./policy-arn.ts";
import type { ContextValues } from "./policy-context.ts";
import type { PolicyCondition, PolicyVersionName } from "./policy-document.ts";
import { substitute } from "./policy-variables.ts";
import { compileWildcards, matchesWildcards, type WildcardToken } from "./policy-wildcards.ts";

/** One value of a policy, ready to be compared with one value of the context. Undefined: it can equal nothing. */
type Comparison = ((value: string) => boolean) | undefined;

interface OperatorRow {
  readonly isNegated: boolean;
  readonly hasWildcards: boolean;
  compile(tokens: readonly WildcardToken[]): Comparison;
}

const textOf = (tokens: readonly WildcardToken[]) =>
  tokens.map((token) => (token.kind === "text" ? token.text : token.kind === "any" ? "*" : "?")).join("");

const equals: OperatorRow["compile"] = (tokens) => {
  const text = textOf(tokens);
  return (value) => value === text;
};

const equalsIgnoringCase: OperatorRow["compile"] = (tokens) => {
  const text = textOf(tokens).toLowerCase();
  return (value) => value.toLowerCase() === text;
};

const like: OperatorRow["compile"] = (tokens) => {
  const matcher = compileWildcards(tokens);
  return (value) => matchesWildcards(matcher, value);
};

const arn: OperatorRow["compile"] = (tokens) => {
  const pattern = readArnPattern(tokens);
  return pattern && ((value) => matchesArn(pattern, value));
};

const address: OperatorRow["compile"] = (tokens) => {
  const range = parseIpRange(textOf(tokens));
  return range && ((value) => isInRange(range, value));
};

/** Compares quantities; a text that is none fulfils no comparison. */
function quantity(read: (text: string) => number, isFulfilled: (value: number, wanted: number) => boolean): OperatorRow["compile"] {
  return (tokens) => {
    const wanted = read(textOf(tokens));
    return Number.isNaN(wanted) ? undefined : (value) => isFulfilled(read(value), wanted);
  };
}

function readNumber(text: string): number {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

/** ISO 8601, or seconds since the epoch. */
function readDate(text: string): number {
  return /^\d+(?:\.\d+)?$/.test(text) && text.length > 4 ? Number(text) * 1000 : Date.parse(text);
}

const isEqual = (value: number, wanted: number) => value === wanted;
const isLess = (value: number, wanted: number) => value < wanted;
const isAtMost = (value: number, wanted: number) => value <= wanted;
const isMore = (value: number, wanted: number) => value > wanted;
const isAtLeast = (value: number, wanted: number) => value >= wanted;

const row = (compile: OperatorRow["compile"], change: Partial<OperatorRow> = {}): OperatorRow => ({
  isNegated: false,
  hasWildcards: false,
  ...change,
  compile,
});
const negated = { isNegated: true };
const wild = { hasWildcards: true };

const operators: Readonly<Record<string, OperatorRow>> = {
  StringEquals: row(equals),
  StringNotEquals: row(equals, negated),
  StringEqualsIgnoreCase: row(equalsIgnoringCase),
  StringNotEqualsIgnoreCase: row(equalsIgnoringCase, negated),
  StringLike: row(like, wild),
  StringNotLike: row(like, { ...wild, ...negated }),
  NumericEquals: row(quantity(readNumber, isEqual)),
  NumericNotEquals: row(quantity(readNumber, isEqual), negated),
  NumericLessThan: row(quantity(readNumber, isLess)),
  NumericLessThanEquals: row(quantity(readNumber, isAtMost)),
  NumericGreaterThan: row(quantity(readNumber, isMore)),
  NumericGreaterThanEquals: row(quantity(readNumber, isAtLeast)),
  DateEquals: row(quantity(readDate, isEqual)),
  DateNotEquals: row(quantity(readDate, isEqual), negated),
  DateLessThan: row(quantity(readDate, isLess)),
  DateLessThanEquals: row(quantity(readDate, isAtMost)),
  DateGreaterThan: row(quantity(readDate, isMore)),
  DateGreaterThanEquals: row(quantity(readDate, isAtLeast)),
  Bool: row(equalsIgnoringCase),
  BinaryEquals: row(equals),
  IpAddress: row(address),
  NotIpAddress: row(address, negated),
  ArnEquals: row(arn, wild),
  ArnLike: row(arn, wild),
  ArnNotEquals: row(arn, { ...wild, ...negated }),
  ArnNotLike: row(arn, { ...wild, ...negated }),
};

const operatorShape = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

interface ReadOperator {
  readonly qualifier: "ForAllValues" | "ForAnyValue" | undefined;
  /** Absent for `Null`. */
  readonly row: OperatorRow | undefined;
  readonly isIfExists: boolean;
}

function readOperator(text: string): ReadOperator | undefined {
  const [, qualifier, name = "", ifExists] = operatorShape.exec(text) ?? [];
  const found = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (found === undefined && (name !== "Null" || qualifier !== undefined || ifExists !== undefined)) return undefined;
  return {
    qualifier: qualifier === "ForAllValues" || qualifier === "ForAnyValue" ? qualifier : undefined,
    row: found,
    isIfExists: ifExists !== undefined,
  };
}

/** Whether the operator can compare with the value; one with variables is judged when they have values. */
export function isConditionValue(operator: string, value: string): boolean {
  const read = readOperator(operator);
  if (read === undefined) return false;
  if (value.includes("${")) return true;
  if (read.row === undefined || read.row === operators.Bool) return /^(?:true|false)$/i.test(value);
  const noValues = () => undefined;
  const tokens = substitute(value, noValues, { hasVariables: false, hasWildcards: read.row.hasWildcards });
  return tokens !== undefined && read.row.compile(tokens) !== undefined;
}

export function isConditionOperator(text: string): boolean {
  return readOperator(text) !== undefined;
}

/** A variable without a value makes the condition unfulfilled, whatever the operator: the statement does not match (5.4). */
export function isFulfilled(condition: PolicyCondition, values: ContextValues, version: PolicyVersionName): boolean {
  const operator = readOperator(condition.operator);
  if (operator === undefined) return false;
  const found = values(condition.key);
  if (operator.row === undefined) return isNullFulfilled(condition.values, found);
  const { hasWildcards, isNegated, compile } = operator.row;
  const comparisons: NonNullable<Comparison>[] = [];
  for (const text of condition.values) {
    const tokens = substitute(text, values, { hasVariables: version === "2012-10-17", hasWildcards });
    if (tokens === undefined) return false;
    const comparison = compile(tokens);
    if (comparison === undefined) return false;
    comparisons.push(comparison);
  }
  // Each single value is judged alone; a negated operator wants none of the policy's values to equal it.
  const isGood = (value: string) => comparisons.some((comparison) => comparison(value)) !== isNegated;
  if (operator.qualifier === "ForAllValues") return (found ?? []).every(isGood);
  if (found === undefined || found.length === 0) return operator.isIfExists || (isNegated && operator.qualifier === undefined);
  // Several values without a qualifier: one that equals is enough, one that equals breaks a negated operator.
  return operator.qualifier === undefined && isNegated ? found.every(isGood) : found.some(isGood);
}

/** `"true"`: the key must be absent; `"false"`: present. */
function isNullFulfilled(wanted: readonly string[], found: readonly string[] | undefined): boolean {
  return wanted.some((text) => text.toLowerCase() === String(found === undefined || found.length === 0));
}
