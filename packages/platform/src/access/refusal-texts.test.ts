import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { errorTable, formatError } from "../errors/index.ts";

/** Codes as they stand in the sources of this folder, of the dialects and of the engine. */
function codesIn(folder: URL): string[] {
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
  );
  return sources.flatMap((name) => {
    const text = readFileSync(new URL(name, folder), "utf8");
    return [...text.matchAll(/"((?:access|alibaba|mqtt)\.[a-z_]+)"/g)].map(([, code]) => code ?? "");
  });
}

const folders = ["./", "../../../dialects/src/", "../../../mqtt/src/"].map((folder) => new URL(folder, import.meta.url));
const codes = [...new Set(folders.flatMap(codesIn))].sort();

test("the sources were found", () => {
  expect(codes).toContain("access.signature_mismatch");
  expect(codes).toContain("mqtt.second_connect");
  expect(codes.length).toBeGreaterThan(50);
});

test.each(codes)("%s has a text in both languages", (code) => {
  expect(Object.keys(errorTable)).toContain(code);
  for (const language of ["en", "zh"] as const)
    expect(formatError(code, { received: "R", expected: "E" }, language)).not.toMatch(/\{\w+\}/);
});
