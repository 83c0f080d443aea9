import type { OperationTable } from "../operation.ts";
import { credentialOperations } from "./credential-operations.ts";
import { deviceOperations } from "./device-operations.ts";
import { fileOperations } from "./file-operations.ts";
import { groupOperations } from "./group-operations.ts";
import { jobOperations } from "./job-operations.ts";
import { messageOperations } from "./message-operations.ts";
import { otaJobOperations } from "./ota-job-operations.ts";
import { otaOperations } from "./ota-operations.ts";
import { productOperations } from "./product-operations.ts";
import { registrationOperations } from "./registration-operations.ts";
import { ruleOperations } from "./rule-operations.ts";
import { scriptOperations } from "./script-operations.ts";
import { shadowOperations } from "./shadow-operations.ts";
import { tagOperations } from "./tag-operations.ts";
import { thingDataOperations } from "./thing-data-operations.ts";
import { thingModelOperations } from "./thing-model-operations.ts";
import { topicOperations } from "./topic-operations.ts";
import { topologyOperations } from "./topology-operations.ts";

/** Every operation that this server has, by the vendor's name. */
export const operations: OperationTable = {
  ...productOperations,
  ...deviceOperations,
  ...topicOperations,
  ...messageOperations,
  ...ruleOperations,
  ...thingModelOperations,
  ...thingDataOperations,
  ...shadowOperations,
  ...jobOperations,
  ...fileOperations,
  ...tagOperations,
  ...groupOperations,
  ...topologyOperations,
  ...credentialOperations,
  ...scriptOperations,
  ...registrationOperations,
  ...otaOperations,
  ...otaJobOperations,
};
