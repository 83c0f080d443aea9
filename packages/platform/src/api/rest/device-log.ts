import { Type } from "typebox";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, logEntryRef, logKindSchema } from "./schemas.ts";
import { parseTime, toLogEntryView } from "./views.ts";

const strict = { additionalProperties: false } as const;

export function addDeviceLogRoutes(app: RestApp, { deviceLog, limits }: Pick<ApiPorts, "deviceLog" | "limits">): void {
  app.get(
    "/device-log",
    {
      schema: {
        summary: "Query what happened to devices, newest first",
        operationId: "queryDeviceLog",
        tags: ["device log"],
        querystring: Type.Object(
          {
            productKey: Type.Optional(Type.String()),
            deviceName: Type.Optional(Type.String()),
            clientId: Type.Optional(Type.String({ description: "Of a generic client, which has no product." })),
            kind: Type.Optional(logKindSchema),
            code: Type.Optional(Type.String()),
            isSuccess: Type.Optional(Type.Boolean({ description: "false: refusals and failures only." })),
            since: Type.Optional(Type.String({ description: "ISO 8601, or milliseconds since the epoch." })),
            until: Type.Optional(Type.String({ description: "ISO 8601, or milliseconds since the epoch." })),
            beforeId: Type.Optional(
              Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "Older entries than this one." }),
            ),
            limit: Type.Integer({ minimum: 1, maximum: limits.pageSizeMax, default: limits.pageSizeDefault }),
          },
          strict,
        ),
        response: {
          200: Type.Object(
            {
              items: Type.Array(logEntryRef),
              nextBeforeId: Type.Optional(Type.Integer({ description: "Give it as beforeId to go on towards the past." })),
            },
            strict,
          ),
          ...errorAnswers(),
        },
      },
    },
    async ({ query: { since, until, ...query } }) => {
      const entries = await deviceLog.query({
        ...query,
        ...(since === undefined ? {} : { since: parseTime(since, "querystring/since") }),
        ...(until === undefined ? {} : { until: parseTime(until, "querystring/until") }),
      });
      const last = entries.at(-1);
      return {
        items: entries.map(toLogEntryView),
        ...(last !== undefined && entries.length >= query.limit ? { nextBeforeId: last.id } : {}),
      };
    },
  );
}
