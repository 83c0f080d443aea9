#!/usr/bin/env node
// The command. Plain JavaScript that any Node can read: it checks the version before it loads anything that needs a newer one.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const minimum = [22, 18];
const reexecutedMark = "THINGSTEAD_REEXECUTED";
// V8's young generation, grown by a reconnect storm, is never given back: 14 KiB resident for each of 10,000 idle connections,
// 7 with this limit. No workload of the benchmark is slower for it. It can only be set as the process begins.
const serverFlags = ["--max-semi-space-size=4"];

/** Becomes the same command with the server's flags: same process id, 40 ms. Whoever sets that flag himself is left alone. */
function takeServerFlags() {
  const isSet = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].some((text) => text.includes("semi-space-size"));
  const canReplace = process.platform !== "win32" && typeof process.execve === "function" && process.channel === undefined;
  if (process.argv[2] !== "start" || isSet || !canReplace) return;
  process.execve(process.execPath, [process.execPath, ...serverFlags, ...process.execArgv, ...process.argv.slice(1)], process.env);
}

function isRecentEnough() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
}

/** The Node that comes with the dependencies, looked for from here upwards. */
function findPinnedNode() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const file = process.platform === "win32" ? "node.exe" : "node";
  let folder = dirname(fileURLToPath(import.meta.url));
  while (true) {
    const candidate = join(folder, "node_modules", `node-${platform}-${process.arch}`, "bin", file);
    if (existsSync(candidate)) return candidate;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

function refuseOldNode() {
  process.stderr.write(
    `thingstead: this is Node ${process.versions.node}; Node ${minimum.join(".")} or later is needed. Install it from https://nodejs.org, or run "npm ci" in a clone.\n` +
      `thingstead：当前 Node 版本为 ${process.versions.node}，需要 ${minimum.join(".")} 或更高版本。请从 https://nodejs.org 安装，或在源码目录运行 “npm ci”。\n`,
  );
  process.exitCode = 1;
}

/** Runs the same command on `node`. Signals go through; the channel tells the child when this process is gone. */
function runOn(node) {
  const flags = process.argv[2] === "start" ? serverFlags : [];
  const child = spawn(node, [...flags, ...process.argv.slice(1)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, [reexecutedMark]: "1" },
  });
  // A terminal sends SIGINT to the whole group, so the child has it already; it must only not end this process first.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`thingstead: cannot run ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}

if (isRecentEnough()) {
  takeServerFlags();
  if (process.env[reexecutedMark] === "1" && process.channel !== undefined) {
    delete process.env[reexecutedMark];
    process.channel.unref();
    process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  }
  // Compiled code is kept beside the dependencies: later starts take a third of the time and do not load the type
  // stripper (35 MB). A folder that can't be written only costs the gain. Never the shared temporary directory.
  module.enableCompileCache(fileURLToPath(new URL("../../../node_modules/.cache/thingstead", import.meta.url)));
  const { runThingstead } = await import("../src/index.ts");
  process.exitCode = await runThingstead(process.argv.slice(2));
} else {
  const pinned = process.env[reexecutedMark] === "1" ? undefined : findPinnedNode();
  if (pinned === undefined) refuseOldNode();
  else runOn(pinned);
}
