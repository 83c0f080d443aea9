/** For tests: whether an answer is what the API document says. */
import { Compile } from "typebox/compile";

type Json = Record<string, unknown>;

interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, { schema: Json }> }> }>>;
  components: { schemas: Record<string, Json> };
}

/** The returned function gives the ways in which an answer differs from the document; an undocumented answer differs. */
export function createAnswerCheck(document: Document): (method: string, url: string, status: number, body: unknown) => string[] {
  return (method, url, status, body) => {
    const path = url.split("?", 1)[0] ?? "";
    const candidates = Object.keys(document.paths).filter((template) => {
      return new RegExp(`^${template.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path);
    });
    // `/rules/check` is also of the form `/rules/{id}`: the one with fewer variables is meant.
    const [template = ""] = candidates.sort((a, b) => a.split("{").length - b.split("{").length);
    const response = document.paths[template]?.[method.toLowerCase()]?.responses[String(status)];
    const schema = response?.content?.["application/json"]?.schema;
    if (schema === undefined) return [`${status} is not documented`];
    return Compile(inline(schema, document) as Json)
      .Errors(body)
      .map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

function inline(node: unknown, document: Document): unknown {
  if (Array.isArray(node)) return node.map((member) => inline(member, document));
  if (typeof node !== "object" || node === null) return node;
  const name = "$ref" in node ? /^#\/components\/schemas\/(.+)$/.exec(String(node.$ref))?.[1] : undefined;
  if (name !== undefined) return inline(document.components.schemas[name], document);
  return Object.fromEntries(Object.entries(node).map(([key, member]) => [key, inline(member, document)]));
}
