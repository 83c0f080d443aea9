/** Remote configuration of products. */
import { Type } from "typebox";
import type { ConfigVersion } from "../../device-services/index.ts";
import type { ApiPorts } from "../ports.ts";
import { decodePayload, payloadMembers } from "./payload.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, noContent, productPath } from "./schemas.ts";
import { strict } from "./thing-schemas.ts";
import { formatTime } from "./views.ts";

const versionSchema = Type.Object(
  { id: Type.Integer(), bytes: Type.Integer(), sha256: Type.String(), createdAt: Type.String({ format: "date-time" }) },
  strict,
);
const stateSchema = Type.Object(
  {
    isEnabled: Type.Boolean(),
    current: Type.Optional(versionSchema),
    versions: Type.Array(versionSchema, { description: "Newest first." }),
  },
  strict,
);

const toView = ({ createdAt, ...version }: ConfigVersion) => ({ ...version, createdAt: formatTime(createdAt) });

export function addConfigRoutes(app: RestApp, { deviceServices }: Pick<ApiPorts, "deviceServices">): void {
  const place = "/products/:productKey/config";
  const tags = ["remote configuration"];
  const { configs } = deviceServices;

  app.get(
    place,
    {
      schema: {
        summary: "Show a product's remote configuration and its versions",
        operationId: "getConfig",
        tags,
        params: productPath,
        response: { 200: stateSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => {
      const { isEnabled, current, versions } = await configs.state(params.productKey);
      return { isEnabled, ...(current === undefined ? {} : { current: toView(current) }), versions: versions.map(toView) };
    },
  );

  app.put(
    place,
    {
      schema: {
        summary: "Save a new version of a product's remote configuration, a JSON file",
        description: "Devices that ask get it from now on; those that are connected hear of it by `push`.",
        operationId: "putConfig",
        tags,
        params: productPath,
        body: Type.Object(payloadMembers, strict),
        response: { 200: versionSchema, ...errorAnswers(404, 413, 415, 422) },
      },
    },
    async ({ params, body }) => toView(await configs.save(params.productKey, decodePayload(body, "body"))),
  );

  app.patch(
    place,
    {
      schema: {
        summary: "Switch a product's remote configuration on or off",
        operationId: "changeConfig",
        tags,
        params: productPath,
        body: Type.Object({ isEnabled: Type.Boolean() }, strict),
        response: { 204: noContent, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params, body }, reply) => {
      await configs.setEnabled(params.productKey, body.isEnabled);
      return reply.code(204).send(null);
    },
  );

  app.post(
    `${place}/push`,
    {
      schema: {
        summary: "Tell every connected device of a product the newest configuration",
        operationId: "pushConfig",
        tags,
        params: productPath,
        response: { 202: versionSchema, ...errorAnswers(404, 409) },
      },
    },
    async ({ params }, reply) => reply.code(202).send(toView(await configs.push(params.productKey))),
  );

  app.get(
    `${place}/versions/:id`,
    {
      schema: {
        summary: "Show the content of a version",
        operationId: "getConfigVersion",
        tags,
        params: Type.Object({ productKey: Type.String(), id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }, strict),
        response: { 200: Type.Object({ id: Type.Integer(), content: Type.String() }, strict), ...errorAnswers(404) },
      },
    },
    async ({ params: { productKey, id } }) => ({ id, content: (await configs.content(productKey, id)).toString("utf8") }),
  );
}
