/** A statement ready to run: text in, closures and problems out. */
import { PlatformError } from "../../errors/index.ts";
import type { RuleLimits } from "../limits.ts";
import type { SqlProblem } from "../rule.ts";
import type { SelectItem, Statement } from "../sql/ast.ts";
import { parseAwsExpression, parseSql, type RuleLanguage } from "../sql/parse-sql.ts";
import { checkFilter, compileFilter } from "../topic-filter.ts";
import { alibabaLanguage } from "./alibaba-language.ts";
import { createAwsLanguage } from "./aws-language.ts";
import { compileProjection } from "./aws-select.ts";
import { compactJson } from "./compact-json.ts";
import { type CompileScope, compileExpression, type Evaluate, report } from "./expression.ts";
import type { FunctionSettings } from "./functions.ts";
import { compilePath } from "./path.ts";
import type { RuleMessage } from "./rule-message.ts";
import { formatJson, kindOf, type SqlValue, type Value } from "./value.ts";

export interface RuleOutput {
  /** What an action sends. */
  bytes: Uint8Array;
  /** What `${}` is filled from; undefined for the raw bytes of a binary rule. */
  value: Value | undefined;
}

export interface CompiledRule {
  /** FROM, as written; absent: the rule is only called by its name. */
  topic: string | undefined;
  matchesTopic: (topic: string) => boolean;
  /** undefined = the message does not pass WHERE. Throws a PlatformError when the run fails. */
  run: (message: RuleMessage) => RuleOutput | undefined;
}

export interface CompileOptions {
  language?: RuleLanguage;
  /** Of AWS SQL; 2015-10-08 when absent [aws-iot 14.1]. */
  sqlVersion?: string;
  /** Of Alibaba's SQL. */
  dataType?: "json" | "binary";
  limits: RuleLimits;
  settings: FunctionSettings;
}

export type CompileOutcome = { rule: CompiledRule; problems: [] } | { rule?: undefined; problems: SqlProblem[] };

/** Parses and compiles. Never throws for what the text holds. */
export function compileSql(sql: string, options: CompileOptions): CompileOutcome {
  const { limits, language = "alibaba" } = options;
  const { tree: statement, problems } = parseSql(sql, limits, language);
  if (statement === undefined) return { problems };
  const scope = openScope(options);
  const { topic } = statement;
  const badTopic = topic === undefined ? undefined : checkFilter(topic, limits.topicBytesMax);
  const select = language === "aws" ? compileAwsSelect(statement, scope, limits) : compileSelect(statement, scope, limits);
  if (badTopic !== undefined) report(scope, statement.topicAt, badTopic);
  const where = statement.where === undefined ? undefined : compileExpression(statement.where, scope);
  if (scope.problems.length > 0) return { problems: scope.problems.slice(0, limits.problemsMax) };
  const { truthOf } = scope.language;
  const isAws = language === "aws";
  // A JSON rule of Alibaba's ignores what is not JSON, whether it looks into it or not [alibaba-server 2.1].
  const needsJson = !isAws && scope.dataType === "json";
  const run = (message: RuleMessage): RuleOutput | undefined => {
    if (needsJson) void message.payload;
    const row = isAws ? message.json : undefined;
    if (where !== undefined && truthOf(where(message, row)) !== true) return undefined;
    return select(message, row);
  };
  // [aws-iot 6.1] `a/#` does not take `a`.
  const matchesTopic = topic === undefined ? () => false : compileFilter(topic, { hashMatchesParent: !isAws });
  return { rule: { topic, matchesTopic, run }, problems: [] };
}

/** What a template's expression says of one message [aws-iot 14.4]. */
export function compileAwsExpression(text: string, options: CompileOptions): { evaluate: Evaluate } | { problem: SqlProblem } {
  const { tree, problems } = parseAwsExpression(text, options.limits);
  const scope = openScope({ ...options, language: "aws" });
  const evaluate = tree === undefined ? undefined : compileExpression(tree, scope);
  const [problem] = tree === undefined ? problems : scope.problems;
  if (evaluate === undefined || problem !== undefined) return { problem: problem ?? { message: "no expression", line: 1, column: 1 } };
  return { evaluate };
}

