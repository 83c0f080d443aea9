/** Files that devices uploaded, and what they write about themselves: logs and network reports. */
import { Readable } from "node:stream";
import { Type } from "typebox";
import type { DeviceFile } from "../../device-services/index.ts";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { devicePath, errorAnswers, noContent, pageOf, pageQuery } from "./schemas.ts";
import { strict } from "./thing-schemas.ts";
import { formatTime, parseTime } from "./views.ts";

const time = Type.String({ format: "date-time" });
const fileMembers = {
  uploadId: Type.String(),
  name: Type.String(),
  bytes: Type.Integer({ description: "-1 = not known yet." }),
  storedBytes: Type.Integer(),
  isComplete: Type.Boolean(),
  createdAt: time,
  modifiedAt: time,
};
const lineSchema = Type.Object(
  {
    id: Type.Integer(),
    productKey: Type.String(),
    deviceName: Type.String(),
    receivedAt: time,
    utcTime: Type.Optional(Type.String({ description: "As the device wrote it." })),
    level: Type.String(),
    module: Type.String(),
    code: Type.String(),
    traceContext: Type.Optional(Type.String()),
    content: Type.String(),
  },
  strict,
);

function toFileView({ uploadId, name, bytes, storedBytes, isComplete, createdAt, modifiedAt }: DeviceFile) {
  return { uploadId, name, bytes, storedBytes, isComplete, createdAt: formatTime(createdAt), modifiedAt: formatTime(modifiedAt) };
}

export function addDeviceFileRoutes(app: RestApp, { deviceServices, limits }: Pick<ApiPorts, "deviceServices" | "limits">): void {
  const { files } = deviceServices;
  const place = "/products/:productKey/devices/:deviceName/files";
  const filePath = Type.Object({ productKey: Type.String(), deviceName: Type.String(), uploadId: Type.String() }, strict);
  const tags = ["files of devices"];

  app.get(
    place,
    {
      schema: {
        summary: "List the files that a device uploaded, newest first",
        operationId: "listDeviceFiles",
        tags,
        params: devicePath,
        querystring: Type.Object(pageQuery(limits), strict),
        response: { 200: pageOf(Type.Object(fileMembers, strict)), ...errorAnswers(404) },
      },
    },
    async ({ params, query }) => {
      const { items, total } = await files.list(params, query);
      return { ...query, items: items.map(toFileView), total };
    },
  );

  app.get(
    `${place}/:uploadId`,
    {
      schema: {
        summary: "Show a file and a link to download it from, which expires",
        operationId: "getDeviceFile",
        tags,
        params: filePath,
        response: { 200: Type.Object({ ...fileMembers, url: Type.String() }, strict), ...errorAnswers(404, 409) },
      },
    },
    async ({ params }) => {
      const { file, url } = await files.link(params, params.uploadId);
      return { ...toFileView(file), url };
    },
  );

  app.get(
    `${place}/:uploadId/content`,
    {
      schema: {
        summary: "Download a file of a device",
        operationId: "downloadDeviceFile",
        tags,
        params: filePath,
        response: {
          200: {
            description: "The bytes.",
            content: { "application/octet-stream": { schema: Type.Unsafe<Readable>({ type: "string", format: "binary" }) } },
          },
          ...errorAnswers(404, 409),
        },
      },
    },
    async ({ params }, reply) => {
      const { file, pieces } = await files.open(params, params.uploadId);
      // What a device wrote is saved, not shown: it is no page of this server.
      void reply.headers({
        "content-type": "application/octet-stream",
        "content-length": file.bytes,
        "content-disposition": "attachment",
        "x-content-type-options": "nosniff",
      });
      return reply.send(Readable.from(pieces));
    },
  );

  app.delete(
    `${place}/:uploadId`,
    {
      schema: {
        summary: "Delete a file of a device",
        operationId: "deleteDeviceFile",
        tags,
        params: filePath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params }, reply) => {
      await files.remove(params, params.uploadId);
      return reply.code(204).send(null);
    },
  );
}

export function addDeviceLineRoutes(
  app: RestApp,
  { deviceServices, limits, registry }: Pick<ApiPorts, "deviceServices" | "limits" | "registry">,
): void {
  const { lines, diagnostics } = deviceServices;
  const tags = ["logs of devices"];
  const limit = Type.Integer({ minimum: 1, maximum: limits.pageSizeMax, default: limits.pageSizeDefault });
  const switchSchema = Type.Object({ isWanted: Type.Boolean() }, strict);

  app.get(
    "/device-lines",
    {
      schema: {
        summary: "Query the logs that devices wrote themselves, newest first",
        operationId: "queryDeviceLines",
        tags,
        querystring: Type.Object(
          {
            productKey: Type.Optional(Type.String()),
            deviceName: Type.Optional(Type.String()),
            level: Type.Optional(Type.String({ examples: ["ERROR"] })),
            module: Type.Optional(Type.String()),
            text: Type.Optional(Type.String({ minLength: 1, description: "Somewhere in the line." })),
            since: Type.Optional(Type.String({ description: "ISO 8601, or milliseconds since the epoch." })),
            until: Type.Optional(Type.String({ description: "ISO 8601, or milliseconds since the epoch." })),
            beforeId: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "Older ones than this." })),
            limit,
          },
          strict,
        ),
        response: {
          200: Type.Object({ items: Type.Array(lineSchema), nextBeforeId: Type.Optional(Type.Integer()) }, strict),
          ...errorAnswers(),
        },
      },
    },
    async ({ query: { since, until, ...query } }) => {
      const items = await lines.query({
        ...query,
        ...(since === undefined ? {} : { since: parseTime(since, "querystring/since") }),
        ...(until === undefined ? {} : { until: parseTime(until, "querystring/until") }),
      });
      const last = items.at(-1);
      return {
        items: items.map((line) => ({ ...line, receivedAt: formatTime(line.receivedAt) })),
        ...(last !== undefined && items.length >= query.limit ? { nextBeforeId: last.id } : {}),
      };
    },
  );

  app.get(
    "/products/:productKey/devices/:deviceName/log-upload",
    {
      schema: {
        summary: "Show whether a device shall send its log",
        operationId: "getLogUpload",
        tags,
        params: devicePath,
        response: { 200: switchSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => {
      await registry.getDevice(params.productKey, params.deviceName);
      return { isWanted: await lines.isWanted(params) };
    },
  );

  app.put(
    "/products/:productKey/devices/:deviceName/log-upload",
    {
      schema: {
        summary: "Say whether a device shall send its log",
        operationId: "putLogUpload",
        tags,
        params: devicePath,
        body: switchSchema,
        response: { 200: switchSchema, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params, body }) => {
      await lines.setWanted(params, body.isWanted);
      return body;
    },
  );

  app.get(
    "/products/:productKey/devices/:deviceName/diagnostics",
    {
      schema: {
        summary: "Show what a device sees of its network, newest first",
        operationId: "listDiagnostics",
        tags,
        params: devicePath,
        querystring: Type.Object({ limit }, strict),
        response: {
          200: Type.Object({ items: Type.Array(Type.Object({ receivedAt: time, report: Type.Unknown() }, strict)) }, strict),
          ...errorAnswers(404),
        },
      },
    },
    async ({ params, query }) => ({
      items: (await diagnostics.list(params, query.limit)).map(({ receivedAt, report }) => ({
        receivedAt: formatTime(receivedAt),
        report,
      })),
    }),
  );
}
