/** Listening sockets of the HTTP API, one per address. */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import { firmwareUploadPath } from "./alibaba/firmware-uploads.ts";
import { toErrorBody } from "./error-answer.ts";
import type { ApiLimits } from "./limits.ts";

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** @throws PlatformError `api.listen_failed` when the address cannot be bound, `api.listen_entry_invalid` when it is none. */
export async function listenOn(
  entry: string,
  listener: RequestListener,
  limits: ApiLimits,
  clock: Pick<Clock, "after">,
  nextRequestId: () => string,
  onError: (error: Error) => void,
): Promise<{ server: Server; address: string }> {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      // Uploads take as long as they come on: this clock would cut them. Below, each request has its own.
      requestTimeout: 0,
      headersTimeout: limits.headersTimeoutSeconds * 1000,
      keepAliveTimeout: limits.keepAliveSeconds * 1000,
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => {
      watchBody(request, limits, clock, () => refuseBytes(requestTimeout, request.socket, limits, nextRequestId()));
      listener(request, response);
    },
  );
  server.maxConnections = limits.connectionsMax;
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    refuseBytes(error, socket, limits, nextRequestId());
  });
  const { host, port } = parseListenEntry(entry);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(new PlatformError("api.listen_failed", { address: entry, reason: error.code ?? error.message }, { cause: error }));
    });
    // A listening socket can fail later, too (no file descriptors left, for one): that is told, and the rest goes on.
    server.once("listening", () => server.on("error", onError));
    server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
  });
  return { server, address: addressOf(server) };
}

/** Large bodies, taken piece by piece. */
const uploadPaths: readonly string[] = ["/api/v1/ota/files", firmwareUploadPath];
const requestTimeout = { name: "Error", message: "request timeout", code: "ERR_HTTP_REQUEST_TIMEOUT" };

function watchUpload(request: IncomingMessage, milliseconds: number, clock: Pick<Clock, "after">): void {
  const { socket } = request;
  let seen = -1;
  let cancel = (): void => {};
  const check = (): void => {
    if (request.complete) return;
    if (socket.bytesRead === seen) {
      socket.destroy();
      return;
    }
    seen = socket.bytesRead;
    cancel = clock.after(milliseconds, check);
  };
  check();
  request.once("close", () => cancel());
}

/** A body must be there in time; an upload must only not stand still. */
function watchBody(request: IncomingMessage, limits: ApiLimits, clock: Pick<Clock, "after">, tooLate: () => void): void {
  const { headers } = request;
  if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return;
  const milliseconds = limits.requestTimeoutSeconds * 1000;
  if (uploadPaths.some((path) => request.url?.startsWith(path))) {
    watchUpload(request, milliseconds, clock);
    return;
  }
  const cancel = clock.after(milliseconds, () => {
    if (!request.complete) tooLate();
  });
  request.once("close", cancel);
}

/** `8080`, `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`. */
export function parseListenEntry(entry: string): { host: string | undefined; port: number } {
  const match = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(entry.trim());
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new PlatformError("api.listen_entry_invalid", { received: JSON.stringify(entry) });
  }
  return { host: match[1] ?? match[2], port };
}

function addressOf(server: Server): string {
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("a TCP server without an address");
  const { address, port } = bound;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What is not HTTP, or too much of it, is answered in our error shape as well, as far as the peer still listens. */
function refuseBytes(error: NodeJS.ErrnoException, socket: Duplex, limits: ApiLimits, requestId: string): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = toRefusal(error, limits);
  const body = JSON.stringify(toErrorBody(refusal, requestId, "en"));
  const status = refusal.row.http;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function toRefusal(error: NodeJS.ErrnoException, limits: ApiLimits): PlatformError {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return new PlatformError("api.header_too_large", { headerBytesMax: limits.headerBytesMax });
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new PlatformError("api.request_timeout", { requestTimeoutSeconds: limits.requestTimeoutSeconds });
    default:
      return new PlatformError("api.http_malformed", { reason: error.code ?? "unreadable" });
  }
}
