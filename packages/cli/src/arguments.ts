/** Arguments in their shape; a wrong one is a usage error. */
import { type Command, InvalidArgumentError } from "commander";
import type { Page } from "./answers.ts";
import type { Output } from "./output.ts";
import type { Translate } from "./texts/index.ts";

/** A parser of whole numbers within bounds. */
export function wholeNumber(minimum: number, maximum: number, t: Translate): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= minimum && value <= maximum)) throw new InvalidArgumentError(t("error.numberExpected", { minimum, maximum }));
    return value;
  };
}

/** A parser of `a,b,c`. */
export function nameList(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

export interface PageOptions {
  page: number;
  pageSize: number;
}

export function addPageOptions(command: Command, t: Translate): Command {
  return command
    .option("--page <n>", t("option.page"), wholeNumber(1, 1_000_000, t), 1)
    .option("--page-size <n>", t("option.pageSize"), wholeNumber(1, 1_000, t), 20);
}

export function showPageLine(output: Output, page: Page<unknown>, t: Translate): void {
  const pages = Math.max(1, Math.ceil(page.total / page.pageSize));
  output.line(output.paint("dim", t("page.line", { page: page.page, pages, total: page.total })));
}

/** A parser of values with their names, one argument each; all of them together are the result. */
export function assignments(t: Translate): (text: string, before?: Record<string, unknown>) => Record<string, unknown> {
  return (text, before = {}) => ({ ...before, ...parseAssignment(text, t) });
}

/** `Level=5`, `Name="5"` or `Name=hall`, `Color={"Red":1}`: JSON, or text that is none. */
function parseAssignment(text: string, t: Translate): Record<string, unknown> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError(t("error.assignmentInvalid", { received: text }));
  const value = text.slice(at + 1);
  try {
    return { [text.slice(0, at)]: JSON.parse(value) };
  } catch {
    return { [text.slice(0, at)]: value };
  }
}
