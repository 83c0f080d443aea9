/** Opens the AWS API: its operations over the rooms, who may call them, and the log of calls. */
import type { Logger } from "pino";
import type { createAccessKeys } from "./api/index.ts";
import { type AwsApi, type AwsOperationPorts, createAwsApi, createAwsOperations, type createFailedAuthCounter } from "./api/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";

export interface OpenAwsApiPorts {
  settings: Settings;
  /** Rooms that the operations speak to. */
  rooms: AwsOperationPorts;
  accessKeys: ReturnType<typeof createAccessKeys>;
  failedAuth: ReturnType<typeof createFailedAuthCounter>;
  clock: Clock;
  random: Random;
  logger: Logger;
}

export function openAwsApi({ settings, rooms, accessKeys, failedAuth, clock, random, logger }: OpenAwsApiPorts): AwsApi {
  return createAwsApi({
    operations: createAwsOperations(rooms),
    account: rooms.account,
    accessKeys,
    failedAuth,
    clock,
    random,
    limits: settings.limits.awsApi,
    onCall: ({ bug, ...call }) =>
      bug === undefined ? logger.debug(call, "aws call") : logger.error({ ...call, err: bug }, "aws call failed"),
  });
}
