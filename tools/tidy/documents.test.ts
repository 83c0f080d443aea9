import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const documents = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { encoding: "utf8" })
  .split("\n")
  .filter((path) => path !== "" && existsSync(path));

/** Links to places outside and to a heading of the same page are not looked at. */
function brokenLinks(path: string, text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target.replace(/#.*$/, ""));
  return targets.filter((target) => target !== "" && !/^[a-z]+:/.test(target) && !existsSync(join(dirname(path), target)));
}

test("finds a broken link", () => {
  expect(brokenLinks("docs/x.md", "[a](../README.md) [b](../NOWHERE.md#top) [c](https://example.com) [d](#here)")).toEqual([
    "../NOWHERE.md",
  ]);
});

test.each(documents)("every link in %s leads somewhere", (path) => {
  expect(brokenLinks(path, readFileSync(path, "utf8"))).toEqual([]);
});

test("every package has a README", () => {
  const packages = execFileSync("git", ["ls-files", "packages/*/package.json"], { encoding: "utf8" }).split("\n").filter(Boolean);
  expect(packages.length).toBeGreaterThan(3);
  expect(packages.filter((path) => !existsSync(join(dirname(path), "README.md")))).toEqual([]);
});
