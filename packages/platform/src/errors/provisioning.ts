import type { ErrorTable } from "./platform-error.ts";

/** Templates, claims and what devices ask of them (aws-iot.md 13). */
export const provisioningErrors = {
  "provisioning.template_not_found": {
    http: 404,
    aws: "ResourceNotFound",
    en: "There is no provisioning template {name}.",
    zh: "预配置模板 {name} 不存在。",
  },
  "provisioning.template_exists": {
    http: 409,
    aws: "ResourceAlreadyExists",
    en: "The provisioning template {name} exists already.",
    zh: "预配置模板 {name} 已存在。",
  },
  "provisioning.template_disabled": {
    http: 400,
    aws: "InvalidRequest",
    en: "The provisioning template {name} is not enabled.",
    zh: "预配置模板 {name} 未启用。",
  },
  "provisioning.template_type": {
    http: 400,
    aws: "InvalidRequest",
    en: "The provisioning template {name} is of the type {received}; expected {expected}.",
    zh: "预配置模板 {name} 的类型为 {received}；应为 {expected}。",
  },
  "provisioning.template_malformed": {
    http: 400,
    aws: "InvalidRequest",
    en: "The provisioning template cannot be used: {path} is {received}; expected {expected}.",
    zh: "预配置模板无效：{path} 为 {received}；应为 {expected}。",
  },
  "provisioning.member_invalid": {
    http: 400,
    aws: "InvalidRequest",
    en: "{member} of the provisioning template is {received}; expected {expected}.",
    zh: "预配置模板的 {member} 为 {received}；应为 {expected}。",
  },
  "provisioning.version_not_found": {
    http: 404,
    aws: "ResourceNotFound",
    en: "The provisioning template {name} has no version {versionId}.",
    zh: "预配置模板 {name} 没有版本 {versionId}。",
  },
  "provisioning.version_default": {
    http: 409,
    aws: "DeleteConflict",
    en: "Version {versionId} of the provisioning template {name} is the default one. Set another default first.",
    zh: "预配置模板 {name} 的版本 {versionId} 是默认版本，请先更换默认版本。",
  },
  "provisioning.versions_exceeded": {
    http: 409,
    aws: "VersionsLimitExceeded",
    en: "The provisioning template {name} has {expected} versions already, the most allowed. Delete one first.",
    zh: "预配置模板 {name} 的版本数量已达上限 {expected}，请先删除一个。",
  },
  "provisioning.hook_unsupported": {
    http: 400,
    aws: "InvalidRequest",
    en: "The pre-provisioning hook {received} cannot be called; expected {expected}. There are no functions here: name a webhook.",
    zh: "无法调用预配置钩子 {received}；应为 {expected}。此处没有函数服务，请填写 Webhook 地址。",
  },
  "provisioning.hook_refused": {
    http: 403,
    aws: "Unauthorized",
    en: "The pre-provisioning hook does not allow it.",
    zh: "预配置钩子拒绝了该请求。",
  },
  "provisioning.hook_failed": {
    http: 403,
    aws: "Unauthorized",
    en: "The pre-provisioning hook gave no usable answer: {reason}",
    zh: "预配置钩子没有返回可用的结果：{reason}",
  },
  "provisioning.request_malformed": {
    http: 400,
    aws: "InvalidRequest",
    en: "The request cannot be used: {member} is {received}; expected {expected}.",
    zh: "请求无效：{member} 为 {received}；应为 {expected}。",
  },
  "provisioning.parameters_invalid": {
    http: 400,
    aws: "InvalidRequest",
    en: "The parameters do not fit the template: {path} is {received}; expected {expected}.",
    zh: "参数与模板不符：{path} 为 {received}；应为 {expected}。",
  },
  "provisioning.token_missing": {
    http: 400,
    aws: "InvalidRequest",
    en: "Certificate ownership token cannot be empty.",
    zh: "证书所有权令牌不能为空。",
  },
  "provisioning.token_invalid": {
    http: 400,
    aws: "InvalidRequest",
    en: "The certificate ownership token is not valid: it is none of ours, has been used, or is older than {ownershipSeconds} s.",
    zh: "证书所有权令牌无效：不是本平台签发、已被使用，或已超过 {ownershipSeconds} 秒。",
  },
  "provisioning.certificates_exceeded": {
    http: 429,
    aws: "Throttling",
    en: "{expected} certificates wait for a device already, the most allowed.",
    zh: "等待设备使用的证书数量已达上限 {expected}。",
  },
  "provisioning.requests_exceeded": {
    http: 429,
    aws: "Throttling",
    en: "{expected} requests of devices are being served already, the most allowed at a time.",
    zh: "正在处理的设备请求数量已达上限 {expected}。",
  },
  "provisioning.failed": { http: 500, aws: "InternalFailure", en: "The server failed.", zh: "服务器内部错误。" },
  "provisioning.resource_conflict": {
    http: 409,
    aws: "ResourceRegistrationFailure",
    en: "The {resource} {name} exists and is otherwise: {received}; the template wants {expected} and FAIL.",
    zh: "{resource} {name} 已存在且内容不同：{received}；模板要求 {expected}，并设为 FAIL。",
  },
  "provisioning.no_session": {
    http: 400,
    en: "Credentials are handed to the device that asks for them: {topic} was published by a rule or a server.",
    zh: "凭证只交给发出请求的设备：{topic} 由规则或服务端发布。",
  },
} as const satisfies ErrorTable;
