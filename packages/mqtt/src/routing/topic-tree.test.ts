import fc from "fast-check";
import { expect, test } from "vitest";
import { TopicTree } from "./topic-tree.ts";

/** The rules of section 4.7 written as plainly as possible. */
function matchesNaively(filter: string, topic: string): boolean {
  const filters = filter.split("/");
  const levels = topic.split("/");
  if (topic.startsWith("$") && (filters[0] === "+" || filters[0] === "#")) return false;
  for (const [index, part] of filters.entries()) {
    if (part === "#") return true;
    if (index >= levels.length) return false;
    if (part !== "+" && part !== levels[index]) return false;
  }
  return filters.length === levels.length;
}

const level = fc.constantFrom("a", "b", "", "$s");
const topicOf = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/"));
const filterOf = fc
  .tuple(fc.array(fc.oneof(level, fc.constant("+")), { minLength: 0, maxLength: 4 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen || levels.length === 0 ? ["#"] : [])].join("/"));

test("[MQTT-4.7] finds exactly the filters that the plain rules find", () => {
  fc.assert(
    fc.property(fc.uniqueArray(filterOf, { maxLength: 20 }), fc.array(fc.nat(19)), topicOf, (filters, removed, topic) => {
      const tree = new TopicTree<string, number>();
      for (const filter of filters) tree.set(filter, filter, 1);
      const gone = new Set(removed.map((index) => filters[index]));
      for (const filter of gone) if (filter !== undefined) expect(tree.delete(filter, filter)).toBe(true);
      const found: string[] = [];
      tree.match(topic, (key) => found.push(key));
      expect(found.sort()).toEqual(filters.filter((filter) => !gone.has(filter) && matchesNaively(filter, topic)).sort());
      for (const filter of filters) tree.delete(filter, filter);
      expect(tree.isEmpty).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("[MQTT-4.7.1-2] # matches the parent level", () => {
  const tree = new TopicTree<string, number>();
  tree.set("sport/#", "one", 1);
  const found: string[] = [];
  tree.match("sport", (key) => found.push(key));
  expect(found).toEqual(["one"]);
});

test("a key has one value per filter, the latest", () => {
  const tree = new TopicTree<string, number>();
  tree.set("a/+", "one", 1);
  tree.set("a/+", "one", 2);
  const found: number[] = [];
  tree.match("a/b", (_key, value) => found.push(value));
  expect(found).toEqual([2]);
  expect(tree.get("a/+", "one")).toBe(2);
  expect(tree.delete("a/+", "two")).toBe(false);
});
