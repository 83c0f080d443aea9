/** Every way the SDK says no. Codes are API; the texts are not. `{name}` is filled from the details. */
export const deviceErrors = {
  "device.option_missing": {
    en: "option {option} is missing: expected {expected}",
    zh: "缺少选项 {option}:应为 {expected}",
  },
  "device.option_invalid": {
    en: "option {option} is {received}: expected {expected}",
    zh: "选项 {option} 的值为 {received}:应为 {expected}",
  },
  "device.preauth_unreachable": {
    en: "the authentication server {server} could not be reached: {reason}",
    zh: "无法连接认证服务器 {server}:{reason}",
  },
  "device.preauth_malformed": {
    en: "the authentication server {server} answered something that is no authentication answer: {received}",
    zh: "认证服务器 {server} 的应答无法识别:{received}",
  },
  "device.preauth_refused": {
    en: "the authentication server refused the device with code {cloudCode}: {cloudMessage}",
    zh: "认证服务器拒绝了设备,错误码 {cloudCode}:{cloudMessage}",
  },
  "device.registration_unreachable": {
    en: "the registration server {server} could not be reached: {reason}",
    zh: "无法连接注册服务器 {server}:{reason}",
  },
  "device.registration_malformed": {
    en: "the registration server {server} answered something that is no registration answer: {received}",
    zh: "注册服务器 {server} 的应答无法识别:{received}",
  },
  "device.registration_refused": {
    en: "the registration of {deviceName} was refused with code {cloudCode}: {cloudMessage}",
    zh: "设备 {deviceName} 的动态注册被拒绝,错误码 {cloudCode}:{cloudMessage}",
  },
  "device.connect_failed": { en: "no connection to {server}: {reason}", zh: "无法连接 {server}:{reason}" },
  "device.connect_timeout": {
    en: "no CONNACK from {server} within {milliseconds} ms",
    zh: "{server} 在 {milliseconds} 毫秒内没有返回 CONNACK",
  },
  "device.connection_refused": {
    en: "{server} refused the connection with CONNACK {returnCode}: {meaning}",
    zh: "{server} 拒绝了连接,CONNACK 返回码 {returnCode}:{meaning}",
  },
  "device.record_too_large": {
    en: "{server} sent a TLS record of {received} bytes: this device takes at most {expected} (mbed TLS calls it -0x7200)",
    zh: "{server} 发送了 {received} 字节的 TLS 记录:设备最多接收 {expected} 字节(即 mbed TLS 的 -0x7200)",
  },
  "device.subscribe_refused": { en: "the server refused the subscription {filter}", zh: "服务器拒绝了订阅 {filter}" },
  "device.subscribe_failed": { en: "subscribing {filter} failed: {reason}", zh: "订阅 {filter} 失败:{reason}" },
  "device.publish_failed": { en: "publishing to {topic} failed: {reason}", zh: "向 {topic} 发布消息失败:{reason}" },
  "device.unsubscribe_failed": { en: "unsubscribing {filter} failed: {reason}", zh: "取消订阅 {filter} 失败:{reason}" },
  "device.queue_full": {
    en: "{count} messages wait to be sent already: more than outgoingMessagesMax",
    zh: "已有 {count} 条消息等待发送:超过 outgoingMessagesMax",
  },
  "device.requests_full": {
    en: "{count} requests wait for their answers already: more than limits.requestsMax",
    zh: "已有 {count} 个请求等待应答:超过 limits.requestsMax",
  },
  "device.reply_timeout": {
    en: "no answer to {topic} within {milliseconds} ms",
    zh: "在 {milliseconds} 毫秒内没有收到 {topic} 的应答",
  },
  "device.reply_refused": {
    en: "the cloud refused {topic} with code {cloudCode}: {cloudMessage}",
    zh: "云端拒绝了 {topic},错误码 {cloudCode}:{cloudMessage}",
  },
  "device.reply_malformed": {
    en: "the answer to {topic} is not what was expected: {expected}",
    zh: "{topic} 的应答不符合预期:应为 {expected}",
  },
  "device.message_malformed": {
    en: "a message on {topic} could not be read: expected {expected}",
    zh: "{topic} 上的消息无法解析:应为 {expected}",
  },
  "device.handler_failed": { en: "the handler of {topic} failed: {reason}", zh: "{topic} 的处理函数出错:{reason}" },
  "device.argument_invalid": {
    en: "{argument} is {received}: expected {expected}",
    zh: "参数 {argument} 的值为 {received}:应为 {expected}",
  },
  "device.download_failed": {
    en: "downloading from {server} stopped at byte {offset} after {tries} tries: {reason}",
    zh: "从 {server} 下载时在第 {offset} 字节处中断,已尝试 {tries} 次:{reason}",
  },
  "device.download_refused": {
    en: "{server} refused the download with status {status}",
    zh: "{server} 拒绝了下载,状态码 {status}",
  },
  "device.download_insecure": {
    en: "the link to {server} is not HTTPS: set allowsPlainDownloads to use it",
    zh: "{server} 的下载链接不是 HTTPS:如需使用请设置 allowsPlainDownloads",
  },
  "device.file_mismatch": {
    en: "the file is not what was announced: {kind} is {received}, expected {expected}",
    zh: "文件与声明不符:{kind} 为 {received},应为 {expected}",
  },
  "device.file_too_large": {
    en: "the file has {received} bytes: more than {limit} ({expected})",
    zh: "文件大小为 {received} 字节:超过 {limit}({expected})",
  },
  "device.sub_device_refused": {
    en: "the cloud refused {deviceName} with code {cloudCode}: {cloudMessage}",
    zh: "云端拒绝了子设备 {deviceName},错误码 {cloudCode}:{cloudMessage}",
  },
  "device.sub_device_offline": { en: "the sub-device {deviceName} is not logged in", zh: "子设备 {deviceName} 尚未登录" },
  "device.ended": { en: "the device was ended", zh: "设备已结束" },
} as const;

export type DeviceErrorCode = keyof typeof deviceErrors;
export type DeviceErrorDetails = Readonly<Record<string, string | number>>;

/** @example if (error instanceof DeviceError && error.code === "device.connection_refused") … */
export class DeviceError extends Error {
  readonly code: DeviceErrorCode;
  readonly details: DeviceErrorDetails;

  constructor(code: DeviceErrorCode, details: DeviceErrorDetails = {}, options?: { cause?: unknown }) {
    super(fill(deviceErrors[code].en, details), options);
    this.name = "DeviceError";
    this.code = code;
    this.details = details;
  }

  /** What happened, in words for people. `message` is the English one. */
  text(language: "en" | "zh"): string {
    return fill(deviceErrors[this.code][language], this.details);
  }
}

function fill(text: string, details: DeviceErrorDetails): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole));
}
