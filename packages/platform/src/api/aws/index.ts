export type { AwsResponse } from "./answer.ts";
export { type AwsApi, type AwsOperationPorts, createAwsApi, createAwsOperations, dataPlanes } from "./aws-api.ts";
export { defaultAwsApiLimits } from "./limits.ts";
export type { AwsPrincipal } from "./operation.ts";
export { defaultAwsDataLimits } from "./operations/data-operation.ts";
export { defaultAwsIndexLimits } from "./operations/indexing.ts";
