/** The HTTP port: our REST API, the vendors' APIs, health and a page for people, told apart by what a request carries. */
import type { Server } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { isNestedTooDeep, messageJsonLimits } from "@thingstead/dialects";
import fastify, { type FastifyBaseLogger, type FastifyReply, type FastifyRequest, LogController } from "fastify";
import { PlatformError } from "../errors/index.ts";
import { addAwsRoute, routedUrl } from "./aws-route.ts";
import { sendError } from "./error-answer.ts";
import { listenOn } from "./listener.ts";
import type { ApiPorts } from "./ports.ts";
import { addRestApi, type LogStreams, type RestApp } from "./rest/index.ts";
import { createRouteIndex, type RouteIndex } from "./route-index.ts";
import { addVendorRoute } from "./vendor-route.ts";
import { addVendorScriptRoute } from "./vendor-script-route.ts";
import { addVendorUploadRoute } from "./vendor-upload-route.ts";

export interface Api {
  /** Bound addresses, `host:port`. */
  addresses: string[];
  /** Takes no more requests, ends event streams, lets requests under way finish for `drainSeconds`, then cuts them. */
  close(): Promise<void>;
}

/**
 * Opens the HTTP API.
 *
 * @param options.listen entries `[host:]port`; port 0 = any free port
 * @throws PlatformError `api.listen_failed` when an address cannot be bound, `api.listen_entry_invalid` when it is none; nothing stays open then
 * @example const api = await openApi({ ...ports, listen: ["127.0.0.1:0"], limits: defaultApiLimits })
 */
export async function openApi(options: ApiPorts & { listen: readonly string[] }): Promise<Api> {
  const { listen, limits, clock } = options;
  const { app, streams, nextRequestId } = await buildApi(options);
  const servers: Server[] = [];
  const addresses: string[] = [];
  try {
    for (const entry of listen) {
      const { server, address } = await listenOn(
        entry,
        (request, response) => app.routing(request, response),
        limits,
        clock,
        nextRequestId,
        (error) => options.logger.error({ err: error, listen: entry }, "api.listener_failed"),
      );
      servers.push(server);
      addresses.push(address);
    }
  } catch (error) {
    await closeAll();
    throw error;
  }

  async function closeAll(): Promise<void> {
    const closings = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    streams.endAll();
    for (const server of servers) server.closeIdleConnections();
    const cancelCut = clock.after(limits.drainSeconds * 1000, () => {
      for (const server of servers) server.closeAllConnections();
    });
    await Promise.all(closings);
    cancelCut();
    await app.close();
  }

  let closing: Promise<void> | undefined;
  return {
    addresses,
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}

/** JSON is the only kind of body here, and what is wrong with one is said. */
function addJsonParser(app: RestApp): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    const text = String(body);
    // Many clients name the type with every request, also where there is nothing to send.
    if (text === "" && request.routeOptions.schema?.body === undefined) return done(null, undefined);
    // Values go on to devices and into the history: what is too deep for them stops here.
    if (isNestedTooDeep(text)) {
      const reason = `nested deeper than ${messageJsonLimits.nestingMax} levels`;
      return done(new PlatformError("api.body_malformed", { reason }));
    }
    void parse(request, text, (error, value) => {
      if (error === null || text === "") done(error, value);
      else done(new PlatformError("api.body_malformed", { reason: explainJson(text) }));
    });
  });
}

function explainJson(text: string): string {
  try {
    JSON.parse(text);
    return "a member is named __proto__ or constructor.prototype";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The API without sockets; tests inject requests into `app` and may watch its routes. */
export async function buildApi(
  ports: ApiPorts,
  onRoute: RouteIndex["add"] = () => {},
): Promise<{ app: RestApp; streams: LogStreams; nextRequestId: () => string }> {
  const { limits, logger, clock, status } = ports;
  const startedAt = clock.now().toString(36);
  let requestCount = 0;
  const nextRequestId = (): string => `${startedAt}-${(++requestCount).toString(36)}`;
  const loggerInstance: FastifyBaseLogger = logger;
  const routes = createRouteIndex();

  const app: RestApp = fastify({
    loggerInstance,
    // URLs of vendor calls carry signatures and payloads: the framework's own request lines stay off.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: nextRequestId,
    bodyLimit: limits.bodyBytesMax,
    routerOptions: { maxParamLength: 256 },
    rewriteUrl: routedUrl,
    frameworkErrors: (error, request, reply) => {
      // The framework types these two as of a bare server; they are the same objects as everywhere.
      sendError(error, request as FastifyRequest, reply as FastifyReply, limits);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  addJsonParser(app);
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, limits));
  app.setNotFoundHandler((request, reply) => sendError(routes.explain(request.method, request.url), request, reply, limits));
  app.addHook("onRoute", (route) => {
    routes.add(route);
    onRoute(route);
  });
  app.addHook("onRequest", async (request, reply) => {
    void reply.header("x-content-type-options", "nosniff").header("x-request-id", request.id);
  });
  app.addHook("onResponse", async (request, reply) => {
    request.log.debug(
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? "none",
        status: reply.statusCode,
        milliseconds: Math.round(reply.elapsedTime),
      },
      "api.request",
    );
  });

  app.get("/healthz", { schema: { hide: true } }, async (_request, reply) => {
    const health = status();
    return reply
      .code(health.status === "ok" ? 200 : 503)
      .header("cache-control", "no-store")
      .send(health);
  });
  await addAwsRoute(app, ports);
  await addVendorRoute(app, ports);
  await addVendorUploadRoute(app, ports);
  await addVendorScriptRoute(app, ports);
  const streams = await addRestApi(app, ports);
  await app.ready();
  return { app, streams, nextRequestId };
}
