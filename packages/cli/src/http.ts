/** HTTP as the command needs it; tests answer from a table. */
import { Readable } from "node:stream";
import type { Agent } from "undici";

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

const agentOptions = {
  headersTimeout: silenceMillisecondsMax,
  bodyTimeout: silenceMillisecondsMax,
  connect: { timeout: 10_000 },
  // A command ends when its work is done: an idle connection must not keep it.
  keepAliveTimeout: 1,
  keepAliveMaxTimeout: 1,
} satisfies Agent.Options;

export function createHttpCall(): HttpCall {
  let dispatcher: Agent | undefined;
  return async ({ method, url, headers, body, stream }) => {
    // Loaded by the first call: a server that was started by this command calls nobody, and is 10 MB smaller.
    const { Agent, request } = await import("undici");
    dispatcher ??= new Agent(agentOptions);
    const sent = stream === undefined ? body : Readable.from(stream, { objectMode: false });
    const answer = await request(url, { method, headers, dispatcher, ...(sent === undefined ? {} : { body: sent }) });
    return { status: answer.statusCode, text: () => answer.body.text(), pieces: answer.body };
  };
}
