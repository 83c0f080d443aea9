/** Every failure of the HTTP API leaves in one shape, whatever layer it came from. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { type ErrorDetails, PlatformError } from "../errors/index.ts";
import { chooseLanguage } from "./language.ts";
import type { ApiLimits } from "./limits.ts";

export interface ErrorBody {
  error: { code: string; message: string; details?: ErrorDetails; requestId: string };
}

export function toErrorBody(error: PlatformError, requestId: string, language: "en" | "zh"): ErrorBody {
  const hasDetails = Object.keys(error.details).length > 0;
  return {
    error: { code: error.code, message: error.text(language), ...(hasDetails ? { details: error.details } : {}), requestId },
  };
}

interface Failure {
  code?: string;
  statusCode?: number;
  message: string;
}

type Translation = (failure: Failure, request: FastifyRequest, limits: ApiLimits) => PlatformError;

const shownCharactersMax = 200;

/** Addresses and headers may be megabytes long and come from anybody: their beginning is enough. */
function shorten(text: string): string {
  return text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text;
}

const malformedBody: Translation = (failure) => new PlatformError("api.body_malformed", { reason: failure.message });

/** The web framework's own codes in our words. */
const translations: Readonly<Record<string, Translation>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: (_, request) =>
    new PlatformError("api.media_type_unsupported", { received: shorten(request.headers["content-type"] ?? "none") }),
  FST_ERR_CTP_INVALID_TYPE: (_, request) =>
    new PlatformError("api.media_type_unsupported", { received: shorten(request.headers["content-type"] ?? "none") }),
  FST_ERR_CTP_BODY_TOO_LARGE: (_, __, limits) => new PlatformError("api.body_too_large", { bodyBytesMax: limits.bodyBytesMax }),
  FST_ERR_CTP_EMPTY_JSON_BODY: () => new PlatformError("api.body_malformed", { reason: "it is empty" }),
  FST_ERR_CTP_INVALID_JSON_BODY: malformedBody,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: malformedBody,
  FST_ERR_BAD_URL: (failure) => new PlatformError("api.url_malformed", { reason: shorten(failure.message) }),
  FST_ERR_MAX_PARAM_LENGTH: (failure) => new PlatformError("api.url_malformed", { reason: shorten(failure.message) }),
};

function toPlatformError(error: unknown, request: FastifyRequest, limits: ApiLimits): PlatformError {
  if (error instanceof PlatformError) return error;
  const failure = error instanceof Error ? (error as Failure) : { message: String(error) };
  const translate = failure.code === undefined ? undefined : translations[failure.code];
  if (translate !== undefined) return translate(failure, request, limits);
  if (error instanceof SyntaxError && failure.statusCode === 400) return malformedBody(failure, request, limits);
  return new PlatformError("api.internal", { requestId: request.id }, { cause: error });
}

/** Answers a failure; what is our own fault is logged once with its stack, and the peer learns the request id only. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply, limits: ApiLimits): FastifyReply {
  const refusal = toPlatformError(error, request, limits);
  const status = refusal.row.http;
  if (refusal.code === "api.internal") {
    request.log.error({ err: error, requestId: request.id, method: request.method, route: request.routeOptions.url }, "api.internal");
  }
  if (status === 401) void reply.header("www-authenticate", 'Bearer realm="thingstead"');
  // RFC 9110 section 15.5.6: a 405 names what is allowed.
  if (status === 405) void reply.header("allow", String(refusal.details.allowed ?? ""));
  const retryAfterSeconds = refusal.details.retryAfterSeconds;
  if (retryAfterSeconds !== undefined) void reply.header("retry-after", String(retryAfterSeconds));
  return reply
    .code(status)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify(toErrorBody(refusal, request.id, chooseLanguage(request.headers["accept-language"]))));
}
