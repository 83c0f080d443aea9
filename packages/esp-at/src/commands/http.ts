/** Requests to web servers. [ESP-AT 7] */
import { AtError } from "../at-error.ts";
import { type Call, type CommandDefinition, integer, optional, text } from "../command.ts";
import type { HttpRequest } from "../http-exchange.ts";

const methods = ["HEAD", "GET", "POST", "PUT", "DELETE"] as const;
const contentTypes = ["application/x-www-form-urlencoded", "application/json", "multipart/form-data", "text/xml"];
const timeoutMillisecondsDefault = 5_000;
const bufferBytesMax = 10_240;
const slotMax = 1;
/** A line holds less. */
const inLineBytesMax = 256;

const url = text("url", inLineBytesMax);
const header = text("header", inLineBytesMax, { ...optional, isRepeated: true });
const sizes = [
  integer("tx", 0, bufferBytesMax, optional),
  integer("rx", 0, bufferBytesMax, optional),
  integer("timeout", 0, 180_000, optional),
];

/** @throws AtError when it is no address of a web server */
function parseUrl(given: string): URL {
  const parsed = URL.parse(given.includes("://") ? given : `http://${given}`);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) throw new AtError("parameterRange", 0);
  return parsed;
}

function urlOf({ modem, parameters }: Call): URL {
  return parseUrl(parameters.string("url", "") || modem.http.url);
}

/** Pieces of the body as lines of their own. */
async function exchange(call: Call, name: string, wanted: Omit<HttpRequest, "timeoutMilliseconds">): Promise<void> {
  const { modem, parameters } = call;
  const { httpChunkBytesMax } = modem.limits;
  const timeoutMilliseconds = parameters.integer("timeout", timeoutMillisecondsDefault) || timeoutMillisecondsDefault;
  const show = (bytes: Buffer) => {
    for (let start = 0; start < bytes.length; start += httpChunkBytesMax) {
      const piece = bytes.subarray(start, start + httpChunkBytesMax);
      modem.output.data(`${name}:${piece.length},`, piece);
    }
  };
  const answer = await modem.http.exchange({ ...wanted, timeoutMilliseconds }, show);
  if (wanted.method !== "HEAD") return;
  for (let index = 0; index < answer.rawHeaders.length; index += 2)
    show(Buffer.from(`${answer.rawHeaders[index]}: ${answer.rawHeaders[index + 1]}`));
}

function upload(name: string, method: "POST" | "PUT"): CommandDefinition {
  return {
    name,
    set: {
      parameters: (modem, given) => [
        url,
        integer("length", 1, modem.limits.promptBytesMax),
        ...(given[2]?.kind === "integer" ? [integer("headerCount", 0, modem.limits.httpHeadersMax)] : []),
        header,
      ],
      async run(call) {
        const { modem, parameters } = call;
        const target = urlOf(call);
        const giveHeap = modem.heap.take(parameters.integer("length"));
        try {
          const body = await call.prompt(parameters.integer("length"));
          call.withoutResult();
          const headers = ["Content-Type: application/x-www-form-urlencoded", ...parameters.strings()];
          await exchange(call, name, { method, url: target, headers, body });
          modem.output.block("SEND OK");
        } catch (error) {
          if (call.hasResult) throw error;
          modem.output.block("SEND FAIL");
        } finally {
          giveHeap();
        }
      },
    },
  };
}

