import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { collectEvidence, formatTable } from "./conformance-table.ts";
import { documentPath, renderDocument } from "./document.ts";

const evidence = collectEvidence([
  { path: "packages/mqtt/src/a.test.ts", text: 'test("[MQTT-1.1.1-1] [MQTT-1.1.1-12] x"); test("[MQTT-1.1.1-1] y")' },
  { path: "e2e/b.test.ts", text: "MQTT-2.2.2-2" },
]);

test("a statement is covered by whole ids only", () => {
  const table = formatTable(
    "5.0",
    [
      { id: "MQTT-1.1.1-1", text: "one" },
      { id: "MQTT-1.1.1-2", text: "two" },
    ],
    evidence,
  );
  expect(table).toContain("1 of 2 statements");
  expect(table).toContain("| MQTT-1.1.1-1 | one | `a.test.ts` |");
  expect(table).toContain("| MQTT-1.1.1-2 | two | – |");
});

test("a statement with another number in 5.0 is covered by that one alone", () => {
  const clauses = [
    { id: "MQTT-9.9.9-9", text: "moved", sameIn5: "MQTT-2.2.2-2" },
    { id: "MQTT-2.2.2-2", text: "other meaning", sameIn5: "MQTT-8.8.8-8" },
  ];
  const table = formatTable("3.1.1", clauses, evidence);
  expect(table).toContain("| MQTT-9.9.9-9 | moved | `e2e/b.test.ts` |");
  expect(table).toContain("| MQTT-2.2.2-2 | other meaning | – |");
});

test("a statement of 3.1.1 alone is covered by tests that say so", () => {
  const only = collectEvidence([{ path: "e2e/c.test.ts", text: "[3.1.1 MQTT-3.3.3-3] x" }]);
  const rowOf = (clause: { id: string; text: string; sameIn5?: string }) => formatTable("x", [clause], only).split("\n").at(-1);
  expect(rowOf({ id: "MQTT-3.3.3-3", text: "old", sameIn5: "none" })).toContain("`e2e/c.test.ts`");
  expect(rowOf({ id: "MQTT-3.3.3-3", text: "new" })).toContain("–");
});

const unnamed = (document: string) => [...document.matchAll(/^\| (MQTT-\S+) \| .* \| – \|$/gm)].map(([, id]) => id);
const all = (document: string) => [...document.matchAll(/^\| (MQTT-\S+) \|/gm)].map(([, id]) => id);

test('the document lists every statement and claims no test that is gone; "node tools/conformance-table/main.ts" makes it anew', () => {
  const committed = readFileSync(documentPath, "utf8");
  const current = renderDocument();
  expect(all(committed)).toEqual(all(current));
  const known = new Set(unnamed(committed));
  expect(unnamed(current).filter((id) => !known.has(id))).toEqual([]);
});
