/** Certificates of things: made here, made for a key that the device keeps, or registered as they are. */
import { type Static, Type } from "typebox";
import type { CertificateStatus, FleetCertificate } from "../../fleet/index.ts";
import type { ApiPorts } from "../ports.ts";
import {
  certificatePath,
  cursorPageOf,
  cursorQuery,
  strict,
  fleetTags as tags,
  time,
  toCursorPage,
  toCursorView,
} from "./fleet-schemas.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, noContent } from "./schemas.ts";
import { formatTime } from "./views.ts";

const modeSchema = Type.Enum(["DEFAULT", "SNI_ONLY"], { description: "SNI_ONLY: only clients that name a host may use it." });

const certificateMembers = {
  certificateId: Type.String({ description: "SHA-256 of the DER, lower-case hexadecimal." }),
  status: Type.Enum(["ACTIVE", "INACTIVE", "REVOKED", "PENDING_ACTIVATION"]),
  mode: modeSchema,
  caId: Type.Optional(Type.String({ description: "The registered CA that signed it." })),
  notBefore: time("Begin of its validity."),
  notAfter: time("End of its validity."),
  createdAt: time("When it was registered."),
  modifiedAt: time("When its status was changed last."),
};
const listedSchema = Type.Object(certificateMembers, strict);
export const fleetCertificateSchema = Type.Object({ ...certificateMembers, certificate: Type.String({ description: "PEM." }) }, strict);

const issuedSchema = Type.Object(
  {
    ...certificateMembers,
    certificate: Type.String({ description: "PEM." }),
    publicKey: Type.Optional(Type.String({ description: "PEM, of keys made here." })),
    privateKey: Type.Optional(Type.String({ description: "PEM, of keys made here: told this once and kept nowhere." })),
    ca: Type.String({ description: "PEM of the CA that devices trust." }),
  },
  strict,
);

const initialStatus = Type.Enum(["ACTIVE", "INACTIVE"], { default: "ACTIVE" });
const settableStatus = Type.Enum(["ACTIVE", "INACTIVE", "REVOKED"]);

const certificatePolicyPath = Type.Object({ certificateId: Type.String(), policyName: Type.String() }, strict);

