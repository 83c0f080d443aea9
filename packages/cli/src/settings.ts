/** Which server to talk to, and with which key: flag, environment, then the file a local server leaves in its data directory. */
import { join } from "node:path";
import { CliError } from "./cli-error.ts";
import type { CliIo } from "./io.ts";
import type { Translate } from "./texts/index.ts";

export interface ConnectionOptions {
  server?: string;
  key?: string;
  dataDir?: string;
}

export interface ConnectionSettings {
  server: string;
  /** `id:secret` */
  key: string | undefined;
}

const defaultServer = "http://127.0.0.1:8080";
const localFileName = "cli.json";

export function findConnection(options: ConnectionOptions, io: Pick<CliIo, "environment" | "readFile">, t: Translate): ConnectionSettings {
  const local = readLocalFile(options, io, t);
  const wished = options.server ?? emptyToNothing(io.environment.THINGSTEAD_SERVER);
  const server = (wished ?? local?.server ?? defaultServer).replace(/\/+$/, "");
  if (!isHttpUrl(server)) throw new CliError("cli.server_invalid", t("error.serverInvalid", { received: server }), 2);
  // The key of the local server is never sent to another one.
  const localKey = local !== undefined && local.server.replace(/\/+$/, "") === server ? local.key : undefined;
  const key = options.key ?? emptyToNothing(io.environment.THINGSTEAD_KEY) ?? localKey;
  if (key !== undefined && !/^[^:\s]+:\S+$/.test(key)) throw new CliError("cli.key_invalid", t("error.keyInvalid"), 2);
  return { server, key };
}

function readLocalFile(
  options: ConnectionOptions,
  io: Pick<CliIo, "environment" | "readFile">,
  t: Translate,
): { server: string; key: string } | undefined {
  const dataDir = options.dataDir ?? emptyToNothing(io.environment.THINGSTEAD_DATA_DIR) ?? "data";
  const path = join(dataDir, localFileName);
  let text: string;
  try {
    text = io.readFile(path).toString("utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // Without the file the other sources decide; a file that is there but closed to us is worth a word.
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new CliError("cli.file_unreadable", t("error.fileUnreadable", { path, reason: code ?? String(error) }));
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "server" in value && "key" in value) {
      const { server, key } = value;
      if (typeof server === "string" && typeof key === "string") return { server, key };
    }
  } catch {
    // Falls through to the refusal below: damaged either way.
  }
  throw new CliError("cli.file_damaged", t("error.fileDamaged", { path, expected: '{ "server": …, "key": … }' }));
}

function emptyToNothing(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
