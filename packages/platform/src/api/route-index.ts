/** Tells "no such path" from "no such method on this path", which the router does not. */
import type { RouteOptions } from "fastify";
import { PlatformError } from "../errors/index.ts";

export interface RouteIndex {
  add(route: Pick<RouteOptions, "method" | "url">): void;
  /** Why no route answered. */
  explain(method: string, url: string): PlatformError;
  /** Every route, for tests and tools. */
  list(): { method: string; url: string }[];
}

const pathCharactersShownMax = 200;

export function createRouteIndex(): RouteIndex {
  const methodsOf = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  return {
    add({ method, url }) {
      const route = methodsOf.get(url) ?? { pattern: toPattern(url), methods: new Set<string>() };
      for (const one of [method].flat()) route.methods.add(one);
      methodsOf.set(url, route);
    },
    explain(method, url) {
      const path = url.split("?", 1)[0] ?? "";
      const shown = path.slice(0, pathCharactersShownMax);
      const allowed = [...methodsOf.values()].filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods]);
      if (allowed.length === 0) return new PlatformError("api.route_not_found", { path: shown });
      return new PlatformError("api.method_not_allowed", { path: shown, method, allowed: [...new Set(allowed)].sort().join(", ") });
    },
    list: () => [...methodsOf].flatMap(([url, { methods }]) => [...methods].map((method) => ({ method, url }))),
  };
}

function toPattern(url: string): RegExp {
  const source = url
    .split("/")
    .map((segment) => (segment.startsWith(":") ? "[^/]+" : segment.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")))
    .join("/");
  return new RegExp(`^${source}$`);
}