export function addFleetCertificateRoutes(
  app: RestApp,
  { fleet, fleetDoor, limits }: Pick<ApiPorts, "fleet" | "fleetDoor" | "limits">,
): void {
  const { certificates, policies, things } = fleet;

  app.get(
    "/fleet/certificates",
    {
      schema: {
        summary: "List certificates of things, the newest first",
        operationId: "listCertificates",
        tags,
        querystring: Type.Object(
          {
            ...cursorQuery(limits),
            isAscending: Type.Boolean({ default: false, description: "true: the oldest first." }),
            caId: Type.Optional(Type.String({ description: "Only those that this registered CA signed." })),
          },
          strict,
        ),
        response: { 200: cursorPageOf(listedSchema), ...errorAnswers() },
      },
    },
    async ({ query: { isAscending, caId, ...page } }) =>
      toCursorView(await certificates.list({ ...toCursorPage(page), isAscending }, caId === undefined ? {} : { caId }), toListedView),
  );

  app.post(
    "/fleet/certificates",
    {
      schema: {
        summary: "Make a certificate, with keys or for a certificate signing request",
        operationId: "createCertificate",
        tags,
        body: Type.Object(
          { csr: Type.Optional(Type.String({ description: "PEM; absent: the keys are made here." })), status: initialStatus },
          strict,
        ),
        response: { 201: issuedSchema, ...errorAnswers(413, 415, 503) },
      },
    },
    async ({ body: { csr, status } }, reply) => {
      const ca = fleetDoor.caPem();
      if (csr !== undefined)
        return reply.code(201).send({ ...toFleetCertificateView(await certificates.createFromRequest(csr, status)), ca });
      const { certificate, publicKeyPem, privateKeyPem } = await certificates.createWithKeys(status);
      return reply.code(201).send({ ...toFleetCertificateView(certificate), publicKey: publicKeyPem, privateKey: privateKeyPem, ca });
    },
  );

  app.post(
    "/fleet/certificates/register",
    {
      schema: {
        summary: "Register a certificate that another CA issued",
        operationId: "registerCertificate",
        tags,
        body: Type.Object(
          {
            certificate: Type.String({ description: "PEM." }),
            status: initialStatus,
            isCaRequired: Type.Boolean({ default: false, description: "true: only when a registered CA signed it. false: whoever did." }),
          },
          strict,
        ),
        response: { 201: fleetCertificateSchema, ...errorAnswers(406, 409, 413, 415) },
      },
    },
    async ({ body: { certificate, ...options } }, reply) =>
      reply.code(201).send(toFleetCertificateView(await certificates.register(certificate, options))),
  );

  app.get(
    "/fleet/certificates/:certificateId",
    {
      schema: {
        summary: "Show a certificate",
        operationId: "getCertificate",
        tags,
        params: certificatePath,
        response: { 200: fleetCertificateSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toFleetCertificateView(await certificates.get(params.certificateId)),
  );

  app.patch(
    "/fleet/certificates/:certificateId",
    {
      schema: {
        summary: "Activate, deactivate or revoke a certificate; what it opened ends unless it is ACTIVE",
        operationId: "updateCertificate",
        tags,
        params: certificatePath,
        body: Type.Object({ status: settableStatus }, strict),
        response: { 200: fleetCertificateSchema, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params, body }) => toFleetCertificateView(await certificates.setStatus(params.certificateId, body.status)),
  );

  app.delete(
    "/fleet/certificates/:certificateId",
    {
      schema: {
        summary: "Delete a certificate that is not ACTIVE",
        operationId: "deleteCertificate",
        tags,
        params: certificatePath,
        querystring: Type.Object(
          { isForced: Type.Boolean({ default: false, description: "true: also while things or policies are attached." }) },
          strict,
        ),
        response: { 204: noContent, ...errorAnswers(404, 406, 409) },
      },
    },
    async ({ params, query }, reply) => {
      await certificates.delete(params.certificateId, query.isForced);
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/fleet/certificates/:certificateId/things",
    {
      schema: {
        summary: "List the things that a certificate is attached to",
        operationId: "listThingsOfCertificate",
        tags,
        params: certificatePath,
        querystring: Type.Object(cursorQuery(limits), strict),
        response: { 200: cursorPageOf(Type.String()), ...errorAnswers(404) },
      },
    },
    async ({ params: { certificateId }, query }) => {
      await certificates.get(certificateId);
      const found = await things.ofPrincipal({ kind: "certificate", id: certificateId }, toCursorPage(query));
      return toCursorView(found, ({ name }) => name);
    },
  );

  app.get(
    "/fleet/certificates/:certificateId/policies",
    {
      schema: {
        summary: "List the policies attached to a certificate",
        operationId: "listPoliciesOfCertificate",
        tags,
        params: certificatePath,
        querystring: Type.Object(cursorQuery(limits), strict),
        response: { 200: cursorPageOf(Type.String()), ...errorAnswers(404) },
      },
    },
    async ({ params, query }) =>
      toCursorView(await policies.ofTarget({ kind: "certificate", id: params.certificateId }, toCursorPage(query)), ({ name }) => name),
  );

  app.put(
    "/fleet/certificates/:certificateId/policies/:policyName",
    {
      schema: {
        summary: "Attach a policy to a certificate",
        operationId: "attachCertificatePolicy",
        tags,
        params: certificatePolicyPath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params: { certificateId, policyName } }, reply) => {
      await policies.attach(policyName, { kind: "certificate", id: certificateId });
      return reply.code(204).send(null);
    },
  );

  app.delete(
    "/fleet/certificates/:certificateId/policies/:policyName",
    {
      schema: {
        summary: "Detach a policy from a certificate",
        operationId: "detachCertificatePolicy",
        tags,
        params: certificatePolicyPath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params: { certificateId, policyName } }, reply) => {
      await policies.detach(policyName, { kind: "certificate", id: certificateId });
      return reply.code(204).send(null);
    },
  );
}

function toListedView({
  id,
  status,
  mode,
  caId,
  notBefore,
  notAfter,
  createdAt,
  modifiedAt,
}: FleetCertificate): Static<typeof listedSchema> & { status: CertificateStatus } {
  return {
    certificateId: id,
    status,
    mode,
    ...(caId === undefined ? {} : { caId }),
    notBefore: formatTime(notBefore),
    notAfter: formatTime(notAfter),
    createdAt: formatTime(createdAt),
    modifiedAt: formatTime(modifiedAt),
  };
}

export function toFleetCertificateView(certificate: FleetCertificate): Static<typeof fleetCertificateSchema> {
  return { ...toListedView(certificate), certificate: certificate.pem };
}
