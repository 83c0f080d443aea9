/** From tokens to what the tree holds of them. */
import type { IToken } from "chevrotain";
import type { Expression, MemberStep, Position } from "./ast.ts";

export function positionOf(token: IToken): Position {
  return { line: token.startLine ?? 1, column: token.startColumn ?? 1 };
}

/** `''` and `\'` stand for a quote, `\\` for a backslash; any other backslash is itself. */
export function unquoteText(image: string): string {
  return image.slice(1, -1).replace(/''|\\(['"\\])/g, (_, escaped: string | undefined) => escaped ?? "'");
}

export function unquoteName(image: string): string {
  return image.slice(1, -1).replace(/\\(["\\])/g, "$1");
}

/** `b[0].c` as one word -> its steps. */
export function namedSteps(text: string, token: IToken): MemberStep[] {
  return [...text.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([whole, index]) =>
    index === undefined ? whole : { kind: "constant", value: Number(index), at: positionOf(token) },
  );
}

export function chain(operator: "and" | "or", operands: Expression[], at: Position): Expression {
  const [only] = operands;
  return operands.length === 1 && only !== undefined ? only : { kind: "logic", operator, operands, at };
}

/** The expression as written, blanks reduced to one and none inside brackets: the output key of an entry without alias. */
export function textBetween(input: readonly IToken[], first: IToken, last: IToken): string {
  return input
    .filter((token) => token.startOffset >= first.startOffset && token.startOffset <= last.startOffset)
    .map((token) => token.image)
    .join(" ")
    .replace(/ ?([(),]) ?/g, "$1");
}
