import fc from "fast-check";
import { expect, test } from "vitest";
import { compileWildcards, matchesWildcards, type WildcardToken } from "./policy-wildcards.ts";

/** The definition, written down; exponential, which is why it is only here. */
function matchesNaively(tokens: readonly WildcardToken[], characters: readonly string[]): boolean {
  const [token, ...rest] = tokens;
  if (token === undefined) return characters.length === 0;
  if (token.kind === "any") {
    return Array.from({ length: characters.length + 1 }, (_, taken) => taken).some((taken) =>
      matchesNaively(rest, characters.slice(taken)),
    );
  }
  if (characters.length === 0) return false;
  return (token.kind === "one" || token.text === characters[0]) && matchesNaively(rest, characters.slice(1));
}

const token = fc.constantFrom<WildcardToken>(
  { kind: "text", text: "a" },
  { kind: "text", text: "b" },
  { kind: "text", text: "/" },
  { kind: "text", text: "*" },
  { kind: "text", text: "💡" },
  { kind: "any" },
  { kind: "one" },
);
const letters = fc.array(fc.constantFrom("a", "b", "/", "*", "💡"), { maxLength: 8 });

test("[AW 5.3] matches as the definition says", () => {
  fc.assert(
    fc.property(fc.array(token, { maxLength: 7 }), letters, (tokens, characters) => {
      expect(matchesWildcards(compileWildcards(tokens), characters.join(""))).toBe(matchesNaively(tokens, characters));
    }),
    { numRuns: 3000 },
  );
});

test("[AW 5.3] matches a text that was made from the pattern", () => {
  fc.assert(
    fc.property(fc.array(token, { maxLength: 12 }), fc.array(letters, { minLength: 12, maxLength: 12 }), (tokens, fillings) => {
      const text = tokens
        .map((part, index) => (part.kind === "text" ? part.text : part.kind === "one" ? "💡" : fillings[index]?.join("")))
        .join("");
      expect(matchesWildcards(compileWildcards(tokens), text)).toBe(true);
    }),
  );
});

test.each([false, true])("a pattern made to be slow is not (with single wildcards: %s)", (hasSingle) => {
  const half: WildcardToken[] = hasSingle
    ? [{ kind: "any" }, { kind: "one" }, { kind: "text", text: "a" }]
    : [{ kind: "any" }, { kind: "text", text: "a" }];
  const tokens = Array.from({ length: 600 }, () => half).flat();
  const matcher = compileWildcards([...tokens, { kind: "text", text: "b" }]);
  // A backtracking matcher would not come back from this within the life of the test run.
  expect(matchesWildcards(matcher, "a".repeat(4000))).toBe(false);
});
