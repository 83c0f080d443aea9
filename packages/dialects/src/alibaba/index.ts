export { alibabaDialect } from "./alibaba.ts";
export {
  type AlinkId,
  type AlinkRefusal,
  type AlinkReply,
  type AlinkRequest,
  alinkLimits,
  alinkReplyObject,
  alinkRequestObject,
  formatAlinkReply,
  formatAlinkRequest,
  readAlinkMembers,
  readAlinkReply,
  readAlinkReplyMembers,
  readAlinkRequest,
} from "./alink.ts";
export { alibabaClientIdLimits, formatClientId, type ParsedClientId, parameterOf, parseClientId } from "./client-id.ts";
export { type ConnectCredentials, signConnect, tokenConnect } from "./connect.ts";
export { formatBareRequest, formatDeviceReply, formatDeviceRequest, serviceOfMethod } from "./device-requests.ts";
export {
  formatShadowDelete,
  formatShadowGet,
  formatShadowUpdate,
  readShadowMessage,
  type ShadowMessage,
  type ShadowState,
} from "./device-shadow.ts";
export { formatUploadBlock } from "./device-upload.ts";
export { alibabaCertificateHosts, alibabaRegions, type Endpoint, endpoints } from "./endpoints.ts";
export {
  crc16,
  type FileBlock,
  type FileBlockRequest,
  formatFileBlock,
  formatFileBlockRefusal,
  formatFileBlockRequest,
  readFileBlock,
  readFileBlockRequest,
} from "./file-download.ts";
export { readUploadBlock, type UploadBlock } from "./file-upload.ts";
export {
  alibabaForwardTopics,
  type ForwardedReport,
  type ForwardedValue,
  formatBatchReport,
  formatDeviceStatus,
  formatDownlinkReply,
  formatEventReport,
  formatFound,
  formatLifecycle,
  formatPropertyReport,
  formatTags,
  formatTopology,
} from "./forward.ts";
export { isDeviceName, isIotId, isProductKey } from "./identity.ts";
export { alibabaKeepAlivePolicy, alibabaStrictKeepAlivePolicy } from "./keep-alive.ts";
export { isNestedTooDeep, messageJsonLimits } from "./message-json.ts";
export { answerTimeRequest } from "./ntp.ts";
export {
  formatFirmwareGet,
  formatFirmwareGetReply,
  formatOtaInform,
  formatOtaProgress,
  formatOtaPush,
  type OtaInform,
  type OtaProgress,
  type OtaPush,
  type OtaPushFile,
  type OtaRequest,
  otaDefaultModule,
  otaMessageLimits,
  readOtaInform,
  readOtaProgress,
  readOtaPush,
  readOtaRequest,
} from "./ota.ts";
export { type ForwardedTask, formatOtaJob, formatOtaProgressReport, formatOtaTask, formatOtaVersion } from "./ota-forward.ts";
export { preAuthContent, signPreAuth } from "./pre-auth.ts";
export {
  alibabaRegistration,
  deviceTokenConnect,
  type RegistrationOptions,
  readRegistrationAnswer,
  registrationAnswerOf,
  registrationConnect,
  registrationContent,
  registrationTopics,
  signRegistration,
} from "./registration.ts";
export { alibabaTopicLimits } from "./rights.ts";
export {
  formatShadowControl,
  formatShadowDocument,
  formatShadowDone,
  formatShadowRefusal,
  readShadowRequest,
  type ShadowCode,
  type ShadowRequest,
} from "./shadow.ts";
export { defaultSignMethod, readSignMethod, type SignMethod, sign } from "./signing.ts";
export {
  readSubDeviceClaim,
  readSubDeviceNames,
  type SubDeviceClaim,
  signSubDevice,
  subDeviceText,
  verifySubDevice,
} from "./sub-devices.ts";
export { alibabaSystemTopics, type SystemTopic } from "./system-topics.ts";
