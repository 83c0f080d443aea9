/** The typed tree of one statement. Chains of AND, OR and arithmetic are flat, so depth comes from brackets and CASE only. */

/** `line` and `column` from 1. */
export interface Position {
  line: number;
  column: number;
}

export type ComparisonOperator = "=" | "<>" | "<" | "<=" | ">" | ">=";
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";
export type Constant = string | number | boolean | null;

export type Expression = { at: Position } & (
  | { kind: "constant"; value: Constant }
  /** `text` as written, without the quotes. */
  | { kind: "path"; text: string; isQuoted: boolean }
  /** AWS: steps into the value of an expression, `get(a, 0).b[c]`. */
  | { kind: "member"; of: Expression; steps: MemberStep[] }
  /** AWS: `cast(a AS Int)`; the type as written. */
  | { kind: "cast"; operand: Expression; type: string }
  /** AWS: `[a, 1]` and `{'k': a}`. */
  | { kind: "array"; items: Expression[] }
  | { kind: "object"; entries: { key: string; value: Expression }[] }
  /** AWS: `(SELECT … FROM expression WHERE …)` over the elements of an array. */
  | { kind: "select"; projection: Projection; from: Expression; where: Expression | undefined }
  | { kind: "call"; name: string; arguments: (Expression | "*")[] }
  | { kind: "logic"; operator: "and" | "or"; operands: Expression[] }
  | { kind: "not"; operand: Expression }
  | { kind: "negate"; operand: Expression }
  | { kind: "arithmetic"; first: Expression; rest: { operator: ArithmeticOperator; operand: Expression }[] }
  | { kind: "comparison"; operator: ComparisonOperator; left: Expression; right: Expression }
  | { kind: "in"; operand: Expression; options: Expression[]; isNegated: boolean }
  | { kind: "like"; operand: Expression; pattern: Expression; isNegated: boolean }
  | { kind: "between"; operand: Expression; low: Expression; high: Expression; isNegated: boolean }
  | { kind: "isNull"; operand: Expression; isNegated: boolean }
  | {
      kind: "case";
      subject: Expression | undefined;
      branches: { when: Expression; result: Expression }[];
      otherwise: Expression | undefined;
    }
);

/** A key, or an index that is an expression. */
export type MemberStep = string | Expression;

export interface SelectItem {
  /** `*` = the whole payload. */
  value: Expression | "*";
  alias: string | undefined;
  at: Position;
  /** Source text of the expression, single blanks between tokens removed: the output key of an expression without alias. */
  text: string;
}

export interface Projection {
  items: SelectItem[];
  /** AWS: `SELECT VALUE`, the only item itself is the result. */
  isValue: boolean;
}

export interface Statement extends Projection {
  /** Absent: an AWS rule that is called by name only. */
  topic: string | undefined;
  topicAt: Position;
  where: Expression | undefined;
}
