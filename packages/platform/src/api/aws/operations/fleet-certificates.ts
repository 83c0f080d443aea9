/** Certificates of devices, and the CAs that sign them (aws-iot.md, 3 and 16). */
import type { AwsAccount } from "@thingstead/dialects";
import type { CertificateAuthority, CertificateStatus, Fleet, FleetCertificate } from "../../../fleet/index.ts";
import { MemberReader, queryChoice, queryFlag, queryText, refuseMember } from "../members.ts";
import type { AwsOperation } from "../operation.ts";
import { emptyAnswer, iotOperation, label, toSeconds } from "./iot-operation.ts";
import { answerMarkedPage, readMarkedPage } from "./paging.ts";
import { forgetTags, readTags, setTags, type TagPorts } from "./tags.ts";

export interface CertificateOperationPorts extends TagPorts {
  account: AwsAccount;
  fleet: Pick<Fleet, "certificates" | "authorities" | "resourceTags">;
}

/** What the vendor's model knows; those that cannot be set are the fleet's to refuse. */
const statuses: readonly CertificateStatus[] = ["ACTIVE", "INACTIVE", "REVOKED", "PENDING_ACTIVATION"];
const modes = ["DEFAULT", "SNI_ONLY"] as const;
const authorityStatuses: readonly CertificateAuthority["status"][] = ["ACTIVE", "INACTIVE"];

export function createCertificateOperations(ports: CertificateOperationPorts): AwsOperation[] {
  const { fleet, names, account } = ports;
  const { certificates } = fleet;
  const tell = ({ id }: Pick<FleetCertificate, "id">) => ({ certificateArn: names.arn("cert", id), certificateId: id });
  const listed = (certificate: FleetCertificate) => ({
    ...tell(certificate),
    status: certificate.status,
    certificateMode: certificate.mode,
    creationDate: toSeconds(certificate.createdAt),
  });
  const isActive = (query: URLSearchParams) => queryFlag(query, "setAsActive") ?? false;
  const register = (pem: string, options: { status: CertificateStatus; isCaRequired: boolean; caPem?: string }) =>
    names.tellingExisting("cert", "", () => certificates.register(pem, options));

  return [
    iotOperation("CreateKeysAndCertificate", async ({ query }) => {
      const { certificate, publicKeyPem, privateKeyPem } = await certificates.createWithKeys(isActive(query));
      const keyPair = { PublicKey: publicKeyPem, PrivateKey: privateKeyPem };
      return { json: { ...tell(certificate), certificatePem: certificate.pem, keyPair } };
    }),

    iotOperation("CreateCertificateFromCsr", async (request) => {
      const csr = new MemberReader(request.json()).requiredText("certificateSigningRequest");
      const certificate = await certificates.createFromRequest(csr, isActive(request.query) ? "ACTIVE" : "INACTIVE");
      return { json: { ...tell(certificate), certificatePem: certificate.pem } };
    }),

    iotOperation("RegisterCertificate", async (request) => {
      const members = new MemberReader(request.json());
      const status = members.choice("status", statuses) ?? (isActive(request.query) ? "ACTIVE" : "INACTIVE");
      const caPem = members.text("caCertificatePem");
      const pem = members.requiredText("certificatePem");
      return { json: tell(await register(pem, { status, isCaRequired: true, ...(caPem === undefined ? {} : { caPem }) })) };
    }),

    iotOperation("RegisterCertificateWithoutCA", async (request) => {
      const members = new MemberReader(request.json());
      const status = members.choice("status", statuses) ?? "INACTIVE";
      return { json: tell(await register(members.requiredText("certificatePem"), { status, isCaRequired: false })) };
    }),

    iotOperation("DescribeCertificate", async (request) => {
      const certificate = await certificates.get(label(request, "certificateId"));
      return {
        json: {
          certificateDescription: {
            ...listed(certificate),
            ...(certificate.caId === undefined ? {} : { caCertificateId: certificate.caId }),
            certificatePem: certificate.pem,
            ownedBy: account.accountId,
            lastModifiedDate: toSeconds(certificate.modifiedAt),
            customerVersion: 1,
            transferData: {},
            generationId: certificate.id.slice(0, 32),
            validity: { notBefore: toSeconds(certificate.notBefore), notAfter: toSeconds(certificate.notAfter) },
          },
        },
      };
    }),

    iotOperation("UpdateCertificate", async (request) => {
      const status = queryChoice(request.query, "newStatus", statuses);
      if (status === undefined) return refuseMember("newStatus", undefined, `one of ${statuses.join(", ")}`);
      await certificates.setStatus(label(request, "certificateId"), status);
      return emptyAnswer;
    }),

    iotOperation("DeleteCertificate", async (request) => {
      await certificates.delete(label(request, "certificateId"), queryFlag(request.query, "forceDelete") ?? false);
      return emptyAnswer;
    }),

    iotOperation("ListCertificates", async ({ query }) => {
      return answerMarkedPage("certificates", await certificates.list(readMarkedPage(query)), listed);
    }),

    iotOperation("ListCertificatesByCA", async (request) => {
      const page = await certificates.list(readMarkedPage(request.query), { caId: label(request, "caCertificateId") });
      return answerMarkedPage("certificates", page, listed);
    }),

    ...createAuthorityOperations(ports),
  ];
}

