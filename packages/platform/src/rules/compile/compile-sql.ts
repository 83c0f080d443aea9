/** A statement ready to run: text in, closures and problems out. */
import { PlatformError } from "../../errors/index.ts";
import type { RuleLimits } from "../limits.ts";
import type { SqlProblem } from "../rule.ts";
import type { SelectItem, Statement } from "../sql/ast.ts";
import { parseSql } from "../sql/parse-sql.ts";
import { checkFilter, compileFilter } from "../topic-filter.ts";
import { compactJson } from "./compact-json.ts";
import { type CompileScope, compileExpression, type Evaluate, report } from "./expression.ts";
import type { FunctionSettings } from "./functions.ts";
import { compilePath } from "./path.ts";
import type { RuleMessage } from "./rule-message.ts";
import { formatJson, kindOf, type Value } from "./value.ts";

export interface RuleOutput {
  /** What an action sends. */
  bytes: Uint8Array;
  /** What `${}` is filled from; undefined for the raw bytes of a binary rule. */
  value: Value | undefined;
}

export interface CompiledRule {
  /** FROM, as written. */
  topic: string;
  matchesTopic: (topic: string) => boolean;
  /** undefined = the message does not pass WHERE. Throws a PlatformError when the run fails. */
  run: (message: RuleMessage) => RuleOutput | undefined;
}

export interface CompileOptions {
  dataType: "json" | "binary";
  limits: RuleLimits;
  settings: FunctionSettings;
}

export type CompileOutcome = { rule: CompiledRule; problems: [] } | { rule?: undefined; problems: SqlProblem[] };

/** Parses and compiles. Never throws for what the text holds. */
export function compileSql(sql: string, { dataType, limits, settings }: CompileOptions): CompileOutcome {
  const parsed = parseSql(sql, limits);
  if (parsed.statement === undefined) return parsed;
  const { statement } = parsed;
  const scope: CompileScope = { dataType, settings: { ...settings, textCharactersMax: limits.textCharactersMax }, problems: [] };
  const select = compileSelect(statement, scope, limits);
  const badTopic = checkFilter(statement.topic, limits.topicBytesMax);
  if (badTopic !== undefined) report(scope, statement.topicAt, badTopic);
  const where = statement.where === undefined ? undefined : compileExpression(statement.where, scope);
  if (scope.problems.length > 0) return { problems: scope.problems.slice(0, limits.problemsMax) };
  const run = (message: RuleMessage): RuleOutput | undefined => {
    // A JSON rule ignores what is not JSON, whether it looks into it or not [alibaba-server 2.1].
    if (dataType === "json") void message.payload;
    if (where !== undefined && where(message) !== true) return undefined;
    return select(message);
  };
  return { rule: { topic: statement.topic, matchesTopic: compileFilter(statement.topic), run }, problems: [] };
}

function compileSelect(statement: Statement, scope: CompileScope, limits: RuleLimits): Project {
  const { items } = statement;
  if (items.length > limits.fieldsMax) {
    const beyond = items[limits.fieldsMax];
    report(scope, beyond?.at ?? { line: 1, column: 1 }, `${items.length} entries in the SELECT list; at most ${limits.fieldsMax}`);
  }
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

type Project = (message: RuleMessage) => RuleOutput;

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
      else value[key] = evaluate(message);
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
