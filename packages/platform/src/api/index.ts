export { createAccessKeys } from "./access-keys.ts";
export { createAlibabaApi, createFirmwareUploads, createScriptLinks, defaultAlibabaApiLimits } from "./alibaba/index.ts";
export {
  type AwsApi,
  type AwsOperationPorts,
  type AwsPrincipal,
  createAwsApi,
  createAwsOperations,
  dataPlanes,
  defaultAwsApiLimits,
  defaultAwsDataLimits,
  defaultAwsIndexLimits,
} from "./aws/index.ts";
export { createFailedAuthCounter } from "./failed-auth.ts";
export type { HealthStatus } from "./health.ts";
export { defaultApiLimits } from "./limits.ts";
export type { FleetDoor } from "./ports.ts";
export { openApi } from "./server.ts";
