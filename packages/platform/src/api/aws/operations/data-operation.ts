/** Rows of the data plane, and what its families share. */
import { PlatformError } from "../../../errors/index.ts";
import type { AwsAnswer, AwsOperation, AwsPrincipal, AwsRequest } from "../operation.ts";

export interface AwsDataLimits {
  /** Names, topics or filters in one answer. */
  dataPageSizeMax: number;
  /** Of one message. */
  messageBytesMax: number;
  /** `Properties` of one message. */
  userPropertiesMax: number;
  /** How long an answer waits for a client's PUBACK. */
  confirmationSecondsMax: number;
  confirmationSeconds: number;
}

/** The vendor's (aws-iot.md, 8 and 15.1). */
export const defaultAwsDataLimits: AwsDataLimits = {
  dataPageSizeMax: 100,
  messageBytesMax: 128 * 1024,
  userPropertiesMax: 100,
  confirmationSecondsMax: 15,
  confirmationSeconds: 5,
};

export function dataOperation(
  name: string,
  route: Pick<AwsOperation, "method" | "path">,
  run: (request: AwsRequest) => Promise<AwsAnswer>,
): AwsOperation {
  return { name, service: "iotdata", ...route, run };
}

/** A device's policies decide what it may; a program with an access key may everything. */
export function demand(principal: AwsPrincipal, action: string, resource: string): void {
  if (principal.kind === "certificate") principal.demand(`iot:${action}`, resource);
}

const tokenHead = "after:";

/** Where the next page begins: behind this name. */
export function formatPlace(name: string): string {
  return Buffer.from(`${tokenHead}${name}`).toString("base64url");
}

export function readPlace(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const text = Buffer.from(token, "base64url").toString();
  if (!text.startsWith(tokenHead)) throw new PlatformError("aws.token_invalid", { received: token.slice(0, 100) });
  return text.slice(tokenHead.length);
}
