/** What people see (tables, lines, colour on terminals only) and what programs see (JSON on stdout, nothing else). */
import Table from "cli-table3";
import type { CliIo } from "./io.ts";

export interface Output {
  /** Programs asked for JSON. */
  readonly isJson: boolean;
  /** One JSON document, for programs. */
  json(value: unknown): void;
  /** One line of JSON of many. */
  jsonLine(value: unknown): void;
  line(text: string): void;
  table(head: readonly string[], rows: readonly (readonly Cell[])[]): void;
  /** Names beside values. */
  facts(facts: readonly (readonly [name: string, value: Cell])[]): void;
  error(text: string): void;
  paint(colour: Colour, text: string): string;
}

export type Cell = string | number | boolean | undefined;
type Colour = "red" | "green" | "dim" | "bold";

const escapes: Readonly<Record<Colour, readonly [string, string]>> = {
  red: ["\u001b[31m", "\u001b[39m"],
  green: ["\u001b[32m", "\u001b[39m"],
  dim: ["\u001b[2m", "\u001b[22m"],
  bold: ["\u001b[1m", "\u001b[22m"],
};

/** Devices choose topics and client ids: control characters in them must not reach a terminal. */
export function showPlainly(value: Cell): string {
  if (value === undefined) return "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return String(value).replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

export function createOutput(io: Pick<CliIo, "stdout" | "stderr" | "isTerminal" | "environment">, isJson: boolean): Output {
  const hasColour = io.isTerminal && (io.environment.NO_COLOR ?? "") === "" && io.environment.TERM !== "dumb";

  function paint(colour: Colour, text: string): string {
    if (!hasColour) return text;
    const [on, off] = escapes[colour];
    return `${on}${text}${off}`;
  }

  return {
    isJson,
    json: (value) => io.stdout(`${JSON.stringify(value, undefined, 2)}\n`),
    jsonLine: (value) => io.stdout(`${JSON.stringify(value)}\n`),
    line: (text) => io.stdout(`${text}\n`),
    table(head, rows) {
      const table = new Table({ head: head.map((name) => paint("bold", name)), style: { head: [], border: [], compact: true } });
      for (const row of rows) table.push(row.map(showPlainly));
      io.stdout(`${table.toString()}\n`);
    },
    facts(facts) {
      const shown = facts.filter(([, value]) => value !== undefined);
      const table = new Table({ style: { head: [], border: [], compact: true } });
      for (const [name, value] of shown) table.push([paint("bold", name), showPlainly(value)]);
      io.stdout(`${table.toString()}\n`);
    },
    error: (text) => io.stderr(`${text}\n`),
    paint,
  };
}
