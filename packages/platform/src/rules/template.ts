/** `${alias}` and `${a.b}` in topics and addresses, filled from the SQL result. */

import { PlatformError } from "../errors/index.ts";
import { compilePath, toText, type Value } from "./compile/index.ts";

export interface CompiledTemplate {
  /** Throws `rules.placeholder_missing`, `rules.placeholder_invalid`. */
  fill: (value: Value | undefined) => string;
}

/** How a value enters the text; undefined = it must not. */
export type PlaceholderRule = (text: string) => string | undefined;

/** One level of a topic: a value must not reach into other levels nor be a wildcard. */
export const topicLevel: PlaceholderRule = (text) => (text === "" || /[/+#\0]/.test(text) ? undefined : text);
export const urlPart: PlaceholderRule = (text) => encodeURIComponent(text.toWellFormed());

const placeholder = /\$\{([^{}]*)\}/g;

export function compileTemplate(template: string, admit: PlaceholderRule): CompiledTemplate {
  // Split with one group gives text, name, text, name, …
  const parts = template.split(placeholder);
  if (parts.length === 1) return { fill: () => template };
  return {
    fill(value) {
      return parts.map((part, index) => (index % 2 === 0 ? part : fillOne(template, part.trim(), value, admit))).join("");
    },
  };
}

function fillOne(template: string, name: string, value: Value | undefined, admit: PlaceholderRule): string {
  const text = value === undefined ? null : toText(read(value, name));
  if (text === null) throw new PlatformError("rules.placeholder_missing", { template, name });
  const admitted = admit(text);
  if (admitted === undefined) throw new PlatformError("rules.placeholder_invalid", { template, name });
  return admitted;
}

/** A key with dots in it wins over a path of the same spelling. */
function read(value: Value, name: string): Value {
  if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)) return value[name] ?? null;
  return compilePath(name)?.read(value) ?? null;
}
