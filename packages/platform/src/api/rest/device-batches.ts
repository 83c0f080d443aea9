import { Type } from "typebox";
import type { Device, DeviceBatch } from "../../registry/index.ts";
import type { ApiPorts } from "../ports.ts";
import { formatDevicesCsv } from "./device-csv.ts";
import { newDevice } from "./devices.ts";
import type { RestApp } from "./rest-app.ts";
import { deviceRef, errorAnswers, productPath } from "./schemas.ts";
import { toDeviceView } from "./views.ts";

const strict = { additionalProperties: false } as const;

interface BatchBody {
  count?: number;
  deviceNames?: string[];
  devices?: { deviceName?: string; deviceSecret?: string; iotId?: string; nickname?: string }[];
}

export function addDeviceBatchRoutes(app: RestApp, { registry, limits, clock }: Pick<ApiPorts, "registry" | "limits" | "clock">): void {
  const batchBody = Type.Object(
    {
      count: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.batchDevicesMax, description: "So many, all generated." })),
      deviceNames: Type.Optional(
        Type.Array(Type.String(), { minItems: 1, maxItems: limits.batchDevicesMax, description: "With these names, secrets generated." }),
      ),
      devices: Type.Optional(
        Type.Array(newDevice, { minItems: 1, maxItems: limits.batchDevicesMax, description: "With given names, secrets and ids." }),
      ),
    },
    { ...strict, minProperties: 1, maxProperties: 1, description: "Exactly one of count, deviceNames and devices." },
  );

  app.post(
    "/products/:productKey/device-batches",
    {
      schema: {
        summary: "Register many devices, all or none",
        description:
          "Answers JSON or, with `Accept: text/csv` or `?format=csv`, CSV with the columns deviceName, deviceSecret, productKey and iotId. " +
          "In CSV an apostrophe stands in front of a value that a spreadsheet would take for a formula.",
        operationId: "createDeviceBatch",
        tags: ["devices"],
        params: productPath,
        querystring: Type.Object({ format: Type.Optional(Type.Enum(["json", "csv"])) }, strict),
        body: batchBody,
        response: {
          201: {
            description: "The registered devices with their secrets.",
            content: {
              "application/json": { schema: Type.Object({ items: Type.Array(deviceRef), total: Type.Integer() }, strict) },
              "text/csv": { schema: Type.String() },
            },
          },
          ...errorAnswers(404, 409, 413, 415),
        },
      },
    },
    async ({ params, query, body, headers }, reply) => {
      const devices = await registry.createDevices(params.productKey, toBatch(body));
      const isCsv = query.format === "csv" || (query.format === undefined && wishesCsv(headers.accept));
      void reply.code(201);
      if (isCsv) return reply.type("text/csv; charset=utf-8; header=present").send(formatDevicesCsv(devices));
      return reply.type("application/json; charset=utf-8").send(await formatBatch(devices, clock));
    },
  );
}

/** Devices that are written in one go. */
const devicesPerPiece = 500;

/** Piece by piece: 10,000 devices at once would keep everybody else waiting for 60 ms. */
async function formatBatch(devices: readonly Device[], clock: Pick<ApiPorts["clock"], "soon">): Promise<string> {
  const pieces: string[] = [];
  for (let at = 0; at < devices.length; at += devicesPerPiece) {
    if (at > 0) await new Promise<void>((resolve) => clock.soon(resolve));
    const piece = devices.slice(at, at + devicesPerPiece).map((device) => JSON.stringify(toDeviceView(device, { withSecret: true })));
    pieces.push(piece.join(","));
  }
  return `{"items":[${pieces.join(",")}],"total":${devices.length}}`;
}

function toBatch(body: BatchBody): DeviceBatch {
  if (body.count !== undefined) return { count: body.count };
  return { devices: body.devices ?? (body.deviceNames ?? []).map((deviceName) => ({ deviceName })) };
}

/** CSV must be wished for by name, and more than JSON is (RFC 9110 section 12.5.1). */
function wishesCsv(accept: string | undefined): boolean {
  const weights = { "text/csv": 0, "application/json": 0 };
  for (const wish of (accept ?? "").toLowerCase().split(",")) {
    const [type = "", ...parameters] = wish.split(";").map((part) => part.trim());
    if (type !== "text/csv" && type !== "application/json") continue;
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    weights[type] = quality === undefined ? 1 : Number(quality.slice(2));
  }
  return weights["text/csv"] > weights["application/json"];
}
