/** Texts by key, one table per language; a test holds the tables to the same keys and placeholders. */
import { en, type TextKey } from "./en.ts";
import { zh } from "./zh.ts";

export type Language = "en" | "zh";
export type { TextKey };
export type Translate = (key: TextKey, values?: Readonly<Record<string, string | number>>) => string;

const tables: Readonly<Record<Language, Readonly<Record<TextKey, string>>>> = { en, zh };

export function createTranslate(language: Language): Translate {
  const table = tables[language];
  return (key, values = {}) => table[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** `--lang` wins; then LC_ALL, LC_MESSAGES and LANG in the order of POSIX. */
export function chooseLanguage(argv: readonly string[], environment: Readonly<Record<string, string | undefined>>): Language {
  const at = argv.findLastIndex((argument) => argument === "--lang" || argument.startsWith("--lang="));
  const flag = at < 0 ? undefined : argv[at]?.includes("=") ? argv[at].slice("--lang=".length) : argv[at + 1];
  const locale =
    flag ?? [environment.LC_ALL, environment.LC_MESSAGES, environment.LANG].find((value) => value !== undefined && value !== "");
  return locale?.toLowerCase().startsWith("zh") ? "zh" : "en";
}
