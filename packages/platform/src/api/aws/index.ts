export { createAwsOperations, type AwsOperationPorts } from "./aws-api.ts";
export type { AwsAnswer, AwsOperation, AwsPrincipal, AwsRequest, AwsService } from "./operation.ts";
