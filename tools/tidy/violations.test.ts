import { expect, test } from "vitest";
import { canaries } from "./canary.ts";
import { findViolations } from "./violations.ts";

test.each(canaries)("catches the planted violation of $rule in $file.path", ({ rule, file }) => {
  expect(findViolations([file]).map((violation) => violation.rule)).toContain(rule);
});

test("leaves an honest file alone", () => {
  const file = {
    path: "packages/platform/src/rules/rule-engine.ts",
    text: 'import { PlatformError } from "../errors/index.ts";\nexport const x = 1;\n',
  };
  expect(findViolations([file])).toEqual([]);
});
