export type { AwsResponse } from "./answer.ts";
export { type AwsApi, type AwsApiPorts, type AwsOperationPorts, createAwsApi, createAwsOperations, dataPlanes } from "./aws-api.ts";
export { type AwsApiLimits, defaultAwsApiLimits } from "./limits.ts";
export type { AwsAnswer, AwsOperation, AwsPrincipal, AwsRequest, AwsService } from "./operation.ts";
export { defaultAwsDataLimits } from "./operations/data-operation.ts";
export { defaultAwsIndexLimits } from "./operations/indexing.ts";
