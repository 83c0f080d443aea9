/** Text to tree, with every problem found on the way. */
import { EOF, type IRecognitionException, type IToken, Lexer } from "chevrotain";
import type { RuleLimits } from "../limits.ts";
import type { SqlProblem } from "../rule.ts";
import type { Statement } from "./ast.ts";
import { SqlParser } from "./sql-parser.ts";
import * as t from "./tokens.ts";

export type SqlOutcome = { statement: Statement; problems: [] } | { statement?: undefined; problems: SqlProblem[] };

/** Building lexer and parser analyses the grammar (tens of milliseconds): done at the first statement, not at start. */
let tools: { lexer: Lexer; parser: SqlParser } | undefined;

function toolsOf(): { lexer: Lexer; parser: SqlParser } {
  tools ??= { lexer: new Lexer(t.tokens, { ensureOptimizations: false }), parser: new SqlParser() };
  return tools;
}

const malformed = new Map([
  [t.UnclosedText, "text is not closed: a ' is missing"],
  [t.UnclosedQuoted, 'name is not closed: a " is missing'],
  [t.BadNumber, "not a number and not a name (names start with a letter or _)"],
]);

/**
 * Parses `SELECT … FROM "…" [WHERE …]`.
 *
 * @returns the tree, or at least one problem with line and column (from 1). Never throws for what the text holds.
 */
export function parseSql(sql: string, limits: RuleLimits): SqlOutcome {
  if (sql.length > limits.sqlCharactersMax) {
    return {
      problems: [{ message: `statement is ${sql.length} characters long; at most ${limits.sqlCharactersMax}`, line: 1, column: 1 }],
    };
  }
  const { lexer, parser } = toolsOf();
  const { tokens, errors } = lexer.tokenize(sql);
  const problems: SqlProblem[] = errors.map((error) => ({
    message: `unexpected character ${quote(sql.slice(error.offset, error.offset + Math.max(1, error.length)))}`,
    line: error.line ?? 1,
    column: error.column ?? 1,
  }));
  for (const token of tokens) {
    const reason = malformed.get(token.tokenType);
    if (reason !== undefined) problems.push({ message: `${quote(token.image)}: ${reason}`, ...startOf(token) });
  }
  const deep = problems.length === 0 ? tooDeep(tokens, limits.sqlNestingMax) : undefined;
  if (deep !== undefined) problems.push(deep);
  // Words that are not words confuse the grammar: its complaints would only hide the cause.
  if (problems.length > 0) return { problems: problems.slice(0, limits.problemsMax) };
  parser.input = tokens;
  const statement = parser.statement();
  if (parser.errors.length > 0) {
    return { problems: parser.errors.slice(0, limits.problemsMax).map((error) => describe(error, sql)) };
  }
  return { statement, problems: [] };
}

/** Recursion of parser and evaluation follows brackets, CASE and runs of prefixes: bounded before the grammar sees them. */
function tooDeep(tokens: IToken[], nestingMax: number): SqlProblem | undefined {
  let open = 0;
  let prefixes = 0;
  for (const token of tokens) {
    const type = token.tokenType;
    prefixes = type === t.Not || type === t.Minus ? prefixes + 1 : 0;
    if (type === t.LeftBracket || type === t.Case) open += 1;
    if (type === t.RightBracket || type === t.End) open = Math.max(0, open - 1);
    if (open + prefixes > nestingMax) return { message: `nested deeper than ${nestingMax} levels`, ...startOf(token) };
  }
  return undefined;
}

function startOf(token: IToken): { line: number; column: number } {
  return { line: token.startLine ?? 1, column: token.startColumn ?? 1 };
}

function quote(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function describe(error: IRecognitionException, sql: string): SqlProblem {
  const isEnd = error.token.tokenType === EOF || Number.isNaN(error.token.startLine ?? Number.NaN);
  const where = isEnd ? endOf(sql) : startOf(error.token);
  const found = isEnd ? "the statement ends here" : `unexpected ${quote(error.token.image)}`;
  return { message: `${found}; expected ${error.message}`, ...where };
}

function endOf(sql: string): { line: number; column: number } {
  const lines = sql.trimEnd().split(/\r\n|\r|\n/);
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}
