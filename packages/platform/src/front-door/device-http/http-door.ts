import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Clock } from "../../clock.ts";
import type { ErrorDetails } from "../../errors/index.ts";
import type { FrontDoorLimits } from "../limits.ts";
import type { DeviceHttpHandler, DeviceHttpRequest, DeviceHttpResponse, DeviceHttpStream } from "./device-http.ts";
import { answerError, formatResponse, responseHeaders } from "./http-answer.ts";
import { sendStream } from "./send-stream.ts";

/** Nothing needs to be set for it (RFC 8446, 5.1). */
const tlsRecordBytesMax = 16_384;

interface HttpDoorOptions {
  handler: DeviceHttpHandler;
  clock: Clock;
  limits: FrontDoorLimits;
  /** What the front door knows of the connection. */
  factsOf(socket: Duplex): Pick<DeviceHttpRequest, "remoteAddress" | "isSecure" | "serverName" | "clientCertificate">;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  refuse(socket: Duplex, code: string, details: ErrorDetails): void;
  onBug(error: unknown): void;
}

interface HttpDoor {
  /** Takes over a socket whose sniffed bytes were put back. */
  accept(socket: Socket): void;
  /** Answers on the raw socket and closes it. */
  answerRaw(socket: Duplex, code: string, details: ErrorDetails): void;
  /** Ends idle connections now and the busy ones after their answer. */
  close(): void;
}

/** One HTTP connection. */
interface HttpClient {
  cancelDeadline: () => void;
  /** The request that is not answered yet. */
  pending?: IncomingMessage | undefined;
  /** The parser has given up: no further request can be read. */
  isBroken: boolean;
}

