import { Type } from "typebox";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { devicePath, errorAnswers } from "./schemas.ts";
import { desiredValueSchema, devicePart, findDeviceRef, mapValues, strict, toDesiredView, valuesBody } from "./thing-schemas.ts";

const tags = ["desired values"];

export function addDesiredRoutes(app: RestApp, { things, registry }: Pick<ApiPorts, "things" | "registry">): void {
  app.get(
    `${devicePart}/desired`,
    {
      schema: {
        summary: "Show the desired values of a device",
        operationId: "getDesired",
        tags,
        params: devicePath,
        response: { 200: Type.Object({ values: Type.Record(Type.String(), desiredValueSchema) }, strict), ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ values: mapValues(await things.desired(await findDeviceRef(registry, params)), toDesiredView) }),
  );

  app.patch(
    `${devicePart}/desired`,
    {
      schema: {
        summary: "Change desired values; null clears one",
        description: "An online device is asked to set them at once; another one asks for them when it comes back.",
        operationId: "setDesired",
        tags,
        params: devicePath,
        body: Type.Object(
          {
            values: valuesBody,
            versions: Type.Optional(
              Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
                description: "Versions that must be the current ones (0 = never set); otherwise nothing is changed.",
              }),
            ),
          },
          strict,
        ),
        response: {
          200: Type.Object({ versions: Type.Record(Type.String(), Type.Integer()) }, strict),
          ...errorAnswers(404, 409, 413, 415),
        },
      },
    },
    async ({ params, body }) => ({
      versions: { ...(await things.setDesired(await findDeviceRef(registry, params), body.values, body.versions)) },
    }),
  );
}
