/** Types of things: which attributes are searched, and which ones MQTT 5 messages carry. */
import { arnOf } from "@thingstead/dialects";
import { type Static, Type } from "typebox";
import type { ThingType } from "../../fleet/index.ts";
import type { ApiPorts } from "../ports.ts";
import { cursorPageOf, cursorQuery, strict, fleetTags as tags, time, toCursorPage, toCursorView } from "./fleet-schemas.ts";
import { forgetTagsOf } from "./fleet-tags.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, noContent } from "./schemas.ts";
import { formatTime } from "./views.ts";

const propagatingSchema = Type.Object(
  {
    userPropertyKey: Type.String(),
    thingAttribute: Type.Optional(Type.String()),
    connectionAttribute: Type.Optional(Type.String()),
  },
  { ...strict, description: "One of `thingAttribute` and `connectionAttribute`." },
);

const typeSchema = Type.Object(
  {
    typeName: Type.String(),
    typeId: Type.String(),
    description: Type.String(),
    searchableAttributes: Type.Array(Type.String()),
    propagatingAttributes: Type.Array(propagatingSchema, { description: "What MQTT 5 messages of its things carry as user properties." }),
    deprecatedAt: Type.Optional(time("Since when no thing is given it.")),
    createdAt: time("When the type was made."),
  },
  strict,
);

const properties = {
  description: Type.Optional(Type.String()),
  searchableAttributes: Type.Optional(Type.Array(Type.String())),
  propagatingAttributes: Type.Optional(Type.Array(propagatingSchema)),
};

const typePath = Type.Object({ typeName: Type.String() }, strict);

export function addFleetTypeRoutes(app: RestApp, { fleet, fleetDoor, limits }: Pick<ApiPorts, "fleet" | "fleetDoor" | "limits">): void {
  const { types } = fleet;

  app.get(
    "/fleet/types",
    {
      schema: {
        summary: "List thing types",
        operationId: "listThingTypes",
        tags,
        querystring: Type.Object(cursorQuery(limits), strict),
        response: { 200: cursorPageOf(typeSchema), ...errorAnswers() },
      },
    },
    async ({ query }) => toCursorView(await types.list(toCursorPage(query)), toTypeView),
  );

  app.post(
    "/fleet/types",
    {
      schema: {
        summary: "Make a thing type; the same again answers the same",
        operationId: "createThingType",
        tags,
        body: Type.Object({ typeName: Type.String(), ...properties }, strict),
        response: { 201: typeSchema, ...errorAnswers(409, 413, 415) },
      },
    },
    async ({ body: { typeName, ...type } }, reply) => reply.code(201).send(toTypeView(await types.create({ name: typeName, ...type }))),
  );

  app.get(
    "/fleet/types/:typeName",
    {
      schema: {
        summary: "Show a thing type",
        operationId: "getThingType",
        tags,
        params: typePath,
        response: { 200: typeSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toTypeView(await types.get(params.typeName)),
  );

  app.patch(
    "/fleet/types/:typeName",
    {
      schema: {
        summary: "Change a thing type",
        operationId: "updateThingType",
        tags,
        params: typePath,
        body: Type.Object(properties, strict),
        response: { 200: typeSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }) => toTypeView(await types.update(params.typeName, body)),
  );

  for (const { verb, isDeprecated, summary } of [
    { verb: "deprecate", isDeprecated: true, summary: "Deprecate a thing type: things keep it, none is given it" },
    { verb: "restore", isDeprecated: false, summary: "Take a deprecated thing type back into use" },
  ]) {
    app.post(
      `/fleet/types/:typeName/${verb}`,
      {
        schema: {
          summary,
          operationId: `${verb}ThingType`,
          tags,
          params: typePath,
          response: { 200: typeSchema, ...errorAnswers(404) },
        },
      },
      async ({ params }) => toTypeView(await types.setDeprecated(params.typeName, isDeprecated)),
    );
  }

  app.delete(
    "/fleet/types/:typeName",
    {
      schema: {
        summary: "Delete a thing type that was deprecated a while ago",
        operationId: "deleteThingType",
        tags,
        params: typePath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params: { typeName } }, reply) => {
      await types.delete(typeName);
      await forgetTagsOf(fleet, arnOf(fleetDoor.account, `thingtype/${typeName}`));
      return reply.code(204).send(null);
    },
  );
}

function toTypeView({
  name,
  id,
  description,
  searchableAttributes,
  propagatingAttributes,
  deprecatedAt,
  createdAt,
}: ThingType): Static<typeof typeSchema> {
  return {
    typeName: name,
    typeId: id,
    description,
    searchableAttributes: [...searchableAttributes],
    propagatingAttributes: [...propagatingAttributes],
    ...(deprecatedAt === undefined ? {} : { deprecatedAt: formatTime(deprecatedAt) }),
    createdAt: formatTime(createdAt),
  };
}