/** HTTP/1.1 for very small clients on Node's parser; every answer leaves in one write with canonical header names. */
export function createHttpDoor(options: HttpDoorOptions): HttpDoor {
  const { clock, limits } = options;
  const clients = new Map<Duplex, HttpClient>();
  let isClosing = false;

  const server = createServer({
    maxHeaderSize: limits.httpHeaderBytesMax,
    requireHostHeader: false,
    // Other protocols (h2c) are offers that a server may ignore. Before Node 24.9 they are answered 400.
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === "websocket",
    // Node's own timers run on servers that listen; the deadlines below take their place.
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
  });
  server.timeout = 0;

  const answerRaw = (socket: Duplex, code: string, details: ErrorDetails): void => {
    if (socket.destroyed) return;
    if (socket.writable) socket.end(formatResponse(answerError(code, details), clock.now()));
    const cancel = clock.after(limits.closeGraceMilliseconds, () => socket.destroy());
    socket.once("close", cancel);
    socket.resume();
  };

  const startDeadline = (socket: Duplex, client: HttpClient, kind: "request" | "answer" | "idle"): void => {
    client.cancelDeadline();
    const milliseconds = {
      request: limits.httpRequestMilliseconds,
      answer: limits.httpAnswerMilliseconds,
      idle: limits.httpIdleMilliseconds,
    }[kind];
    client.cancelDeadline = clock.after(milliseconds, () => {
      // Silence between requests is how keep-alive ends; an answer nobody reads cannot be replaced by another one.
      if (kind !== "request") {
        socket.destroy();
        return;
      }
      client.isBroken = true;
      options.refuse(socket, "front_door.http_request_timeout", { milliseconds });
      answerRaw(socket, "front_door.http_request_timeout", { milliseconds });
    });
  };

  server.on("request", (request, response) => {
    const client = clients.get(request.socket);
    if (client === undefined) {
      request.socket.destroy();
      return;
    }
    client.pending = request;
    startDeadline(request.socket, client, "request");
    response.once("close", () => {
      // A pipelined request may be waiting already.
      if (client.pending !== request) return;
      client.pending = undefined;
      if (!request.socket.destroyed && !client.isBroken) startDeadline(request.socket, client, "idle");
    });
    serve(request, response, client).catch((error: unknown) => {
      options.onBug(error);
      request.socket.destroy();
    });
  });

  const serve = async (request: IncomingMessage, response: ServerResponse, client: HttpClient): Promise<void> => {
    const body = await readBody(request, limits.httpBodyBytesMax);
    if (body === undefined) return;
    startDeadline(request.socket, client, "answer");
    if (!Buffer.isBuffer(body)) {
      const details = { received: body.receivedBytes, expected: limits.httpBodyBytesMax };
      options.refuse(request.socket, "front_door.http_body_too_large", details);
      client.isBroken = true;
      answerRaw(request.socket, "front_door.http_body_too_large", details);
      return;
    }
    const answer = await handle(request, body);
    if (answer.refusal !== undefined) options.refuse(request.socket, answer.refusal.code, answer.refusal.details);
    if (response.destroyed) {
      if (!Buffer.isBuffer(answer.body)) answer.body.close();
      return;
    }
    const isKeptAlive = response.shouldKeepAlive && !client.isBroken && !isClosing;
    response.sendDate = false;
    response.writeHead(answer.status, responseHeaders(answer, clock.now(), isKeptAlive));
    if (request.method === "HEAD") response.end();
    else if (Buffer.isBuffer(answer.body)) response.end(answer.body);
    else await send(request, response, client, answer.body);
  };

  /** From now on the client's reading is what is waited for. */
  const send = async (request: IncomingMessage, response: ServerResponse, client: HttpClient, body: DeviceHttpStream): Promise<void> => {
    const { socket } = request;
    try {
      if (socket instanceof TLSSocket && body.recordBytesMax < tlsRecordBytesMax) socket.setMaxSendFragment(body.recordBytesMax);
      const restart = (): void => {
        client.cancelDeadline();
        client.cancelDeadline = clock.after(body.idleMilliseconds, () => socket.destroy());
      };
      restart();
      const whole = await sendStream(response, body, restart);
      if (whole) response.end();
    } finally {
      body.close();
    }
  };

  const handle = async (request: IncomingMessage, body: Buffer): Promise<DeviceHttpResponse> => {
    const target = request.url ?? "/";
    const queryAt = target.indexOf("?");
    const rawQuery = queryAt < 0 ? "" : target.slice(queryAt + 1);
    try {
      return await options.handler({
        method: request.method ?? "GET",
        path: queryAt < 0 ? target : target.slice(0, queryAt),
        query: new URLSearchParams(rawQuery),
        rawQuery,
        headers: request.headers,
        body,
        ...options.factsOf(request.socket),
      });
    } catch (error) {
      options.onBug(error);
      return answerError("front_door.http_failed", {});
    }
  };

  server.on("upgrade", (request, socket, head) => {
    const client = clients.get(socket);
    client?.cancelDeadline();
    clients.delete(socket);
    options.upgrade(request, socket, head);
  });

  server.on("clientError", (error: Error & { code?: string }, socket) => {
    const client = clients.get(socket);
    // Already refused: the end of its bytes is no second fault.
    if (client?.isBroken) return;
    if (client !== undefined) client.isBroken = true;
    // Bytes after a whole request (a C string's closing NUL, for instance) must not cost the client its answer.
    if (client?.pending?.complete) return;
    if (error.code === "ECONNRESET" || error.code === "EPIPE" || socket.destroyed) {
      socket.destroy();
      return;
    }
    const isTooLarge = error.code === "HPE_HEADER_OVERFLOW";
    const code = isTooLarge ? "front_door.http_headers_too_large" : "front_door.http_malformed";
    const details: ErrorDetails = isTooLarge ? { expected: limits.httpHeaderBytesMax } : { reason: error.message };
    options.refuse(socket, code, details);
    answerRaw(socket, code, details);
  });

  return {
    accept(socket) {
      const client: HttpClient = { cancelDeadline: () => {}, isBroken: false };
      clients.set(socket, client);
      socket.once("close", () => {
        client.cancelDeadline();
        clients.delete(socket);
      });
      startDeadline(socket, client, "request");
      server.emit("connection", socket);
      // The sniffer paused it; the bytes it put back go to the parser with the next tick.
      socket.resume();
    },
    answerRaw,
    close() {
      isClosing = true;
      for (const [socket, client] of clients) if (client.pending === undefined) socket.destroy();
    },
  };
}

/** The body; how much came when it is too large; undefined when the client went away. */
function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | { receivedBytes: number } | undefined> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > bytesMax) return Promise.resolve({ receivedBytes: announced });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let receivedBytes = 0;
    request.on("data", (chunk: Buffer) => {
      receivedBytes += chunk.length;
      if (receivedBytes > bytesMax) {
        request.removeAllListeners("data");
        request.resume();
        resolve({ receivedBytes });
        return;
      }
      chunks.push(chunk);
    });
    request.once("end", () => resolve(Buffer.concat(chunks)));
    request.once("error", () => resolve(undefined));
    request.once("close", () => resolve(undefined));
  });
}
