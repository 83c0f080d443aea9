/** Everything a command touches outside itself. */
import { accessSync, constants, createReadStream, createWriteStream, readFileSync, rmSync, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { createHttpCall, type HttpCall } from "./http.ts";
import { type NewFile, type NewFiles, takeNewFiles } from "./new-files.ts";

/** Settings by path as text, e.g. `{ "listen.http": "0" }`, and where further ones are read from. */
export interface StartRequest {
  flags: Record<string, string>;
  environment: Readonly<Record<string, string | undefined>>;
  configFile?: string;
}

/** A software modem to be switched on; see `commands/modem.ts`. */
export interface ModemRequest {
  version: "v2.2" | "v3.2" | "v4.1";
  /** Where its port is: nowhere named means standard input and output. */
  listen?: { host: string; port: number };
  ptyLinks: string[];
  hosts: Record<string, { host: string; port?: number }>;
  certificates: { use: "mqtt" | "client" | "https" | "wss" | "server"; kind: "ca" | "cert" | "key"; pem: Buffer }[];
  accessPoints: { ssid: string; password?: string; bssid: string; channel: number; rssiDbm: number }[];
  faults: {
    heapBytes?: number;
    hasNoTimeServer?: boolean;
    tls?: "untrusted-server" | "no-client-certificate" | "damaged-client-certificate";
    linkDelayMilliseconds?: number;
    linkBytesPerSecond?: number;
    isOutOfRange?: boolean;
    wifiLossSeconds?: number;
  };
  checksServerName: boolean;
  /** Where settings and certificates are kept. */
  stateFolder?: string;
  showsLog: boolean;
}

/** A file as it is read. */
export interface FilePieces {
  bytes: number;
  pieces: AsyncIterable<Uint8Array>;
}

export interface CliIo {
  stdout(text: string): void;
  stderr(text: string): void;
  environment: Readonly<Record<string, string | undefined>>;
  /** Whether people look at stdout. */
  isTerminal: boolean;
  /** Whether people look at stderr. */
  isErrorTerminal: boolean;
  /** @throws as `fs.readFileSync` does */
  readFile(path: string): Buffer;
  /** For files that are too large for memory. @throws as `fs.statSync` does */
  openFile(path: string): FilePieces;
  /** A new file; one that is there stays, and is a failure. @throws as `fs.createWriteStream` does */
  writeFile(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void>;
  /** All of them, or none. @throws as `fs.openSync` does */
  takeNewFiles(folder: string, files: readonly NewFile[]): NewFiles;
  http: HttpCall;
  sleep(milliseconds: number): Promise<void>;
  /** Loaded only when the server is started here: the other commands stay quick. */
  startServer(request: StartRequest): Promise<unknown>;
  /** Resolves when the modem is switched off. */
  runModem(request: ModemRequest, tell: (event: "listening" | "pty" | "failed", what: string) => void): Promise<void>;
}

export function createProcessIo(): CliIo {
  // `thingstead log --follow | head`: a reader that has enough is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    environment: process.env,
    isTerminal: process.stdout.isTTY === true,
    isErrorTerminal: process.stderr.isTTY === true,
    readFile: (path) => readFileSync(path),
    openFile(path) {
      accessSync(path, constants.R_OK);
      const status = statSync(path);
      // Opens, but cannot be read.
      if (status.isDirectory()) throw Object.assign(new Error("a folder"), { code: "EISDIR" });
      return { bytes: status.size, pieces: createReadStream(path) };
    },
    async writeFile(path, pieces) {
      try {
        await pipeline(pieces, createWriteStream(path, { flags: "wx" }));
      } catch (error) {
        // Half a file is none; one that was there before is somebody's.
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") rmSync(path, { force: true });
        throw error;
      }
    },
    takeNewFiles,
    http: createHttpCall(),
    sleep: (milliseconds) => delay(milliseconds),
    async startServer(startRequest) {
      const platform: Record<string, unknown> = await import("@thingstead/platform");
      if (typeof platform.startServer !== "function") throw new Error("@thingstead/platform has no startServer");
      return platform.startServer(startRequest);
    },
    async runModem(modemRequest, tell) {
      const { runModem } = await import("./modem/run-modem.ts");
      await runModem(modemRequest, tell);
    },
  };
}
