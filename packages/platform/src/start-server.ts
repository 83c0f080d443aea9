/** Starts the platform for a person or a supervisor: settings in, one `ready` line out, until SIGTERM or SIGINT. */
import { accessSync, constants, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pino } from "pino";
import { loadSettings, type SettingSources } from "./config/index.ts";
import { PlatformError } from "./errors/index.ts";
import { openPlatform, type Platform } from "./platform.ts";
import { releaseStartMemory } from "./release-start-memory.ts";

/** Settings by path as text, environment variables, and a configuration file. */
export type StartRequest = SettingSources;

/** Node's own recursive form never returns below a folder that holds none, such as /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

function prepareDataDir(dataDir: string): void {
  try {
    makeFolder(dataDir);
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new PlatformError("start.data_dir_unwritable", { dataDir, reason: (cause as Error).message }, { cause });
  }
}

/** Lets the command line on this machine find server and key without being told. */
function writeCliFile(dataDir: string, platform: Platform): void {
  const [address = ""] = platform.listen.http;
  // A wildcard is no address to connect to.
  const server = `http://${address.replace(/^(0\.0\.0\.0|\[::\])(?=:\d+$)/, "127.0.0.1")}`;
  const { id, secret } = platform.credentials.accessKey;
  writeFileSync(join(dataDir, "cli.json"), `${JSON.stringify({ server, key: `${id}:${secret}` })}\n`, { mode: 0o600 });
}

function announce(platform: Platform): void {
  const { news } = platform.credentials;
  if (news.length > 0) {
    console.log("Made at this first start and shown only now / 首次启动生成，仅显示一次：");
    for (const { name, value } of news) console.log(`  ${name} = ${value}`);
  }
  console.log(`CA for devices / 设备用 CA 证书: ${platform.caFile}`);
  console.log(`ready device=${platform.listen.device.join(",")} http=${platform.listen.http.join(",")}`);
}

/**
 * Runs until a signal ends it; then drains and resolves. Rejects with `store.journal_lost` when it can no longer keep its promises.
 *
 * @throws PlatformError when it can't start: `start.*`, `store.*`, `front_door.*`, `api.*`
 * @example await startServer({ flags: { "listen.device": "0" }, environment })
 */
export async function startServer(request: StartRequest): Promise<void> {
  const settings = loadSettings(request);
  if (settings.store !== "sqlite") {
    throw new PlatformError("start.setting_unsupported", { path: "store", received: settings.store, expected: "sqlite" });
  }
  if (settings.cluster !== "") {
    throw new PlatformError("start.setting_unsupported", { path: "cluster", received: settings.cluster, expected: "nothing" });
  }
  prepareDataDir(settings.dataDir);
  const logger = pino({ level: settings.log.level, base: null }, pino.destination({ dest: 2, sync: true }));
  // A signal during the start ends it as soon as everything is open: nothing is cut half-way.
  const ended = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  const platform = await openPlatform(settings, logger);
  writeCliFile(settings.dataDir, platform);
  releaseStartMemory();
  announce(platform);
  const failure = await Promise.race([ended, platform.failure]);
  await platform.close();
  if (failure !== undefined) throw failure;
}
