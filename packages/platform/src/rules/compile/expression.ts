/** Expression trees become closures once, when a rule starts; messages only run them. What the two languages do differently is a `Language`. */
import type { SqlProblem } from "../rule.ts";
import type { Expression, Position } from "../sql/ast.ts";
import type { FunctionScope } from "./functions.ts";
import type { Language } from "./language.ts";
import type { RuleMessage } from "./rule-message.ts";
import { rawPayload, type SqlValue, toText } from "./value.ts";

/** `row`: what names are looked up in, for AWS: the payload, or the element that a nested SELECT is at. */
export type Evaluate = (message: RuleMessage, row: SqlValue) => SqlValue;

export interface CompileScope {
  dataType: "json" | "binary";
  language: Language;
  settings: FunctionScope;
  problems: SqlProblem[];
}

/** Stands in for an expression with a problem; never run, because a statement with problems is never started. */
const nothing: Evaluate = () => null;

export function report(scope: CompileScope, at: Position, message: string): Evaluate {
  scope.problems.push({ message, line: at.line, column: at.column });
  return nothing;
}

/** true when one is true, otherwise unknown when one is unknown; AND is the mirror. */
function logic(operands: Evaluate[], decisive: boolean, { truthOf, unknown }: Language): Evaluate {
  return (message, row) => {
    let isUnknown = false;
    for (const operand of operands) {
      const truth = truthOf(operand(message, row));
      if (truth === decisive) return decisive;
      if (truth === undefined) isUnknown = true;
    }
    return isUnknown ? unknown : !decisive;
  };
}

function negation(operand: Evaluate, { truthOf, unknown }: Language): Evaluate {
  return (message, row) => {
    const truth = truthOf(operand(message, row));
    return truth === undefined ? unknown : !truth;
  };
}

export function compileExpression(expression: Expression, scope: CompileScope): Evaluate {
  const { language } = scope;
  const { compare } = language;
  const compile = (inner: Expression): Evaluate => compileExpression(inner, scope);
  switch (expression.kind) {
    case "constant": {
      const { value } = expression;
      return () => value;
    }
    case "path":
      return language.compilePath(expression, scope);
    case "call":
      return compileCall(expression, scope);
    case "logic":
      return logic(expression.operands.map(compile), expression.operator === "or", language);
    case "not":
      return negation(compile(expression.operand), language);
    case "negate": {
      const operand = compile(expression.operand);
      const { negate } = language;
      return (message, row) => negate(operand(message, row));
    }
    case "arithmetic": {
      const first = compile(expression.first);
      const rest = expression.rest.map(({ operator, operand }) => ({ apply: language.arithmetic[operator], operand: compile(operand) }));
      return (message, row) => {
        let total = first(message, row);
        for (const { apply, operand } of rest) total = apply(total, operand(message, row));
        return total;
      };
    }
    case "comparison": {
      const left = compile(expression.left);
      const right = compile(expression.right);
      const { operator } = expression;
      return (message, row) => compare(operator, left(message, row), right(message, row));
    }
    case "in": {
      const operand = compile(expression.operand);
      const options = expression.options.map(compile);
      const isIn: Evaluate = (message, row) => {
        const value = operand(message, row);
        return logic(
          options.map((option) => (of, at) => compare("=", value, option(of, at))),
          true,
          language,
        )(message, row);
      };
      return expression.isNegated ? negation(isIn, language) : isIn;
    }
    case "like":
      return compileLike(expression, scope);
    case "between": {
      const [operand, low, high] = [compile(expression.operand), compile(expression.low), compile(expression.high)];
      const isBetween: Evaluate = (message, row) => {
        const value = operand(message, row);
        return logic(
          [() => compare(">=", value, low(message, row)), () => compare("<=", value, high(message, row))],
          false,
          language,
        )(message, row);
      };
      return expression.isNegated ? negation(isBetween, language) : isBetween;
    }
    case "isNull": {
      const operand = compile(expression.operand);
      const { isNegated } = expression;
      return (message, row) => (operand(message, row) === null) !== isNegated;
    }
    case "case":
      return compileCase(expression, scope);
    case "member":
    case "cast":
    case "array":
    case "object":
    case "select":
      return language.compileStructure(expression, scope);
  }
}

function compileCase(expression: Extract<Expression, { kind: "case" }>, scope: CompileScope): Evaluate {
  const { compare, truthOf, unknown } = scope.language;
  const compile = (inner: Expression): Evaluate => compileExpression(inner, scope);
  const branches = expression.branches.map(({ when, result }) => ({ when: compile(when), result: compile(result) }));
  const otherwise = expression.otherwise === undefined ? () => unknown : compile(expression.otherwise);
  if (expression.subject === undefined) {
    return (message, row) => {
      const taken = branches.find(({ when }) => truthOf(when(message, row)) === true);
      return (taken?.result ?? otherwise)(message, row);
    };
  }
  const subject = compile(expression.subject);
  return (message, row) => {
    const value = subject(message, row);
    // A note of the AWS guide on CASE: of an Undefined value the whole is Undefined, ELSE or not.
    if (value === undefined) return undefined;
    const taken = branches.find(({ when }) => compare("=", value, when(message, row)) === true);
    return (taken?.result ?? otherwise)(message, row);
  };
}

/** Only `%` is special [alibaba-server 2.1]; there is no escape for it. */
function compileLike(expression: Extract<Expression, { kind: "like" }>, scope: CompileScope): Evaluate {
  const operand = compileExpression(expression.operand, scope);
  const { pattern, isNegated } = expression;
  if (pattern.kind !== "constant" || typeof pattern.value !== "string") {
    return report(scope, pattern.at, "LIKE takes a constant text such as 'abc%'");
  }
  const parts = pattern.value.split("%");
  return (message, row) => {
    const text = toText(operand(message, row) ?? null);
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
  const { language } = scope;
  const row = language.findFunction(call.name);
  if (row === undefined) return report(scope, call.at, `unknown function ${call.name}`);
  if ("refusal" in row) return report(scope, call.at, row.refusal);
  const given = language.readArguments(call.arguments);
  const hasStar = given.includes("*");
  const count = given.length;
  if (row.takesStar === "only") {
    if (count !== 1 || !hasStar) return report(scope, call.at, `${call.name} takes (*)`);
  } else if (hasStar && row.takesStar === undefined) {
    return report(scope, call.at, `${call.name} does not take *`);
  } else if (count < row.argumentsMin || count > row.argumentsMax) {
    const expected = row.argumentsMin === row.argumentsMax ? row.argumentsMin : `${row.argumentsMin} to ${row.argumentsMax}`;
    return report(scope, call.at, `${call.name} takes ${expected} arguments, not ${count}`);
  }
  const star = row.takesStar === "bytes" ? readBytes : readRow;
  const evaluates = given.map((argument) => (argument === "*" ? star : compileExpression(argument, scope)));
  const bound = row.bind?.(
    given.map((argument) => (argument !== "*" && argument.kind === "constant" ? argument.value : null)),
    scope.settings,
  );
  if (bound !== undefined && "problem" in bound) return report(scope, call.at, `${call.name}: ${bound.problem}`);
  const run = bound ?? row.run;
  if (run === undefined) return nothing;
  if (row.takesNull === true) {
    return (message, at) =>
      run(
        message,
        evaluates.map((evaluate) => evaluate(message, at)),
      );
  }
  return (message, at) => {
    const values = evaluates.map((evaluate) => evaluate(message, at));
    return values.includes(null) ? null : run(message, values);
  };
}

const readRow: Evaluate = (_message, row) => row;
const readBytes: Evaluate = () => rawPayload;
