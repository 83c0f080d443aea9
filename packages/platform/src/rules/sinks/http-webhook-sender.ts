/** Webhooks over HTTP(S) with undici: own name resolution under the address policy, no redirects, a limit on time and answer. */
import { lookup as resolveName } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Agent } from "undici";
import type { Clock } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { RuleLimits } from "../limits.ts";
import { type AddressPolicy, bareHost, isAddress } from "./address-policy.ts";
import type { WebhookOutcome, WebhookRequest, WebhookSender } from "./webhook-sender.ts";

interface HttpWebhookPorts {
  clock: Clock;
  addressPolicy: AddressPolicy;
  limits: Pick<RuleLimits, "webhookAnswerBytesMax" | "concurrencyPerHostMax">;
}

/** Statuses worth another try; any other 4xx will not change by asking again. */
function isRetryableStatus(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

/**
 * Sends webhooks to the network.
 *
 * The address is checked where the connection is made, not where the name was looked up first: a name that changes its
 * answer gains nothing. Redirects are not followed and count as failures.
 */
export function createHttpWebhookSender({ clock, addressPolicy, limits }: HttpWebhookPorts): WebhookSender {
  let agent: Promise<Agent> | undefined;

  const refusal = (host: string, address: string): PlatformError =>
    new PlatformError("rules.address_refused", { host, address: host === address ? "" : ` (${address})` });

  const lookup: LookupFunction = (host, options, callback) => {
    resolveName(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, []);
      const allowed = found.filter(({ address }) => addressPolicy.isAllowed(host, address));
      const [first] = allowed;
      if (first === undefined) return callback(refusal(host, found.map(({ address }) => address).join(", ")), []);
      return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };

  async function openAgent(): Promise<Agent> {
    // Loaded with the first webhook: many installations have none, and undici costs memory.
    const undici = await import("undici");
    const connect = undici.buildConnector({ lookup });
    return new undici.Agent({
      connections: limits.concurrencyPerHostMax,
      connect(options, callback) {
        const host = bareHost(options.hostname);
        if (isAddress(host) && !addressPolicy.isAllowed(host, host)) return callback(refusal(host, host), null);
        connect(options, (...outcome) => {
          const [error, socket] = outcome;
          if (error !== null) return callback(error, null);
          // The last word has the address that was really connected.
          if (!addressPolicy.isAllowed(host, socket.remoteAddress ?? "")) {
            socket.destroy();
            return callback(refusal(host, socket.remoteAddress ?? ""), null);
          }
          return callback(null, socket);
        });
      },
    });
  }

  async function send(request: WebhookRequest): Promise<WebhookOutcome> {
    const abort = new AbortController();
    const cancel = clock.after(request.timeoutMilliseconds, () => abort.abort());
    try {
      agent ??= openAgent();
      const { request: call } = await import("undici");
      const { statusCode, body } = await call(request.url, {
        dispatcher: await agent,
        method: request.method,
        headers: request.headers,
        body: request.body,
        signal: abort.signal,
      });
      const isGood = statusCode >= 200 && statusCode < 300;
      if (isGood && request.answerBytesMax !== undefined) {
        return { isDelivered: true, status: statusCode, answer: await readAnswer(body, request.answerBytesMax) };
      }
      // Only the status counts; the answer is read away (up to the limit) so that the connection can be used again.
      await body.dump({ limit: limits.webhookAnswerBytesMax, signal: abort.signal }).catch(() => undefined);
      if (isGood) return { isDelivered: true, status: statusCode };
      return failure(new PlatformError("rules.webhook_status", { status: statusCode }), isRetryableStatus(statusCode));
    } catch (error) {
      if (abort.signal.aborted)
        return failure(new PlatformError("rules.webhook_timeout", { milliseconds: request.timeoutMilliseconds }), true);
      const refused = refusedBy(error);
      if (refused !== undefined) return failure(refused, false);
      return failure(new PlatformError("rules.webhook_unreachable", { reason: describe(error) }), true);
    } finally {
      cancel();
    }
  }

  return {
    send,
    async close() {
      await (await agent)?.destroy();
    },
  };
}

async function readAnswer(body: AsyncIterable<Buffer>, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new PlatformError("rules.webhook_answer_too_large", { bytesMax });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function failure(error: PlatformError, isRetryable: boolean): WebhookOutcome {
  return { isDelivered: false, code: error.code, reason: error.message, isRetryable };
}

function refusedBy(error: unknown): PlatformError | undefined {
  if (error instanceof PlatformError) return error;
  if (error instanceof AggregateError) return error.errors.map(refusedBy).find((inner) => inner !== undefined);
  return error instanceof Error && error.cause !== undefined ? refusedBy(error.cause) : undefined;
}

/** Code and system text only: headers of the request (which may hold secrets) are in neither. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return "unknown failure";
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? error.message : error.message.includes(code) ? error.message : `${code} ${error.message}`.trim();
}
