import { expect, test } from "vitest";
import { createTestPorts } from "../in-memory-ports.ts";
import { createRouteIndex } from "../route-index.ts";
import { buildApi } from "../server.ts";

interface Operation {
  summary?: string;
  tags?: string[];
  operationId?: string;
  responses: Record<string, { description?: string }>;
}

async function loadDocument() {
  const { ports } = createTestPorts();
  const routes = createRouteIndex();
  const { app } = await buildApi(ports, (route) => routes.add(route));
  const answer = await app.inject("/api/v1/openapi.json");
  expect(answer.statusCode).toBe(200);
  return { document: answer.json(), routes: routes.list() };
}

function findRefs(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => (name === "$ref" && typeof member === "string" ? [member] : findRefs(member)));
}

test("the document is OpenAPI 3.1.0 and every reference resolves", async () => {
  const { document } = await loadDocument();
  expect(document.openapi).toBe("3.1.0");
  expect(document.info).toMatchObject({ title: expect.any(String), version: "1.2.3" });
  const refs = new Set(findRefs(document));
  expect(refs.size).toBeGreaterThan(5);
  for (const ref of refs) {
    const target = ref
      .replace(/^#\//, "")
      .split("/")
      .reduce<unknown>(
        (node, key) => (typeof node === "object" && node !== null ? (node as Record<string, unknown>)[key] : undefined),
        document,
      );
    expect(target, ref).toBeDefined();
  }
});

test("every REST route is in the document with summary, tags, operation id and described errors", async () => {
  const { document, routes } = await loadDocument();
  const rest = routes.filter(({ method, url }) => url.startsWith("/api/v1/") && method !== "HEAD" && url !== "/api/v1/openapi.json");
  expect(rest.length).toBeGreaterThanOrEqual(30);
  const operationIds = new Set<string>();
  for (const { method, url } of rest) {
    const path = url.replaceAll(/:(\w+)/g, "{$1}");
    const operation: Operation | undefined = document.paths[path]?.[method.toLowerCase()];
    expect(operation, `${method} ${path}`).toBeDefined();
    expect(operation?.summary, `${method} ${path}`).toBeTruthy();
    expect(operation?.tags?.length, `${method} ${path}`).toBe(1);
    operationIds.add(operation?.operationId ?? "");
    for (const status of ["400", "401", "429", "500"])
      expect(operation?.responses[status]?.description, `${method} ${path} ${status}`).toBeTruthy();
  }
  expect(operationIds.size).toBe(rest.length);
  const documented = Object.values<object>(document.paths).flatMap((item) => Object.keys(item)).length;
  expect(documented).toBe(rest.length);
});
