import type { IncomingHttpHeaders } from "node:http";
import type { ConnectionFacts } from "@thingstead/mqtt";
import type { ErrorDetails } from "../../errors/index.ts";

/** An HTTP request of a device. */
export interface DeviceHttpRequest {
  method: string;
  /** Without the query, as sent (not decoded). */
  path: string;
  query: URLSearchParams;
  /** The same as sent: signatures cover it. */
  rawQuery: string;
  /** Names in lower case. */
  headers: IncomingHttpHeaders;
  body: Buffer;
  remoteAddress: string;
  isSecure: boolean;
  /** SNI of the TLS connection. */
  serverName?: string;
  /** Of the TLS connection. */
  clientCertificate?: ClientCertificate;
}

type ClientCertificate = NonNullable<NonNullable<ConnectionFacts["tls"]>["clientCertificate"]>;

/** A long body, fetched piece by piece as the client takes it: a slow reader keeps one piece in memory. */
export interface DeviceHttpStream {
  readonly bytes: number;
  /** The next piece, at once where it can; undefined at the end. */
  next(): Uint8Array | Promise<Uint8Array> | undefined;
  /** Called once, however it ends. */
  close(): void;
  /** A client that takes nothing for so long is cut. */
  readonly idleMilliseconds: number;
  /** Plain bytes of one TLS record, for clients with small buffers. */
  readonly recordBytesMax: number;
}

/** The answer; `Content-Length`, `Date` and `Connection` are added. */
export interface DeviceHttpResponse {
  status: number;
  contentType: string;
  body: Buffer | DeviceHttpStream;
  /** Of a HEAD request: how long the body would be. */
  headBytes?: number;
  /** Further headers, sent with their names exactly as spelled here. */
  headers?: Readonly<Record<string, string>>;
  /** Why this is a "no": goes to the device log, not on the wire. */
  refusal?: { code: string; details: ErrorDetails };
}

/** Answers one request. A rejection is a bug of ours: the device gets 500 with a code. */
export type DeviceHttpHandler = (request: DeviceHttpRequest) => Promise<DeviceHttpResponse>;
