/** The REST API as a program would call it: fetch, nothing of ours. */
import type { ServerProcess } from "./server-process.ts";

export interface RestAnswer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON the server answers
  body: any;
}

export function restClient(server: Pick<ServerProcess, "httpPort" | "accessKeyId" | "accessKeySecret">) {
  return async (method: string, path: string, body?: unknown): Promise<RestAnswer> => {
    const response = await fetch(`http://127.0.0.1:${server.httpPort}/api/v1${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${server.accessKeyId}:${server.accessKeySecret}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
}
