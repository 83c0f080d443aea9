/** Groups of things, in a tree; what policies a group has, the things in it have. */
import { arnOf } from "@thingstead/dialects";
import { type Static, Type } from "typebox";
import type { ThingGroup } from "../../fleet/index.ts";
import type { ApiPorts } from "../ports.ts";
import {
  attributeChange,
  attributesSchema,
  cursorPageOf,
  cursorQuery,
  expectedVersion,
  fleetGroupPath as groupPath,
  strict,
  fleetTags as tags,
  time,
  toAttributeChange,
  toCursorPage,
  toCursorView,
} from "./fleet-schemas.ts";
import { forgetTagsOf } from "./fleet-tags.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, noContent } from "./schemas.ts";
import { formatTime } from "./views.ts";

const groupSchema = Type.Object(
  {
    groupName: Type.String(),
    groupId: Type.String(),
    description: Type.String(),
    attributes: attributesSchema,
    parentName: Type.Optional(Type.String()),
    ancestors: Type.Array(Type.String(), { description: "From the root to the parent." }),
    version: Type.Integer(),
    createdAt: time("When the group was made."),
  },
  strict,
);

const newGroup = Type.Object(
  {
    groupName: Type.String(),
    parentName: Type.Optional(Type.String()),
    description: Type.Optional(Type.String()),
    attributes: Type.Optional(attributesSchema),
  },
  strict,
);

const recursive = (description: string) => Type.Boolean({ default: false, description });
const memberPath = Type.Object({ groupName: Type.String(), thingName: Type.String() }, strict);

export function addFleetGroupRoutes(app: RestApp, { fleet, fleetDoor, limits }: Pick<ApiPorts, "fleet" | "fleetDoor" | "limits">): void {
  const { groups } = fleet;

  app.get(
    "/fleet/groups",
    {
      schema: {
        summary: "List groups of things: all, or those below one",
        operationId: "listThingGroups",
        tags,
        querystring: Type.Object(
          {
            ...cursorQuery(limits),
            parentName: Type.Optional(Type.String()),
            namePrefix: Type.Optional(Type.String()),
            isRecursive: recursive("With `parentName`: also groups deeper below."),
          },
          strict,
        ),
        response: { 200: cursorPageOf(Type.String()), ...errorAnswers(404) },
      },
    },
    async ({ query: { pageSize, nextToken, ...filter } }) =>
      toCursorView(
        await groups.list(toCursorPage({ pageSize, ...(nextToken === undefined ? {} : { nextToken }) }), filter),
        ({ name }) => name,
      ),
  );

  app.post(
    "/fleet/groups",
    {
      schema: {
        summary: "Make a group of things; the same again answers the same",
        operationId: "createThingGroup",
        tags,
        body: newGroup,
        response: { 201: groupSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ body: { groupName, ...group } }, reply) =>
      reply.code(201).send(toGroupView(await groups.create({ name: groupName, ...group }))),
  );

  app.get(
    "/fleet/groups/:groupName",
    {
      schema: {
        summary: "Show a group of things",
        operationId: "getThingGroup",
        tags,
        params: groupPath,
        response: { 200: groupSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toGroupView(await groups.get(params.groupName)),
  );

  app.patch(
    "/fleet/groups/:groupName",
    {
      schema: {
        summary: "Change the description or the attributes of a group of things",
        operationId: "updateThingGroup",
        tags,
        params: groupPath,
        body: Type.Object({ ...attributeChange, description: Type.Optional(Type.String()), ...expectedVersion }, strict),
        response: { 200: groupSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body: { attributes, mergesAttributes, ...change } }) =>
      toGroupView(
        await groups.update(params.groupName, {
          ...change,
          ...toAttributeChange({ mergesAttributes, ...(attributes === undefined ? {} : { attributes }) }),
        }),
      ),
  );

  app.delete(
    "/fleet/groups/:groupName",
    {
      schema: {
        summary: "Delete a group without groups in it; its things stay",
        operationId: "deleteThingGroup",
        tags,
        params: groupPath,
        querystring: Type.Object(expectedVersion, strict),
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params: { groupName }, query }, reply) => {
      await groups.delete(groupName, query.expectedVersion);
      await forgetTagsOf(fleet, arnOf(fleetDoor.account, `thinggroup/${groupName}`));
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/fleet/groups/:groupName/things",
    {
      schema: {
        summary: "List the things of a group",
        operationId: "listThingsOfGroup",
        tags,
        params: groupPath,
        querystring: Type.Object({ ...cursorQuery(limits), isRecursive: recursive("Also those of the groups below.") }, strict),
        response: { 200: cursorPageOf(Type.String()), ...errorAnswers(404) },
      },
    },
    async ({ params, query }) =>
      toCursorView(await groups.things(params.groupName, toCursorPage(query), query.isRecursive), (name) => name),
  );

  app.put(
    "/fleet/groups/:groupName/things/:thingName",
    {
      schema: {
        summary: "Put a thing into a group",
        operationId: "addThingToGroup",
        tags,
        params: memberPath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params: { groupName, thingName } }, reply) => {
      await groups.addThing(groupName, thingName);
      return reply.code(204).send(null);
    },
  );

  app.delete(
    "/fleet/groups/:groupName/things/:thingName",
    {
      schema: {
        summary: "Take a thing out of a group",
        operationId: "removeThingFromGroup",
        tags,
        params: memberPath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params: { groupName, thingName } }, reply) => {
      await groups.removeThing(groupName, thingName);
      return reply.code(204).send(null);
    },
  );
}

function toGroupView({
  name,
  id,
  description,
  attributes,
  parentName,
  ancestors,
  version,
  createdAt,
}: ThingGroup): Static<typeof groupSchema> {
  return {
    groupName: name,
    groupId: id,
    description,
    attributes: { ...attributes },
    ...(parentName === undefined ? {} : { parentName }),
    ancestors: ancestors.map((ancestor) => ancestor.name),
    version,
    createdAt: formatTime(createdAt),
  };
}
