/** The AWS API: one call from raw bytes to raw answer, signed or from a device with a certificate. */
import type { AwsAccount } from "@thingstead/dialects";
import type { AwsOperation } from "./operation.ts";

/** What the families ask for: each adds its own ports here. */
export interface AwsOperationPorts {
  account: AwsAccount;
}

/** Every operation we have; each family adds a line. */
export function createAwsOperations(_ports: AwsOperationPorts): AwsOperation[] {
  return [];
}
