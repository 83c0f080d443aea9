import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

test("shipped source imports nothing but itself and uses nothing of Node", () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.startsWith("testing"),
  );
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) {
    const text = readFileSync(join(import.meta.dirname, file), "utf8");
    const imports = [...text.matchAll(/\bfrom "([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(
      imports.filter((specifier) => !specifier.startsWith(".")),
      file,
    ).toEqual([]);
    expect(text.replace(/\/\*\*[\s\S]*?\*\/|\/\/.*$/gm, ""), file).not.toMatch(/\b(Buffer|process|global|require|setImmediate)\b/);
  }
});
