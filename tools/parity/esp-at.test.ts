import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { espAtDocumentPath, renderEspAtDocument, says } from "./esp-at.ts";

test("a command is said when a host says it, not when it is part of another", () => {
  const file = (text: string) => ({ path: "x.test.ts", text });
  expect(says(file('command("AT+CIPSEND=5")'), "+CIPSEND")).toBe(true);
  expect(says(file('command("AT+CIPSENDEX=5")'), "+CIPSEND")).toBe(false);
  expect(says(file(">> ATE0\n"), "E0")).toBe(true);
  expect(says(file(">> AT\n"), "")).toBe(true);
  expect(says(file(">> AT+GMR\n"), "")).toBe(false);
});

test("the document is up to date: node tools/parity/main.ts", () => {
  expect(readFileSync(espAtDocumentPath, "utf8")).toBe(renderEspAtDocument());
});
