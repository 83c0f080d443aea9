import { type Command, Option } from "commander";
import { CliError } from "../cli-error.ts";
import type { CommandKit } from "../context.ts";
import type { CliIo, ModemRequest } from "../io.ts";
import type { TextKey, Translate } from "../texts/index.ts";

interface ModemOptions {
  listen?: string;
  pty?: string[];
  firmware: ModemRequest["version"];
  map?: string[];
  certificate?: string[];
  accessPoint?: string[];
  fault?: string[];
  anyServerName?: boolean;
  state?: string;
  log?: boolean;
}

const uses = ["mqtt", "client", "https", "wss", "server"] as const;
const kinds = ["ca", "cert", "key"] as const;
const certificateNames = uses.flatMap((use) => kinds.map((kind) => ({ name: `${use}_${kind}`, use, kind })));
const tlsFaults = ["untrusted-server", "no-client-certificate", "damaged-client-certificate"] as const;

const rssiDbmDefault = -50;

export function addModemCommand(program: Command, { t, open }: CommandKit): void {
  const collect = (value: string, before: string[] = []) => [...before, value];
  program
    .command("modem")
    .description(t("modem.about"))
    .option("--listen <[host:]port>", t("option.modemListen"))
    .option("--pty <name>", t("option.modemPty"), collect)
    .addOption(new Option("--firmware <version>", t("option.modemVersion")).choices(["v2.2", "v3.2", "v4.1"]).default("v4.1"))
    .option("--map <name=host[:port]>", t("option.modemMap"), collect)
    .option("--certificate <name=file>", t("option.modemCertificate"), collect)
    .option("--access-point <name=password>", t("option.modemAccessPoint"), collect)
    .option("--fault <name=value>", t("option.modemFault"), collect)
    .option("--any-server-name", t("option.modemAnyName"))
    .option("--state <folder>", t("option.modemState"))
    .option("--log", t("option.modemLog"))
    .action(async (options: ModemOptions, command: Command) => {
      const { io } = open(command);
      const request = readRequest(options, io, t);
      try {
        // Standard output belongs to the modem.
        await io.runModem(request, (event, what) => io.stderr(`${t(`modem.${event}`, { what })}\n`));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "esp_at.socat_missing") throw new CliError("cli.socat_missing", t("error.socatMissing"));
        if (code === "esp_at.pty_failed") throw new CliError("cli.pty_failed", t("error.ptyFailed", { reason: (error as Error).message }));
        throw error;
      }
    });
}

function readRequest(options: ModemOptions, io: CliIo, t: Translate): ModemRequest {
  const refuse = (key: TextKey, received: string, expected = ""): never => {
    throw new CliError("cli.usage", t(key, { received, expected }), 2);
  };
  const request: ModemRequest = {
    version: options.firmware,
    ptyLinks: options.pty ?? [],
    hosts: {},
    certificates: [],
    accessPoints: [],
    faults: {},
    checksServerName: options.anyServerName !== true,
    showsLog: options.log === true,
  };
  if (options.listen !== undefined) {
    const { host = "127.0.0.1", port } = splitAddress(options.listen, true) ?? refuse("error.modemListen", options.listen);
    if (port === undefined) return refuse("error.modemListen", options.listen);
    request.listen = { host, port };
  }
  for (const entry of options.map ?? []) {
    const [, name = "", address = ""] = /^([^=]+)=(.+)$/.exec(entry) ?? [];
    const { host, port } = splitAddress(address, false) ?? refuse("error.modemMap", entry);
    if (host === undefined) return refuse("error.modemMap", entry);
    request.hosts[name.toLowerCase()] = { host, ...(port === undefined ? {} : { port }) };
  }
  for (const entry of options.certificate ?? []) {
    const equals = entry.indexOf("=");
    const found = certificateNames.find(({ name }) => name === entry.slice(0, equals));
    const names = certificateNames.map(({ name }) => name).join(", ");
    if (found === undefined) return refuse("error.modemCertificate", entry, names);
    request.certificates.push({ use: found.use, kind: found.kind, pem: readCertificate(entry.slice(equals + 1), io, t) });
  }
  for (const [index, entry] of (options.accessPoint ?? []).entries()) {
    const [, ssid, password, rssi] = /^([^=]{1,32}?)(?:=(.{8,63}?))?(?:@(-\d{1,3}))?$/.exec(entry) ?? [];
    if (ssid === undefined) return refuse("error.modemAccessPoint", entry);
    const bssid = `02:00:00:00:01:${(index & 0xff).toString(16).padStart(2, "0")}`;
    request.accessPoints.push({
      ssid,
      bssid,
      channel: 6,
      rssiDbm: Number(rssi ?? rssiDbmDefault),
      ...(password === undefined ? {} : { password }),
    });
  }
  for (const entry of options.fault ?? []) Object.assign(request.faults, readFault(entry) ?? refuse("error.modemFault", entry));
  if (options.state !== undefined) request.stateFolder = options.state;
  return request;
}

function readFault(entry: string): ModemRequest["faults"] | undefined {
  const equals = entry.indexOf("=");
  const name = entry.slice(0, Math.max(0, equals));
  const value = entry.slice(equals + 1);
  const number = /^\d{1,9}$/.test(value) ? Number(value) : undefined;
  if (name === "clock" && value === "1970") return { hasNoTimeServer: true };
  if (name === "wifi" && value === "off") return { isOutOfRange: true };
  if (name === "tls") {
    const tls = tlsFaults.find((each) => each === value);
    return tls === undefined ? undefined : { tls };
  }
  if (number === undefined) return undefined;
  if (name === "heap") return { heapBytes: number };
  if (name === "delay") return { linkDelayMilliseconds: number };
  if (name === "rate") return { linkBytesPerSecond: number };
  if (name === "wifi-loss") return { wifiLossSeconds: number };
  return undefined;
}

/** `host`, `host:port`, `[v6]:port`, and a port alone where that makes sense. */
function splitAddress(text: string, mayBePort: boolean): { host?: string; port?: number } | undefined {
  const [, v6, name, digits] = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? name;
  if (host === undefined) return undefined;
  if (mayBePort && digits === undefined) return /^\d{1,5}$/.test(host) && Number(host) <= 65_535 ? { port: Number(host) } : undefined;
  if (digits === undefined) return { host };
  return Number(digits) <= 65_535 ? { host, port: Number(digits) } : undefined;
}

function readCertificate(file: string, io: CliIo, t: Translate): Buffer {
  try {
    return io.readFile(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CliError("cli.file_unreadable", t("error.fileUnreadable", { path: file, reason }));
  }
}
