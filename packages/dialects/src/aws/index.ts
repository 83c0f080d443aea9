/** AWS IoT on the wire: pure functions for platform, device SDK and modem. */
export { type AwsAccount, arnOf, resourceOf } from "./arn.ts";
export { awsBehaviour, awsClientIdFault, awsKeepAliveOf } from "./behaviour.ts";
export { type AlternativeNameKind, type CertificateNames, type NameAttribute, readCertificateNames } from "./certificate-names.ts";
export { awsCertificateHosts, awsDeviceHosts, isAwsHost } from "./endpoints.ts";
export {
  type AwsClientFacts,
  type AwsDisconnectReason,
  type AwsEvent,
  type AwsRegistryEventHead,
  awsConnectedEvent,
  awsConnectFailedEvent,
  awsDisconnectedEvent,
  awsGroupHierarchyEvent,
  awsGroupMembershipEvent,
  awsJobEvent,
  awsJobExecutionEvent,
  awsSubscriptionEvent,
  awsThingEvent,
  awsThingGroupEvent,
  awsThingTypeEvent,
  awsTypeAssociationEvent,
  hasAwsClientEvents,
} from "./events.ts";
export {
  defaultIndexQueryLimits,
  fieldsOf as indexFieldsOf,
  type IndexFields,
  type IndexQuery,
  type IndexQueryLimits,
  matchesIndexQuery,
  readIndexQuery,
} from "./index-query.ts";
export {
  formatJobExecution,
  formatJobRejection,
  formatJobsChanged,
  formatJobUpdated,
  formatPendingJobs,
  type JobExecutionFacts,
  type JobExecutionOffer,
  jobExecutionMembers,
  jobStateMembers,
  splitPending,
} from "./job-answers.ts";
export { documentParameterNames, fillDocument, unfillablePlaceholder } from "./job-documents.ts";
export { formatJobTarget, type JobTargetName, jobProcessDetails, parseJobTarget } from "./job-names.ts";
export {
  checkJobDetails,
  type JobDetails,
  type JobRejectionCode,
  type JobRequest,
  type JobRequestBounds,
  readJobMembers,
  readJobRequest,
} from "./job-requests.ts";
export { isJobExecutionPending, isJobExecutionStatus, type JobExecutionStatus, jobExecutionStatuses, mayDeviceSet } from "./job-states.ts";
export { type LeastRights, leastPolicy } from "./least-policy.ts";
export { type CompiledPolicies, compilePolicies, type PolicyDecision } from "./policy-compile.ts";
export type { ConnectAttribute, PolicyContext } from "./policy-context.ts";
export {
  defaultPolicyLimits,
  type PolicyDocument,
  type PolicyLimits,
  type PolicyReading,
  type PolicyStatement,
  readPolicy,
} from "./policy-document.ts";
export {
  decodeProvisioningRequest,
  encodeProvisioningAnswer,
  type ProvisioningFormat,
  provisioningFormats,
} from "./provisioning-messages.ts";
export { type ReservedTopicName, reservedRequestTopics } from "./reserved-topics.ts";
export {
  formatThingShadow,
  formatThingShadowAccepted,
  formatThingShadowDeleted,
  formatThingShadowDelta,
  formatThingShadowDocuments,
  formatThingShadowRefusal,
  formatThingShadowTexts,
  parseThingShadow,
  type ThingShadow,
  updateThingShadow,
} from "./shadow.ts";
export {
  readThingShadowName,
  type ThingShadowName,
  type ThingShadowRefusal,
  type ThingShadowRefusalReason,
  thingShadowRefusalMessage,
  thingShadowRefusals,
} from "./shadow-refusals.ts";
export {
  defaultThingShadowLimits,
  readThingShadowQuestion,
  readThingShadowUpdate,
  type ThingShadowLimits,
  type ThingShadowRefused,
  type ThingShadowUpdate,
} from "./shadow-request.ts";
export { type SigV4Ports, type SigV4RefusalReason, type SigV4Verdict, verifySigV4 } from "./sigv4.ts";
export { decodeQuery, isSigV4Signed, type QueryPair, type SignedRequest } from "./sigv4-request.ts";
export { defaultTemplateLimits, type ProvisioningTemplate, readTemplate, type TemplateLimits, type TemplateOverride } from "./template.ts";
export {
  certificateParameters,
  type PlannedCertificate,
  type PlannedThing,
  type ProvisioningPlan,
  planProvisioning,
} from "./template-plan.ts";
export {
  type AwsTopicLimits,
  awsPublishFault,
  awsSubscribeFault,
  defaultAwsTopicLimits,
  isAwsBasicIngest,
  isAwsReserved,
} from "./topics.ts";
