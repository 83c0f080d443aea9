import type { ErrorTable } from "./platform-error.ts";

/** Shadows, remote configuration, devices' own logs, files and jobs. */
export const deviceServiceErrors = {
  "device_services.shadow_version_conflict": {
    http: 409,
    alibaba: "iot.messagebroker.InvalidVersionValueInShadowMessage",
    en: "The shadow has moved on: received version {received}, expected {expected}.",
    zh: "设备影子版本冲突：收到版本 {received}，应为 {expected}。",
  },
  "device_services.shadow_too_many_attributes": {
    http: 422,
    alibaba: "iot.messagebroker.TooManyElementInDesire",
    en: "The shadow would have {received} desired attributes; at most {expected} are kept.",
    zh: "设备影子期望属性将达 {received} 个，最多 {expected} 个。",
  },
  "device_services.shadow_too_deep": {
    http: 422,
    alibaba: "iot.messagebroker.DesireInfoInShadowMessageIsNotJson",
    en: "Desired values are nested too deeply: at most {expected} levels are kept.",
    zh: "期望属性嵌套过深，最多 {expected} 层。",
  },
  "device_services.shadow_too_large": {
    http: 413,
    alibaba: "iot.messagebroker.ShadowMessageLengthIsLarge",
    en: "The shadow would be larger than {expected} bytes.",
    zh: "设备影子将超过 {expected} 字节。",
  },
  "device_services.config_not_found": {
    http: 404,
    en: "The product {productKey} has no such configuration.",
    zh: "产品 {productKey} 没有该远程配置。",
  },
  "device_services.config_off": {
    http: 409,
    en: "Remote configuration of {productKey} is switched off: switch it on first.",
    zh: "产品 {productKey} 的远程配置已关闭，请先开启。",
  },
  "device_services.config_too_large": {
    http: 413,
    en: "The configuration has {received} bytes; at most {expected} are allowed.",
    zh: "远程配置为 {received} 字节，最多 {expected} 字节。",
  },
  "device_services.config_not_json": {
    http: 422,
    en: "The configuration is not JSON: received {received}.",
    zh: "远程配置不是 JSON：收到 {received}。",
  },
  "device_services.file_not_found": {
    http: 404,
    en: "{deviceName} has no file {uploadId}.",
    zh: "{deviceName} 没有文件 {uploadId}。",
  },
  "device_services.file_unfinished": {
    http: 409,
    en: "The file {uploadId} is not complete: {received} bytes have come.",
    zh: "文件 {uploadId} 尚未完整：已收到 {received} 字节。",
  },
  "device_services.file_lost": {
    http: 500,
    en: "The file {uploadId} cannot be read: {reason}.",
    zh: "无法读取文件 {uploadId}：{reason}。",
  },
  "device_services.link_invalid": { http: 403, en: "The link is not one of this server.", zh: "链接无效。" },
  "device_services.link_expired": { http: 403, en: "The link has expired: ask for a new one.", zh: "链接已过期，请重新获取。" },
  "device_services.link_gone": { http: 404, en: "What the link led to is no longer there.", zh: "链接指向的内容已不存在。" },
  "device_services.range_unsatisfiable": {
    http: 416,
    en: "The range {received} is not inside the file of {expected} bytes.",
    zh: "范围 {received} 超出文件（{expected} 字节）。",
  },
  "device_services.job_not_found": { http: 404, en: "There is no job {jobId}.", zh: "任务 {jobId} 不存在。" },
  "device_services.task_not_found": { http: 404, en: "There is no task {taskId}.", zh: "作业 {taskId} 不存在。" },
  "device_services.job_invalid": {
    http: 422,
    alibaba: "iot.common.InvalidFormattedParameter",
    en: "The job cannot be made: {what} is {received}, expected {expected}.",
    zh: "无法创建任务：{what} 为 {received}，应为 {expected}。",
  },
} as const satisfies ErrorTable;

/** What a program of the vendor's wrote into `ShadowMessage` (alibaba-server.md, 1.10). */
export const shadowMessageErrors = {
  "alibaba.shadow_not_json": {
    http: 400,
    alibaba: "iot.messagebroker.ShadowMessageIsNotJson",
    en: "ShadowMessage is not a JSON object: {received}.",
    zh: "ShadowMessage 不是 JSON 对象：{received}。",
  },
  "alibaba.shadow_method_missing": {
    http: 400,
    alibaba: "iot.messagebroker.NotFoundMethodInShadowMessage",
    en: "ShadowMessage has no method: {received}.",
    zh: "ShadowMessage 缺少 method：{received}。",
  },
  "alibaba.shadow_method_invalid": {
    http: 400,
    alibaba: "iot.messagebroker.MethodValueIsNotUpdate",
    en: "The method in ShadowMessage is {received}, not update.",
    zh: "ShadowMessage 的 method 为 {received}，应为 update。",
  },
  "alibaba.shadow_state_missing": {
    http: 400,
    alibaba: "iot.messagebroker.NotFoundStateInShadowMessage",
    en: "ShadowMessage has no state: {received}.",
    zh: "ShadowMessage 缺少 state：{received}。",
  },
  "alibaba.shadow_desired_missing": {
    http: 400,
    alibaba: "iot.messagebroker.NotFoundDesireInShadowMessage",
    en: "ShadowMessage has no state.desired: {received}.",
    zh: "ShadowMessage 缺少 state.desired：{received}。",
  },
  "alibaba.shadow_desired_null": {
    http: 400,
    alibaba: "iot.messagebroker.DesireValueIsNullInShadowMessage",
    en: "state.desired is null: {received}.",
    zh: "state.desired 为 null：{received}。",
  },
  "alibaba.shadow_desired_not_json": {
    http: 400,
    alibaba: "iot.messagebroker.DesireInfoInShadowMessageIsNotJson",
    en: "state.desired is not a JSON object: {received}.",
    zh: "state.desired 不是 JSON 对象：{received}。",
  },
  "alibaba.shadow_desired_empty": {
    http: 400,
    alibaba: "iot.messagebroker.NoneElementInDesire",
    en: "state.desired is empty: {received}.",
    zh: "state.desired 为空：{received}。",
  },
  "alibaba.shadow_desired_member_null": {
    http: 400,
    alibaba: "iot.messagebroker.ElementKeyOrValueIsNullInDesire",
    en: "A member of state.desired has no name or is null: {received}.",
    zh: "state.desired 中存在空名称或 null 值：{received}。",
  },
  "alibaba.shadow_version_missing": {
    http: 400,
    alibaba: "iot.messagebroker.NotFoundVersionOrNullVersionValue",
    en: "ShadowMessage has no version: {received}.",
    zh: "ShadowMessage 缺少 version：{received}。",
  },
  "alibaba.shadow_version_invalid": {
    http: 400,
    alibaba: "iot.messagebroker.InvalidVersionValueInShadowMessage",
    en: "The version in ShadowMessage is {received}, not a whole number of -1 or more.",
    zh: "ShadowMessage 的 version 为 {received}，应为不小于 -1 的整数。",
  },
} as const satisfies ErrorTable;