function openScope({ language = "alibaba", dataType = "json", sqlVersion = "2015-10-08", limits, settings }: CompileOptions): CompileScope {
  return {
    dataType,
    language: language === "aws" ? createAwsLanguage(limits) : alibabaLanguage,
    settings: { ...settings, textCharactersMax: limits.textCharactersMax, ...(language === "aws" ? { sqlVersion } : {}) },
    problems: [],
  };
}

function checkFieldCount(items: readonly SelectItem[], scope: CompileScope, { fieldsMax }: RuleLimits): void {
  if (items.length <= fieldsMax) return;
  report(scope, items[fieldsMax]?.at ?? { line: 1, column: 1 }, `${items.length} entries in the SELECT list; at most ${fieldsMax}`);
}

/** `*` alone passes the payload as it came, whatever it is; every other list makes JSON. */
function compileAwsSelect(statement: Statement, scope: CompileScope, limits: RuleLimits): Project {
  const { items, isValue } = statement;
  checkFieldCount(items, scope, limits);
  const [only] = items;
  if (items.length === 1 && only?.value === "*" && only.alias === undefined) {
    return (message) => (message.json === undefined ? { bytes: message.bytes, value: undefined } : passJson(message));
  }
  const project = compileProjection({ items, isValue }, scope);
  return (message, row) => {
    const value = project(message, row);
    return { bytes: value === undefined ? nothing : encoder.encode(formatJson(value)), value };
  };
}

/** Undefined by itself is the empty text. */
const nothing = new Uint8Array(0);

function compileSelect(statement: Statement, scope: CompileScope, limits: RuleLimits): Project {
  const { items } = statement;
  checkFieldCount(items, scope, limits);
  const stars = items.filter((item) => item.value === "*");
  for (const star of stars) {
    if (star.alias !== undefined) report(scope, star.at, "* takes no alias");
  }
  const [, secondStar] = stars;
  if (secondStar !== undefined) report(scope, secondStar.at, "* appears twice");
  if (items.length === 1 && stars.length === 1) return scope.dataType === "binary" ? passBytes : passJson;
  const [star] = stars;
  if (star !== undefined && scope.dataType === "binary") report(scope, star.at, "nothing may stand beside * in a binary rule");
  return selectFields(items, scope);
}

type Project = (message: RuleMessage, row: SqlValue) => RuleOutput;

const encoder = new TextEncoder();

function passBytes(message: RuleMessage): RuleOutput {
  return { bytes: message.bytes, value: undefined };
}

/** `SELECT *` keeps the payload's own spelling of numbers and its order of keys; only blanks go. */
function passJson(message: RuleMessage): RuleOutput {
  return { bytes: compactJson(message.bytes), value: message.payload };
}

function selectFields(items: SelectItem[], scope: CompileScope): Project {
  const seen = new Set<string>();
  const columns: { key: string; evaluate: Evaluate | "*" }[] = [];
  for (const item of items) {
    if (item.value === "*") {
      columns.push({ key: "*", evaluate: "*" });
      continue;
    }
    const key = keyOf(item);
    if (key === "") report(scope, item.at, "the alias is empty");
    if (seen.has(key)) report(scope, item.at, `two entries have the key ${key}; give one an alias`);
    seen.add(key);
    columns.push({ key, evaluate: compileExpression(item.value, scope) });
  }
  return (message) => {
    // No prototype: a key such as __proto__ is then a key like any other.
    const value: { [key: string]: Value } = Object.create(null);
    for (const { key, evaluate } of columns) {
      if (evaluate === "*") Object.assign(value, objectPayload(message));
      else value[key] = evaluate(message, undefined) ?? null;
    }
    return { bytes: encoder.encode(formatJson(value)), value };
  };
}

/** Alias; else the last name of a path; else the expression as written, without blanks inside brackets. */
function keyOf(item: SelectItem): string {
  if (item.alias !== undefined) return item.alias;
  if (item.value !== "*" && item.value.kind === "path") return compilePath(item.value.text)?.key ?? item.value.text;
  return item.text;
}

function objectPayload(message: RuleMessage): { [key: string]: Value } {
  const { payload } = message;
  if (typeof payload === "object" && payload !== null && !Array.isArray(payload)) return payload;
  throw new PlatformError("rules.value_kind", { expected: "a JSON object for *", received: kindOf(payload) });
}
