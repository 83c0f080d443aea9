/** Calls of the AWS API may come on any path: they are told by their signature, and are routed by the vendor's own table. */
import type { IncomingMessage } from "node:http";
import { isSigV4Signed } from "@thingstead/dialects";
import type { FastifyReply, FastifyRequest } from "fastify";
import { PlatformError } from "../errors/index.ts";
import type { AwsResponse } from "./aws/index.ts";
import type { ApiPorts } from "./ports.ts";
import { type RawApiRequest, toRawRequest } from "./raw-request.ts";
import type { RestApp } from "./rest/index.ts";

/** Where signed calls are taken to; nobody writes this path. */
const awsPath = "/.aws";

/** The path that the framework routes by: of a signed call the one above, whatever it asks for. */
export function routedUrl({ url = "/", headers }: Pick<IncomingMessage, "url" | "headers">): string {
  const mark = url.indexOf("?");
  return isSigV4Signed({ headers, rawQuery: mark < 0 ? "" : url.slice(mark + 1) }) ? awsPath : url;
}

export async function addAwsRoute(app: RestApp, { aws, limits }: Pick<ApiPorts, "aws" | "limits">): Promise<void> {
  await app.register(async (scope: RestApp) => {
    // Signatures cover the bytes as they came: bodies are not parsed here, whatever their type.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: limits.bodyBytesMax }, (_request, body, done) => {
      done(null, body);
    });
    const send = (reply: FastifyReply, { status, headers, body }: AwsResponse) => reply.code(status).headers(headers).send(body);
    const rawOf = (request: FastifyRequest): RawApiRequest =>
      toRawRequest(request, request.originalUrl, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
    scope.setErrorHandler((error: { code?: string }, request, reply) => {
      const isTooLarge = error.code === "FST_ERR_CTP_BODY_TOO_LARGE";
      const refusal = isTooLarge ? new PlatformError("aws.body_too_large", { bodyBytesMax: limits.bodyBytesMax }) : error;
      if (!isTooLarge) request.log.error({ err: error }, "aws call failed");
      return send(reply, aws.refuse(rawOf(request), refusal));
    });
    scope.route({
      method: ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"],
      url: awsPath,
      schema: { hide: true },
      handler: async (request, reply) => send(reply, await aws.signed(rawOf(request))),
    });
  });
}
