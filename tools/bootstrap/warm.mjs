// Runs once after an install, on the pinned Node: compiles the packages into the cache beside the dependencies, so that the
// first start is as quick and as small as every later one (a start that has to strip types holds 40 MB more).
import { readdirSync } from "node:fs";
import module from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
module.enableCompileCache(join(root, "node_modules/.cache/thingstead"));
for (const name of ["thing-model", "mqtt", "dialects", "platform", "cli"]) {
  const folder = join(root, "packages", name, "src");
  for (const file of readdirSync(folder, { recursive: true })) {
    if (!/\.ts$/.test(file) || /\.(test|contract|bench|d)\.ts$|(^|[\\/])(testing|contract)[\\/]/.test(file)) continue;
    try {
      await import(pathToFileURL(join(folder, file)).href);
    } catch {
      // A worker's entry does not run here; it is compiled all the same.
    }
  }
}
module.flushCompileCache();
process.exit(0);
