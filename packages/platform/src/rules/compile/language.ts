/** What the two rule SQLs do differently once they are parsed. */
import type { ArithmeticOperator, ComparisonOperator, Expression } from "../sql/ast.ts";
import type { CompileScope, Evaluate } from "./expression.ts";
import type { RuleFunction } from "./functions.ts";
import type { SqlValue } from "./value.ts";

type Kind<K extends Expression["kind"]> = Extract<Expression, { kind: K }>;

/** Expressions that are more than an operator between values. */
export type StructureExpression = Kind<"member" | "cast" | "array" | "object" | "select">;

export interface Language {
  /** Result of a comparison that cannot be made and of a CASE that takes no branch: null, or Undefined. */
  readonly unknown: null | undefined;
  /** undefined: neither true nor false. */
  truthOf(value: SqlValue): boolean | undefined;
  compare(operator: ComparisonOperator, left: SqlValue, right: SqlValue): SqlValue;
  readonly arithmetic: Readonly<Record<ArithmeticOperator, (left: SqlValue, right: SqlValue) => SqlValue>>;
  negate(value: SqlValue): SqlValue;
  findFunction(name: string): RuleFunction | { refusal: string } | undefined;
  /** Arguments of a call as they are meant. */
  readArguments(given: readonly (Expression | "*")[]): readonly (Expression | "*")[];
  compilePath(path: Kind<"path">, scope: CompileScope): Evaluate;
  compileStructure(expression: StructureExpression, scope: CompileScope): Evaluate;
}
