/** Provisioning over MQTT (AWS reference, fleet provisioning): certificates for devices that have none, and what their template gives. */
import { decodeProvisioningRequest, encodeProvisioningAnswer, type ProvisioningFormat, provisioningFormats } from "@thingstead/dialects";
import type { Broker } from "@thingstead/mqtt";
import { isThingClientSubject, type ThingClientSubject } from "../../access/index.ts";
import type { DeviceLog } from "../../device-log/index.ts";
import { PlatformError } from "../../errors/index.ts";
import type { Provisioning } from "../../fleet/index.ts";
import type { AwsAnswers, AwsUplink, AwsUplinkHandler, AwsUplinkHandlers } from "./uplink.ts";

export interface ProvisioningHandlersPorts {
  provisioning: Provisioning;
  answers: Pick<AwsAnswers, "deliver">;
  /** Who published, and whether it is still there. */
  broker: () => Pick<Broker, "subjectOf" | "isConnected">;
  deviceLog: Pick<DeviceLog, "write">;
  onFailure(error: unknown): void;
}

type Members = Readonly<Record<string, unknown>>;

/** The members of the answer. Throws PlatformError. */
type Operation = (members: Members, uplink: AwsUplink, subject: ThingClientSubject) => Promise<object>;

/** Names of refusals where the device's side has other ones than the API. */
const errorCodes: Readonly<Record<string, string>> = {
  "provisioning.token_missing": "InvalidCertificateOwnershipToken",
  "provisioning.token_invalid": "InvalidCertificateOwnershipToken",
  "provisioning.parameters_invalid": "InvalidParameters",
  "provisioning.request_malformed": "InvalidPayload",
  "provisioning.hook_refused": "AccessDenied",
  "provisioning.hook_failed": "AccessDenied",
  "provisioning.resource_conflict": "ResourceConflicts",
  "fleet.csr_invalid": "InvalidCertificateSigningRequest",
};

/**
 * Answers go to the session that asked and to nobody else: claims are shared by many devices, and each listens on the same topics
 * for a private key of its own.
 */
export function createProvisioningHandlers(ports: ProvisioningHandlersPorts): AwsUplinkHandlers {
  const { provisioning, answers, broker, deviceLog, onFailure } = ports;
  const { limits } = provisioning;
  let running = 0;

  const operations: Readonly<Record<"create" | "createFromRequest" | "provision", Operation>> = {
    async create() {
      const { certificate, privateKeyPem, ownershipToken } = await provisioning.createCertificate();
      return {
        certificateId: certificate.id,
        certificatePem: certificate.pem,
        privateKey: privateKeyPem,
        certificateOwnershipToken: ownershipToken,
      };
    },
    async createFromRequest(members) {
      const { certificate, ownershipToken } = await provisioning.createCertificateFromRequest(
        readText(members, "certificateSigningRequest"),
      );
      return { certificateOwnershipToken: ownershipToken, certificateId: certificate.id, certificatePem: certificate.pem };
    },
    async provision(members, { parts }, { clientId, principal }) {
      const { deviceConfiguration, thingName } = await provisioning.provision(parts.templateName ?? "", {
        ownershipToken: members.certificateOwnershipToken === undefined ? "" : readText(members, "certificateOwnershipToken"),
        parameters: readParameters(members),
        clientId,
        ...(principal.kind === "certificate" && { claimCertificateId: principal.id }),
      });
      return { deviceConfiguration, ...(thingName !== undefined && { thingName }) };
    },
  };

  function log({ topic, qos, payload }: AwsUplink, subject: ThingClientSubject | undefined, refusal: PlatformError): void {
    const { received, expected } = refusal.details;
    deviceLog.write({
      kind: "publish",
      code: refusal.code,
      isSuccess: false,
      ...(subject?.device !== undefined && { productKey: subject.device.productKey, deviceName: subject.device.deviceName }),
      ...(subject !== undefined && { clientId: subject.clientId, remoteAddress: subject.remoteAddress }),
      topic,
      qos,
      payloadBytes: payload.length,
      reason: refusal.message,
      ...(received !== undefined && { received: String(received) }),
      ...(expected !== undefined && { expected: String(expected) }),
    });
  }

  function readRequest({ parts, payload }: AwsUplink): { format: ProvisioningFormat; members: Members | undefined } {
    const format = provisioningFormats.find((known) => known === parts.format);
    if (format === undefined) return { format: "json", members: undefined };
    return { format, members: payload.length > limits.requestBytesMax ? undefined : decodeProvisioningRequest(format, payload) };
  }

  async function serve(
    operation: Operation,
    uplink: AwsUplink,
    members: Members | undefined,
    subject: ThingClientSubject,
  ): Promise<object> {
    if (members === undefined) {
      const expected = `an object as ${provisioningFormats.join(" or ")} of at most ${limits.requestBytesMax} bytes`;
      refuse("the payload", `${uplink.payload.length} bytes`, expected);
    }
    if (running >= limits.requestsMax) throw new PlatformError("provisioning.requests_exceeded", { expected: limits.requestsMax });
    running += 1;
    try {
      return await operation(members, uplink, subject);
    } finally {
      running -= 1;
    }
  }

  function handlerOf(operation: Operation, qos: 0 | 1): AwsUplinkHandler {
    return (uplink) => {
      const { sessionId, topic } = uplink;
      const subject = sessionId === undefined ? undefined : broker().subjectOf(sessionId);
      if (sessionId === undefined || !isThingClientSubject(subject)) {
        log(uplink, undefined, new PlatformError("provisioning.no_session", { topic }));
        return undefined;
      }
      const answer = (topic: string, payload: Uint8Array): void => {
        // Nothing is queued for who has gone: the device asks again, and what was made expires.
        if (broker().isConnected(sessionId)) answers.deliver(sessionId, topic, payload, qos);
      };
      // Read before the first wait: the payload is valid during this call only.
      const { format, members } = readRequest(uplink);
      return serve(operation, uplink, members, subject).then(
        (members) => answer(`${topic}/accepted`, encodeProvisioningAnswer(format, members)),
        (error: unknown) => {
          const refusal = error instanceof PlatformError ? error : new PlatformError("provisioning.failed");
          if (refusal !== error) onFailure(error);
          log(uplink, subject, refusal);
          answer(`${topic}/rejected`, encodeProvisioningAnswer(format, formatRefusal(refusal)));
        },
      );
    };
  }

  return {
    // A private key is in the answer: with QoS 1 it would lie in the journal of a session that is kept.
    "certificates/create": handlerOf(operations.create, 0),
    "certificates/create-from-csr": handlerOf(operations.createFromRequest, 1),
    "provisioning/provision": handlerOf(operations.provision, 1),
  };
}

function formatRefusal({ code, row, message }: PlatformError): object {
  return { statusCode: row.http, errorCode: errorCodes[code] ?? row.aws ?? "InternalServerError", errorMessage: message };
}

function refuse(member: string, received: string, expected: string): never {
  throw new PlatformError("provisioning.request_malformed", { member, received, expected });
}

function readText(members: Members, member: string): string {
  const value = members[member];
  return typeof value === "string" ? value : refuse(member, value === undefined ? "nothing" : typeof value, "a string");
}

function readParameters({ parameters = {} }: Members): Record<string, string> {
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) {
    return refuse("parameters", String(parameters).slice(0, 50), "an object of strings");
  }
  const entries = Object.entries(parameters).map(([name, value]: [string, unknown]): [string, string] => {
    return [name, typeof value === "string" ? value : refuse(`parameters.${name}`.slice(0, 100), typeof value, "a string")];
  });
  return Object.fromEntries(entries);
}
