/** The policy language (AWS reference, policies 5.1): text to checked document. */
import { isConditionOperator, isConditionValue } from "./policy-conditions.ts";

/** `2008-10-17` has no variables: `${…}` is ordinary text there. */
export type PolicyVersionName = "2012-10-17" | "2008-10-17";

export interface PolicyCondition {
  /** As written, qualifier and `IfExists` included: `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

export interface PolicyStatement {
  readonly sid?: string;
  readonly effect: "Allow" | "Deny";
  /** `isNegated`: NotAction, NotResource. */
  readonly actions: { readonly isNegated: boolean; readonly patterns: readonly string[] };
  readonly resources: { readonly isNegated: boolean; readonly patterns: readonly string[] };
  readonly conditions: readonly PolicyCondition[];
}

export interface PolicyDocument {
  readonly version: PolicyVersionName;
  readonly id?: string;
  readonly statements: readonly PolicyStatement[];
}

export type PolicyReading =
  | { readonly kind: "policy"; readonly policy: PolicyDocument }
  /** `path` as `Statement[0].Action`; empty for the document itself. */
  | { readonly kind: "malformed"; readonly path: string; readonly received: string; readonly expected: string };

export interface PolicyLimits {
  /** White space not counted. */
  documentCharactersMax: number;
}

export const defaultPolicyLimits: PolicyLimits = { documentCharactersMax: 2048 };

/** What is wrong and where; thrown inside this file only. */
class Malformed extends Error {
  readonly path: string;
  readonly received: string;
  readonly expected: string;

  constructor(path: string, received: unknown, expected: string) {
    super(path);
    this.path = path;
    this.received = shorten(received);
    this.expected = expected;
  }
}

const receivedCharactersMax = 80;

function shorten(received: unknown): string {
  const text = typeof received === "string" ? received : (JSON.stringify(received) ?? "nothing");
  return text.length > receivedCharactersMax ? `${text.slice(0, receivedCharactersMax)}…` : text;
}

/**
 * Reads and checks a policy document. Never throws: what is wrong is told with its place.
 *
 * @example readPolicy('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}}')
 */
export function readPolicy(document: string, limits: PolicyLimits = defaultPolicyLimits): PolicyReading {
  try {
    return { kind: "policy", policy: readDocument(document, limits) };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { kind: "malformed", path: error.path, received: error.received, expected: error.expected };
  }
}

function readDocument(document: string, { documentCharactersMax }: PolicyLimits): PolicyDocument {
  const length = document.replace(/\s+/g, "").length;
  if (length > documentCharactersMax) {
    throw new Malformed("", `${length} characters`, `at most ${documentCharactersMax} characters without white space`);
  }
  const members = readMembers(parseJson(document), "", ["Version", "Id", "Statement"]);
  const version = members.Version;
  if (version !== "2012-10-17" && version !== "2008-10-17") throw new Malformed("Version", version, '"2012-10-17" or "2008-10-17"');
  const id = readOptionalText(members.Id, "Id");
  return { version, ...(id !== undefined && { id }), statements: readStatements(members.Statement) };
}

function parseJson(document: string): unknown {
  try {
    return JSON.parse(document);
  } catch {
    throw new Malformed("", document, "a JSON object");
  }
}

function readMembers(value: unknown, path: string, allowed: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Malformed(path, value, "an object");
  for (const name of Object.keys(value)) {
    if (!allowed.includes(name)) throw new Malformed(joinPath(path, name), name, `one of ${allowed.join(", ")}`);
  }
  return { ...value };
}

function joinPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function readOptionalText(value: unknown, path: string): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new Malformed(path, value, "a string");
}

function readStatements(value: unknown): PolicyStatement[] {
  if (!Array.isArray(value)) return [readStatement(value, "Statement")];
  if (value.length === 0) throw new Malformed("Statement", value, "at least one statement");
  const statements = value.map((statement: unknown, index) => readStatement(statement, `Statement[${index}]`));
  const sids = new Set<string>();
  for (const [index, { sid }] of statements.entries()) {
    if (sid === undefined) continue;
    if (sids.has(sid)) throw new Malformed(`Statement[${index}].Sid`, sid, "a Sid of its own for every statement");
    sids.add(sid);
  }
  return statements;
}

const statementMembers = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

function readStatement(value: unknown, path: string): PolicyStatement {
  const members = readMembers(value, path, statementMembers);
  const sid = readOptionalText(members.Sid, `${path}.Sid`);
  const effect = members.Effect;
  if (effect !== "Allow" && effect !== "Deny") throw new Malformed(`${path}.Effect`, effect, '"Allow" or "Deny"');
  return {
    ...(sid !== undefined && { sid }),
    effect,
    actions: readList(members, path, "Action", checkAction),
    resources: readList(members, path, "Resource", checkResource),
    conditions: readConditions(members.Condition, `${path}.Condition`),
  };
}

/** `Action` or `NotAction`, `Resource` or `NotResource`: one of the two, a string or a list of strings. */
function readList(
  members: Readonly<Record<string, unknown>>,
  path: string,
  name: "Action" | "Resource",
  check: (text: string, path: string) => void,
): PolicyStatement["actions"] {
  const isNegated = members[`Not${name}`] !== undefined;
  if (isNegated === (members[name] !== undefined)) {
    throw new Malformed(`${path}.${name}`, isNegated ? "both" : "nothing", `either ${name} or Not${name}`);
  }
  const listPath = `${path}.${isNegated ? "Not" : ""}${name}`;
  const value = members[isNegated ? `Not${name}` : name];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new Malformed(listPath, value, "at least one string");
  const patterns = list.map((item, index) => {
    const itemPath = Array.isArray(value) ? `${listPath}[${index}]` : listPath;
    if (typeof item !== "string") throw new Malformed(itemPath, item, "a string");
    check(item, itemPath);
    return item;
  });
  return { isNegated, patterns };
}

function checkAction(text: string, path: string): void {
  // A service of another kind may stand in the list and never applies here.
  if (text !== "*" && !/^[a-z0-9-]+:[a-z0-9*?]+$/i.test(text)) throw new Malformed(path, text, '"*" or service:action, e.g. iot:Publish');
}

function checkResource(text: string, path: string): void {
  if (text !== "*" && !/^arn:(?:[^:]*:){4}./s.test(text)) {
    throw new Malformed(path, text, '"*" or an ARN, e.g. arn:aws:iot:region:account:topic/a/b');
  }
}

function readConditions(value: unknown, path: string): PolicyCondition[] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Malformed(path, value, "an object");
  return Object.entries(value).flatMap(([operator, keys]: [string, unknown]) => {
    const operatorPath = `${path}.${operator}`;
    if (!isConditionOperator(operator)) throw new Malformed(operatorPath, operator, "a condition operator, e.g. StringEquals");
    if (typeof keys !== "object" || keys === null || Array.isArray(keys)) throw new Malformed(operatorPath, keys, "an object");
    return Object.entries(keys).map(([key, values]: [string, unknown]) => ({
      operator,
      key,
      values: readValues(values, `${operatorPath}.${key}`, operator),
    }));
  });
}

function readValues(value: unknown, path: string, operator: string): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new Malformed(path, value, "at least one value");
  return list.map((item) => {
    if (typeof item !== "string" && typeof item !== "boolean" && typeof item !== "number") {
      throw new Malformed(path, item, "a string, number or boolean");
    }
    if (!isConditionValue(operator, String(item))) throw new Malformed(path, item, `a value that ${operator} can compare with`);
    return String(item);
  });
}
