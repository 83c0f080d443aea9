/** Shadows of devices. */
import { Type } from "typebox";
import type { ShadowDocument } from "../../device-services/index.ts";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { devicePath, errorAnswers } from "./schemas.ts";
import { strict } from "./thing-schemas.ts";

const values = Type.Record(Type.String(), Type.Unknown());
const shadowSchema = Type.Object(
  {
    state: Type.Object({ reported: values, desired: values }, strict),
    metadata: Type.Object({ reported: values, desired: values }, { ...strict, description: "When each value was set: seconds." }),
    version: Type.Integer(),
    timestamp: Type.Integer({ description: "Seconds since the epoch; 0 when nothing was written." }),
  },
  strict,
);

function toView({ reported, desired, reportedTimes, desiredTimes, version, modifiedAt }: ShadowDocument) {
  const metadata = { reported: reportedTimes, desired: desiredTimes };
  return { state: { reported, desired }, metadata, version, timestamp: modifiedAt };
}

export function addShadowRoutes(app: RestApp, { deviceServices }: Pick<ApiPorts, "deviceServices">): void {
  const place = "/products/:productKey/devices/:deviceName/shadow";

  app.get(
    place,
    {
      schema: {
        summary: "Show a device's shadow",
        operationId: "getShadow",
        tags: ["shadows"],
        params: devicePath,
        response: { 200: shadowSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toView(await deviceServices.shadows.read(params)),
  );

  app.put(
    place,
    {
      schema: {
        summary: "Say what a device's shadow shall be",
        description: "An online device is told at once; an offline one reads it when it is back.",
        operationId: "putShadow",
        tags: ["shadows"],
        params: devicePath,
        body: Type.Object(
          {
            desired: Type.Union([values, Type.Null()], { description: "null clears all; a member of null clears that one." }),
            isDelta: Type.Optional(Type.Boolean({ description: "true keeps desired values that are not named. Default false." })),
            version: Type.Optional(
              Type.Integer({ minimum: -1, maximum: Number.MAX_SAFE_INTEGER, description: "Above the stored one; absent = counted up." }),
            ),
          },
          strict,
        ),
        response: { 200: shadowSchema, ...errorAnswers(404, 409, 413, 415, 422) },
      },
    },
    async ({ params, body: { desired, isDelta = false, version } }) =>
      toView(await deviceServices.shadows.desire(params, { desired, isDelta, ...(version === undefined ? {} : { version }) })),
  );
}
