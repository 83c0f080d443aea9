/** Opens the AWS API: its operations over the rooms, who may call them, and the log of calls. */
import type { Logger } from "pino";
import { type AwsApi, type createAccessKeys, createAwsApi, createAwsOperations, type createFailedAuthCounter } from "./api/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import type { Aws } from "./open-aws.ts";

export interface OpenAwsApiPorts {
  settings: Settings;
  aws: Aws;
  accessKeys: ReturnType<typeof createAccessKeys>;
  failedAuth: ReturnType<typeof createFailedAuthCounter>;
  clock: Clock;
  random: Random;
  logger: Logger;
}

export function openAwsApi({ settings, aws, accessKeys, failedAuth, clock, random, logger }: OpenAwsApiPorts): AwsApi {
  const { account, fleet, eventSwitches } = aws;
  const { awsApi: limits } = settings.limits;
  const endpoint = settings.aws.endpoint === "" ? settings.host : settings.aws.endpoint;
  return createAwsApi({
    operations: createAwsOperations({ account, fleet, eventSwitches, endpoint, clock, random, limits }),
    account,
    accessKeys,
    failedAuth,
    clock,
    random,
    limits,
    onCall: ({ bug, ...call }) =>
      bug === undefined ? logger.debug(call, "aws call") : logger.error({ ...call, err: bug }, "aws call failed"),
  });
}