function readRegistration(members: MemberReader): CertificateAuthority["registration"] {
  const config = members.object("registrationConfig");
  if (config === undefined) return undefined;
  const templateBody = config.text("templateBody");
  const templateName = config.text("templateName");
  const roleArn = config.text("roleArn");
  return {
    ...(templateBody === undefined ? {} : { templateBody }),
    ...(templateName === undefined ? {} : { templateName }),
    ...(roleArn === undefined ? {} : { roleArn }),
  };
}

function createAuthorityOperations(ports: CertificateOperationPorts): AwsOperation[] {
  const { fleet, names, account } = ports;
  const { authorities } = fleet;
  const listed = ({ id, status, createdAt }: CertificateAuthority) => ({
    certificateArn: names.arn("cacert", id),
    certificateId: id,
    status,
    creationDate: toSeconds(createdAt),
  });

  return [
    iotOperation("RegisterCACertificate", async (request) => {
      const { query } = request;
      const members = new MemberReader(request.json());
      const verificationPem = members.text("verificationCertificate");
      const registration = readRegistration(members);
      const tags = readTags(members);
      const { id } = await names.tellingExisting("cacert", "", () =>
        authorities.register(members.requiredText("caCertificate"), {
          mode: members.choice("certificateMode", modes) ?? "DEFAULT",
          isActive: queryFlag(query, "setAsActive") ?? false,
          isAutoRegistering: queryFlag(query, "allowAutoRegistration") ?? false,
          ...(verificationPem === undefined ? {} : { verificationPem }),
          ...(registration === undefined ? {} : { registration }),
        }),
      );
      const certificateArn = names.arn("cacert", id);
      await setTags(ports, certificateArn, tags);
      return { json: { certificateArn, certificateId: id } };
    }),

    iotOperation("DescribeCACertificate", async (request) => {
      const authority = await authorities.get(label(request, "certificateId"));
      return {
        json: {
          certificateDescription: {
            ...listed(authority),
            certificatePem: authority.pem,
            ownedBy: account.accountId,
            autoRegistrationStatus: authority.isAutoRegistering ? "ENABLE" : "DISABLE",
            lastModifiedDate: toSeconds(authority.modifiedAt),
            customerVersion: 1,
            generationId: authority.id.slice(0, 32),
            validity: { notBefore: toSeconds(authority.notBefore), notAfter: toSeconds(authority.notAfter) },
            certificateMode: authority.mode,
          },
          ...(authority.registration === undefined ? {} : { registrationConfig: authority.registration }),
        },
      };
    }),

    iotOperation("UpdateCACertificate", async (request) => {
      const { query } = request;
      const members = new MemberReader(request.json());
      const status = queryChoice(query, "newStatus", authorityStatuses);
      const autoRegistration = queryChoice(query, "newAutoRegistrationStatus", ["ENABLE", "DISABLE"]);
      const registration = readRegistration(members);
      const removes = members.flag("removeAutoRegistration") ?? false;
      if (removes && registration !== undefined) members.refuse("removeAutoRegistration", "false beside registrationConfig");
      await authorities.update(label(request, "certificateId"), {
        ...(status === undefined ? {} : { status }),
        ...(autoRegistration === undefined ? {} : { isAutoRegistering: autoRegistration === "ENABLE" }),
        ...(registration === undefined ? {} : { registration }),
        ...(removes ? { registration: null } : {}),
      });
      return emptyAnswer;
    }),

    iotOperation("DeleteCACertificate", async (request) => {
      const id = label(request, "certificateId");
      await authorities.delete(id);
      await forgetTags(ports, names.arn("cacert", id));
      return emptyAnswer;
    }),

    iotOperation("ListCACertificates", async ({ query }) => {
      const templateName = queryText(query, "templateName");
      const page = await authorities.list(readMarkedPage(query), templateName === undefined ? {} : { templateName });
      return answerMarkedPage("certificates", page, listed);
    }),

    iotOperation("GetRegistrationCode", async () => ({ json: { registrationCode: await authorities.registrationCode() } })),

    iotOperation("DeleteRegistrationCode", async () => {
      await authorities.deleteRegistrationCode();
      return emptyAnswer;
    }),
  ];
}
