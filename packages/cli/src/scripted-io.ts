/** A test double of the outside world: files and HTTP answers from tables, output kept. */
import type { HttpAnswer, HttpRequest } from "./http.ts";
import type { CliIo, ModemRequest, StartRequest } from "./io.ts";

export interface ScriptedAnswer {
  status?: number;
  /** JSON, or text as it is. */
  body?: unknown;
  /** The body in pieces instead; an error breaks the stream off. */
  pieces?: (string | Error)[];
}

export interface Script {
  environment?: Record<string, string>;
  isTerminal?: boolean;
  isErrorTerminal?: boolean;
  files?: Record<string, string | Buffer>;
  /** Files can be made, and not be written. */
  isDiskFull?: boolean;
  /** Called for every request; an error thrown is a failed connection. */
  answer?: (request: HttpRequest, count: number) => ScriptedAnswer;
  startServer?: (request: StartRequest) => Promise<unknown>;
}

export function createScriptedIo(script: Script = {}) {
  const seen = {
    stdout: "",
    stderr: "",
    requests: [] as HttpRequest[],
    started: [] as StartRequest[],
    modems: [] as ModemRequest[],
    sleeps: [] as number[],
    uploaded: [] as Buffer[],
    written: {} as Record<string, string>,
    modes: {} as Record<string, string>,
  };
  const io: CliIo = {
    stdout: (text) => {
      seen.stdout += text;
    },
    stderr: (text) => {
      seen.stderr += text;
    },
    environment: { THINGSTEAD_SERVER: "http://server.example", THINGSTEAD_KEY: "id:secret", ...script.environment },
    isTerminal: script.isTerminal ?? false,
    isErrorTerminal: script.isErrorTerminal ?? false,
    readFile(path) {
      const content = script.files?.[path];
      if (content === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return Buffer.from(content);
    },
    openFile(path) {
      const content = io.readFile(path);
      return {
        bytes: content.length,
        pieces: (async function* () {
          yield content;
        })(),
      };
    },
    async writeFile(path, pieces) {
      if (script.files?.[path] !== undefined) throw Object.assign(new Error("it is there"), { code: "EEXIST" });
      for await (const piece of pieces) seen.written[path] = (seen.written[path] ?? "") + Buffer.from(piece).toString();
    },
    takeNewFiles(folder, files) {
      for (const { name } of files) {
        if (script.files?.[`${folder}/${name}`] !== undefined) throw Object.assign(new Error("it is there"), { code: "EEXIST" });
      }
      return {
        write(name, text) {
          if (script.isDiskFull === true) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
          const mode = files.find((file) => file.name === name)?.mode ?? 0;
          seen.written[`${folder}/${name}`] = text;
          seen.modes[`${folder}/${name}`] = mode.toString(8);
        },
        close() {},
      };
    },
    async http(request): Promise<HttpAnswer> {
      seen.requests.push(request);
      if (request.stream !== undefined) for await (const piece of request.stream) seen.uploaded.push(Buffer.from(piece));
      const { status = 200, body, pieces } = script.answer?.(request, seen.requests.length) ?? {};
      const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
      return {
        status,
        text: async () => text,
        pieces: (async function* () {
          for (const piece of pieces ?? [text]) {
            if (piece instanceof Error) throw piece;
            yield Buffer.from(piece);
          }
        })(),
      };
    },
    async sleep(milliseconds) {
      seen.sleeps.push(milliseconds);
    },
    async runModem(request) {
      seen.modems.push(request);
    },
    async startServer(request) {
      seen.started.push(request);
      return script.startServer?.(request);
    },
  };
  return { io, seen };
}
