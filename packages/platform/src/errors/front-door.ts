import type { ErrorTable } from "./platform-error.ts";

export const frontDoorErrors = {
  "front_door.bad_listen_address": {
    http: 500,
    en: "Setting {setting}: `{received}` is not a listen address; expected [host:]port with a port from 0 to 65535 and IPv6 in brackets, as in 1883, 127.0.0.1:1883 or [::1]:1883",
    zh: "设置 {setting}：`{received}` 不是有效的监听地址；应为 [主机:]端口，端口 0 到 65535，IPv6 用方括号，例如 1883、127.0.0.1:1883 或 [::1]:1883",
  },
  "front_door.no_listen_address": {
    http: 500,
    en: "Setting {setting} is empty: name at least one address to listen on",
    zh: "设置 {setting} 为空：至少需要一个监听地址",
  },
  "front_door.address_in_use": {
    http: 500,
    en: "Cannot listen on {address} (setting {setting}): another program uses this port; stop it or choose another port",
    zh: "无法监听 {address}（设置 {setting}）：端口已被其他程序占用；请停止该程序或更换端口",
  },
  "front_door.address_not_permitted": {
    http: 500,
    en: "Cannot listen on {address} (setting {setting}): this user may not open the port; choose one above 1023 or grant the right (CAP_NET_BIND_SERVICE)",
    zh: "无法监听 {address}（设置 {setting}）：当前用户无权打开此端口；请改用 1023 以上的端口或授予 CAP_NET_BIND_SERVICE",
  },
  "front_door.address_not_available": {
    http: 500,
    en: "Cannot listen on {address} (setting {setting}): this machine has no such address",
    zh: "无法监听 {address}（设置 {setting}）：本机没有该地址",
  },
  "front_door.listen_failed": {
    http: 500,
    en: "Cannot listen on {address} (setting {setting}): {reason}",
    zh: "无法监听 {address}（设置 {setting}）：{reason}",
  },
  "front_door.unknown_protocol": {
    http: 400,
    en: "The first bytes are no protocol spoken here: received {received}, expected {expected}",
    zh: "首字节不属于本端口支持的协议：收到 {received}，应为 {expected}",
  },
  "front_door.first_byte_timeout": {
    http: 408,
    en: "The client connected and did not say enough within {milliseconds} ms to tell its protocol: received {received}",
    zh: "客户端连接后 {milliseconds} 毫秒内未发送足以识别协议的数据：收到 {received}",
  },
  "front_door.tls_handshake_failed": {
    http: 400,
    en: "The TLS handshake failed: {reason}; the client offered {received}, expected {expected}",
    zh: "TLS 握手失败：{reason}；客户端提供 {received}，应为 {expected}",
  },
  "front_door.tls_handshake_timeout": {
    http: 408,
    en: "The TLS handshake was not finished within {milliseconds} ms",
    zh: "TLS 握手未在 {milliseconds} 毫秒内完成",
  },
  "front_door.too_many_connections": {
    http: 503,
    en: "{received} connections are open, the limit connectionsMax is {expected}",
    zh: "已有 {received} 个连接，上限 connectionsMax 为 {expected}",
  },
  "front_door.too_many_connections_of_address": {
    http: 503,
    en: "{received} connections of {address} are open, the limit connectionsPerAddressMax is {expected}",
    zh: "来自 {address} 的连接已有 {received} 个，上限 connectionsPerAddressMax 为 {expected}",
  },
  "front_door.too_many_handshakes": {
    http: 503,
    en: "{received} TLS handshakes are under way, the limit tlsPendingMax is {expected}",
    zh: "正在进行的 TLS 握手有 {received} 个，上限 tlsPendingMax 为 {expected}",
  },
  "front_door.websocket_text_frame": {
    http: 400,
    en: "MQTT over WebSocket travels in binary frames; received a text frame",
    zh: "WebSocket 上的 MQTT 必须使用二进制帧；收到文本帧",
  },
  "front_door.websocket_protocol_unknown": {
    http: 400,
    en: "The WebSocket sub-protocol is not known: received {received}, expected {expected}",
    zh: "WebSocket 子协议未知：收到 {received}，应为 {expected}",
  },
  "front_door.websocket_broken": {
    http: 400,
    en: "The WebSocket stream is broken: {reason}",
    zh: "WebSocket 数据流损坏：{reason}",
  },
  "front_door.http_malformed": {
    http: 400,
    en: "The HTTP request cannot be read: {reason}",
    zh: "无法解析 HTTP 请求：{reason}",
  },
  "front_door.http_headers_too_large": {
    http: 431,
    en: "The HTTP headers are larger than {expected} bytes",
    zh: "HTTP 请求头超过 {expected} 字节",
  },
  "front_door.http_body_too_large": {
    http: 413,
    en: "The HTTP body has at least {received} bytes, at most {expected} are taken",
    zh: "HTTP 请求体至少 {received} 字节，上限为 {expected} 字节",
  },
  "front_door.http_request_timeout": {
    http: 408,
    en: "The HTTP request was not complete within {milliseconds} ms",
    zh: "HTTP 请求未在 {milliseconds} 毫秒内完成",
  },
  "front_door.http_not_found": {
    http: 404,
    en: "There is nothing at {received} on a device port; known: {expected}",
    zh: "设备端口上没有 {received}；可用路径：{expected}",
  },
  "front_door.http_method_not_allowed": {
    http: 405,
    en: "{path} does not take {received}, only {expected}",
    zh: "{path} 不接受 {received}，只接受 {expected}",
  },
  "front_door.http_failed": {
    http: 500,
    en: "The server failed to answer this request; the reason is in its log",
    zh: "服务器处理该请求失败；原因见服务器日志",
  },
  "front_door.certificate_damaged": {
    http: 500,
    en: "{file} cannot be used: {reason}; expected {expected}",
    zh: "无法使用 {file}：{reason}；应为 {expected}",
  },
  "front_door.certificate_incomplete": {
    http: 500,
    en: "{present} exists and {missing} does not: restore the missing file, or move the other away to have both made anew",
    zh: "存在 {present} 但缺少 {missing}：请恢复缺少的文件，或移走另一个文件以重新生成",
  },
  "front_door.certificate_key_mismatch": {
    http: 500,
    en: "{key} is not the private key of the certificate in {certificate}",
    zh: "{key} 不是 {certificate} 中证书的私钥",
  },
  "front_door.certificate_expired": {
    http: 500,
    en: "The certificate in {file} expired at {received}: replace it",
    zh: "{file} 中的证书已于 {received} 过期：请更换",
  },
  "front_door.certificate_storage_failed": {
    http: 500,
    en: "Cannot read or write {file}: {reason}",
    zh: "无法读写 {file}：{reason}",
  },
} as const satisfies ErrorTable;
