import type { ErrorTable } from "./platform-error.ts";

/** What devices send wrongly on system topics, for the device log, and calls that reach nobody. */
export const bindingErrors = {
  "bindings.message_malformed": {
    http: 400,
    en: "The message on a system topic cannot be read: {received}; expected {expected}.",
    zh: "系统 Topic 的消息无法解析：{received}；应为 {expected}。",
  },
  "bindings.request_refused": {
    http: 400,
    en: "The device's request was refused with code {received}: {expected}.",
    zh: "设备的请求被拒绝，错误码 {received}：{expected}。",
  },
  "bindings.answer_unexpected": {
    http: 404,
    en: "The device answered {received}; nobody waits for that.",
    zh: "设备应答 {received}，但无人等待该应答。",
  },
  "bindings.not_listening": {
    http: 409,
    alibaba: "iot.device.InvokeThingServiceFailed",
    en: "The device {deviceName} is connected and has not subscribed to {topic}.",
    zh: "设备 {deviceName} 已连接，但未订阅 {topic}。",
  },
  "bindings.answer_malformed": {
    http: 502,
    alibaba: "iot.device.InvokeThingServiceFailed",
    en: "The device {deviceName} answered what cannot be read: {received}; expected {expected}.",
    zh: "设备 {deviceName} 的应答无法解析：{received}；应为 {expected}。",
  },
  "bindings.data_converted_badly": {
    http: 422,
    en: "The script of the product failed ({received}): {expected}.",
    zh: "产品的解析脚本失败（{received}）：{expected}。",
  },
} as const satisfies ErrorTable;
