/**
 * `${alias}` and `${a.b}` in topics and addresses, filled from the SQL result, and `${deviceName()}`, `${productKey()}`,
 * `${topic(2)}`, filled from the message: a rule for a whole product can answer each device without adding its name to
 * what is sent.
 */

import { PlatformError } from "../errors/index.ts";
import { compilePath, type RuleMessage, toText, type Value } from "./compile/index.ts";

/** The facts of a message that its fill looks at. */
export interface CompiledTemplate<Facts = RuleMessage> {
  /** Throws `rules.placeholder_missing`, `rules.placeholder_invalid`, `rules.template_undefined`. */
  fill: (value: Value | undefined, message: Facts) => string;
}

/** How a value enters the text; undefined = it must not. */
export type PlaceholderRule = (text: string) => string | undefined;

/** One level of a topic: a value must not reach into other levels nor be a wildcard. */
export const topicLevel: PlaceholderRule = (text) => (text === "" || /[/+#\0]/.test(text) ? undefined : text);
/** A whole value of dots would climb in the path: `/devices/${id}/report` with `..` is another address. */
export const urlPart: PlaceholderRule = (text) => (/^\.{1,2}$/.test(text) ? undefined : encodeURIComponent(text.toWellFormed()));

const placeholder = /\$\{([^{}]*)\}/g;
const call = /^(\w+)\(\s*(\d*)\s*\)$/;

type MessageFunction = (message: Pick<RuleMessage, "topic" | "device">, argument: number) => string | null;

/** The same names and meanings as in SQL (alibaba-server 2.3); levels of a topic count from 1. */
const messageFunctions: Readonly<Record<string, { argumentCount: 0 | 1; read: MessageFunction }>> = {
  deviceName: { argumentCount: 0, read: ({ device }) => device?.deviceName ?? null },
  productKey: { argumentCount: 0, read: ({ device }) => device?.productKey ?? null },
  topic: { argumentCount: 1, read: ({ topic }, level) => topic.split("/")[level] ?? null },
};

/** The first `${…()}` of a template that is none of the functions offered, as written. */
export function unknownCallIn(template: string): string | undefined {
  for (const [, name = ""] of template.matchAll(placeholder)) {
    if (name.includes("(") && functionOf(name.trim()) === undefined) return name;
  }
  return undefined;
}

function functionOf(name: string): ((message: Pick<RuleMessage, "topic" | "device">) => string | null) | undefined {
  const [, word = "", argument = ""] = call.exec(name) ?? [];
  const found = Object.hasOwn(messageFunctions, word) ? messageFunctions[word] : undefined;
  if (found === undefined || (argument === "" ? 0 : 1) !== found.argumentCount) return undefined;
  return (message) => found.read(message, Number(argument));
}

export function compileTemplate(template: string, admit: PlaceholderRule): CompiledTemplate<Pick<RuleMessage, "topic" | "device">> {
  // Split with one group gives text, name, text, name, …
  const parts = template.split(placeholder);
  if (parts.length === 1) return { fill: () => template };
  const pieces = parts.map((part, index) => {
    if (index % 2 === 0) return () => part;
    const name = part.trim();
    const read = functionOf(name);
    return (value: Value | undefined, message: Pick<RuleMessage, "topic" | "device">) => {
      const text = read === undefined ? textOf(value, name) : read(message);
      if (text === null) throw new PlatformError("rules.placeholder_missing", { template, name });
      const admitted = admit(text);
      if (admitted === undefined) throw new PlatformError("rules.placeholder_invalid", { template, name });
      return admitted;
    };
  });
  return { fill: (value, message) => pieces.map((piece) => piece(value, message)).join("") };
}

/** A key with dots in it wins over a path of the same spelling. */
function textOf(value: Value | undefined, name: string): string | null {
  if (value === undefined) return null;
  if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, name))
    return toText(value[name] ?? null);
  return toText(compilePath(name)?.read(value) ?? null);
}
