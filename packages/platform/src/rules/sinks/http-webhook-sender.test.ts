/** The one place of this room that opens sockets: what it promises is about connections. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../clock.ts";
import { defaultRuleLimits } from "../limits.ts";
import { createAddressPolicy } from "./address-policy.ts";
import { createHttpWebhookSender } from "./http-webhook-sender.ts";
import type { WebhookRequest, WebhookSender } from "./webhook-sender.ts";

interface Seen {
  method: string | undefined;
  headers: IncomingMessage["headers"];
  body: string;
}

let server: Server | undefined;
let sender: WebhookSender | undefined;

afterEach(async () => {
  await sender?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

/** Answers by path: /status/503, /redirect, /silent; else 200. */
async function listen(): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const listening = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.push({ method: request.method, headers: request.headers, body: Buffer.concat(chunks).toString() });
      const { url = "" } = request;
      if (url === "/silent") return;
      if (url === "/redirect") response.writeHead(302, { Location: "/elsewhere" });
      else response.writeHead(Number(/^\/status\/(\d+)$/.exec(url)?.[1] ?? 200));
      response.end("answer");
    });
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  return { port: (listening.address() as AddressInfo).port, seen };
}

function open(webhookAllow: string[]): WebhookSender {
  sender = createHttpWebhookSender({ clock: systemClock, addressPolicy: createAddressPolicy({ webhookAllow }), limits: defaultRuleLimits });
  return sender;
}

function request(url: string, change: Partial<WebhookRequest> = {}): WebhookRequest {
  const headers = { "Content-Type": "application/json", Authorization: "Bearer s3cret" };
  return { url, method: "POST", headers, body: Buffer.from('{"a":1}'), timeoutMilliseconds: 2000, ...change };
}

test("posts the body with its headers to an allowed address", async () => {
  const { port, seen } = await listen();
  expect(await open(["127.0.0.1"]).send(request(`http://127.0.0.1:${port}/in?x=1`))).toEqual({ isDelivered: true, status: 200 });
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({
    method: "POST",
    body: '{"a":1}',
    headers: { "content-type": "application/json", authorization: "Bearer s3cret" },
  });
});

test.each(["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])(
  "refuses %s by default: no connection, no retry",
  async (host) => {
    const { port, seen } = await listen();
    const outcome = await open([]).send(request(`http://${host}:${port}/`));
    expect(outcome).toMatchObject({ isDelivered: false, code: "rules.address_refused", isRetryable: false });
    expect(seen).toEqual([]);
  },
);

test("an allowed host name may resolve to a private address", async () => {
  const { port } = await listen();
  expect(await open(["localhost"]).send(request(`http://localhost:${port}/`))).toMatchObject({ isDelivered: true });
});

test.each([
  [503, true],
  [500, true],
  [429, true],
  [408, true],
  [404, false],
  [401, false],
])("answer %i: another try %s", async (status, isRetryable) => {
  const { port } = await listen();
  const outcome = await open(["127.0.0.1"]).send(request(`http://127.0.0.1:${port}/status/${status}`));
  expect(outcome).toEqual({ isDelivered: false, code: "rules.webhook_status", reason: `The webhook answered ${status}.`, isRetryable });
});

test("keeps the answer for who asks for it, and fails when it is longer than that", async () => {
  const { port } = await listen();
  const url = `http://127.0.0.1:${port}/`;
  expect(await open(["127.0.0.1"]).send(request(url, { answerBytesMax: 6 }))).toEqual({
    isDelivered: true,
    status: 200,
    answer: Buffer.from("answer"),
  });
  expect(await sender?.send(request(url, { answerBytesMax: 5 }))).toMatchObject({
    isDelivered: false,
    code: "rules.webhook_answer_too_large",
    isRetryable: false,
  });
});

test("does not follow a redirect", async () => {
  const { port, seen } = await listen();
  expect(await open(["127.0.0.1"]).send(request(`http://127.0.0.1:${port}/redirect`))).toMatchObject({
    isDelivered: false,
    isRetryable: false,
  });
  expect(seen).toHaveLength(1);
});

test("gives up on a silent server and may try again", async () => {
  const { port } = await listen();
  const outcome = await open(["127.0.0.1"]).send(request(`http://127.0.0.1:${port}/silent`, { timeoutMilliseconds: 30 }));
  expect(outcome).toMatchObject({ isDelivered: false, code: "rules.webhook_timeout", isRetryable: true });
});

test("a refused connection may be tried again and the reason holds no secret", async () => {
  const { port } = await listen();
  server?.close();
  server = undefined;
  const outcome = await open(["127.0.0.1"]).send(request(`http://127.0.0.1:${port}/`));
  expect(outcome).toMatchObject({ isDelivered: false, code: "rules.webhook_unreachable", isRetryable: true });
  expect(JSON.stringify(outcome)).not.toContain("s3cret");
});
