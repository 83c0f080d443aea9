/** Expression trees become closures once, when a rule starts; messages only run them. */
import type { SqlProblem } from "../rule.ts";
import type { ArithmeticOperator, ComparisonOperator, Expression, Position } from "../sql/ast.ts";
import { type FunctionScope, findFunction } from "./functions.ts";
import { compilePath } from "./path.ts";
import type { RuleMessage } from "./rule-message.ts";
import { compareValues, finite, toNumber, toText, type Value } from "./value.ts";

export type Evaluate = (message: RuleMessage) => Value;

export interface CompileScope {
  dataType: "json" | "binary";
  settings: FunctionScope;
  problems: SqlProblem[];
}

/** Stands in for an expression with a problem; never run, because a statement with problems is never started. */
const nothing: Evaluate = () => null;

export function report(scope: CompileScope, at: Position, message: string): Evaluate {
  scope.problems.push({ message, line: at.line, column: at.column });
  return nothing;
}

const comparisons: Readonly<Record<ComparisonOperator, (isEqual: boolean, order: number | undefined) => boolean | null>> = {
  "=": (isEqual) => isEqual,
  "<>": (isEqual) => !isEqual,
  "<": (_, order) => (order === undefined ? null : order < 0),
  "<=": (_, order) => (order === undefined ? null : order <= 0),
  ">": (_, order) => (order === undefined ? null : order > 0),
  ">=": (_, order) => (order === undefined ? null : order >= 0),
};

const arithmetic: Readonly<Record<ArithmeticOperator, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
};

function compare(operator: ComparisonOperator, left: Value, right: Value): boolean | null {
  const outcome = compareValues(left, right);
  return outcome === undefined ? null : comparisons[operator](outcome.isEqual, outcome.order);
}

function negate(truth: Value): Value {
  return typeof truth === "boolean" ? !truth : null;
}

/** true when one is true, otherwise null when one is unknown; AND is the mirror. */
function logic(operands: Evaluate[], decisive: boolean): Evaluate {
  return (message) => {
    let isUnknown = false;
    for (const operand of operands) {
      const truth = operand(message);
      if (truth === decisive) return decisive;
      if (typeof truth !== "boolean") isUnknown = true;
    }
    return isUnknown ? null : !decisive;
  };
}

export function compileExpression(expression: Expression, scope: CompileScope): Evaluate {
  const compile = (inner: Expression): Evaluate => compileExpression(inner, scope);
  switch (expression.kind) {
    case "constant": {
      const { value } = expression;
      return () => value;
    }
    case "path":
      return compilePathExpression(expression.text, expression.at, scope);
    case "call":
      return compileCall(expression, scope);
    case "logic":
      return logic(expression.operands.map(compile), expression.operator === "or");
    case "not": {
      const operand = compile(expression.operand);
      return (message) => negate(operand(message));
    }
    case "negate": {
      const operand = compile(expression.operand);
      return (message) => {
        const value = operand(message);
        if (typeof value === "bigint") return -value;
        const number = toNumber(value);
        return number === null ? null : -number;
      };
    }
    case "arithmetic": {
      const first = compile(expression.first);
      const rest = expression.rest.map(({ operator, operand }) => ({ apply: arithmetic[operator], operand: compile(operand) }));
      return (message) => {
        let total = toNumber(first(message));
        for (const { apply, operand } of rest) {
          const next = toNumber(operand(message));
          total = total === null || next === null ? null : finite(apply(total, next));
        }
        return total;
      };
    }
    case "comparison": {
      const left = compile(expression.left);
      const right = compile(expression.right);
      const { operator } = expression;
      return (message) => compare(operator, left(message), right(message));
    }
    case "in": {
      const operand = compile(expression.operand);
      const options = expression.options.map(compile);
      const isIn: Evaluate = (message) => {
        const value = operand(message);
        return logic(
          options.map((option) => (of) => compare("=", value, option(of))),
          true,
        )(message);
      };
      return expression.isNegated ? (message) => negate(isIn(message)) : isIn;
    }
    case "like":
      return compileLike(expression, scope);
    case "between": {
      const [operand, low, high] = [compile(expression.operand), compile(expression.low), compile(expression.high)];
      const isBetween: Evaluate = (message) => {
        const value = operand(message);
        return logic([() => compare(">=", value, low(message)), () => compare("<=", value, high(message))], false)(message);
      };
      return expression.isNegated ? (message) => negate(isBetween(message)) : isBetween;
    }
    case "isNull": {
      const operand = compile(expression.operand);
      const { isNegated } = expression;
      return (message) => (operand(message) === null) !== isNegated;
    }
    case "case": {
      const subject = expression.subject === undefined ? undefined : compile(expression.subject);
      const branches = expression.branches.map(({ when, result }) => ({ when: compile(when), result: compile(result) }));
      const otherwise = expression.otherwise === undefined ? nothing : compile(expression.otherwise);
      return (message) => {
        const value = subject?.(message);
        const taken = branches.find(({ when }) => (value === undefined ? when(message) : compare("=", value, when(message))) === true);
        return (taken?.result ?? otherwise)(message);
      };
    }
  }
}

