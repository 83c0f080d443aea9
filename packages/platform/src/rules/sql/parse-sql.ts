/** Text to tree, with every problem found on the way. */
import { EOF, type IRecognitionException, type IToken, Lexer, type TokenType } from "chevrotain";
import type { RuleLimits } from "../limits.ts";
import type { SqlProblem } from "../rule.ts";
import type { Expression, Statement } from "./ast.ts";
import { SqlParser } from "./sql-parser.ts";
import * as t from "./tokens.ts";

export type RuleLanguage = "alibaba" | "aws";

type Outcome<T> = { tree: T; problems: [] } | { tree?: undefined; problems: SqlProblem[] };

/** Building lexers and parser analyses the grammar (tens of milliseconds): done at the first statement, not at start. */
let tools: { lexers: Readonly<Record<RuleLanguage, Lexer>>; parser: SqlParser } | undefined;

function toolsOf(): NonNullable<typeof tools> {
  tools ??= {
    lexers: {
      alibaba: new Lexer(t.alibabaTokens, { ensureOptimizations: false }),
      aws: new Lexer(t.awsTokens, { ensureOptimizations: false }),
    },
    parser: new SqlParser(),
  };
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
export function parseSql(sql: string, limits: RuleLimits, language: RuleLanguage = "alibaba"): Outcome<Statement> {
  return parse(sql, limits, language, (parser) => (language === "aws" ? parser.awsStatement() : parser.statement()));
}

/** Parses what stands in `${…}` of an action [aws-iot 14.4]. */
export function parseAwsExpression(text: string, limits: RuleLimits): Outcome<Expression> {
  return parse(text, limits, "aws", (parser) => parser.awsExpression());
}

function parse<T>(sql: string, limits: RuleLimits, language: RuleLanguage, start: (parser: SqlParser) => T): Outcome<T> {
  if (sql.length > limits.sqlCharactersMax) {
    return {
      problems: [{ message: `statement is ${sql.length} characters long; at most ${limits.sqlCharactersMax}`, line: 1, column: 1 }],
    };
  }
  const { lexers, parser } = toolsOf();
  const { tokens, errors } = lexers[language].tokenize(sql);
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
  parser.isAws = language === "aws";
  const tree = start(parser);
  if (parser.errors.length > 0) {
    return { problems: parser.errors.slice(0, limits.problemsMax).map((error) => describe(error, sql)) };
  }
  return { tree, problems: [] };
}

const opening: ReadonlySet<TokenType> = new Set([t.LeftBracket, t.Case, t.LeftSquare, t.LeftBrace]);
const closing: ReadonlySet<TokenType> = new Set([t.RightBracket, t.End, t.RightSquare, t.RightBrace]);

/** Recursion of parser and evaluation follows brackets, CASE and runs of prefixes: bounded before the grammar sees them. */
function tooDeep(tokens: IToken[], nestingMax: number): SqlProblem | undefined {
  let open = 0;
  let prefixes = 0;
  for (const token of tokens) {
    const type = token.tokenType;
    prefixes = type === t.Not || type === t.Minus ? prefixes + 1 : 0;
    if (opening.has(type)) open += 1;
    if (closing.has(type)) open = Math.max(0, open - 1);
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