export const httpCommands: readonly CommandDefinition[] = [
  {
    name: "+HTTPCLIENT",
    set: {
      parameters: [
        integer("operation", 1, methods.length),
        integer("contentType", 0, contentTypes.length - 1),
        { ...url, ...optional },
        text("host", inLineBytesMax, optional),
        text("path", inLineBytesMax, optional),
        integer("transport", 1, 2),
        text("data", inLineBytesMax, optional),
        header,
      ],
      run(call) {
        const { modem, parameters } = call;
        const scheme = parameters.integer("transport") === 2 ? "https" : "http";
        const given = parameters.string("url", "") || modem.http.url;
        const target = parseUrl(given === "" ? `${scheme}://${parameters.string("host", "")}${parameters.string("path", "/")}` : given);
        // The transport is what counts, whatever the URL begins with.
        const reached = parseUrl(target.href.replace(/^https?:/, `${scheme}:`));
        const method = methods[parameters.integer("operation") - 1] ?? "GET";
        const hasBody = method === "POST" || method === "PUT";
        const contentType = contentTypes[parameters.integer("contentType")] ?? "";
        const headers = [...(hasBody ? [`Content-Type: ${contentType}`] : []), ...parameters.strings()];
        const body = parameters.has("data") ? parameters.bytes("data") : Buffer.alloc(0);
        return exchange(call, "+HTTPCLIENT", { method, url: reached, headers, ...(hasBody ? { body } : {}) });
      },
    },
  },
  {
    name: "+HTTPGETSIZE",
    set: {
      parameters: [url, ...sizes],
      async run(call) {
        const timeoutMilliseconds = call.parameters.integer("timeout", timeoutMillisecondsDefault) || timeoutMillisecondsDefault;
        const wanted = { method: "GET", url: urlOf(call), headers: [], isHeadOnly: true, timeoutMilliseconds } as const;
        const answer = await call.modem.http.exchange(wanted, () => {});
        const size = answer.headers["content-length"];
        if (size === undefined) throw new AtError("failed", 0x7000);
        call.modem.output.line(`+HTTPGETSIZE:${size}`);
      },
    },
  },
  {
    name: "+HTTPCGET",
    set: {
      parameters: [url, ...sizes],
      run: (call) => exchange(call, "+HTTPCGET", { method: "GET", url: urlOf(call), headers: [] }),
    },
  },
  upload("+HTTPCPOST", "POST"),
  upload("+HTTPCPUT", "PUT"),
  {
    name: "+HTTPURLCFG",
    query({ modem }) {
      if (modem.http.url !== "") modem.output.data(`+HTTPURLCFG:${Buffer.byteLength(modem.http.url)},`, Buffer.from(modem.http.url));
    },
    set: {
      parameters: ({ limits }) => [integer("length", 0, limits.httpUrlBytesMax)],
      run(call) {
        const { modem, parameters } = call;
        const length = parameters.integer("length");
        if (length > 0 && length < 8) throw new AtError("parameterRange", 0);
        modem.http.url = "";
        if (length === 0) return undefined;
        return call.prompt(length).then((bytes) => {
          call.withoutResult();
          modem.http.url = bytes.toString();
          modem.output.block("SET OK");
        });
      },
    },
  },
  {
    name: "+HTTPCHEAD",
    query({ modem }) {
      for (const [index, each] of modem.http.headers.entries()) modem.output.line(`+HTTPCHEAD:${index},"${each}"`);
    },
    set: {
      parameters: ({ limits }) => [integer("length", 0, limits.httpHeaderBytesMax)],
      run(call) {
        const { http, limits } = call.modem;
        const length = call.parameters.integer("length");
        if (length === 0) {
          http.headers.length = 0;
          return undefined;
        }
        if (http.headers.length >= limits.httpHeadersMax) throw new AtError("failed");
        return call.prompt(length).then((bytes) => {
          const line = bytes.toString("latin1");
          if (!/^[\w-]+:[^\r\n]*$/.test(line)) throw new AtError("failed");
          http.headers.push(line);
        });
      },
    },
  },
  {
    name: "+HTTPCFG",
    since: "v4.1",
    query({ modem }) {
      const { auth, certificateSlot, caSlot } = modem.http.tls;
      modem.output.line(`+HTTPCFG:${auth},${certificateSlot},${caSlot}`);
    },
    set: {
      parameters: [integer("auth", 0, 3), integer("certificateSlot", 0, slotMax, optional), integer("caSlot", 0, slotMax, optional)],
      run({ modem, parameters }) {
        modem.http.tls = {
          auth: parameters.integer("auth"),
          certificateSlot: parameters.integer("certificateSlot", 0),
          caSlot: parameters.integer("caSlot", 0),
        };
      },
    },
  },
];
