/** Things with certificates: attributes, a type, the certificates they are attached to, the groups they are in. */
import { arnOf } from "@thingstead/dialects";
import { type Static, Type } from "typebox";
import type { Thing } from "../../fleet/index.ts";
import type { ApiPorts } from "../ports.ts";
import {
  attributeChange,
  attributesSchema,
  cursorPageOf,
  cursorQuery,
  expectedVersion,
  strict,
  fleetTags as tags,
  thingPath,
  time,
  toAttributeChange,
  toCursorPage,
  toCursorView,
} from "./fleet-schemas.ts";
import { forgetTagsOf } from "./fleet-tags.ts";
import type { RestApp } from "./rest-app.ts";
import { deviceStatusSchema, errorAnswers, noContent } from "./schemas.ts";
import { formatTime } from "./views.ts";

const thingMembers = {
  thingName: Type.String(),
  thingId: Type.String({ description: "Also the IotId of the device that the thing is." }),
  typeName: Type.Optional(Type.String()),
  attributes: attributesSchema,
  billingGroupName: Type.Optional(Type.String()),
  version: Type.Integer({ description: "From 1; grows with every change." }),
  createdAt: time("When the thing was made."),
};
export const thingSchema = Type.Object(thingMembers, strict);

const shownThingSchema = Type.Object(
  {
    ...thingMembers,
    status: deviceStatusSchema,
    lastOnlineAt: Type.Optional(time("Start of the last connection.")),
    lastOfflineAt: Type.Optional(time("End of the last connection.")),
    remoteAddress: Type.Optional(Type.String({ description: "Address of the last connection." })),
  },
  strict,
);

const newThing = Type.Object(
  {
    thingName: Type.String(),
    typeName: Type.Optional(Type.String()),
    attributes: Type.Optional(attributesSchema),
    billingGroupName: Type.Optional(Type.String()),
  },
  strict,
);

const principalSchema = Type.Object(
  {
    kind: Type.Enum(["certificate", "identity"]),
    id: Type.String({ description: "Of a certificate: its SHA-256. Otherwise as it was given." }),
    isExclusive: Type.Boolean({ description: "It speaks for this thing alone, under whatever client id." }),
  },
  strict,
);

const principalPath = Type.Object({ thingName: Type.String(), certificateId: Type.String() }, strict);

