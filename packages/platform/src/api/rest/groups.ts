import { type Static, Type } from "typebox";
import type { Group, GroupCounts } from "../../registry/index.ts";
import type { ApiPorts } from "../ports.ts";
import { deviceIdentity, deviceNames, tagMap } from "./device-relations.ts";
import type { RestApp } from "./rest-app.ts";
import { devicePath, errorAnswers, noContent, pageOf, pageQuery } from "./schemas.ts";

const strict = { additionalProperties: false } as const;
const tags = ["groups"];

const groupSchema = Type.Object(
  {
    groupId: Type.String(),
    name: Type.String(),
    description: Type.String(),
    superGroupId: Type.Optional(Type.String()),
    createdAt: Type.String({ format: "date-time" }),
    deviceCount: Type.Optional(Type.Integer()),
    activeCount: Type.Optional(Type.Integer()),
    onlineCount: Type.Optional(Type.Integer()),
  },
  strict,
);

const newGroup = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    description: Type.Optional(Type.String()),
    superGroupId: Type.Optional(Type.String({ description: "The group that it lies in; at most three levels." })),
    groupId: Type.Optional(Type.String({ description: "A given id, for groups that move in." })),
  },
  strict,
);

const groupPath = Type.Object({ groupId: Type.String() }, strict);

export function addGroupRoutes(app: RestApp, { groups, limits }: Pick<ApiPorts, "groups" | "limits">): void {
  app.get(
    "/groups",
    {
      schema: {
        summary: "List groups: top ones, or those in one group",
        operationId: "listGroups",
        tags,
        querystring: Type.Object(
          { ...pageQuery(limits), superGroupId: Type.Optional(Type.String()), name: Type.Optional(Type.String()) },
          strict,
        ),
        response: { 200: pageOf(groupSchema), ...errorAnswers(404) },
      },
    },
    async ({ query: { page, pageSize, ...filter } }) => {
      const found = await groups.list({ page, pageSize }, filter);
      return { ...found, items: found.items.map(toGroupView) };
    },
  );

  app.post(
    "/groups",
    {
      schema: {
        summary: "Make a group",
        operationId: "createGroup",
        tags,
        body: newGroup,
        response: { 201: groupSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ body }, reply) => reply.code(201).send(toGroupView(await groups.create(body))),
  );

  app.get(
    "/groups/:groupId",
    {
      schema: {
        summary: "Show a group and count its devices",
        operationId: "getGroup",
        tags,
        params: groupPath,
        response: { 200: groupSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toGroupView(await groups.get(params.groupId)),
  );

  app.patch(
    "/groups/:groupId",
    {
      schema: {
        summary: "Change the description of a group",
        operationId: "updateGroup",
        tags,
        params: groupPath,
        body: Type.Object({ description: Type.String() }, strict),
        response: { 200: groupSchema, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params, body }) => toGroupView(await groups.update(params.groupId, body)),
  );

  app.delete(
    "/groups/:groupId",
    {
      schema: {
        summary: "Delete a group without groups in it; its devices stay",
        operationId: "deleteGroup",
        tags,
        params: groupPath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params }, reply) => {
      await groups.delete(params.groupId);
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/groups/:groupId/devices",
    {
      schema: {
        summary: "List the devices of a group",
        operationId: "listGroupDevices",
        tags,
        params: groupPath,
        querystring: Type.Object(pageQuery(limits), strict),
        response: { 200: pageOf(deviceIdentity), ...errorAnswers(404) },
      },
    },
    async ({ params, query }) => groups.devices(params.groupId, query),
  );

  app.post(
    "/groups/:groupId/devices",
    {
      schema: {
        summary: "Put devices into a group",
        operationId: "addGroupDevices",
        tags,
        params: groupPath,
        body: Type.Object({ devices: Type.Array(deviceNames, { minItems: 1, maxItems: limits.groupDevicesPerCallMax }) }, strict),
        response: {
          200: Type.Object(
            { added: Type.Integer(), alreadyThere: Type.Integer(), inTooManyGroups: Type.Integer(), unknown: Type.Integer() },
            strict,
          ),
          ...errorAnswers(404, 409, 413, 415),
        },
      },
    },
    async ({ params, body }) => groups.addDevices(params.groupId, body.devices),
  );

  app.delete(
    "/groups/:groupId/devices/:productKey/:deviceName",
    {
      schema: {
        summary: "Take a device out of a group",
        operationId: "removeGroupDevice",
        tags,
        params: Type.Object({ groupId: Type.String(), productKey: Type.String(), deviceName: Type.String() }, strict),
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params: { groupId, productKey, deviceName } }, reply) => {
      await groups.removeDevices(groupId, [{ productKey, deviceName }]);
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/groups/:groupId/tags",
    {
      schema: {
        summary: "Show the tags of a group",
        operationId: "getGroupTags",
        tags,
        params: groupPath,
        response: { 200: Type.Object({ tags: tagMap }, strict), ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ tags: await groups.tags(params.groupId) }),
  );

  app.put(
    "/groups/:groupId/tags",
    {
      schema: {
        summary: "Replace the tags of a group",
        operationId: "setGroupTags",
        tags,
        params: groupPath,
        body: Type.Object({ tags: tagMap }, strict),
        response: { 200: Type.Object({ tags: tagMap }, strict), ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }) => {
      await groups.setTags(params.groupId, body.tags);
      return { tags: await groups.tags(params.groupId) };
    },
  );

  app.get(
    "/products/:productKey/devices/:deviceName/groups",
    {
      schema: {
        summary: "List the groups that a device is in",
        operationId: "listGroupsOfDevice",
        tags,
        params: devicePath,
        response: { 200: Type.Object({ items: Type.Array(groupSchema) }, strict), ...errorAnswers() },
      },
    },
    async ({ params }) => ({ items: (await groups.groupsOf(params)).map(toGroupView) }),
  );
}

function toGroupView({
  groupId,
  name,
  description,
  superGroupId,
  createdAt,
  ...counts
}: Group & Partial<GroupCounts>): Static<typeof groupSchema> {
  return {
    groupId,
    name,
    description,
    ...(superGroupId === undefined ? {} : { superGroupId }),
    createdAt: new Date(createdAt).toISOString(),
    ...counts,
  };
}
