/** CAs of customers: certificates that they signed are registered by them, or register themselves. */
import { arnOf } from "@thingstead/dialects";
import { type Static, Type } from "typebox";
import type { CertificateAuthority } from "../../fleet/index.ts";
import type { ApiPorts } from "../ports.ts";
import { cursorPageOf, cursorQuery, strict, fleetTags as tags, time, toCursorPage, toCursorView } from "./fleet-schemas.ts";
import { forgetTagsOf } from "./fleet-tags.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, noContent } from "./schemas.ts";
import { formatTime } from "./views.ts";

const registrationSchema = Type.Object(
  {
    templateBody: Type.Optional(Type.String()),
    templateName: Type.Optional(Type.String()),
    roleArn: Type.Optional(Type.String({ description: "Kept and not used." })),
  },
  { ...strict, description: "The provisioning template for certificates that register themselves." },
);

const authorityStatus = Type.Enum(["ACTIVE", "INACTIVE"]);

const authoritySchema = Type.Object(
  {
    caId: Type.String({ description: "SHA-256 of the DER, lower-case hexadecimal." }),
    status: authorityStatus,
    certificate: Type.String({ description: "PEM." }),
    isAutoRegistering: Type.Boolean({ description: "Certificates that it signed register themselves at their first connection." }),
    mode: Type.Enum(["DEFAULT", "SNI_ONLY"]),
    registration: Type.Optional(registrationSchema),
    notBefore: time("Begin of its validity."),
    notAfter: time("End of its validity."),
    createdAt: time("When it was registered."),
    modifiedAt: time("When it was changed last."),
  },
  strict,
);

const newAuthority = Type.Object(
  {
    certificate: Type.String({ description: "PEM." }),
    verificationCertificate: Type.Optional(
      Type.String({ description: "PEM, signed by the CA, with the registration code as its common name. Not needed with SNI_ONLY." }),
    ),
    mode: Type.Enum(["DEFAULT", "SNI_ONLY"], { default: "DEFAULT" }),
    status: Type.Enum(["ACTIVE", "INACTIVE"], { default: "ACTIVE" }),
    isAutoRegistering: Type.Boolean({ default: false }),
    registration: Type.Optional(registrationSchema),
  },
  strict,
);

const authorityPath = Type.Object({ caId: Type.String() }, strict);

export function addFleetAuthorityRoutes(
  app: RestApp,
  { fleet, fleetDoor, limits }: Pick<ApiPorts, "fleet" | "fleetDoor" | "limits">,
): void {
  const { authorities } = fleet;

  app.get(
    "/fleet/cas",
    {
      schema: {
        summary: "List the registered CAs",
        operationId: "listCas",
        tags,
        querystring: Type.Object(cursorQuery(limits), strict),
        response: { 200: cursorPageOf(authoritySchema), ...errorAnswers() },
      },
    },
    async ({ query }) => toCursorView(await authorities.list(toCursorPage(query)), toAuthorityView),
  );

  app.post(
    "/fleet/cas",
    {
      schema: {
        summary: "Register a CA whose key is proved to be held",
        operationId: "registerCa",
        tags,
        body: newAuthority,
        response: { 201: authoritySchema, ...errorAnswers(409, 413, 415) },
      },
    },
    async ({ body: { certificate, verificationCertificate, status, ...options } }, reply) => {
      const authority = await authorities.register(certificate, {
        ...options,
        isActive: status === "ACTIVE",
        ...(verificationCertificate === undefined ? {} : { verificationPem: verificationCertificate }),
      });
      return reply.code(201).send(toAuthorityView(authority));
    },
  );

  app.get(
    "/fleet/cas/:caId",
    {
      schema: {
        summary: "Show a registered CA",
        operationId: "getCa",
        tags,
        params: authorityPath,
        response: { 200: authoritySchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toAuthorityView(await authorities.get(params.caId)),
  );

  app.patch(
    "/fleet/cas/:caId",
    {
      schema: {
        summary: "Change the status of a registered CA, or how its certificates register themselves",
        operationId: "updateCa",
        tags,
        params: authorityPath,
        body: Type.Object(
          {
            status: Type.Optional(authorityStatus),
            isAutoRegistering: Type.Optional(Type.Boolean()),
            registration: Type.Optional(Type.Union([registrationSchema, Type.Null()], { description: "null: none any more." })),
          },
          strict,
        ),
        response: { 200: authoritySchema, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params, body }) => toAuthorityView(await authorities.update(params.caId, body)),
  );

  app.delete(
    "/fleet/cas/:caId",
    {
      schema: {
        summary: "Delete a registered CA that is INACTIVE; certificates stay",
        operationId: "deleteCa",
        tags,
        params: authorityPath,
        response: { 204: noContent, ...errorAnswers(404, 406) },
      },
    },
    async ({ params: { caId } }, reply) => {
      await authorities.delete(caId);
      await forgetTagsOf(fleet, arnOf(fleetDoor.account, `cacert/${caId}`));
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/fleet/registration-code",
    {
      schema: {
        summary: "Show the code that a CA's verification certificate has to bear",
        operationId: "getRegistrationCode",
        tags,
        response: { 200: Type.Object({ registrationCode: Type.String() }, strict), ...errorAnswers() },
      },
    },
    async () => ({ registrationCode: await authorities.registrationCode() }),
  );

  app.delete(
    "/fleet/registration-code",
    {
      schema: {
        summary: "Forget the registration code; the next one is new",
        operationId: "deleteRegistrationCode",
        tags,
        response: { 204: noContent, ...errorAnswers() },
      },
    },
    async (_request, reply) => {
      await authorities.deleteRegistrationCode();
      return reply.code(204).send(null);
    },
  );
}

function toAuthorityView({
  id,
  status,
  pem,
  isAutoRegistering,
  mode,
  registration,
  notBefore,
  notAfter,
  createdAt,
  modifiedAt,
}: CertificateAuthority): Static<typeof authoritySchema> {
  return {
    caId: id,
    status,
    certificate: pem,
    isAutoRegistering,
    mode,
    ...(registration === undefined ? {} : { registration }),
    notBefore: formatTime(notBefore),
    notAfter: formatTime(notAfter),
    createdAt: formatTime(createdAt),
    modifiedAt: formatTime(modifiedAt),
  };
}
