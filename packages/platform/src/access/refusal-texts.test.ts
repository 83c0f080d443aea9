import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { errorTable, formatError } from "../errors/index.ts";

/** Codes as they stand in the sources of this folder and of the dialects. */
function codesIn(folder: URL): string[] {
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
  );
  return sources.flatMap((name) => {
    const text = readFileSync(new URL(name, folder), "utf8");
    return [...text.matchAll(/"((?:access|alibaba)\.[a-z_]+)"/g)].map(([, code]) => code ?? "");
  });
}

const codes = [...new Set([new URL("./", import.meta.url), new URL("../../../dialects/src/", import.meta.url)].flatMap(codesIn))].sort();

test("the sources were found", () => {
  expect(codes).toContain("access.signature_mismatch");
  expect(codes.length).toBeGreaterThan(20);
});

test.each(codes)("%s has a text in both languages", (code) => {
  expect(Object.keys(errorTable)).toContain(code);
  for (const language of ["en", "zh"] as const)
    expect(formatError(code, { received: "R", expected: "E" }, language)).not.toMatch(/\{\w+\}/);
});
