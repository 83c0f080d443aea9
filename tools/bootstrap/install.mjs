// Runs before `npm start` and `npm test`, on whatever Node the machine has (20 or later): installs what is missing, and
// only when the lockfile changed since the last time. Plain JavaScript, no dependencies: nothing is installed yet.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const stampFile = join(root, "node_modules", ".thingstead-install");
const lockfile = readFileSync(join(root, "package-lock.json"));
const fingerprint = createHash("sha256").update(lockfile).update(`${process.platform}-${process.arch}`).digest("hex");
const isQuiet = process.argv.includes("--quiet");
const NODE_MINIMUM = [22, 18];

function readStamp() {
  try {
    return readFileSync(stampFile, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** The Node that the packages bring along, or undefined where none is published for this platform. */
function findPinnedNode() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const file = join(root, "node_modules", `node-${platform}-${process.arch}`, "bin", process.platform === "win32" ? "node.exe" : "node");
  return existsSync(file) ? file : undefined;
}

function fail(en, zh) {
  process.stderr.write(`thingstead: ${en}\nthingstead: ${zh}\n`);
  process.exit(1);
}

if (readStamp() === fingerprint) {
  if (!isQuiet) process.stdout.write("thingstead: dependencies are up to date\n");
} else {
  process.stdout.write("thingstead: installing dependencies with npm ci (first start, or package-lock.json changed) …\n");
  const startedAt = Date.now();
  const npm = process.env.npm_execpath;
  // Install scripts stay off: nothing in our tree needs one, and better-sqlite3 would otherwise ask for a compiler.
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel", "error"];
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: "inherit" })
    : spawnSync("npm", args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" });
  if (result.status !== 0) {
    fail(
      `npm ci failed (${result.error?.message ?? `exit code ${result.status}`}). Is the package registry reachable? Run "npm ci --ignore-scripts" to see more.`,
      "npm ci 失败。请检查能否访问软件包仓库，并运行 “npm ci --ignore-scripts” 查看详情。",
    );
  }
  // A cold cache is slow, not wrong: whatever happens here, the install is good.
  spawnSync(findPinnedNode() ?? process.execPath, [join(root, "tools", "bootstrap", "warm.mjs")], { cwd: root, stdio: "ignore" });
  writeFileSync(stampFile, `${fingerprint}\n`);
  process.stdout.write(`thingstead: installed in ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
}

if (findPinnedNode() === undefined) {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isOld = major < NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor < NODE_MINIMUM[1]);
  if (isOld) {
    fail(
      `Node ${process.versions.node} is too old and no pinned Node exists for ${process.platform}-${process.arch}: install Node 24.`,
      `当前 Node ${process.versions.node} 版本过低，且没有适用于 ${process.platform}-${process.arch} 的内置 Node：请安装 Node 24。`,
    );
  }
}
