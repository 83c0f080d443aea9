import type { IncomingHttpHeaders } from "node:http";
import type { ErrorDetails } from "../../errors/index.ts";

/** An HTTP request of a device. */
export interface DeviceHttpRequest {
  method: string;
  /** Without the query, as sent (not decoded). */
  path: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: IncomingHttpHeaders;
  body: Buffer;
  remoteAddress: string;
  isSecure: boolean;
  /** SNI of the TLS connection. */
  serverName?: string;
}

/** The answer; `Content-Length`, `Date` and `Connection` are added. */
export interface DeviceHttpResponse {
  status: number;
  contentType: string;
  body: Buffer;
  /** Further headers, sent with their names exactly as spelled here. */
  headers?: Readonly<Record<string, string>>;
  /** Why this is a "no": goes to the device log, not on the wire. */
  refusal?: { code: string; details: ErrorDetails };
}

/** Answers one request. A rejection is a bug of ours: the device gets 500 with a code. */
export type DeviceHttpHandler = (request: DeviceHttpRequest) => Promise<DeviceHttpResponse>;
