/** Paths into a payload [alibaba-server 2.1]: `a.b[0].c`, `$.a[0]`, and `.a[0]`, whose value comes inside an array. */
import type { Value } from "./value.ts";

export interface CompiledPath {
  read: (root: Value) => Value;
  /** Last named step: the output key of a path without alias. */
  key: string;
}

/** @returns undefined when the text is no path */
export function compilePath(text: string): CompiledPath | undefined {
  const isWrapped = text.startsWith(".");
  const body = text === "$" ? "" : text.replace(/^\$(?=\.|\[)/, "").replace(/^\./, "");
  const steps = splitSteps(body);
  if (steps === undefined) return undefined;
  const key = steps.findLast((step) => typeof step === "string") ?? text;
  const read = (root: Value): Value => {
    let value: Value = root;
    for (const step of steps) {
      const next = stepInto(value, step);
      if (next === undefined || next === null) return null;
      value = next;
    }
    return isWrapped ? [value] : value;
  };
  return { read, key: String(key) };
}

function stepInto(value: Value, step: string | number): Value | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (typeof step === "number") return Array.isArray(value) ? value[step] : undefined;
  return !Array.isArray(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}

export function splitSteps(body: string): (string | number)[] | undefined {
  const steps: (string | number)[] = [];
  let rest = body;
  while (rest !== "") {
    const match = /^(?:\[(\d{1,9})\]|(?:^|\.)?([^.[\]]+))/.exec(rest);
    if (match === null) return undefined;
    steps.push(match[1] === undefined ? (match[2] ?? "") : Number(match[1]));
    rest = rest.slice(match[0].length);
    if (rest === ".") return undefined;
  }
  return steps;
}
