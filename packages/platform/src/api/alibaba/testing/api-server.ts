/** This room behind a plain HTTP server on the loopback address, for the vendor's own clients. */
import { createServer } from "node:http";
import type { createAlibabaApi } from "../alibaba-api.ts";

export interface ApiServer {
  /** `host:port`. */
  authority: string;
  close(): Promise<void>;
}

export async function openApiServer(handle: ReturnType<typeof createAlibabaApi>, onAnswer?: (body: string) => void): Promise<ApiServer> {
  const server = createServer({ maxHeaderSize: 1 << 20 }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [path = "/", rawQuery = ""] = (request.url ?? "/").split(/\?(.*)/s);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, value?.toString()]));
    const body = Buffer.concat(chunks);
    const answer = await handle({ method: request.method ?? "", path, rawQuery, headers, body, remoteAddress: "127.0.0.1" });
    onAnswer?.(answer.body);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    authority: `127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
