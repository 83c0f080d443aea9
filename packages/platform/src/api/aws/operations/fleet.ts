/** The control plane's operations over the fleet, by family (aws-iot.md, 16). */
import type { AwsAccount } from "@thingstead/dialects";
import type { Clock, Random } from "../../../clock.ts";
import type { EventSwitches, Fleet } from "../../../fleet/index.ts";
import type { AwsApiLimits } from "../limits.ts";
import type { AwsOperation } from "../operation.ts";
import { createAccountOperations } from "./fleet-account.ts";
import { createAuthorizationOperations } from "./fleet-authorization.ts";
import { createAuthorizerOperations } from "./fleet-authorizers.ts";
import { createCertificateOperations } from "./fleet-certificates.ts";
import { createThingGroupOperations } from "./fleet-groups.ts";
import { createBillingGroupOperations, createRoleAliasOperations } from "./fleet-kept.ts";
import { createPolicyOperations } from "./fleet-policies.ts";
import { createThingOperations } from "./fleet-things.ts";
import { createThingTypeOperations } from "./fleet-types.ts";
import { createResourceNames } from "./resources.ts";
import { createTagOperations } from "./tags.ts";

export interface FleetOperationPorts {
  account: AwsAccount;
  fleet: Fleet;
  eventSwitches: EventSwitches;
  /** Host name told as every data endpoint. */
  endpoint: string;
  clock: Clock;
  random: Random;
  limits: AwsApiLimits;
}

export function createFleetOperations(ports: FleetOperationPorts): AwsOperation[] {
  const parts = { ...ports, names: createResourceNames(ports.account) };
  return [
    ...createAccountOperations(parts),
    ...createThingOperations(parts),
    ...createThingTypeOperations(parts),
    ...createThingGroupOperations(parts),
    ...createCertificateOperations(parts),
    ...createPolicyOperations(parts),
    ...createAuthorizationOperations(parts),
    ...createTagOperations(parts),
    ...createAuthorizerOperations(parts),
    ...createRoleAliasOperations(parts),
    ...createBillingGroupOperations(parts),
  ];
}
