/**
 * Words and signs of both rule SQLs [alibaba-server 2.1, aws-iot 14.2]. Keywords in any letter case, names as written. Each language has
 * its own list of them: IN, LIKE, BETWEEN and IS are plain names in the AWS one, which has literals and steps after brackets instead.
 */
import { createToken, Lexer, type TokenType } from "chevrotain";

const letter = "[A-Za-z_\\u00c0-\\u024f\\u4e00-\\u9fff]";
const name = `${letter}[\\w\\u00c0-\\u024f\\u4e00-\\u9fff]*`;

/** Anything that may stand after AS: a name or a keyword. */
export const Word = createToken({ name: "Word", pattern: Lexer.NA });
/** A field or a path to it: `a`, `a.b[0].c`. */
export const Path = createToken({
  name: "Path",
  label: "field",
  pattern: new RegExp(`${name}(?:\\.${name}|\\[\\d{1,9}\\])*`),
  categories: [Word],
});

function keyword(word: string): TokenType {
  return createToken({ name: word, label: word, pattern: new RegExp(word, "i"), longer_alt: Path, categories: [Word] });
}

function sign(tokenName: string, label: string, pattern: string | RegExp = label): TokenType {
  return createToken({ name: tokenName, label: `"${label}"`, pattern });
}

export const Select = keyword("SELECT");
export const From = keyword("FROM");
export const Where = keyword("WHERE");
export const As = keyword("AS");
export const And = keyword("AND");
export const Or = keyword("OR");
export const Not = keyword("NOT");
export const In = keyword("IN");
export const Like = keyword("LIKE");
export const Between = keyword("BETWEEN");
export const Is = keyword("IS");
export const Null = keyword("NULL");
export const True = keyword("TRUE");
export const False = keyword("FALSE");
export const Case = keyword("CASE");
export const When = keyword("WHEN");
export const Then = keyword("THEN");
export const Else = keyword("ELSE");
export const End = keyword("END");

export const Text = createToken({ name: "Text", label: "'text'", pattern: /'(?:[^'\\]|''|\\[\s\S])*'/, line_breaks: true });
export const Quoted = createToken({ name: "Quoted", label: '"name"', pattern: /"(?:[^"\\]|\\[\s\S])*"/, line_breaks: true });
export const NumberToken = createToken({ name: "Number", label: "number", pattern: /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/ });
/** Tokens that only exist to be reported well. */
export const UnclosedText = createToken({ name: "UnclosedText", pattern: /'[\s\S]*/, line_breaks: true });
export const UnclosedQuoted = createToken({ name: "UnclosedQuoted", pattern: /"[\s\S]*/, line_breaks: true });
export const BadNumber = createToken({ name: "BadNumber", pattern: /\.?\d[\w.]*/ });

export const LessOrEqual = sign("LessOrEqual", "<=");
export const GreaterOrEqual = sign("GreaterOrEqual", ">=");
export const NotEqual = sign("NotEqual", "<>", /<>|!=/);
export const Less = sign("Less", "<");
export const Greater = sign("Greater", ">");
export const Equal = sign("Equal", "=");
export const Plus = sign("Plus", "+");
export const Minus = sign("Minus", "-");
export const Star = sign("Star", "*");
export const Slash = sign("Slash", "/");
export const Percent = sign("Percent", "%");
export const LeftBracket = sign("LeftBracket", "(");
export const RightBracket = sign("RightBracket", ")");
export const Comma = sign("Comma", ",");
export const Semicolon = sign("Semicolon", ";");
export const Dot = sign("Dot", ".");
export const Colon = sign("Colon", ":");
export const LeftSquare = sign("LeftSquare", "[");
export const RightSquare = sign("RightSquare", "]");
export const LeftBrace = sign("LeftBrace", "{");
export const RightBrace = sign("RightBrace", "}");
const Blank = createToken({ name: "Blank", pattern: /[\s\u3000]+/, group: Lexer.SKIPPED, line_breaks: true });

/** In order of trial: keywords before names, long signs before short ones, the closed form of a literal before the open one. */
export const alibabaTokens: TokenType[] = [
  Blank,
  Select,
  From,
  Where,
  As,
  And,
  Or,
  Not,
  Null,
  In,
  Is,
  Like,
  Between,
  True,
  False,
  Case,
  When,
  Then,
  Else,
  End,
  Path,
  Text,
  Quoted,
  NumberToken,
  UnclosedText,
  UnclosedQuoted,
  BadNumber,
  LessOrEqual,
  GreaterOrEqual,
  NotEqual,
  Less,
  Greater,
  Equal,
  Plus,
  Minus,
  Star,
  Slash,
  Percent,
  LeftBracket,
  RightBracket,
  Comma,
  Semicolon,
  Word,
];

const predicateWords: ReadonlySet<TokenType> = new Set([In, Is, Like, Between]);

export const awsTokens: TokenType[] = [
  ...alibabaTokens.filter((token) => !predicateWords.has(token)),
  Dot,
  Colon,
  LeftSquare,
  RightSquare,
  LeftBrace,
  RightBrace,
];

/** The grammar knows the words of both languages. */
export const allTokens: TokenType[] = [...new Set([...alibabaTokens, ...awsTokens])];
