import fc from "fast-check";
import { describe, expect, test } from "vitest";
import vectors from "../../../../conformance/alibaba/client-ids.json" with { type: "json" };
import { formatClientId, parseClientId } from "./client-id.ts";

describe("client id vectors", () => {
  test.each(vectors.accepted)("$title", ({ clientId, base, parameters }) => {
    const parsed = parseClientId(clientId);
    expect(parsed).toMatchObject({ kind: "clientId", base });
    expect(parsed.kind === "clientId" && { ...parsed.parameters }).toEqual(parameters);
  });

  test.each(vectors.refused)("refuses $title", ({ clientId, code }) => {
    expect(parseClientId(clientId)).toMatchObject({ kind: "refused", code });
  });
});

test("a parameter may have the name of an object's own member", () => {
  const parsed = parseClientId("x|__proto__=1,constructor=2|");
  expect(parsed.kind === "clientId" && Object.entries(parsed.parameters)).toEqual([
    ["__proto__", "1"],
    ["constructor", "2"],
  ]);
  expect(parsed.kind === "clientId" && Object.getPrototypeOf(parsed.parameters)).toBeNull();
});

test("any text is answered, never thrown at", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."|=,\n &\u0000aZ9$+#/") }), (text) => {
      expect(["clientId", "refused"]).toContain(parseClientId(text).kind);
    }),
    { numRuns: 500 },
  );
});

test("what format writes, parse reads", () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_.|-]{0,12}$/);
  const name = fc.stringMatching(/^[A-Za-z_]{1,8}$/);
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9.&_-]{0,40}$/),
      fc.uniqueArray(fc.tuple(name, word), { selector: ([key]) => key, maxLength: 6 }),
      (base, items) => {
        const parsed = parseClientId(formatClientId(base, items));
        expect(parsed).toMatchObject({ kind: "clientId", base });
        expect(parsed.kind === "clientId" && Object.entries(parsed.parameters)).toEqual(items);
      },
    ),
  );
});
