/** A modem on a virtual serial port, made by socat. */
import { spawn } from "node:child_process";
import { accessSync, closeSync, constants, openSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import type { Modem } from "../modem.ts";
import { attachModem, type ModemMaker } from "./stream-door.ts";

export interface PtyDoorOptions {
  /** Where the port appears, e.g. `ttyAT0`. */
  link: string;
  /** Where programs are looked for: the PATH of the environment. */
  searchPath: string;
  create: ModemMaker;
  clock?: Clock;
}

export interface PtyDoor {
  link: string;
  modem: Modem;
  /** Rejects with a PtyError when socat ends without being asked to. */
  broken: Promise<never>;
  close(): Promise<void>;
}

/** `code` is `esp_at.socat_missing` or `esp_at.pty_failed`. */
export class PtyError extends Error {
  readonly code: "esp_at.socat_missing" | "esp_at.pty_failed";

  constructor(code: PtyError["code"], message: string) {
    super(message);
    this.name = "PtyError";
    this.code = code;
  }
}

const unreadBytesMax = 65_536;
const linkCheckMilliseconds = 20;
const linkChecksMax = 250;

/**
 * Resolves once the port is there. The modem stays on while hosts come and go.
 *
 * @throws PtyError
 */
export async function openPty(options: PtyDoorOptions): Promise<PtyDoor> {
  const { link, create, clock = systemClock } = options;
  const program = findProgram("socat", options.searchPath);
  if (program === undefined) throw new PtyError("esp_at.socat_missing", "socat is not installed; a serial port needs it");
  // Standard input ends with this process, however it dies, and socat with it.
  const child = spawn(program, [`PTY,link=${link},raw,echo=0`, "STDIO"], { stdio: ["pipe", "pipe", "pipe"] });
  let trouble = "";
  let isOver = false;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    trouble = text.trim();
  });
  child.stdin.on("error", () => {});
  child.on("error", (error) => {
    trouble = error.message;
  });
  const ended = new Promise<void>((resolve) =>
    child.once("close", () => {
      isOver = true;
      resolve();
    }),
  );
  for (let checks = 0; !exists(link) || trouble !== ""; checks += 1) {
    if (trouble !== "" || isOver || checks === linkChecksMax) {
      child.kill();
      throw new PtyError("esp_at.pty_failed", `the serial port ${link} cannot be made: ${trouble}`);
    }
    await new Promise<void>((resolve) => clock.after(linkCheckMilliseconds, resolve));
  }
  // A port that nobody has open hangs up on socat: one open file keeps it alive between hosts.
  const holder = openSync(link, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  const modem = attachModem({ input: child.stdout, output: child.stdin, create, unreadBytesMax, whenUnread: "lose" });
  let isClosed = false;
  const broken = ended.then(() =>
    isClosed ? new Promise<never>(() => {}) : Promise.reject(new PtyError("esp_at.pty_failed", `socat ended: ${trouble}`)),
  );
  broken.catch(() => {});
  return {
    link,
    modem,
    broken,
    close() {
      modem.close();
      if (!isClosed) closeSync(holder);
      isClosed = true;
      child.kill();
      return ended;
    },
  };
}

function findProgram(name: string, searchPath: string): string | undefined {
  return searchPath
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(exists);
}

function exists(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
