/** The path `/`: vendor API calls are told by what they carry, everybody else gets the page. */
import type { FastifyRequest } from "fastify";
import { PlatformError } from "../errors/index.ts";
import { renderHomePage } from "./home-page.ts";
import type { ApiPorts } from "./ports.ts";
import { toRawRequest } from "./raw-request.ts";
import type { RestApp } from "./rest/index.ts";

export async function addVendorRoute(
  app: RestApp,
  { alibaba, status, limits }: Pick<ApiPorts, "alibaba" | "status" | "limits">,
): Promise<void> {
  await app.register(async (scope: RestApp) => {
    // Signatures cover the bytes as they came: bodies are not parsed here, whatever their type.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: limits.bodyBytesMax }, (_request, body, done) => {
      done(null, body);
    });
    scope.route({
      method: ["GET", "POST", "PUT", "DELETE", "PATCH"],
      url: "/",
      schema: { hide: true },
      handler: async (request, reply) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        if (isAlibabaCall(request, body)) {
          const answer = await alibaba(toRawRequest(request, request.raw.url ?? "/", body));
          return reply.code(answer.status).headers(answer.headers).send(answer.body);
        }
        if (request.method !== "GET" && request.method !== "HEAD") {
          throw new PlatformError("api.method_not_allowed", { path: "/", method: request.method, allowed: "GET, HEAD" });
        }
        return reply
          .type("text/html; charset=utf-8")
          .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
          .send(renderHomePage(status().version));
      },
    });
  });
}

/**
 * ACS3 names the action in a header; RPC V1 as the parameter `Action`, in the query or in a form body, which small clients
 * send without saying what it is. A call that lacks its action is still told by its signature, and learns what is missing.
 */
function isAlibabaCall(request: FastifyRequest, body: Buffer): boolean {
  if (request.headers["x-acs-action"] !== undefined || /^ACS3-/i.test(request.headers.authorization ?? "")) return true;
  if (hasVendorParameter(rawQueryOf(request))) return true;
  const type = request.headers["content-type"]?.toLowerCase();
  const isForm = type === undefined || type.startsWith("application/x-www-form-urlencoded");
  return isForm && hasVendorParameter(body.toString("latin1"));
}

function hasVendorParameter(form: string): boolean {
  return /(?:^|&)(?:Action|AccessKeyId|Signature)=/.test(form);
}

function rawQueryOf(request: FastifyRequest): string {
  const url = request.raw.url ?? "/";
  const mark = url.indexOf("?");
  return mark < 0 ? "" : url.slice(mark + 1);
}
