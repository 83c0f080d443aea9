import type { ErrorTable } from "./platform-error.ts";

export const apiErrors = {
  "api.credentials_missing": {
    http: 401,
    en: "This call needs an access key: send the header `Authorization: Bearer <keyId>:<secret>`. Received: {received}.",
    zh: "此调用需要访问密钥：请发送请求头 `Authorization: Bearer <keyId>:<secret>`。收到：{received}。",
  },
  "api.access_key_invalid": {
    http: 401,
    en: "The access key id {keyId} and its secret do not match a key of this server.",
    zh: "访问密钥 {keyId} 及其密文与本服务器的密钥不匹配。",
  },
  "api.too_many_failed_logins": {
    http: 429,
    en: "More than {failedAuthPerMinuteMax} failed authentications from {address} within a minute. Try again in {retryAfterSeconds} s.",
    zh: "地址 {address} 一分钟内认证失败超过 {failedAuthPerMinuteMax} 次，请 {retryAfterSeconds} 秒后重试。",
  },
  "api.route_not_found": {
    http: 404,
    en: "There is nothing at {path}. The routes are listed in /api/v1/openapi.json.",
    zh: "路径 {path} 不存在。所有路由见 /api/v1/openapi.json。",
  },
  "api.method_not_allowed": {
    http: 405,
    en: "{path} does not answer {method}; it answers {allowed}.",
    zh: "{path} 不支持 {method}，支持的方法：{allowed}。",
  },
  "api.request_invalid": {
    http: 400,
    en: "{path} is not valid: received {received}, expected {expected}.",
    zh: "{path} 无效：收到 {received}，应为 {expected}。",
  },
  "api.body_malformed": {
    http: 400,
    en: "The body is not valid JSON: {reason}.",
    zh: "请求体不是合法的 JSON：{reason}。",
  },
  "api.media_type_unsupported": {
    http: 415,
    en: "The content type {received} is not understood here; send application/json.",
    zh: "不支持内容类型 {received}，请发送 application/json。",
  },
  "api.body_too_large": {
    http: 413,
    en: "The body is larger than {bodyBytesMax} bytes.",
    zh: "请求体超过 {bodyBytesMax} 字节。",
  },
  "api.url_malformed": {
    http: 400,
    en: "The address of the request cannot be read: {reason}.",
    zh: "无法解析请求地址：{reason}。",
  },
  "api.http_malformed": {
    http: 400,
    en: "The bytes received are not an HTTP/1.1 request: {reason}.",
    zh: "收到的数据不是 HTTP/1.1 请求：{reason}。",
  },
  "api.header_too_large": {
    http: 431,
    en: "Request line and headers together are larger than {headerBytesMax} bytes.",
    zh: "请求行与请求头合计超过 {headerBytesMax} 字节。",
  },
  "api.request_timeout": {
    http: 408,
    en: "The request did not arrive completely within {requestTimeoutSeconds} s.",
    zh: "请求未在 {requestTimeoutSeconds} 秒内完整到达。",
  },
  "api.topic_of_other_device": {
    http: 400,
    en: "The topic {topic} does not belong to this device; it must begin with {expected} or be a short name such as user/get.",
    zh: "Topic {topic} 不属于该设备，应以 {expected} 开头，或使用 user/get 这样的短名称。",
  },
  "api.too_many_followers": {
    http: 429,
    en: "{followersMax} event streams are open already; close one first.",
    zh: "已打开 {followersMax} 个事件流，请先关闭其中一个。",
  },
  "api.topic_class_not_found": {
    http: 404,
    en: "Product {productKey} has no topic class with id {id}.",
    zh: "产品 {productKey} 没有编号为 {id} 的 Topic 类。",
  },
  "api.no_device_port": {
    http: 409,
    en: "The server listens on no device port, so there is nothing to connect to.",
    zh: "服务器未监听任何设备端口，无法连接。",
  },
  "api.listen_failed": {
    http: 500,
    en: "Cannot listen on {address} for HTTP: {reason}. Free the port or choose another with --listen-http.",
    zh: "无法在 {address} 上监听 HTTP：{reason}。请释放该端口，或用 --listen-http 指定其他端口。",
  },
  "api.listen_entry_invalid": {
    http: 500,
    en: "{received} is not an address to listen on; expected [host:]port, e.g. 8080 or 127.0.0.1:8080 (setting listen.http).",
    zh: "{received} 不是有效的监听地址，应为 [host:]port，如 8080 或 127.0.0.1:8080（设置项 listen.http）。",
  },
  "api.internal": {
    http: 500,
    en: "Something went wrong in the server; the log has the details under request {requestId}.",
    zh: "服务器内部错误，详情见日志中的请求 {requestId}。",
  },
} as const satisfies ErrorTable;
