/** Error codes as `AT+SYSLOG=1` shows them: 0x01, a category, an extension. [ESP-AT 1.4] */
const categories = {
  common: 0x01,
  noTerminator: 0x02,
  noAt: 0x03,
  parameterLength: 0x04,
  parameterType: 0x05,
  parameterCount: 0x06,
  parameterRange: 0x07,
  parameterParse: 0x08,
  unknownCommand: 0x09,
  failed: 0x0a,
  busy: 0x0b,
  unknownForm: 0x0c,
} as const;

export type ErrorCategory = keyof typeof categories;

/** A command that ends in ERROR. */
export class AtError extends Error {
  /** 32 bits, e.g. 0x01090000. */
  readonly errorCode: number;

  constructor(category: ErrorCategory, extension = 0) {
    super(formatErrorCode(errorCodeOf(category, extension)));
    this.name = "AtError";
    this.errorCode = errorCodeOf(category, extension);
  }
}

export function errorCodeOf(category: ErrorCategory, extension = 0): number {
  return 0x01_00_00_00 + categories[category] * 0x1_00_00 + extension;
}

export function formatErrorCode(errorCode: number): string {
  return `ERR CODE:0x${errorCode.toString(16).padStart(8, "0")}`;
}

/** Extensions of MQTT failures in the order of the manual, from 0x6001. [ESP-AT 2.13] */
const mqttFailureNames = [
  "noConfigured",
  "notInConfiguredState",
  "uninitiatedOrAlreadyClean",
  "alreadyConnected",
  "mallocFailed",
  "nullLink",
  "nullParameter",
  "parameterCountsIsWrong",
  "tlsConfigError",
  "paramPrepareError",
  "clientStartFailed",
  "clientPublishFailed",
  "clientSubscribeFailed",
  "clientUnsubscribeFailed",
  "clientDisconnectFailed",
  "linkIdReadFailed",
  "linkIdValueIsWrong",
  "schemeReadFailed",
  "schemeValueIsWrong",
  "clientIdReadFailed",
  "clientIdIsNull",
  "clientIdIsOverlength",
  "usernameReadFailed",
  "usernameIsNull",
  "usernameIsOverlength",
  "passwordReadFailed",
  "passwordIsNull",
  "passwordIsOverlength",
  "certKeyIdReadFailed",
  "certKeyIdValueIsWrong",
  "caIdReadFailed",
  "caIdValueIsWrong",
  "caLengthError",
  "caReadFailed",
  "certLengthError",
  "certReadFailed",
  "keyLengthError",
  "keyReadFailed",
  "pathReadFailed",
  "pathIsNull",
  "pathIsOverlength",
  "versionReadFailed",
  "keepaliveReadFailed",
  "keepaliveIsNull",
  "keepaliveValueIsWrong",
  "disableCleanSessionReadFailed",
  "disableCleanSessionValueIsWrong",
  "lwtTopicReadFailed",
  "lwtTopicIsNull",
  "lwtTopicIsOverlength",
  "lwtMsgReadFailed",
  "lwtMsgIsNull",
  "lwtMsgIsOverlength",
  "lwtQosReadFailed",
  "lwtQosValueIsWrong",
  "lwtRetainReadFailed",
  "lwtRetainValueIsWrong",
  "hostReadFailed",
  "hostIsNull",
  "hostIsOverlength",
  "portReadFailed",
  "portValueIsWrong",
  "reconnectReadFailed",
  "reconnectValueIsWrong",
  "topicReadFailed",
  "topicIsNull",
  "topicIsOverlength",
  "dataReadFailed",
  "dataIsNull",
  "dataIsOverlength",
  "qosReadFailed",
  "qosValueIsWrong",
  "retainReadFailed",
  "retainValueIsWrong",
  "publishLengthReadFailed",
  "publishLengthValueIsWrong",
  "recvLengthIsWrong",
  "createSemaFailed",
  "createEventGroupFailed",
  "uriParseFailed",
  "inDisconnectedState",
  "hostnameVerifyFailed",
] as const;

export type MqttFailure = (typeof mqttFailureNames)[number];

const mqttExtensions: ReadonlyMap<string, number> = new Map(mqttFailureNames.map((name, index) => [name, 0x6001 + index]));

function mqttExtension(name: MqttFailure): number {
  return mqttExtensions.get(name) ?? 0;
}

export function mqttError(name: MqttFailure): AtError {
  return new AtError("failed", mqttExtension(name));
}

/** HTTP failures are 0x7000 and the status of the answer; 0x7000 alone when there was none. [ESP-AT 7] */
export function httpError(status = 0): AtError {
  return new AtError("failed", 0x7000 + status);
}
