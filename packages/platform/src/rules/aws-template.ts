/** Substitution templates of AWS rules [aws-iot 14.4]: `${expression}` over the original message, never over what SELECT made. */

import { PlatformError } from "../errors/index.ts";
import { type CompileOptions, compileAwsExpression, type RuleMessage, type SqlValue, toAwsText } from "./compile/index.ts";
import type { CompiledTemplate, PlaceholderRule } from "./template.ts";

type Evaluate = (message: RuleMessage) => SqlValue;

interface TemplatePart {
  text: string;
  /** As written; absent: only text. */
  expression?: string;
}

/**
 * @param onUndefined what a value that is Undefined becomes: a failure of the action, or the word
 * @returns what is wrong with an expression, in words
 */
export function compileAwsTemplate(
  template: string,
  admit: PlaceholderRule,
  options: CompileOptions,
  onUndefined: "fail" | "word" = "fail",
): CompiledTemplate | { problem: string } {
  const parts = splitTemplate(template);
  if (parts === undefined) return { problem: "a ${ that is not closed" };
  if (parts.every(({ expression }) => expression === undefined)) return { fill: () => template };
  const pieces: ((message: RuleMessage) => string)[] = [];
  for (const { text, expression } of parts) {
    if (expression === undefined) {
      pieces.push(() => text);
      continue;
    }
    const compiled = compileAwsExpression(expression, options);
    if ("problem" in compiled) return { problem: `\${${expression}}: ${compiled.problem.message}` };
    const evaluate: Evaluate = (message) => compiled.evaluate(message, message.json);
    pieces.push((message) => fillPart(evaluate(message), { template, name: expression }, admit, onUndefined));
  }
  return { fill: (_value, message) => pieces.map((piece) => piece(message)).join("") };
}

function fillPart(
  value: SqlValue,
  details: { template: string; name: string },
  admit: PlaceholderRule,
  onUndefined: "fail" | "word",
): string {
  const text = toAwsText(value);
  if (text === undefined && onUndefined === "word") return "undefined";
  if (text === undefined) throw new PlatformError("rules.template_undefined", details);
  const admitted = admit(text);
  if (admitted === undefined) throw new PlatformError("rules.placeholder_invalid", details);
  return admitted;
}

/** Quotes and braces inside an expression do not end it. Undefined: one is not closed. */
function splitTemplate(template: string): TemplatePart[] | undefined {
  const parts: TemplatePart[] = [];
  let start = 0;
  for (;;) {
    const open = template.indexOf("${", start);
    if (open < 0) {
      parts.push({ text: template.slice(start) });
      return parts;
    }
    const close = endOf(template, open + 2);
    if (close === undefined) return undefined;
    parts.push({ text: template.slice(start, open) }, { text: "", expression: template.slice(open + 2, close) });
    start = close + 1;
  }
}

function endOf(template: string, from: number): number | undefined {
  let depth = 0;
  let quote = "";
  for (let at = from; at < template.length; at += 1) {
    const sign = template.charAt(at);
    if (quote !== "") {
      if (sign === quote) quote = "";
    } else if (sign === "'" || sign === '"') quote = sign;
    else if (sign === "{") depth += 1;
    else if (sign === "}") {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
  return undefined;
}
