import { STATUS_CODES } from "node:http";
import { type ErrorDetails, PlatformError } from "../../errors/index.ts";
import type { DeviceHttpResponse } from "./device-http.ts";

const jsonType = "application/json;charset=utf-8";

/** Compact JSON with HTTP 200, or with another status. */
export function answerJson(body: object, status = 200, headers?: Readonly<Record<string, string>>): DeviceHttpResponse & { body: Buffer } {
  const response = { status, contentType: jsonType, body: Buffer.from(JSON.stringify(body)) };
  return headers === undefined ? response : { ...response, headers };
}

/** A refusal: `code` is a number because the vendors' clients read a number there; `error` is ours and stable. */
export function answerError(
  code: string,
  details: ErrorDetails,
  headers?: Readonly<Record<string, string>>,
): DeviceHttpResponse & { body: Buffer } {
  const error = new PlatformError(code, details);
  const response = answerJson({ code: error.row.http, error: code, message: error.message }, error.row.http, headers);
  return { ...response, refusal: { code, details } };
}

/**
 * Status line fields and headers as very small clients expect them: canonical spelling, `Content-Length`, no chunks,
 * nothing that is not needed (field notes: clients with a 1 KiB header buffer that compare names byte by byte).
 */
export function responseHeaders(response: DeviceHttpResponse, now: number, isKeptAlive: boolean): string[] {
  const headers = [
    ...["Date", new Date(now).toUTCString()],
    ...["Content-Type", response.contentType],
    ...["Content-Length", String(bytesOf(response))],
    ...["Connection", isKeptAlive ? "keep-alive" : "close"],
  ];
  for (const [name, value] of Object.entries(response.headers ?? {})) headers.push(name, value);
  return headers;
}

function bytesOf({ body, headBytes }: DeviceHttpResponse): number {
  return headBytes ?? (Buffer.isBuffer(body) ? body.length : body.bytes);
}

/** The whole answer as bytes, for sockets that the HTTP parser has given up. Always closes. */
export function formatResponse(response: DeviceHttpResponse & { body: Buffer }, now: number): Buffer {
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? "Unknown"}`];
  const headers = responseHeaders(response, now, false);
  for (let at = 0; at < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), response.body]);
}
