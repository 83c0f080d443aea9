/** Opens the AWS API: its operations over the rooms, who may call them, and the log of calls. */
import { isSigV4Signed } from "@thingstead/dialects";
import type { Logger } from "pino";
import {
  type AwsApi,
  type AwsOperationPorts,
  type AwsPrincipal,
  type createAccessKeys,
  createAwsApi,
  createAwsOperations,
  type createFailedAuthCounter,
  dataPlanes,
  type FleetDoor,
} from "./api/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import type { FleetJobs } from "./device-services/index.ts";
import { PlatformError } from "./errors/index.ts";
import { createQuickStart, type Fleet, type QuickStart } from "./fleet/index.ts";
import type { AwsDataAnswer, DeviceHttpRequest } from "./front-door/index.ts";
import type { Aws, OpenAwsPorts } from "./open-aws.ts";
import type { RuleEngine } from "./rules/index.ts";

export interface OpenAwsApiPorts {
  settings: Settings;
  aws: Aws;
  rules: RuleEngine;
  fleetJobs: FleetJobs;
  data: AwsOperationPorts["data"];
  accessKeys: ReturnType<typeof createAccessKeys>;
  failedAuth: ReturnType<typeof createFailedAuthCounter>;
  clock: Clock;
  random: Random;
  logger: Logger;
}

export interface OpenedAwsApi {
  /** For the HTTP port. */
  api: AwsApi;
  /** For the device ports: data planes only. */
  answerDevice(request: DeviceHttpRequest): Promise<AwsDataAnswer>;
}

export function openAwsApi({
  settings,
  aws,
  rules,
  fleetJobs,
  data,
  accessKeys,
  failedAuth,
  clock,
  random,
  logger,
}: OpenAwsApiPorts): OpenedAwsApi {
  const { account, fleet, eventSwitches, provisioning, certificateClients } = aws;
  const { awsApi: limits, fleetJobs: jobRequestBounds } = settings.limits;
  const endpoint = endpointOf(settings);
  const api = createAwsApi({
    operations: createAwsOperations({
      account,
      fleet,
      eventSwitches,
      provisioning,
      rules,
      fleetJobs,
      jobRequestBounds,
      data,
      endpoint,
      clock,
      random,
      limits,
    }),
    account,
    accessKeys,
    failedAuth,
    clock,
    random,
    limits,
    onCall: ({ bug, ...call }) =>
      bug === undefined ? logger.debug(call, "aws call") : logger.error({ ...call, err: bug }, "aws call failed"),
  });
  return {
    api,
    answerDevice(request) {
      const { clientCertificate, query: _, isSecure: __, serverName: ___, ...raw } = request;
      const call = { ...raw, headers: joinHeaders(request.headers) };
      if (clientCertificate === undefined || isSigV4Signed(call)) return api.signed(call, dataPlanes);
      return api.ofDevice(call, () => identify(request, clientCertificate));
    },
  };

  async function identify(
    { remoteAddress, serverName }: DeviceHttpRequest,
    certificate: NonNullable<DeviceHttpRequest["clientCertificate"]>,
  ): Promise<AwsPrincipal> {
    const client = await certificateClients.prove(certificate, {
      sourceIp: remoteAddress,
      connectAttributes: [],
      ...(serverName === undefined ? {} : { domainName: serverName }),
    });
    if (client === undefined || "code" in client) {
      const {
        code = "access.certificate_unregistered",
        received = certificate.fingerprint,
        expected = "a certificate of the registry",
      } = client ?? {};
      throw new PlatformError("aws.certificate_refused", { received, expected, reason: code });
    }
    const { policies } = client.permissions;
    return {
      kind: "certificate",
      certificateId: client.principal.id,
      demand(action, resource) {
        const { kind, policy, statement } = policies.decide(action, resource);
        if (kind === "allowed") return;
        const decision = policy === undefined ? kind : `${kind} by ${policy}, statement ${statement ?? ""}`;
        throw new PlatformError("aws.forbidden", { certificateId: client.principal.id, action, resource, decision });
      },
    };
  }
}

function endpointOf({ aws, host }: Settings): string {
  return aws.endpoint === "" ? host : aws.endpoint;
}

/** Things with certificates for the REST API. */
export function openFleetPorts(
  { settings, certificates, onFailure }: Pick<OpenAwsPorts, "settings" | "certificates" | "onFailure">,
  { fleet, account }: Pick<Aws, "fleet" | "account">,
): { fleet: Fleet; quickStart: QuickStart; fleetDoor: FleetDoor } {
  return {
    fleet,
    quickStart: createQuickStart({ fleet, account, onFailure }),
    fleetDoor: { account, host: endpointOf(settings), caPem: () => certificates().caPem },
  };
}

function joinHeaders(headers: DeviceHttpRequest["headers"]): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]));
}
