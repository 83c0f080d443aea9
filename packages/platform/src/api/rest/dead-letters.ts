import { Type } from "typebox";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { deadLetterRef, errorAnswers, idPath, noContent, pageOf, pageQuery } from "./schemas.ts";
import { toDeadLetterView, toPageView } from "./views.ts";

const tags = ["rules"];

export function addDeadLetterRoutes(app: RestApp, { rules, limits }: Pick<ApiPorts, "rules" | "limits">): void {
  app.get(
    "/rules/:id/dead-letters",
    {
      schema: {
        summary: "List the messages that a rule could not deliver",
        operationId: "listDeadLetters",
        tags,
        params: idPath,
        querystring: Type.Object(pageQuery(limits), { additionalProperties: false }),
        response: { 200: pageOf(deadLetterRef), ...errorAnswers(404) },
      },
    },
    async ({ params, query }) => {
      await rules.get(params.id);
      return toPageView(await rules.listDeadLetters(params.id, { page: query.page, pageSize: query.pageSize }), toDeadLetterView);
    },
  );

  app.post(
    "/dead-letters/:id/retry",
    {
      schema: {
        summary: "Send a dead letter again",
        operationId: "retryDeadLetter",
        tags,
        params: idPath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params }, reply) => {
      await rules.retryDeadLetter(params.id);
      return reply.code(204).send(null);
    },
  );

  app.delete(
    "/dead-letters/:id",
    {
      schema: {
        summary: "Delete a dead letter",
        operationId: "deleteDeadLetter",
        tags,
        params: idPath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params }, reply) => {
      await rules.deleteDeadLetter(params.id);
      return reply.code(204).send(null);
    },
  );
}
