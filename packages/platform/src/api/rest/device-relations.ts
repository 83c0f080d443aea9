/** What is around a device: tags, its gateway, the sub-devices behind it. */
import { Type } from "typebox";
import { PlatformError } from "../../errors/index.ts";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { devicePath, deviceRef, errorAnswers, noContent, pageOf, pageQuery, productPath } from "./schemas.ts";
import { toDeviceView } from "./views.ts";

const strict = { additionalProperties: false } as const;

export const deviceIdentity = Type.Object({ productKey: Type.String(), deviceName: Type.String(), iotId: Type.String() }, strict);
export const deviceNames = Type.Object({ productKey: Type.String(), deviceName: Type.String() }, strict);
export const tagMap = Type.Record(Type.String(), Type.String());
const tagsBody = Type.Object({ tags: tagMap }, strict);
const tagsChange = Type.Object(
  {
    tags: Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]), {
      description: "null deletes; others are added or replaced.",
    }),
  },
  strict,
);

/** Values to set and keys to delete. */
function splitChange(tags: Readonly<Record<string, string | null>>): { set: Record<string, string>; deleted: string[] } {
  const entries = Object.entries(tags);
  return {
    set: Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null)),
    deleted: entries.filter(([, value]) => value === null).map(([key]) => key),
  };
}

export function addTagRoutes(app: RestApp, { tags, limits }: Pick<ApiPorts, "tags" | "limits">): void {
  app.get(
    "/products/:productKey/devices/:deviceName/tags",
    {
      schema: {
        summary: "Show the tags of a device",
        operationId: "getDeviceTags",
        tags: ["tags"],
        params: devicePath,
        response: { 200: tagsBody, ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ tags: await tags.deviceTags(params.productKey, params.deviceName) }),
  );

  app.patch(
    "/products/:productKey/devices/:deviceName/tags",
    {
      schema: {
        summary: "Set and delete tags of a device",
        operationId: "changeDeviceTags",
        tags: ["tags"],
        params: devicePath,
        body: tagsChange,
        response: { 200: tagsBody, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params: { productKey, deviceName }, body }) => {
      const { set, deleted } = splitChange(body.tags);
      // First what makes room.
      await tags.deleteDeviceTags(productKey, deviceName, deleted);
      return { tags: await tags.setDeviceTags(productKey, deviceName, set) };
    },
  );

  app.get(
    "/products/:productKey/tags",
    {
      schema: {
        summary: "Show the tags of a product",
        operationId: "getProductTags",
        tags: ["tags"],
        params: productPath,
        response: { 200: tagsBody, ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ tags: await tags.productTags(params.productKey) }),
  );

  app.patch(
    "/products/:productKey/tags",
    {
      schema: {
        summary: "Set and delete tags of a product",
        operationId: "changeProductTags",
        tags: ["tags"],
        params: productPath,
        body: tagsChange,
        response: { 200: tagsBody, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params: { productKey }, body }) => {
      const { set, deleted } = splitChange(body.tags);
      await tags.deleteProductTags(productKey, deleted);
      return { tags: await tags.setProductTags(productKey, set) };
    },
  );

  app.get(
    "/tagged-devices",
    {
      schema: {
        summary: "List the devices that have all of some tags",
        operationId: "listTaggedDevices",
        tags: ["tags"],
        querystring: Type.Object(
          { ...pageQuery(limits), tags: Type.String({ minLength: 1, description: "`key:value,key:value`", examples: ["room:12"] }) },
          strict,
        ),
        response: { 200: pageOf(deviceIdentity), ...errorAnswers() },
      },
    },
    async ({ query: { page, pageSize, tags: wanted } }) => tags.devicesByTags(readTags(wanted), { page, pageSize }),
  );
}

/** `key:value,key:value`; the first colon of each pair divides it. */
function readTags(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => {
    const at = pair.indexOf(":");
    if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)] as const;
    throw new PlatformError("api.request_invalid", { path: "tags", received: JSON.stringify(pair.slice(0, 80)), expected: "key:value" });
  });
  return Object.fromEntries(pairs);
}

export function addTopologyRoutes(app: RestApp, { topology, registry, limits }: Pick<ApiPorts, "topology" | "registry" | "limits">): void {
  const subDevicePath = Type.Object(
    { productKey: Type.String(), deviceName: Type.String(), subProductKey: Type.String(), subDeviceName: Type.String() },
    strict,
  );
  const itemsMax = limits.subDevicesPerCallMax;
  const subDevicesBody = Type.Object({ devices: Type.Array(deviceNames, { minItems: 1, maxItems: itemsMax }) }, strict);

  app.get(
    "/products/:productKey/devices/:deviceName/sub-devices",
    {
      schema: {
        summary: "List the sub-devices behind a gateway",
        operationId: "listSubDevices",
        tags: ["gateways"],
        params: devicePath,
        querystring: Type.Object(pageQuery(limits), strict),
        response: { 200: pageOf(deviceIdentity), ...errorAnswers(404) },
      },
    },
    async ({ params, query }) => topology.list(params, query),
  );

  app.post(
    "/products/:productKey/devices/:deviceName/sub-devices",
    {
      schema: {
        summary: "Put devices behind a gateway, all or none; those behind another one move",
        operationId: "addSubDevices",
        tags: ["gateways"],
        params: devicePath,
        body: subDevicesBody,
        response: { 201: Type.Object({ items: Type.Array(deviceIdentity) }, strict), ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }, reply) => reply.code(201).send({ items: await topology.add(params, body.devices, "cloud") }),
  );

  app.delete(
    "/products/:productKey/devices/:deviceName/sub-devices/:subProductKey/:subDeviceName",
    {
      schema: {
        summary: "Take a device away from its gateway; its session ends",
        operationId: "removeSubDevice",
        tags: ["gateways"],
        params: subDevicePath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params: { productKey, deviceName, subProductKey, subDeviceName } }, reply) => {
      const sub = { productKey: subProductKey, deviceName: subDeviceName };
      await topology.remove({ productKey, deviceName }, [sub], "cloud");
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/products/:productKey/devices/:deviceName/gateway",
    {
      schema: {
        summary: "Show the gateway that a device is behind",
        operationId: "getGateway",
        tags: ["gateways"],
        params: devicePath,
        response: { 200: Type.Object({ gateway: Type.Union([deviceIdentity, Type.Null()]) }, strict), ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ gateway: (await topology.gatewayOf(params)) ?? null }),
  );

  app.post(
    "/products/:productKey/devices/:deviceName/reset",
    {
      schema: {
        summary: "Let a device register itself again: as if it had never connected",
        operationId: "resetDevice",
        tags: ["devices"],
        params: devicePath,
        response: { 200: deviceRef, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toDeviceView(await registry.resetDevice(params.productKey, params.deviceName), { withSecret: false }),
  );
}
