/** A modem on a virtual serial port, made by socat. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { PassThrough } from "node:stream";
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
  close(): Promise<void>;
}

const socatMissingCode = "esp_at.socat_missing";
const ptyFailedCode = "esp_at.pty_failed";

/** `code` is `esp_at.socat_missing` or `esp_at.pty_failed`. */
export class PtyError extends Error {
  readonly code: typeof socatMissingCode | typeof ptyFailedCode;

  constructor(code: PtyError["code"], message: string) {
    super(message);
    this.name = "PtyError";
    this.code = code;
  }
}

const unreadBytesMax = 1_048_576;
const restartMilliseconds = 20;
/** How long socat stays when the host hung up. */
const lingerSeconds = 0.05;
/** How soon socat sees that a host opened the port. */
const openCheckSeconds = 0.05;
const linkCheckMilliseconds = 20;
const linkChecksMax = 250;

/**
 * Resolves once the port is there. The modem stays on while hosts come and go: a new socat takes over each time.
 *
 * @throws PtyError
 */
export async function openPty(options: PtyDoorOptions): Promise<PtyDoor> {
  const { link, create, clock = systemClock } = options;
  const program = findProgram("socat", options.searchPath);
  if (program === undefined) throw new PtyError(socatMissingCode, "socat is not installed; a serial port needs it");
  const toModem = new PassThrough();
  const fromModem = new PassThrough();
  let child: ChildProcess | undefined;
  let isClosed = false;
  let trouble = "";
  const start = () => {
    const started = spawn(
      program,
      ["-t", String(lingerSeconds), `PTY,link=${link},raw,echo=0,wait-slave,pty-interval=${openCheckSeconds}`, "STDIO"],
      {
        stdio: ["pipe", "pipe", "pipe"],
      },
    );
    child = started;
    started.stdout.pipe(toModem, { end: false });
    // Whoever reads the port next gets what was said since.
    fromModem.pipe(started.stdin);
    started.stdin.on("error", () => {});
    started.stderr.setEncoding("utf8").on("data", (text: string) => {
      trouble = text.trim();
    });
    started.once("close", () => {
      fromModem.unpipe(started.stdin);
      if (!isClosed) clock.after(restartMilliseconds, () => isClosed || start());
    });
  };
  start();
  for (let checks = 0; !exists(link); checks += 1) {
    await new Promise<void>((resolve) => clock.after(linkCheckMilliseconds, resolve));
    if (checks < linkChecksMax && trouble === "") continue;
    isClosed = true;
    child?.kill();
    throw new PtyError(ptyFailedCode, `the serial port ${link} cannot be made: ${trouble}`);
  }
  const modem = attachModem({ input: toModem, output: fromModem, create, unreadBytesMax });
  return {
    link,
    modem,
    close() {
      isClosed = true;
      modem.close();
      const running = child;
      if (running === undefined || running.exitCode !== null) return Promise.resolve();
      const ended = new Promise<void>((resolve) => running.once("close", () => resolve()));
      running.kill();
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
