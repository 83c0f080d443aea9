import { Type } from "typebox";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import {
  devicePath,
  deviceRef,
  deviceStatusSchema,
  errorAnswers,
  noContent,
  pageOf,
  pageQuery,
  productPath,
  secretQuery,
} from "./schemas.ts";
import { toDeviceView, toPageView } from "./views.ts";

const strict = { additionalProperties: false } as const;
const tags = ["devices"];

export const newDevice = Type.Object(
  {
    deviceName: Type.Optional(Type.String({ description: "Absent = generated." })),
    deviceSecret: Type.Optional(Type.String({ description: "Absent = generated." })),
    iotId: Type.Optional(Type.String({ description: "Absent = generated." })),
    nickname: Type.Optional(Type.String()),
  },
  strict,
);

const deviceChange = Type.Object({ nickname: Type.String() }, strict);

export function addDeviceRoutes(app: RestApp, { registry, limits }: Pick<ApiPorts, "registry" | "limits">): void {
  const deviceQuery = Type.Object(
    { ...pageQuery(limits), status: Type.Optional(deviceStatusSchema), namePrefix: Type.Optional(Type.String()) },
    strict,
  );

  app.get(
    "/devices",
    {
      schema: {
        summary: "List the devices of all products",
        operationId: "listAllDevices",
        tags,
        querystring: deviceQuery,
        response: { 200: pageOf(deviceRef), ...errorAnswers() },
      },
    },
    async ({ query: { page, pageSize, ...filter } }) =>
      toPageView(await registry.listDevices(undefined, { page, pageSize }, filter), (device) =>
        toDeviceView(device, { withSecret: false }),
      ),
  );

  app.get(
    "/products/:productKey/devices",
    {
      schema: {
        summary: "List the devices of a product",
        operationId: "listDevices",
        tags,
        params: productPath,
        querystring: deviceQuery,
        response: { 200: pageOf(deviceRef), ...errorAnswers(404) },
      },
    },
    async ({ params, query: { page, pageSize, ...filter } }) =>
      toPageView(await registry.listDevices(params.productKey, { page, pageSize }, filter), (device) =>
        toDeviceView(device, { withSecret: false }),
      ),
  );

  app.post(
    "/products/:productKey/devices",
    {
      schema: {
        summary: "Register a device",
        operationId: "createDevice",
        tags,
        params: productPath,
        body: newDevice,
        response: { 201: deviceRef, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }, reply) => {
      const device = await registry.createDevice(params.productKey, body);
      return reply.code(201).send(toDeviceView(device, { withSecret: true }));
    },
  );

  app.get(
    "/products/:productKey/devices/:deviceName",
    {
      schema: {
        summary: "Show a device",
        operationId: "getDevice",
        tags,
        params: devicePath,
        querystring: secretQuery,
        response: { 200: deviceRef, ...errorAnswers(404) },
      },
    },
    async ({ params, query }) => toDeviceView(await registry.getDevice(params.productKey, params.deviceName), { withSecret: query.secret }),
  );

  app.patch(
    "/products/:productKey/devices/:deviceName",
    {
      schema: {
        summary: "Change the nickname of a device",
        operationId: "updateDevice",
        tags,
        params: devicePath,
        body: deviceChange,
        response: { 200: deviceRef, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params, body }) =>
      toDeviceView(await registry.updateDevice(params.productKey, params.deviceName, body), { withSecret: false }),
  );

  app.delete(
    "/products/:productKey/devices/:deviceName",
    {
      schema: {
        summary: "Delete a device; its session ends at once",
        operationId: "deleteDevice",
        tags,
        params: devicePath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params }, reply) => {
      await registry.deleteDevice(params.productKey, params.deviceName);
      return reply.code(204).send(null);
    },
  );

  for (const { verb, isEnabled, summary } of [
    { verb: "enable", isEnabled: true, summary: "Let a disabled device connect again" },
    { verb: "disable", isEnabled: false, summary: "Disable a device; its session ends at once" },
  ]) {
    app.post(
      `/products/:productKey/devices/:deviceName/${verb}`,
      {
        schema: {
          summary,
          operationId: `${verb}Device`,
          tags,
          params: devicePath,
          response: { 200: deviceRef, ...errorAnswers(404) },
        },
      },
      async ({ params }) =>
        toDeviceView(await registry.setDeviceEnabled(params.productKey, params.deviceName, isEnabled), { withSecret: false }),
    );
  }
}
