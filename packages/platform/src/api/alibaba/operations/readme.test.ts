import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { operations } from "./index.ts";

test("the package's README names every operation and no other", () => {
  const readme = readFileSync(new URL("../../../../README.md", import.meta.url), "utf8");
  const [, section = ""] = /\*\*Alibaba Cloud OpenAPI\*\*([\s\S]*?)\nEvery other operation/.exec(readme) ?? [];
  const named = [...section.matchAll(/\b[A-Z][a-z]+[A-Za-z]*\b/g)]
    .map(([name]) => name)
    .filter((name) => /^(Create|Query|Update|Delete|Register|Batch|Get|Disable|Enable|Pub|List|Start|Stop)/.test(name));
  expect(named.sort()).toEqual(Object.keys(operations).sort());
});
