import { Type } from "typebox";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, noContent, pageOf, pageQuery, productPath, productRef, secretQuery } from "./schemas.ts";
import { toPageView, toProductView } from "./views.ts";

const strict = { additionalProperties: false } as const;
const tags = ["products"];

const registrationSwitches = {
  isRegistrationOpen: Type.Optional(
    Type.Boolean({ description: "Devices may fetch their secret with the product's until their first connection." }),
  ),
  isSelfRegistrationOpen: Type.Optional(Type.Boolean({ description: "Devices that nobody registered may do so themselves." })),
};

const newProduct = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    description: Type.Optional(Type.String()),
    nodeType: Type.Optional(Type.Enum(["device", "gateway"])),
    topicStyle: Type.Optional(
      Type.Enum(["user", "legacy", "none"], {
        description: "Topic classes made with the product: user = /pk/dn/user/…, legacy = /pk/dn/…, none = none.",
      }),
    ),
    dataFormat: Type.Optional(Type.Enum([0, 1])),
    authType: Type.Optional(Type.Enum(["secret", "x509"], { description: "How its devices prove who they are." })),
    ...registrationSwitches,
    productKey: Type.Optional(Type.String({ description: "A given key, so that a fleet that moves keeps its identities." })),
    productSecret: Type.Optional(Type.String()),
  },
  strict,
);

const productChange = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1 })),
    description: Type.Optional(Type.String()),
    ...registrationSwitches,
    isReleased: Type.Optional(Type.Boolean({ description: "The thing model of a released product cannot be changed." })),
    certificateIssuer: Type.Optional(Type.Enum(["platform", "other"], { description: "Whose certificates its devices may have." })),
  },
  { ...strict, minProperties: 1 },
);

export function addProductRoutes(app: RestApp, { registry, limits }: Pick<ApiPorts, "registry" | "limits">): void {
  app.get(
    "/products",
    {
      schema: {
        summary: "List products",
        operationId: "listProducts",
        tags,
        querystring: Type.Object(pageQuery(limits), strict),
        response: { 200: pageOf(productRef), ...errorAnswers() },
      },
    },
    async ({ query }) =>
      toPageView(await registry.listProducts({ page: query.page, pageSize: query.pageSize }), (product) =>
        toProductView(product, { withSecret: false }),
      ),
  );

  app.post(
    "/products",
    {
      schema: {
        summary: "Create a product",
        operationId: "createProduct",
        tags,
        body: newProduct,
        response: { 201: productRef, ...errorAnswers(409, 413, 415) },
      },
    },
    async ({ body }, reply) => {
      const product = await registry.createProduct(body);
      return reply.code(201).send(toProductView(product, { withSecret: true }));
    },
  );

  app.get(
    "/products/:productKey",
    {
      schema: {
        summary: "Show a product",
        operationId: "getProduct",
        tags,
        params: productPath,
        querystring: secretQuery,
        response: { 200: productRef, ...errorAnswers(404) },
      },
    },
    async ({ params, query }) => toProductView(await registry.getProduct(params.productKey), { withSecret: query.secret }),
  );

  app.patch(
    "/products/:productKey",
    {
      schema: {
        summary: "Change name, description or registration switches of a product",
        operationId: "updateProduct",
        tags,
        params: productPath,
        body: productChange,
        response: { 200: productRef, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }) => toProductView(await registry.updateProduct(params.productKey, body), { withSecret: false }),
  );

  app.delete(
    "/products/:productKey",
    {
      schema: {
        summary: "Delete a product that has no devices",
        operationId: "deleteProduct",
        tags,
        params: productPath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params }, reply) => {
      await registry.deleteProduct(params.productKey);
      return reply.code(204).send(null);
    },
  );
}
