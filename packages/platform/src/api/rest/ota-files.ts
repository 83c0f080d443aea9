/** Uploads of firmware: the body is the file, or a form with the file in it; never in memory as a whole. */
import type { Readable } from "node:stream";
import multipart from "@fastify/multipart";
import { Type } from "typebox";
import { PlatformError } from "../../errors/index.ts";
import type { FirmwareFile } from "../../ota/index.ts";
import type { ApiPorts } from "../ports.ts";
import { firmwareFileSchema, toFileView } from "./ota-schemas.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, idPath } from "./schemas.ts";
import { strict } from "./thing-schemas.ts";

const tags = ["firmware"];

const expectedQuery = Type.Object(
  {
    bytes: Type.Optional(Type.Integer({ minimum: 1, description: "Refused when the file has another size." })),
    md5: Type.Optional(Type.String({ pattern: "^[0-9A-Fa-f]{32}$" })),
    sha256: Type.Optional(Type.String({ pattern: "^[0-9A-Fa-f]{64}$" })),
  },
  strict,
);

export async function addOtaFileRoutes(app: RestApp, { ota }: Pick<ApiPorts, "ota">): Promise<void> {
  await app.register(async (scope: RestApp) => {
    // Here alone a body is more than JSON, and is not read before its route does.
    await scope.register(multipart, { limits: { files: 1, fields: 10, fieldSize: 4_096, parts: 11, fileSize: Number.POSITIVE_INFINITY } });
    scope.addContentTypeParser("application/octet-stream", (_request, payload, done) => done(null, payload));

    for (const method of ["POST", "PUT"] as const) {
      scope.route({
        method,
        url: "/ota/files",
        schema: {
          summary: "Upload a file",
          description:
            "As `application/octet-stream`, or as `multipart/form-data` with one file. What was announced in the query is compared with what came. " +
            "A file that no package takes within an hour is deleted.",
          operationId: method === "POST" ? "uploadFirmwareFile" : "putFirmwareFile",
          tags,
          querystring: expectedQuery,
          response: { 201: firmwareFileSchema, ...errorAnswers(413, 415, 503) },
        },
        async handler(request, reply) {
          const announced = Number(request.headers["content-length"]);
          const raw = request.body as Readable | undefined;
          const expected = request.query as { bytes?: number; md5?: string; sha256?: string };
          let file: FirmwareFile;
          try {
            if (request.isMultipart()) {
              const part = await request.file();
              if (part === undefined) throw new PlatformError("ota.upload_broken", { reason: "the form has no file" });
              file = await ota.files.upload(part.file, expected);
            } else {
              const received = request.headers["content-type"];
              // Elsewhere JSON is read before the route does.
              if (received !== undefined && !received.startsWith("application/octet-stream")) {
                throw new PlatformError("ota.upload_type_unsupported", { received });
              }
              if (raw === undefined || typeof raw === "string") throw new PlatformError("ota.file_empty");
              file = await ota.files.upload(raw, { ...(announced > 0 ? { bytes: announced } : {}), ...expected });
            }
          } catch (error) {
            // The rest of a refused body is not waited for.
            void reply.header("connection", "close");
            throw isBroken(error) ? new PlatformError("ota.upload_broken", { reason: error.message }, { cause: error }) : error;
          }
          return reply.code(201).send(toFileView(file, ota.files.link(file.id)));
        },
      });
    }

    scope.get(
      "/ota/files/:id",
      {
        schema: {
          summary: "Show an uploaded file, with a link to it",
          operationId: "getFirmwareFile",
          tags,
          params: idPath,
          response: { 200: firmwareFileSchema, ...errorAnswers(404) },
        },
      },
      async ({ params }) => {
        const file = await ota.files.find(params.id);
        if (file === undefined) throw new PlatformError("ota.file_not_found", { fileId: params.id });
        return toFileView(file, ota.files.link(file.id));
      },
    );
  });
}

/** The sender went away, or the form cannot be read. */
function isBroken(error: unknown): error is Error {
  if (!(error instanceof Error) || error instanceof PlatformError) return false;
  return "code" in error || /aborted|premature|unexpected end|multipart/i.test(error.message);
}
