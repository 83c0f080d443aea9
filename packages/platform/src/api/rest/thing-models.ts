import { formatThingModel } from "@thingstead/thing-model";
import { Type } from "typebox";
import { type ModelVersion, readThingModel } from "../../things/index.ts";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, noContent, productPath } from "./schemas.ts";
import { strict } from "./thing-schemas.ts";
import { formatTime } from "./views.ts";

const tags = ["thing models"];
const place = "/products/:productKey/thing-model";

const tslSchema = Type.Record(Type.String(), Type.Unknown(), {
  description: "One module in the vendor's TSL format: the default one, or a custom one with `functionBlockId`.",
});
const modulesSchema = Type.Object({ modules: Type.Array(tslSchema, { description: "The default module first." }) }, strict);
const versionSchema = Type.Object(
  {
    version: Type.String(),
    description: Type.String(),
    createdAt: Type.String({ format: "date-time", description: "When it was published." }),
  },
  strict,
);
const levelSchema = Type.Object(
  {
    level: Type.Enum(["strong", "weak", "none"], {
      description: "strong: everything is checked; weak: identifiers and types; none: nothing.",
    }),
  },
  strict,
);
const versionQuery = Type.Object({ version: Type.Optional(Type.String({ description: "Absent = the newest." })) }, strict);

const toVersionView = ({ version, description, createdAt }: ModelVersion) => ({ version, description, createdAt: formatTime(createdAt) });

export function addThingModelRoutes(app: RestApp, { things }: Pick<ApiPorts, "things">): void {
  const { models } = things;

  app.get(
    place,
    {
      schema: {
        summary: "Show the draft of a product's thing model",
        operationId: "getThingModelDraft",
        tags,
        params: productPath,
        response: { 200: modulesSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ modules: (await models.draft(params.productKey)).map((model) => formatThingModel(model)) }),
  );

  app.put(
    place,
    {
      schema: {
        summary: "Import a TSL as one module of the draft",
        description:
          "Replaces the default module, or the custom one that `functionBlockId` names. `publish` makes it what messages are checked against.",
        operationId: "putThingModelModule",
        tags,
        params: productPath,
        body: tslSchema,
        response: { 204: noContent, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params, body }, reply) => {
      await models.saveModule(params.productKey, readThingModel(body));
      return reply.code(204).send(null);
    },
  );

  app.delete(
    `${place}/modules/:functionBlockId`,
    {
      schema: {
        summary: "Delete a custom module of the draft",
        operationId: "deleteThingModelModule",
        tags,
        params: Type.Object({ ...productPath.properties, functionBlockId: Type.String() }, strict),
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params }, reply) => {
      await models.deleteModule(params.productKey, params.functionBlockId);
      return reply.code(204).send(null);
    },
  );

  app.post(
    `${place}/publish`,
    {
      schema: {
        summary: "Publish the draft",
        operationId: "publishThingModel",
        tags,
        params: productPath,
        body: Type.Object(
          {
            version: Type.Optional(Type.String({ description: "Absent = milliseconds since the epoch." })),
            description: Type.Optional(Type.String()),
          },
          strict,
        ),
        response: { 201: versionSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }, reply) => reply.code(201).send(toVersionView(await models.publish(params.productKey, body))),
  );

  app.get(
    `${place}/versions`,
    {
      schema: {
        summary: "List the published versions, newest first",
        operationId: "listThingModelVersions",
        tags,
        params: productPath,
        response: { 200: Type.Object({ items: Type.Array(versionSchema) }, strict), ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ items: (await models.versions(params.productKey)).map(toVersionView) }),
  );

  app.get(
    `${place}/published`,
    {
      schema: {
        summary: "Show a published thing model",
        operationId: "getPublishedThingModel",
        tags,
        params: productPath,
        querystring: versionQuery,
        response: { 200: modulesSchema, ...errorAnswers(404) },
      },
    },
    async ({ params, query }) => ({
      modules: (await models.published(params.productKey, query.version)).map((model) => formatThingModel(model)),
    }),
  );

  app.post(
    `${place}/copy`,
    {
      schema: {
        summary: "Make another product's published thing model the draft of this one",
        operationId: "copyThingModel",
        tags,
        params: productPath,
        body: Type.Object({ sourceProductKey: Type.String(), version: Type.Optional(Type.String()) }, strict),
        response: { 204: noContent, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }, reply) => {
      await models.copy(body.sourceProductKey, params.productKey, body.version);
      return reply.code(204).send(null);
    },
  );

  app.get(
    `${place}/validation-level`,
    {
      schema: {
        summary: "Show how much of a message is checked",
        operationId: "getValidationLevel",
        tags,
        params: productPath,
        response: { 200: levelSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ level: await models.validationLevel(params.productKey) }),
  );

  app.put(
    `${place}/validation-level`,
    {
      schema: {
        summary: "Set how much of a message is checked",
        operationId: "putValidationLevel",
        tags,
        params: productPath,
        body: levelSchema,
        response: { 200: levelSchema, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params, body }) => {
      await models.setValidationLevel(params.productKey, body.level);
      return body;
    },
  );
}
