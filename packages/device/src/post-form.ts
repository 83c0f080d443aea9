/** A form for a server of the cloud that answers with a short text: authentication and registration. */
import { request } from "node:https";
import type { ResolvedOptions } from "./options.ts";
import { openTls } from "./stream.ts";

const answerBytesMax = 16 * 1024;

/** @throws what `makeError` makes of a server that cannot be reached or does not answer in time */
export function postForm(
  options: ResolvedOptions,
  target: { host: string; port: number; path: string; signal?: AbortSignal },
  fields: Readonly<Record<string, string>>,
  makeError: (reason: string, cause: unknown) => Error,
): Promise<string> {
  const body = new URLSearchParams(fields).toString();
  const { host, port, path, signal } = target;
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(makeError(error.message, error));
    const call = request(
      {
        host,
        port,
        path,
        method: "POST",
        headers: { "Content-Type": "application/x-www-form-urlencoded", "Content-Length": Buffer.byteLength(body) },
        timeout: options.connectTimeoutMilliseconds,
        createConnection: () => openTls(options, host, port),
        ...(signal === undefined ? {} : { signal }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > answerBytesMax) call.destroy(new Error(`answer longer than ${answerBytesMax} bytes`));
          else chunks.push(chunk);
        });
        response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
        response.on("error", fail);
      },
    );
    call.on("timeout", () => call.destroy(new Error(`no answer within ${options.connectTimeoutMilliseconds} ms`)));
    call.on("error", fail);
    call.end(body);
  });
}
