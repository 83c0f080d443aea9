/** What the HTTP API asks of the rest of the platform. */
import type { AwsAccount } from "@thingstead/dialects";
import type { Logger } from "pino";
import type { DeviceCertificates } from "../access/index.ts";
import type { Clock } from "../clock.ts";
import type { DeviceLog } from "../device-log/index.ts";
import type { DeviceServices } from "../device-services/index.ts";
import type { Fleet, QuickStart } from "../fleet/index.ts";
import type { Messages } from "../messages/index.ts";
import type { Ota } from "../ota/index.ts";
import type { Groups, MqttUsers, Registry, Tags, Topology } from "../registry/index.ts";
import type { RuleEngine } from "../rules/index.ts";
import type { Scripts } from "../scripts/index.ts";
import type { Things } from "../things/index.ts";
import type { AccessKeys } from "./access-keys.ts";
import type { FirmwareUploads, ScriptLinks } from "./alibaba/index.ts";
import type { AwsApi } from "./aws/index.ts";
import type { FailedAuthCounter } from "./failed-auth.ts";
import type { HealthStatus } from "./health.ts";
import type { ApiLimits } from "./limits.ts";
import type { RawApiRequest, RawApiResponse } from "./raw-request.ts";

/** What things with certificates connect to. */
export interface FleetDoor {
  account: AwsAccount;
  host: string;
  /** The CA that they trust. */
  caPem(): string;
}

export interface ApiPorts {
  registry: Registry;
  topology: Topology;
  deviceCertificates: DeviceCertificates;
  fleet: Fleet;
  quickStart: QuickStart;
  fleetDoor: FleetDoor;
  tags: Tags;
  groups: Groups;
  mqttUsers: MqttUsers;
  rules: RuleEngine;
  messages: Messages;
  things: Things;
  ota: Ota;
  deviceServices: DeviceServices;
  scripts: Scripts;
  deviceLog: DeviceLog;
  accessKeys: AccessKeys;
  status: () => HealthStatus;
  /** One count for all APIs: guessing goes on at none of them. */
  failedAuth: FailedAuthCounter;
  aws: Pick<AwsApi, "signed" | "refuse">;
  alibaba: (request: RawApiRequest) => Promise<RawApiResponse>;
  firmwareUploads: FirmwareUploads;
  scriptLinks: ScriptLinks;
  /** The host name handed to devices. */
  host: string;
  limits: ApiLimits;
  logger: Logger;
  clock: Clock;
}
