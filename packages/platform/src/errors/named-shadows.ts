import type { ErrorTable } from "./platform-error.ts";

/** Named shadows as the room keeps them. */
export const namedShadowErrors = {
  "device_services.named_shadow_busy": {
    http: 429,
    aws: "Throttling",
    en: "{expected} requests wait for shadows to be written: try again a little later.",
    zh: "已有 {expected} 个影子请求等待写入，请稍后重试。",
  },
  "device_services.named_shadow_throttled": {
    http: 429,
    aws: "Throttling",
    en: "{thingName} had more than {expected} shadow requests within one second.",
    zh: "{thingName} 在一秒内的影子请求超过 {expected} 个。",
  },
  "device_services.named_shadow_too_many": {
    http: 409,
    aws: "InvalidRequest",
    en: "{thingName} has {expected} shadows, as many as a thing may have.",
    zh: "{thingName} 已有 {expected} 个影子，达到上限。",
  },
  "device_services.named_shadow_storage_full": {
    http: 507,
    aws: "ServiceUnavailable",
    en: "The shadows of all things have {expected} bytes together, as many as are kept (limits.deviceServices.namedShadowBytesMax).",
    zh: "所有影子的总大小已达上限 {expected} 字节（limits.deviceServices.namedShadowBytesMax）。",
  },
} as const satisfies ErrorTable;

/** Refusals of shadow requests; the English texts are the vendor's to the letter, as on `…/rejected` (aws-iot.md, 11.3). */
export const thingShadowErrors = {
  "aws.shadow_not_json": {
    http: 400,
    en: "Invalid JSON",
    zh: "请求不是 JSON 对象：收到 {received}。",
  },
  "aws.shadow_state_missing": {
    http: 400,
    en: "Missing required node: state",
    zh: "缺少 state 节点：收到 {received}。",
  },
  "aws.shadow_state_not_object": {
    http: 400,
    en: "State node must be an object",
    zh: "state 必须是对象：收到 {received}。",
  },
  "aws.shadow_desired_not_object": {
    http: 400,
    en: "Desired node must be an object",
    zh: "desired 必须是对象：收到 {received}。",
  },
  "aws.shadow_reported_not_object": {
    http: 400,
    en: "Reported node must be an object",
    zh: "reported 必须是对象：收到 {received}。",
  },
  "aws.shadow_version_invalid": {
    http: 400,
    en: "Invalid version",
    zh: "version 无效：收到 {received}，应为 {expected}。",
  },
  "aws.shadow_client_token_invalid": {
    http: 400,
    en: "Invalid clientToken",
    zh: "clientToken 无效：收到 {received}，应为 {expected}。",
  },
  "aws.shadow_too_deep": {
    http: 400,
    en: "JSON contains too many levels of nesting; maximum is 6",
    zh: "JSON 嵌套过深：应为 {expected}。",
  },
  "aws.shadow_node_invalid": {
    http: 400,
    en: "State contains an invalid node",
    zh: "state 含有无效节点：收到 {received}，应为 {expected}。",
  },
  "aws.shadow_thing_name_invalid": {
    http: 400,
    en: "Invalid thing name",
    zh: "物的名称无效：收到 {received}，应为 {expected}。",
  },
  "aws.shadow_shadow_name_invalid": {
    http: 400,
    en: "Invalid shadow name",
    zh: "影子名称无效：收到 {received}，应为 {expected}。",
  },
  "aws.shadow_not_found": {
    http: 404,
    en: "No shadow exists with name: '{name}'",
    zh: "影子 {name} 不存在。",
  },
  "aws.shadow_version_conflict": {
    http: 409,
    en: "Version conflict",
    zh: "版本冲突：收到 {received}，当前为 {expected}。",
  },
  "aws.shadow_too_large": {
    http: 413,
    en: "The payload exceeds the maximum size allowed",
    zh: "内容过大：收到 {received}，应为 {expected}。",
  },
  "aws.shadow_not_utf8": {
    http: 415,
    en: "Unsupported documented encoding; supported encoding is UTF-8",
    zh: "编码不支持：收到 {received}，应为 UTF-8。",
  },
  "aws.shadow_throttled": {
    http: 429,
    en: "Too many requests",
    zh: "请求过多：收到 {received}，应为 {expected}。",
  },
  "aws.shadow_too_many": {
    http: 400,
    en: "Too many shadows of this thing",
    zh: "该物的影子过多：最多 {expected} 个。",
  },
  "aws.shadow_storage_full": {
    http: 500,
    en: "Internal service failure",
    zh: "影子存储已满：{expected}。",
  },
  "aws.shadow_failed": {
    http: 500,
    en: "Internal service failure",
    zh: "内部错误。",
  },
} as const satisfies ErrorTable;
