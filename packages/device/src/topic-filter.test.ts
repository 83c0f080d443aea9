import { expect, test } from "vitest";
import { topicMatchesFilter } from "./topic-filter.ts";

test.each([
  ["/pk/dn/data", "/pk/dn/data", true],
  ["/pk/dn/data", "/pk/dn/+", true],
  ["/pk/dn/data/x", "/pk/dn/+", false],
  ["/pk/dn", "/pk/dn/#", true],
  ["/pk/dn/a/b", "/pk/dn/#", true],
  ["/pk/other/a", "/pk/dn/#", false],
  ["$SYS/x", "#", false],
  ["$SYS/x", "+/x", false],
  ["a", "a/+", false],
])("%s against %s: %s", (topic, filter, expected) => {
  expect(topicMatchesFilter(topic, filter)).toBe(expected);
});
