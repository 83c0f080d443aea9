/** A real server process on free ports with its own data directory, started the way a user starts it. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../../", import.meta.url));
const command = join(repository, "packages/cli/bin/thingstead.mjs");

export interface ServerProcess {
  dataDir: string;
  /** Ports on 127.0.0.1. */
  devicePort: number;
  httpPort: number;
  accessKeyId: string;
  accessKeySecret: string;
  caFile: string;
  ca: Buffer;
  /** Everything printed so far. */
  output(): string;
  pid: number;
  /** Waits until it ends by itself; resolves with the exit code. */
  ended(): Promise<number | null>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Stops if needed and removes the data directory. */
  remove(): Promise<void>;
}

export interface ServerOptions {
  dataDir?: string;
  environment?: Record<string, string>;
  flags?: string[];
}

export const testAccessKey = { id: "testAccessKeyId", secret: "testAccessKeySecret" };

/** Runs a command of ours to its end. */
export function runThingstead(
  args: string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return runNode([command, ...args], environment);
}

/** Runs a Node program to its end. */
export function runNode(
  args: string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return run(process.execPath, args, environment);
}

/** Runs any program to its end, with an optional text on its standard input. */
export function run(
  program: string,
  args: string[],
  environment: Record<string, string> = {},
  input?: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: repository, env: { ...process.env, LANG: "C", NO_COLOR: "1", ...environment } });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

function waitForExit(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("close", (code) => resolve(code)));
}

/** Starts a server and waits for its `ready` line. */
export async function startServerProcess(options: ServerOptions = {}): Promise<ServerProcess> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "thingstead-e2e-"));
  const child = spawn(process.execPath, [command, "start", ...(options.flags ?? [])], {
    cwd: repository,
    env: {
      ...process.env,
      LANG: "C",
      THINGSTEAD_DATA_DIR: dataDir,
      THINGSTEAD_HOST: "localhost",
      THINGSTEAD_LISTEN_DEVICE: "127.0.0.1:0",
      THINGSTEAD_LISTEN_HTTP: "127.0.0.1:0",
      THINGSTEAD_ACCESS_KEY_ID: testAccessKey.id,
      THINGSTEAD_ACCESS_KEY_SECRET: testAccessKey.secret,
      ...options.environment,
    },
  });
  let output = "";
  const ready = new Promise<string>((resolve, reject) => {
    const onText = (text: string) => {
      output += text;
      const line = output.split("\n").find((candidate) => candidate.startsWith("ready"));
      if (line !== undefined && output.includes(`${line}\n`)) resolve(line);
    };
    child.stdout.setEncoding("utf8").on("data", onText);
    child.stderr.setEncoding("utf8").on("data", onText);
    child.once("close", (code) => reject(new Error(`the server ended with ${code} before it was ready:\n${output}`)));
  });
  const line = await ready;
  const portAfter = (name: string) => Number(new RegExp(`${name}[ =]\\S*?:(\\d+)`).exec(line)?.[1]);
  const caFile = join(dataDir, "ca.crt");
  const stop = async () => {
    child.kill("SIGTERM");
    return waitForExit(child);
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await waitForExit(child);
  };
  return {
    dataDir,
    devicePort: portAfter("device"),
    httpPort: portAfter("http"),
    accessKeyId: testAccessKey.id,
    accessKeySecret: testAccessKey.secret,
    caFile,
    ca: readFileSync(caFile),
    output: () => output,
    pid: child.pid ?? 0,
    ended: () => waitForExit(child),
    stop,
    kill,
    async remove() {
      if (child.exitCode === null && child.signalCode === null) await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