export function addFleetThingRoutes(
  app: RestApp,
  { fleet, fleetDoor, registry, limits }: Pick<ApiPorts, "fleet" | "fleetDoor" | "registry" | "limits">,
): void {
  const { things, groups } = fleet;

  app.get(
    "/fleet/things",
    {
      schema: {
        summary: "List things, also by type or attribute",
        operationId: "listThings",
        tags,
        querystring: Type.Object(
          {
            ...cursorQuery(limits),
            typeName: Type.Optional(Type.String()),
            attributeName: Type.Optional(Type.String()),
            attributeValue: Type.Optional(Type.String({ description: "With `attributeName`." })),
          },
          strict,
        ),
        response: { 200: cursorPageOf(thingSchema), ...errorAnswers() },
      },
    },
    async ({ query: { pageSize, nextToken, ...filter } }) =>
      toCursorView(await things.list(toCursorPage({ pageSize, ...(nextToken === undefined ? {} : { nextToken }) }), filter), toThingView),
  );

  app.post(
    "/fleet/things",
    {
      schema: {
        summary: "Make a thing; the same again answers the same",
        operationId: "createThing",
        tags,
        body: newThing,
        response: { 201: thingSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ body: { thingName, ...thing } }, reply) =>
      reply.code(201).send(toThingView(await things.create({ name: thingName, ...thing }))),
  );

  app.get(
    "/fleet/things/:thingName",
    {
      schema: {
        summary: "Show a thing, and whether it is online",
        operationId: "getThing",
        tags,
        params: thingPath,
        response: { 200: shownThingSchema, ...errorAnswers(404) },
      },
    },
    async ({ params: { thingName } }) => {
      const thing = await things.get(thingName);
      const { status, lastOnlineAt, lastOfflineAt, remoteAddress } = await registry.getDevice(fleet.productKey, thingName);
      return {
        ...toThingView(thing),
        status,
        ...(lastOnlineAt === undefined ? {} : { lastOnlineAt: formatTime(lastOnlineAt) }),
        ...(lastOfflineAt === undefined ? {} : { lastOfflineAt: formatTime(lastOfflineAt) }),
        ...(remoteAddress === undefined ? {} : { remoteAddress }),
      };
    },
  );

  app.patch(
    "/fleet/things/:thingName",
    {
      schema: {
        summary: "Change the attributes or the type of a thing",
        operationId: "updateThing",
        tags,
        params: thingPath,
        body: Type.Object(
          {
            ...attributeChange,
            typeName: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: "null: no type any more." })),
            ...expectedVersion,
          },
          strict,
        ),
        response: { 200: thingSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body: { attributes, mergesAttributes, typeName, expectedVersion } }) =>
      toThingView(
        await things.update(params.thingName, {
          ...toAttributeChange({ mergesAttributes, ...(attributes === undefined ? {} : { attributes }) }),
          ...(typeof typeName === "string" ? { typeName } : {}),
          ...(typeName === null ? { removesType: true } : {}),
          ...(expectedVersion === undefined ? {} : { expectedVersion }),
        }),
      ),
  );

  app.delete(
    "/fleet/things/:thingName",
    {
      schema: {
        summary: "Delete a thing that no certificate is attached to",
        operationId: "deleteThing",
        tags,
        params: thingPath,
        querystring: Type.Object(expectedVersion, strict),
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params: { thingName }, query }, reply) => {
      await things.delete(thingName, query.expectedVersion);
      await forgetTagsOf(fleet, arnOf(fleetDoor.account, `thing/${thingName}`));
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/fleet/things/:thingName/principals",
    {
      schema: {
        summary: "List the certificates and other identities of a thing",
        operationId: "listThingPrincipals",
        tags,
        params: thingPath,
        querystring: Type.Object(cursorQuery(limits), strict),
        response: { 200: cursorPageOf(principalSchema), ...errorAnswers(404) },
      },
    },
    async ({ params, query }) =>
      toCursorView(await things.principals(params.thingName, toCursorPage(query)), ({ principal: { kind, id }, type }) => ({
        kind,
        id,
        isExclusive: type === "EXCLUSIVE_THING",
      })),
  );

  app.put(
    "/fleet/things/:thingName/certificates/:certificateId",
    {
      schema: {
        summary: "Attach a certificate to a thing",
        operationId: "attachThingCertificate",
        tags,
        params: principalPath,
        body: Type.Object(
          { isExclusive: Type.Boolean({ default: false, description: "It speaks for this thing alone, under whatever client id." }) },
          strict,
        ),
        response: { 204: noContent, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params: { thingName, certificateId }, body: { isExclusive } }, reply) => {
      const type = isExclusive ? "EXCLUSIVE_THING" : "NON_EXCLUSIVE_THING";
      await things.attachPrincipal(thingName, { kind: "certificate", id: certificateId }, type);
      return reply.code(204).send(null);
    },
  );

  app.delete(
    "/fleet/things/:thingName/certificates/:certificateId",
    {
      schema: {
        summary: "Detach a certificate from a thing",
        operationId: "detachThingCertificate",
        tags,
        params: principalPath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params: { thingName, certificateId } }, reply) => {
      await things.detachPrincipal(thingName, { kind: "certificate", id: certificateId });
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/fleet/things/:thingName/groups",
    {
      schema: {
        summary: "List the groups that a thing is in",
        operationId: "listGroupsOfThing",
        tags,
        params: thingPath,
        querystring: Type.Object(cursorQuery(limits), strict),
        response: { 200: cursorPageOf(Type.String()), ...errorAnswers(404) },
      },
    },
    async ({ params, query }) => toCursorView(await groups.ofThing(params.thingName, toCursorPage(query)), ({ name }) => name),
  );
}

export function toThingView({ name, id, typeName, attributes, billingGroupName, version, createdAt }: Thing): Static<typeof thingSchema> {
  return {
    thingName: name,
    thingId: id,
    ...(typeName === undefined ? {} : { typeName }),
    attributes: { ...attributes },
    ...(billingGroupName === undefined ? {} : { billingGroupName }),
    version,
    createdAt: formatTime(createdAt),
  };
}
