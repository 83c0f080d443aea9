/** Texts with wildcards, matched in time bounded by the product of both lengths, whoever wrote the pattern. */

/** `any`: any run of characters, none included; `one`: exactly one character. */
export type WildcardToken = { readonly kind: "text"; readonly text: string } | { readonly kind: "any" } | { readonly kind: "one" };

export type WildcardMatcher =
  | { readonly kind: "all" }
  | { readonly kind: "exact"; readonly text: string }
  | { readonly kind: "prefix"; readonly text: string }
  /** Fixed runs with `any` between them. */
  | { readonly kind: "runs"; readonly first: string; readonly middle: readonly string[]; readonly last: string }
  /** By code points; a number is a character, the others are wildcards. */
  | { readonly kind: "points"; readonly points: readonly (number | "any" | "one")[] };

/** The cheapest matcher that the pattern allows. */
export function compileWildcards(tokens: readonly WildcardToken[]): WildcardMatcher {
  if (tokens.some(({ kind }) => kind === "one")) return { kind: "points", points: tokens.flatMap(pointsOf) };
  const runs = [""];
  for (const token of tokens) {
    if (token.kind === "any") runs.push("");
    else if (token.kind === "text") runs.push((runs.pop() ?? "") + token.text);
  }
  const [first = "", ...rest] = runs;
  const last = rest.pop();
  if (last === undefined) return { kind: "exact", text: first };
  const middle = rest.filter((run) => run !== "");
  if (middle.length > 0 || last !== "") return { kind: "runs", first, middle, last };
  return first === "" ? { kind: "all" } : { kind: "prefix", text: first };
}

function pointsOf(token: WildcardToken): readonly (number | "any" | "one")[] {
  return token.kind === "text" ? codePoints(token.text) : [token.kind];
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

export function matchesWildcards(matcher: WildcardMatcher, text: string): boolean {
  switch (matcher.kind) {
    case "all":
      return true;
    case "exact":
      return text === matcher.text;
    case "prefix":
      return text.startsWith(matcher.text);
    case "runs":
      return matchesRuns(matcher.first, matcher.middle, matcher.last, text);
    case "points":
      return matchesPoints(matcher.points, codePoints(text));
  }
}

/** The leftmost place of every run leaves the most room for those after it, so no other place need be tried. */
function matchesRuns(first: string, middle: readonly string[], last: string, text: string): boolean {
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let position = first.length;
  for (const run of middle) {
    const found = text.indexOf(run, position);
    if (found < 0) return false;
    position = found + run.length;
  }
  return position <= end;
}

/** Only the last `any` is ever widened: what an earlier one could take, the later one can take too. */
function matchesPoints(pattern: readonly (number | "any" | "one")[], text: readonly number[]): boolean {
  let at = 0;
  let position = 0;
  let afterAny = -1;
  let anyTakesTo = 0;
  while (position < text.length) {
    const point = pattern[at];
    if (point === "any") {
      at++;
      afterAny = at;
      anyTakesTo = position;
    } else if (point !== undefined && (point === "one" || point === text[position])) {
      at++;
      position++;
    } else if (afterAny >= 0) {
      anyTakesTo++;
      at = afterAny;
      position = anyTakesTo;
    } else {
      return false;
    }
  }
  while (pattern[at] === "any") at++;
  return at === pattern.length;
}
