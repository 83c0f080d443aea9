/** Client certificates of devices: issued here, or registered by their fingerprint. */
import { type Static, Type } from "typebox";
import type { DeviceCertificate } from "../../access/index.ts";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { devicePath, errorAnswers, noContent } from "./schemas.ts";

const strict = { additionalProperties: false } as const;
const tags = ["certificates"];

const certificateMembers = {
  fingerprint: Type.String({ description: "SHA-256, lower-case hexadecimal." }),
  serialNumber: Type.String(),
  certificate: Type.String({ description: "PEM." }),
  expiresAt: Type.String({ format: "date-time" }),
  createdAt: Type.String({ format: "date-time" }),
};
const certificateSchema = Type.Object(certificateMembers, strict);
const issuedSchema = Type.Object(
  {
    ...certificateMembers,
    privateKey: Type.Optional(Type.String({ description: "PEM, of a certificate issued here: told this once and kept nowhere." })),
    ca: Type.Optional(Type.String({ description: "PEM of the CA that devices trust." })),
  },
  strict,
);

export function addDeviceCertificateRoutes(app: RestApp, { deviceCertificates }: Pick<ApiPorts, "deviceCertificates">): void {
  app.get(
    "/products/:productKey/devices/:deviceName/certificates",
    {
      schema: {
        summary: "List the certificates of a device",
        operationId: "listDeviceCertificates",
        tags,
        params: devicePath,
        response: { 200: Type.Object({ items: Type.Array(certificateSchema) }, strict), ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ items: (await deviceCertificates.list(params.productKey, params.deviceName)).map(toView) }),
  );

  app.post(
    "/products/:productKey/devices/:deviceName/certificates",
    {
      schema: {
        summary: "Issue a certificate for a device, or register one that another CA issued",
        operationId: "createDeviceCertificate",
        tags,
        params: devicePath,
        body: Type.Object({ certificate: Type.Optional(Type.String({ description: "PEM; absent = issued by this server." })) }, strict),
        response: { 201: issuedSchema, ...errorAnswers(403, 404, 409, 413, 415) },
      },
    },
    async ({ params: { productKey, deviceName }, body }, reply) => {
      void reply.code(201);
      if (body.certificate !== undefined) return toView(await deviceCertificates.register(productKey, deviceName, body.certificate));
      const issued = await deviceCertificates.issue(productKey, deviceName);
      return { ...toView(issued), privateKey: issued.keyPem, ca: issued.caPem };
    },
  );

  app.delete(
    "/products/:productKey/devices/:deviceName/certificates/:fingerprint",
    {
      schema: {
        summary: "Withdraw a certificate; the connection that it opened ends",
        operationId: "deleteDeviceCertificate",
        tags,
        params: Type.Object({ productKey: Type.String(), deviceName: Type.String(), fingerprint: Type.String() }, strict),
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params: { productKey, deviceName, fingerprint } }, reply) => {
      await deviceCertificates.remove(productKey, deviceName, fingerprint);
      return reply.code(204).send(null);
    },
  );
}

function toView({ fingerprint, serialNumber, certificate, expiresAt, createdAt }: DeviceCertificate): Static<typeof certificateSchema> {
  const [expires, created] = [expiresAt, createdAt].map((time) => new Date(time).toISOString());
  return { fingerprint, serialNumber, certificate, expiresAt: expires ?? "", createdAt: created ?? "" };
}
