import { Type } from "typebox";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { devicePath, errorAnswers } from "./schemas.ts";
import { anyValue, devicePart, findDeviceRef, rangeQuery, strict, toRange, toTimePageView } from "./thing-schemas.ts";
import { formatTime } from "./views.ts";

const eventSchema = Type.Object(
  {
    identifier: Type.String(),
    name: Type.String(),
    type: Type.String({ description: "info, alert or error." }),
    value: anyValue,
    time: Type.String({ format: "date-time", description: "The device's time, or when its message came." }),
  },
  strict,
);

export function addEventRoutes(
  app: RestApp,
  { things, registry, limits, clock }: Pick<ApiPorts, "things" | "registry" | "limits" | "clock">,
): void {
  app.get(
    `${devicePart}/events`,
    {
      schema: {
        summary: "Page through the events of a device",
        operationId: "getEvents",
        tags: ["events"],
        params: devicePath,
        querystring: Type.Object(
          { ...rangeQuery(limits), identifier: Type.Optional(Type.String()), type: Type.Optional(Type.Enum(["info", "alert", "error"])) },
          strict,
        ),
        response: {
          200: Type.Object({ items: Type.Array(eventSchema), cursor: Type.Optional(Type.String()) }, strict),
          ...errorAnswers(404, 503),
        },
      },
    },
    async ({ params, query: { identifier, type, ...range } }) => {
      const device = await findDeviceRef(registry, params);
      const filter = { ...(identifier === undefined ? {} : { identifier }), ...(type === undefined ? {} : { type }) };
      return toTimePageView(await things.eventHistory(device, filter, toRange(range, clock.now())), (event) => ({
        identifier: event.identifier,
        name: event.name,
        type: event.type,
        value: event.value,
        time: formatTime(event.time),
      }));
    },
  );
}
