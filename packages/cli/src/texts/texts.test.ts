import { expect, test } from "vitest";
import { en } from "./en.ts";
import { chooseLanguage, createTranslate } from "./index.ts";
import { zh } from "./zh.ts";

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

test("both languages have the same keys, in the same order, and the same placeholders", () => {
  expect(Object.keys(zh)).toEqual(Object.keys(en));
  for (const [key, text] of Object.entries(en)) {
    expect(text, key).not.toBe("");
    expect(placeholders(Object.entries(zh).find(([name]) => name === key)?.[1] ?? ""), key).toEqual(placeholders(text));
  }
});

test("placeholders are filled, and only those that are given", () => {
  expect(createTranslate("en")("page.line", { page: 1, pages: 2 })).toBe("page 1 of 2, {total} in all");
});

test("--lang wins, then LC_ALL, LC_MESSAGES and LANG", () => {
  expect(chooseLanguage([], {})).toBe("en");
  expect(chooseLanguage([], { LANG: "zh_CN.UTF-8" })).toBe("zh");
  expect(chooseLanguage([], { LANG: "zh_CN.UTF-8", LC_ALL: "C" })).toBe("en");
  expect(chooseLanguage([], { LANG: "en_US", LC_MESSAGES: "zh_TW" })).toBe("zh");
  expect(chooseLanguage(["x", "--lang", "zh"], { LC_ALL: "C" })).toBe("zh");
  expect(chooseLanguage(["--lang=en", "x"], { LC_ALL: "zh_CN" })).toBe("en");
});
