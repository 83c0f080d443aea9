import { Type } from "typebox";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { devicePath, errorAnswers } from "./schemas.ts";
import { anyValue, devicePart, findDeviceRef, identifierPath, rangeQuery, strict, toRange, toTimePageView } from "./thing-schemas.ts";
import { formatTime } from "./views.ts";

const tags = ["services"];

const callSchema = Type.Object(
  {
    identifier: Type.String({ description: "`set` for a setting of properties." }),
    name: Type.String(),
    time: Type.String({ format: "date-time", description: "When it was sent." }),
    input: anyValue,
    answeredAt: Type.Optional(Type.String({ format: "date-time", description: "When the device answered." })),
    code: Type.Optional(Type.Integer({ description: "The device's code; 200 = done." })),
    output: Type.Optional(anyValue),
  },
  strict,
);

export function addServiceRoutes(
  app: RestApp,
  { things, registry, limits, clock }: Pick<ApiPorts, "things" | "registry" | "limits" | "clock">,
): void {
  app.post(
    `${devicePart}/services/:identifier/calls`,
    {
      schema: {
        summary: "Call a service of a device",
        description:
          "Waits for the answer when the thing model calls the service synchronous; otherwise the answer, if one comes, is among the calls.",
        operationId: "callService",
        tags,
        params: identifierPath,
        body: Type.Object(
          {
            input: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
            timeoutMilliseconds: Type.Optional(Type.Integer({ minimum: 1 })),
          },
          strict,
        ),
        response: {
          200: Type.Object({ id: Type.String(), code: Type.Optional(Type.Integer()), output: Type.Optional(anyValue) }, strict),
          ...errorAnswers(404, 409, 413, 415, 504),
        },
      },
    },
    async ({ params, body: { input = {}, ...options } }) => {
      const { id, code, output } = await things.callService(await findDeviceRef(registry, params), params.identifier, input, options);
      return { id, ...(code === undefined ? {} : { code }), ...(output === undefined ? {} : { output }) };
    },
  );

  app.get(
    `${devicePart}/calls`,
    {
      schema: {
        summary: "Page through what a device was asked to do",
        operationId: "getServiceCalls",
        tags,
        params: devicePath,
        querystring: Type.Object({ ...rangeQuery(limits), identifier: Type.Optional(Type.String()) }, strict),
        response: {
          200: Type.Object({ items: Type.Array(callSchema), cursor: Type.Optional(Type.String()) }, strict),
          ...errorAnswers(404, 503),
        },
      },
    },
    async ({ params, query: { identifier, ...range } }) => {
      const device = await findDeviceRef(registry, params);
      const page = await things.serviceHistory(device, identifier === undefined ? {} : { identifier }, toRange(range, clock.now()));
      return toTimePageView(page, ({ time, answeredAt, ...call }) => ({
        ...call,
        time: formatTime(time),
        ...(answeredAt === undefined ? {} : { answeredAt: formatTime(answeredAt) }),
      }));
    },
  );
}
