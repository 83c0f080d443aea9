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
