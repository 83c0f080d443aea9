import type { PreAuth } from "../../access/index.ts";
import type { DeviceHttpHandler, DeviceHttpRequest, DeviceHttpResponse } from "./device-http.ts";
import { answerError, answerJson } from "./http-answer.ts";

/** One thing a device can ask for over HTTP. */
export interface DeviceRoute {
  method: "GET" | "HEAD" | "POST" | "ANY";
  /** Exact, or ending in `/*`: everything below. */
  path: string;
  answer: DeviceHttpHandler;
}

/** The vendor's HTTPS pre-authentication (Alibaba device reference 2.4): always HTTP 200, the body's `code` tells. */
function preAuthRoute(preAuth: PreAuth): DeviceRoute {
  return {
    method: "POST",
    path: "/auth/devicename",
    async answer(request) {
      const { body } = await preAuth.authenticate({ fields: parseForm(request.body), remoteAddress: request.remoteAddress });
      return answerJson(body);
    },
  };
}

/**
 * Routes of the device ports. Further ones (dynamic registration, downloads) come in `routes`.
 *
 * @example createDeviceRoutes({ preAuth, routes: [otaDownloadRoute] })
 */
export function createDeviceRoutes({ preAuth, routes = [] }: { preAuth: PreAuth; routes?: readonly DeviceRoute[] }): DeviceHttpHandler {
  const all = [preAuthRoute(preAuth), ...routes];
  return async (request: DeviceHttpRequest): Promise<DeviceHttpResponse> => {
    const atPath = all.filter((route) => isAt(route, request.path));
    const found = atPath.find(({ method }) => method === request.method || method === "ANY");
    if (found !== undefined) return found.answer(request);
    const paths = [...new Set(all.map((route) => route.path))].join(", ");
    // Only the start of a long path is repeated: the answer has to fit into small buffers.
    const path = request.path.slice(0, 100);
    if (atPath.length === 0) return answerError("front_door.http_not_found", { received: path, expected: paths });
    const expected = atPath.map((route) => route.method).join(", ");
    return answerError("front_door.http_method_not_allowed", { path, received: request.method, expected }, { Allow: expected });
  };
}

function isAt({ path }: DeviceRoute, requested: string): boolean {
  return path.endsWith("/*") ? requested.startsWith(path.slice(0, -1)) : path === requested;
}

/** Form fields whatever the Content-Type says; C clients also send the string's closing NUL. A repeated field: the last. */
export function parseForm(body: Buffer): Record<string, string> {
  const text = body.toString("utf8").replace(/[\0\r\n]+$/, "");
  return Object.fromEntries(new URLSearchParams(text));
}