function compilePathExpression(text: string, at: Position, scope: CompileScope): Evaluate {
  if (scope.dataType === "binary") return report(scope, at, `a binary rule cannot read the field ${text}: only * and functions`);
  const path = compilePath(text);
  if (path === undefined) return report(scope, at, `"${text}" is not a path such as a.b[0].c`);
  return (message) => path.read(message.payload);
}

/** Only `%` is special [alibaba-server 2.1]; there is no escape for it. */
function compileLike(expression: Extract<Expression, { kind: "like" }>, scope: CompileScope): Evaluate {
  const operand = compileExpression(expression.operand, scope);
  const { pattern, isNegated } = expression;
  if (pattern.kind !== "constant" || typeof pattern.value !== "string") {
    return report(scope, pattern.at, "LIKE takes a constant text such as 'abc%'");
  }
  const parts = pattern.value.split("%");
  return (message) => {
    const text = toText(operand(message));
    return text === null ? null : isLike(text, parts) !== isNegated;
  };
}

/** Greedy from the left: linear in the text, whatever the pattern. */
function isLike(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? "";
  if (parts.length === 1) return text === first;
  const last = parts.at(-1) ?? "";
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}

function compileCall(call: Extract<Expression, { kind: "call" }>, scope: CompileScope): Evaluate {
  const row = findFunction(call.name);
  if (row === undefined) return report(scope, call.at, `unknown function ${call.name}`);
  if (row === "not_offered") return report(scope, call.at, `function ${call.name} is not offered`);
  const plain = call.arguments.filter((argument) => argument !== "*");
  const hasStar = plain.length !== call.arguments.length;
  if (row.takesStar === true) {
    if (call.arguments.length !== 1 || !hasStar) return report(scope, call.at, `${call.name} takes (*)`);
  } else if (hasStar) {
    return report(scope, call.at, `${call.name} does not take *`);
  } else if (plain.length < row.argumentsMin || plain.length > row.argumentsMax) {
    const expected = row.argumentsMin === row.argumentsMax ? row.argumentsMin : `${row.argumentsMin} to ${row.argumentsMax}`;
    return report(scope, call.at, `${call.name} takes ${expected} arguments, not ${plain.length}`);
  }
  const evaluates = plain.map((argument) => compileExpression(argument, scope));
  const bound = row.bind?.(
    plain.map((argument) => (argument.kind === "constant" ? argument.value : null)),
    scope.settings,
  );
  if (bound !== undefined && "problem" in bound) return report(scope, call.at, `${call.name}: ${bound.problem}`);
  const run = bound ?? row.run;
  if (run === undefined) return nothing;
  const takesNull = row.takesNull === true;
  return (message) => {
    const values = evaluates.map((evaluate) => evaluate(message));
    return !takesNull && values.includes(null) ? null : run(message, values);
  };
}
