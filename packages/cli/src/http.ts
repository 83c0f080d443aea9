/** HTTP as the command needs it; tests answer from a table. */
import { Readable } from "node:stream";
import { Agent, request } from "undici";

export interface HttpRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  url: string;
  headers: Record<string, string>;
  body?: string;
  /** Instead of `body`. */
  stream?: AsyncIterable<Uint8Array>;
}

export interface HttpAnswer {
  status: number;
  text(): Promise<string>;
  /** The body in pieces as it comes, for event streams. */
  pieces: AsyncIterable<Uint8Array>;
}

export type HttpCall = (request: HttpRequest) => Promise<HttpAnswer>;

/** No answer within this time is a failure. A log stream sends a sign of life more often than that. */
const silenceMillisecondsMax = 60_000;

export function createHttpCall(): HttpCall {
  const dispatcher = new Agent({
    headersTimeout: silenceMillisecondsMax,
    bodyTimeout: silenceMillisecondsMax,
    connect: { timeout: 10_000 },
    // A command ends when its work is done: an idle connection must not keep it.
    keepAliveTimeout: 1,
    keepAliveMaxTimeout: 1,
  });
  return async ({ method, url, headers, body, stream }) => {
    const sent = stream === undefined ? body : Readable.from(stream, { objectMode: false });
    const answer = await request(url, { method, headers, dispatcher, ...(sent === undefined ? {} : { body: sent }) });
    return { status: answer.statusCode, text: () => answer.body.text(), pieces: answer.body };
  };
}
