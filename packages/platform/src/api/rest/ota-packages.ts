/** Modules, packages and the versions that devices run. */
import { Type } from "typebox";
import type { ApiPorts } from "../ports.ts";
import { moduleSchema, newPackageSchema, packageSchema, toModuleView, toPackageView, toVersionView, versionSchema } from "./ota-schemas.ts";
import type { RestApp } from "./rest-app.ts";
import { devicePath, errorAnswers, idPath, noContent, pageOf, pageQuery, productPath } from "./schemas.ts";
import { strict } from "./thing-schemas.ts";
import { toPageView } from "./views.ts";

const tags = ["firmware"];
const modulePath = Type.Object({ ...productPath.properties, module: Type.String() }, strict);
const listOf = <S extends Parameters<typeof Type.Array>[0]>(item: S) => Type.Object({ items: Type.Array(item) }, strict);

export function addOtaPackageRoutes(app: RestApp, { ota, limits }: Pick<ApiPorts, "ota" | "limits">): void {
  app.get(
    "/products/:productKey/ota/modules",
    {
      schema: {
        summary: "List the modules of a product, the default one first",
        operationId: "listOtaModules",
        tags,
        params: productPath,
        response: { 200: listOf(moduleSchema), ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ items: (await ota.modules.list(params.productKey)).map(toModuleView) }),
  );

  app.post(
    "/products/:productKey/ota/modules",
    {
      schema: {
        summary: "Create a module",
        operationId: "createOtaModule",
        tags,
        params: productPath,
        body: Type.Object(
          { name: Type.String({ minLength: 1 }), alias: Type.Optional(Type.String()), description: Type.Optional(Type.String()) },
          strict,
        ),
        response: { 201: moduleSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }, reply) => reply.code(201).send(toModuleView(await ota.modules.create({ ...params, ...body }))),
  );

  app.patch(
    "/products/:productKey/ota/modules/:module",
    {
      schema: {
        summary: "Change a module",
        operationId: "updateOtaModule",
        tags,
        params: modulePath,
        body: Type.Object(
          { alias: Type.Optional(Type.String()), description: Type.Optional(Type.String()) },
          { ...strict, minProperties: 1 },
        ),
        response: { 200: moduleSchema, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params, body }) => toModuleView(await ota.modules.update(params.productKey, params.module, body)),
  );

  app.delete(
    "/products/:productKey/ota/modules/:module",
    {
      schema: {
        summary: "Delete a module",
        operationId: "deleteOtaModule",
        tags,
        params: modulePath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params }, reply) => {
      await ota.modules.delete(params.productKey, params.module);
      return reply.code(204).send(null);
    },
  );

  app.post(
    "/ota/packages",
    {
      schema: {
        summary: "Make a package of uploaded files",
        operationId: "createOtaPackage",
        tags,
        body: newPackageSchema,
        response: { 201: packageSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ body }, reply) => reply.code(201).send(toPackageView(await ota.packages.create(body))),
  );

  app.get(
    "/ota/packages",
    {
      schema: {
        summary: "List packages, the newest first",
        operationId: "listOtaPackages",
        tags,
        querystring: Type.Object(
          {
            ...pageQuery(limits),
            productKey: Type.Optional(Type.String()),
            version: Type.Optional(Type.String()),
            module: Type.Optional(Type.String()),
          },
          strict,
        ),
        response: { 200: pageOf(packageSchema), ...errorAnswers() },
      },
    },
    async ({ query: { page, pageSize, ...filter } }) => toPageView(await ota.packages.list({ page, pageSize }, filter), toPackageView),
  );

  app.get(
    "/ota/packages/:id",
    {
      schema: {
        summary: "Show a package",
        operationId: "getOtaPackage",
        tags,
        params: idPath,
        response: { 200: packageSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toPackageView(await ota.packages.get(params.id)),
  );

  app.patch(
    "/ota/packages/:id",
    {
      schema: {
        summary: "Change name, description or text for devices",
        operationId: "updateOtaPackage",
        tags,
        params: idPath,
        body: Type.Object(
          {
            name: Type.Optional(Type.String({ minLength: 1 })),
            description: Type.Optional(Type.String()),
            userInfo: Type.Optional(Type.String()),
          },
          { ...strict, minProperties: 1 },
        ),
        response: { 200: packageSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }) => toPackageView(await ota.packages.update(params.id, body)),
  );

  app.delete(
    "/ota/packages/:id",
    {
      schema: {
        summary: "Delete a package and the history of its jobs",
        operationId: "deleteOtaPackage",
        tags,
        params: idPath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params }, reply) => {
      await ota.packages.delete(params.id);
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/products/:productKey/devices/:deviceName/ota/versions",
    {
      schema: {
        summary: "Versions of a device's modules",
        operationId: "listOtaVersionsOfDevice",
        tags,
        params: devicePath,
        response: { 200: listOf(versionSchema), ...errorAnswers() },
      },
    },
    async ({ params }) => ({ items: (await ota.versions.ofDevice(params.productKey, params.deviceName)).map(toVersionView) }),
  );

  app.get(
    "/products/:productKey/ota/versions",
    {
      schema: {
        summary: "How many devices run which version",
        operationId: "getOtaVersionDistribution",
        tags,
        params: productPath,
        querystring: Type.Object({ module: Type.Optional(Type.String({ description: "Absent = default." })) }, strict),
        response: {
          200: listOf(Type.Object({ version: Type.String(), deviceCount: Type.Integer() }, strict)),
          ...errorAnswers(),
        },
      },
    },
    async ({ params, query }) => ({ items: await ota.versions.distribution(params.productKey, query.module) }),
  );
}
