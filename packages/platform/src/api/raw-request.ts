import type { FastifyRequest } from "fastify";

/** A vendor API call as it came: signatures cover the raw query and body, so nothing is parsed before the vendor's room sees it. */
export interface RawApiRequest {
  method: string;
  path: string;
  /** Without the question mark, undecoded. */
  rawQuery: string;
  /** Names in lower case. */
  headers: Record<string, string | undefined>;
  body: Buffer;
  remoteAddress: string;
}

export interface RawApiResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** @param url as it came, whatever the framework has made of it */
export function toRawRequest(request: FastifyRequest, url: string, body: Buffer): RawApiRequest {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  const mark = url.indexOf("?");
  return {
    method: request.method,
    path: mark < 0 ? url : url.slice(0, mark),
    rawQuery: mark < 0 ? "" : url.slice(mark + 1),
    headers,
    body,
    remoteAddress: request.ip.replace(/^::ffff:(?=\d+\.)/, ""),
  };
}
