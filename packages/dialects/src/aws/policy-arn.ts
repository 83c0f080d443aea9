/** ARNs with wildcards: a wildcard stays within its part, except in the last one, which may hold colons of its own. */
import { compileWildcards, matchesWildcards, type WildcardMatcher, type WildcardToken } from "./policy-wildcards.ts";

/** arn, partition, service, region, account, resource. */
const partCount = 6;

type ArnPattern = readonly WildcardMatcher[];

/** Undefined when it has fewer parts than an ARN. */
export function readArnPattern(tokens: readonly WildcardToken[]): ArnPattern | undefined {
  return splitTokens(tokens)?.map(compileWildcards);
}

/** The parts of an ARN's pattern as tokens; the text of a variable is a token of its own and separates nothing. */
export function splitTokens(tokens: readonly WildcardToken[]): WildcardToken[][] | undefined {
  const parts: WildcardToken[][] = [[]];
  for (const token of tokens) {
    const isSeparator = token.kind === "text" && token.text === ":" && parts.length < partCount;
    if (isSeparator) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts.length === partCount ? parts : undefined;
}

export function matchesArn(pattern: ArnPattern, arn: string): boolean {
  const pieces = arn.split(":");
  if (pieces.length < partCount) return false;
  const parts = [...pieces.slice(0, partCount - 1), pieces.slice(partCount - 1).join(":")];
  return pattern.every((matcher, index) => matchesWildcards(matcher, parts[index] ?? ""));
}
