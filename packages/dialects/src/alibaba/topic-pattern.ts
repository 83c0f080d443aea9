/**
 * Topic patterns with the device's two names in them, and when one covers a filter: every topic that the filter can
 * match is then matched by a pattern.
 */
import type { DeviceNames } from "../dialect.ts";

type Level =
  | { kind: "literal"; text: string }
  | { kind: "productKey" }
  | { kind: "deviceName" }
  /** `+`, or a name such as `${event}`: any one level. */
  | { kind: "any" }
  /** `${service}_reply`: one level that ends so and has something before it. */
  | { kind: "suffixed"; suffix: string };

export interface TopicPattern {
  readonly template: string;
  readonly levels: readonly Level[];
  /** Ends in `#`: the levels before it and everything below. */
  readonly isOpen: boolean;
}

/** Compiles a template; wildcards and `${…}` may stand for whole levels. */
export function compilePattern(template: string): TopicPattern {
  const texts = template.split("/");
  const isOpen = texts.at(-1) === "#";
  return { template, levels: (isOpen ? texts.slice(0, -1) : texts).map(compileLevel), isOpen };
}

function compileLevel(text: string): Level {
  if (text === "${productKey}") return { kind: "productKey" };
  if (text === "${deviceName}") return { kind: "deviceName" };
  if (text === "+") return { kind: "any" };
  const named = /^\$\{\w+\}(.*)$/.exec(text);
  if (named === null) return { kind: "literal", text };
  const suffix = named[1] ?? "";
  return suffix === "" ? { kind: "any" } : { kind: "suffixed", suffix };
}

/**
 * Whether this one pattern covers the filter. A topic is a filter without wildcards, so this also matches topics.
 */
export function covers(pattern: TopicPattern, filter: readonly string[], names: DeviceNames): boolean {
  const { levels } = pattern;
  const isFilterOpen = filter.at(-1) === "#";
  const depth = isFilterOpen ? filter.length - 1 : filter.length;
  if (isFilterOpen && !pattern.isOpen) return false;
  if (pattern.isOpen ? depth < levels.length : depth !== levels.length) return false;
  for (let index = 0; index < levels.length; index++) {
    const level = levels[index];
    const text = filter[index];
    if (level === undefined || text === undefined || !coversLevel(level, text, names)) return false;
  }
  return true;
}

function coversLevel(level: Level, text: string, names: DeviceNames): boolean {
  switch (level.kind) {
    case "any":
      return true;
    case "literal":
      return text === level.text;
    case "productKey":
      return text === names.productKey;
    case "deviceName":
      return text === names.deviceName;
    case "suffixed":
      return text !== "+" && text.length > level.suffix.length && text.endsWith(level.suffix);
  }
}

/**
 * Whether the patterns together cover the filter.
 *
 * A filter of fixed depth needs one pattern that covers it alone: a level `+` can take a text that no pattern spells
 * out. `a/#` however is the union of `a` and `a/+/#`, and those may be covered by different patterns. Beyond the deepest
 * pattern nothing new can come, so the search ends there.
 */
export function areCovering(patterns: readonly TopicPattern[], filter: readonly string[], names: DeviceNames): boolean {
  const depthMax = patterns.reduce((most, pattern) => Math.max(most, pattern.levels.length), 0);
  let open = filter;
  for (;;) {
    if (patterns.some((pattern) => covers(pattern, open, names))) return true;
    if (open.at(-1) !== "#" || open.length > depthMax + 1) return false;
    const parent = open.slice(0, -1);
    if (!patterns.some((pattern) => covers(pattern, parent, names))) return false;
    open = [...parent, "+", "#"];
  }
}
