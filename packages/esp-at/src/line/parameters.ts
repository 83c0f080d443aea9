/** Parameters of a set command: integers bare, strings in quotes, nothing for "as before". [ESP-AT 1.2] */

export type ParameterValue =
  | { kind: "omitted" }
  | { kind: "integer"; value: number }
  /** One character a byte: a payload may be in any encoding. */
  | { kind: "string"; binary: string }
  | { kind: "malformed" };

const omitted: ParameterValue = { kind: "omitted" };
const malformed: ParameterValue = { kind: "malformed" };
const decimal = /^-?\d{1,15}$/;
const hexadecimal = /^0x[\da-fA-F]{1,8}$/;

/** @param text what follows `=`, one character a byte */
export function parseParameters(text: string): ParameterValue[] {
  const values: ParameterValue[] = [];
  let at = 0;
  for (;;) {
    const { value, end } = text[at] === '"' ? parseString(text, at + 1) : parseBare(text, at);
    values.push(value);
    if (end >= text.length) return values;
    at = end + 1;
  }
}

/** A comma within quotes should be escaped; where it is not, it is taken literally. */
function parseString(text: string, start: number): { value: ParameterValue; end: number } {
  let binary = "";
  let at = start;
  while (at < text.length) {
    const character = text[at] ?? "";
    if (character === '"') {
      const end = at + 1;
      if (end >= text.length || text[end] === ",") return { value: { kind: "string", binary }, end };
      return { value: malformed, end: endOfParameter(text, end) };
    }
    if (character === "\\") at += 1;
    binary += text[at] ?? "";
    at += 1;
  }
  return { value: malformed, end: text.length };
}

function parseBare(text: string, start: number): { value: ParameterValue; end: number } {
  const end = endOfParameter(text, start);
  const word = text.slice(start, end);
  if (word === "") return { value: omitted, end };
  if (decimal.test(word) || hexadecimal.test(word)) return { value: { kind: "integer", value: Number(word) }, end };
  return { value: malformed, end };
}

function endOfParameter(text: string, start: number): number {
  const comma = text.indexOf(",", start);
  return comma < 0 ? text.length : comma;
}

/** A string as hosts must write it. */
export function quoteParameter(text: string): string {
  return `"${text.replace(/[\\",]/g, "\\$&")}"`;
}
