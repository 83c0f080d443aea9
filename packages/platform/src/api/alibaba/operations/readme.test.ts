import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { vendorOperations } from "../vendor-operations.ts";
import { operations } from "./index.ts";

test("the package's README names every operation and no other", () => {
  const readme = readFileSync(new URL("../../../../README.md", import.meta.url), "utf8");
  const [, section = ""] = /\*\*Alibaba Cloud OpenAPI\*\*([\s\S]*?)\nEvery other operation/.exec(readme) ?? [];
  const words = section.match(/\b[A-Z][A-Za-z]+\b/g) ?? [];
  const named = words.filter((word) => vendorOperations.has(word) || Object.hasOwn(operations, word));
  expect(named.sort()).toEqual(Object.keys(operations).sort());
});
