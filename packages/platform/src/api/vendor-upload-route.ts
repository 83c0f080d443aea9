/** Takes the form that the vendor's customers post their firmware with; answers as their object store does. */
import multipart from "@fastify/multipart";
import { PlatformError } from "../errors/index.ts";
import { type FirmwareUploads, firmwareUploadPath } from "./alibaba/index.ts";
import type { RestApp } from "./rest/index.ts";

const fieldBytesMax = 8 * 1024;

export async function addVendorUploadRoute(app: RestApp, { firmwareUploads }: { firmwareUploads: FirmwareUploads }): Promise<void> {
  await app.register(async (scope: RestApp) => {
    await scope.register(multipart, {
      limits: { files: 1, fields: 20, fieldSize: fieldBytesMax, parts: 21, fileSize: Number.POSITIVE_INFINITY },
    });
    scope.route({
      method: "POST",
      url: firmwareUploadPath,
      schema: { hide: true },
      // The form itself is the permission: its policy is signed and expires.
      handler: async (request, reply) => {
        if (!request.isMultipart()) {
          throw new PlatformError("alibaba.upload_form_invalid", {
            received: request.headers["content-type"] ?? "no content type",
            expected: "multipart/form-data",
          });
        }
        const fields: Record<string, string> = {};
        try {
          for await (const part of request.parts()) {
            if (part.type === "field") {
              fields[part.fieldname] = String(part.value);
              continue;
            }
            await firmwareUploads.accept(fields, part.file);
            const wanted = fields.success_action_status;
            return await reply.code(wanted === "200" || wanted === "201" ? Number(wanted) : 204).send();
          }
        } catch (error) {
          // The rest of a refused file is not waited for.
          void reply.header("connection", "close");
          throw error;
        }
        throw new PlatformError("alibaba.upload_form_invalid", {
          received: "a form without a file",
          expected: "the file as its last field",
        });
      },
    });
  });
}
