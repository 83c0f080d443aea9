import { Type } from "typebox";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { devicePath, errorAnswers } from "./schemas.ts";
import {
  anyValue,
  devicePart,
  findDeviceRef,
  identifierPath,
  mapValues,
  rangeQuery,
  strict,
  timedValueSchema,
  toRange,
  toTimedView,
  toTimePageView,
  toTimes,
  valuesBody,
} from "./thing-schemas.ts";
import { formatTime } from "./views.ts";

const tags = ["properties"];

export function addPropertyRoutes(
  app: RestApp,
  { things, registry, limits, clock }: Pick<ApiPorts, "things" | "registry" | "limits" | "clock">,
): void {
  app.get(
    `${devicePart}/properties`,
    {
      schema: {
        summary: "Show the current values of a device",
        operationId: "getProperties",
        tags,
        params: devicePath,
        response: { 200: Type.Object({ values: Type.Record(Type.String(), timedValueSchema) }, strict), ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ values: mapValues(await things.currentValues(await findDeviceRef(registry, params)), toTimedView) }),
  );

  app.post(
    `${devicePart}/properties`,
    {
      schema: {
        summary: "Ask a device to set properties",
        description:
          "Done when the request is sent; the device reports its new values by itself, and may answer the request: see the calls.",
        operationId: "setProperties",
        tags,
        params: devicePath,
        body: Type.Object({ values: valuesBody }, strict),
        response: {
          202: Type.Object({ id: Type.String({ description: "Id of the request on the wire." }) }, strict),
          ...errorAnswers(404, 409, 413, 415),
        },
      },
    },
    async ({ params, body }, reply) => {
      const { id } = await things.setProperties(await findDeviceRef(registry, params), body.values);
      return reply.code(202).send({ id });
    },
  );

  app.get(
    `${devicePart}/properties/:identifier/history`,
    {
      schema: {
        summary: "Page through the values of a property",
        operationId: "getPropertyHistory",
        tags,
        params: identifierPath,
        querystring: Type.Object(rangeQuery(limits), strict),
        response: {
          200: Type.Object({ items: Type.Array(timedValueSchema), cursor: Type.Optional(Type.String()) }, strict),
          ...errorAnswers(404, 503),
        },
      },
    },
    async ({ params, query }) => {
      const device = await findDeviceRef(registry, params);
      return toTimePageView(await things.propertyHistory(device, params.identifier, toRange(query, clock.now())), toTimedView);
    },
  );

  app.get(
    `${devicePart}/properties/:identifier/aggregates`,
    {
      schema: {
        summary: "Sum up the values of a property by intervals",
        description: "Intervals begin at `from`; those without values are left out. sum, average, minimum and maximum are of numbers only.",
        operationId: "aggregateProperty",
        tags,
        params: identifierPath,
        querystring: Type.Object(
          {
            from: Type.String({ description: "ISO 8601 or milliseconds since the epoch." }),
            to: Type.Optional(Type.String({ description: "The same, included. Default: now." })),
            intervalSeconds: Type.Integer({ minimum: 1 }),
            function: Type.Enum(["count", "sum", "average", "minimum", "maximum", "first", "last"], { default: "average" }),
          },
          strict,
        ),
        response: {
          200: Type.Object(
            {
              items: Type.Array(
                Type.Object(
                  {
                    time: Type.String({ format: "date-time", description: "Begin of the interval." }),
                    value: anyValue,
                    count: Type.Integer(),
                  },
                  strict,
                ),
              ),
            },
            strict,
          ),
          ...errorAnswers(404, 503),
        },
      },
    },
    async ({ params, query }) => {
      const device = await findDeviceRef(registry, params);
      const items = await things.aggregate(device, params.identifier, {
        ...toTimes(query, clock.now()),
        bucketMilliseconds: query.intervalSeconds * 1000,
        function: query.function,
      });
      return { items: items.map(({ time, value, count }) => ({ time: formatTime(time), value, count })) };
    },
  );
}
