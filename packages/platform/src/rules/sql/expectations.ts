/** What the grammar would have taken, in words: the second half of every syntax problem. */
import { type IParserErrorMessageProvider, type TokenType, tokenLabel } from "chevrotain";
import * as t from "./tokens.ts";

/** A place where a whole expression may start is named, not listed. */
function nameTokens(firsts: readonly TokenType[]): string {
  const unique = new Set(firsts);
  const names: string[] = [];
  if (unique.has(t.Text) && unique.has(t.Path)) {
    for (const starter of [
      t.Not,
      t.Minus,
      t.NumberToken,
      t.Text,
      t.True,
      t.False,
      t.Null,
      t.Quoted,
      t.Path,
      t.Case,
      t.LeftBracket,
      t.LeftSquare,
      t.LeftBrace,
    ]) {
      unique.delete(starter);
    }
    names.push("a field", "a function", "a constant", "a bracket");
  }
  for (const type of unique) names.push(tokenLabel(type));
  const last = names.pop() ?? "";
  return names.length === 0 ? last : `${names.join(", ")} or ${last}`;
}

function firstsOf(paths: readonly TokenType[][]): TokenType[] {
  return paths.flatMap((path) => path.slice(0, 1));
}

export const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => (expected === t.From ? '"," or FROM' : nameTokens([expected])),
  buildNoViableAltMessage: ({ expectedPathsPerAlt }) => nameTokens(expectedPathsPerAlt.flatMap(firstsOf)),
  buildEarlyExitMessage: ({ expectedIterationPaths }) => nameTokens(firstsOf(expectedIterationPaths)),
  buildNotAllInputParsedMessage: () => "WHERE, an operator or the end of the statement",
};
