/** `npm run tidy`: proves with planted violations that the rules bite, then applies them to every tracked file. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { canaries } from "./canary.ts";
import { findViolations, type SourceFile } from "./violations.ts";

for (const canary of canaries) {
  if (!findViolations([canary.file]).some((violation) => violation.rule === canary.rule)) {
    console.error(`tidy is broken: the planted violation of "${canary.rule}" in ${canary.file.path} was not found`);
    process.exit(2);
  }
}

const paths = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" }).split("\n");
const files: SourceFile[] = [];
for (const path of paths) {
  if (!/\.(ts|tsx|mjs|js)$/.test(path)) continue;
  try {
    files.push({ path, text: readFileSync(path, "utf8") });
  } catch {
    // Listed by git but deleted in the work tree.
  }
}
const violations = findViolations(files);
for (const { rule, path, line, message } of violations) console.error(`${path}:${line} ${rule}: ${message}`);
console.log(`tidy: ${canaries.length} canaries caught, ${files.length} files, ${violations.length} violations`);
process.exit(violations.length === 0 ? 0 : 1);
