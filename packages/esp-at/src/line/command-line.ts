/** One line: a name and the form it is used in. [ESP-AT 1.1] */
import { AtError } from "../at-error.ts";

export const commandForms = ["test", "query", "set", "execute"] as const;
export type CommandForm = (typeof commandForms)[number];

export interface CommandLine {
  /** Without `AT`: "", "E0", "+CWMODE". */
  name: string;
  form: CommandForm;
  /** What follows `=` of a set command. */
  parameters: string;
}

const extended = /^(\+[A-Z0-9_]+)(=\?|\?|=.*)?$/s;

/** @param line without CR LF, one character a byte. @throws AtError */
export function parseCommandLine(line: string): CommandLine {
  if (!line.startsWith("AT")) throw new AtError("noAt");
  const rest = line.slice(2);
  if (!rest.startsWith("+")) return { name: rest, form: "execute", parameters: "" };
  const [, name, tail = ""] = extended.exec(rest) ?? [];
  if (name === undefined) throw new AtError("unknownCommand");
  if (tail === "") return { name, form: "execute", parameters: "" };
  if (tail === "?") return { name, form: "query", parameters: "" };
  if (tail === "=?") return { name, form: "test", parameters: "" };
  return { name, form: "set", parameters: tail.slice(1) };
}
