/** SELECT lists of the AWS rule SQL: aliases with dots build objects, what is Undefined is left out [aws-iot 14.2]. */
import type { Projection, SelectItem } from "../sql/ast.ts";
import { isObject } from "./aws-value.ts";
import { type CompileScope, compileExpression, type Evaluate, report } from "./expression.ts";
import { splitSteps } from "./path.ts";
import type { SqlValue, Value } from "./value.ts";

interface Column {
  path: readonly string[];
  evaluate: Evaluate | "*";
}

export function compileProjection({ items, isValue }: Projection, scope: CompileScope): Evaluate {
  const [only, second] = items;
  if (isValue) {
    if (second !== undefined) report(scope, second.at, "SELECT VALUE takes one entry");
    if (only === undefined || only.value === "*") return (_message, row) => row;
    return compileExpression(only.value, scope);
  }
  if (only?.value === "*" && second === undefined) return (_message, row) => row;
  const columns = items.map((item) => columnOf(item, scope));
  return (message, row) => {
    const result: { [key: string]: Value } = Object.create(null);
    for (const { path, evaluate } of columns) {
      if (evaluate !== "*") place(result, path, evaluate(message, row));
      else if (isObject(row)) Object.assign(result, row);
    }
    return result;
  };
}

function columnOf(item: SelectItem, scope: CompileScope): Column {
  if (item.value === "*") {
    if (item.alias === undefined) return { path: [], evaluate: "*" };
    return { path: item.alias.split("."), evaluate: (_message, row) => row };
  }
  const path = item.alias === undefined ? [generatedName(item)] : item.alias.split(".");
  if (path.includes("")) report(scope, item.at, `the alias ${item.alias ?? ""} has an empty part`);
  if (path.length > aliasPartsMax) report(scope, item.at, `the alias has ${path.length} parts; at most ${aliasPartsMax}`);
  return { path, evaluate: compileExpression(item.value, scope) };
}

/** Objects inside each other in the output are what JSON.stringify recurses into. */
const aliasPartsMax = 64;

/** The last name of a path; of anything else the text as written. */
function generatedName({ value, text }: SelectItem): string {
  if (value === "*") return "*";
  if (value.kind === "path") {
    const steps = value.isQuoted ? [value.text] : (splitSteps(value.text) ?? []);
    return steps.findLast((step) => typeof step === "string") ?? value.text;
  }
  const last = value.kind === "member" ? value.steps.findLast((step) => typeof step === "string") : undefined;
  return typeof last === "string" ? last : text;
}

/** Objects on the way may be the payload's own: they are copied, never changed. */
function place(result: { [key: string]: Value }, path: readonly string[], value: SqlValue): void {
  if (value === undefined) return;
  let target = result;
  for (const key of path.slice(0, -1)) {
    const known = Object.hasOwn(target, key) ? target[key] : undefined;
    const next: { [key: string]: Value } = Object.assign(Object.create(null), isObject(known) ? known : undefined);
    target[key] = next;
    target = next;
  }
  target[path.at(-1) ?? ""] = value;
}
