import type { ErrorTable } from "./platform-error.ts";

export const messageErrors = {
  "messages.invalid_topic": {
    http: 400,
    alibaba: "iot.messagebroker.InvalidFormattedTopicName",
    en: "The topic {received} cannot be published to; expected {expected}.",
    zh: "无法向 Topic {received} 发布；应为 {expected}。",
  },
  "messages.topic_unfilled": {
    http: 400,
    alibaba: "iot.messagebroker.InvalidFormattedTopicName",
    en: "The topic {received} still has a placeholder; expected {expected}.",
    zh: "Topic {received} 中仍有未填充的占位符；应为 {expected}。",
  },
  "messages.topic_not_subscribable": {
    http: 403,
    alibaba: "iot.messagebroker.PublishMessageFailed",
    en: "No device may subscribe to {received}; expected {expected}.",
    zh: "没有设备可以订阅 {received}；应为 {expected}。",
  },
  "messages.invalid_qos": { http: 400, en: "The QoS is {received}; expected {expected}.", zh: "QoS 为 {received}；应为 {expected}。" },
  "messages.payload_too_large": {
    http: 413,
    alibaba: "iot.messagebroker.PublishMessageFailed",
    en: "The payload has {received} bytes; expected at most {expected}.",
    zh: "消息内容为 {received} 字节；最多 {expected} 字节。",
  },
  "messages.rrpc_timeout_range": {
    http: 400,
    alibaba: "iot.messagebroker.InvalidTimeoutValue",
    en: "The timeout is {received} ms; expected {expected}.",
    zh: "超时为 {received} 毫秒；应为 {expected}。",
  },
  "messages.rrpc_busy": {
    http: 503,
    alibaba: "iot.messagebroker.RrpcFailed",
    en: "{received} calls wait for devices already; at most {expected} at the same time. Try again.",
    zh: "已有 {received} 个调用在等待设备应答，最多 {expected} 个，请稍后重试。",
  },
  "messages.broadcast_rate": {
    http: 429,
    alibaba: "iot.messagebroker.RateLimit",
    en: "The last broadcast to this product was {received} s ago; one may be sent every {expected} s.",
    zh: "该产品上次广播在 {received} 秒前，每 {expected} 秒可广播一次。",
  },
} as const satisfies ErrorTable;
