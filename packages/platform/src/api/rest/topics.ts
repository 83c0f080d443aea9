import { Type } from "typebox";
import { PlatformError } from "../../errors/index.ts";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, idSchema, noContent, productPath, topicClassRef } from "./schemas.ts";
import { toTopicClassView } from "./views.ts";

const strict = { additionalProperties: false } as const;
const tags = ["topics"];

const newTopicClass = Type.Object(
  {
    topic: Type.String({
      minLength: 1,
      description:
        "A short name such as `data` or `user/get` (put below `/${productKey}/${deviceName}/`), a whole template, or a topic that is no device's: `mqtt:topic/x`, `$aws/things/${deviceName}/shadow/update`.",
    }),
    operation: Type.Enum(["PUB", "SUB", "ALL"], { description: "Rights of the device." }),
    description: Type.Optional(Type.String()),
  },
  strict,
);

const topicClassPath = Type.Object({ productKey: Type.String(), id: idSchema }, strict);

export function addTopicRoutes(app: RestApp, { registry }: Pick<ApiPorts, "registry">): void {
  app.get(
    "/products/:productKey/topics",
    {
      schema: {
        summary: "List the topic classes of a product",
        operationId: "listTopics",
        tags,
        params: productPath,
        response: { 200: Type.Object({ items: Type.Array(topicClassRef) }, strict), ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ items: (await registry.listTopicClasses(params.productKey)).map(toTopicClassView) }),
  );

  app.post(
    "/products/:productKey/topics",
    {
      schema: {
        summary: "Create a topic class",
        operationId: "createTopic",
        tags,
        params: productPath,
        body: newTopicClass,
        response: { 201: topicClassRef, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }, reply) => {
      const topicClass = await registry.createTopicClass(params.productKey, body);
      return reply.code(201).send(toTopicClassView(topicClass));
    },
  );

  app.delete(
    "/products/:productKey/topics/:id",
    {
      schema: {
        summary: "Delete a topic class",
        operationId: "deleteTopic",
        tags,
        params: topicClassPath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params: { productKey, id } }, reply) => {
      const topicClasses = await registry.listTopicClasses(productKey);
      if (!topicClasses.some((topicClass) => topicClass.id === id)) {
        throw new PlatformError("api.topic_class_not_found", { productKey, id });
      }
      await registry.deleteTopicClass(id);
      return reply.code(204).send(null);
    },
  );
}
