/**
 * Regular expressions of rules. Whoever writes a rule and whoever sends the text must not be able to stall the server: patterns run on V8's
 * engine that takes linear time, and what it cannot run (back references, look-around, counts of thousands) is refused.
 */
import { setFlagsFromString } from "node:v8";

export interface Regexp {
  test(text: string): boolean;
  first(text: string): string | undefined;
  /** `$1` stands for a group; stops early when the result grows over the limit. */
  replace(text: string, replacement: string, charactersMax: number): string;
}

const patternCharactersMax = 1024;

let isReady = false;

/** @throws SyntaxError for what is no expression or needs more than linear time */
export function linearRegExp(source: string, flags: string): RegExp {
  if (!isReady) {
    // Only expressions with the flag `l` use it.
    setFlagsFromString("--enable-experimental-regexp-engine");
    isReady = true;
  }
  return new RegExp(source, `l${flags}`);
}

/** Compiled once for a constant pattern. */
export function compileRegexp(pattern: string): Regexp | { problem: string } {
  if (pattern.length > patternCharactersMax) return { problem: `the pattern is longer than ${patternCharactersMax} characters` };
  let once: RegExp;
  let all: RegExp;
  try {
    once = linearRegExp(pattern, "");
    all = linearRegExp(pattern, "g");
  } catch (error) {
    return { problem: error instanceof Error ? error.message : "not a regular expression" };
  }
  return {
    test: (text) => once.test(text),
    first: (text) => once.exec(text)?.[0],
    replace(text, replacement, charactersMax) {
      const pieces: string[] = [];
      let length = 0;
      let end = 0;
      for (const match of text.matchAll(all)) {
        const piece = text.slice(end, match.index) + fill(replacement, match);
        pieces.push(piece);
        length += piece.length;
        if (length > charactersMax) return pieces.join("");
        end = match.index + match[0].length;
      }
      return pieces.join("") + text.slice(end);
    },
  };
}

function fill(replacement: string, groups: readonly string[]): string {
  if (!/[$\\]/.test(replacement)) return replacement;
  return replacement.replace(
    /\\(.)|\$(\d)/gs,
    (_, escaped: string | undefined, group: string | undefined) => escaped ?? groups[Number(group)] ?? "",
  );
}
