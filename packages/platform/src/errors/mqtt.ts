import type { ErrorTable } from "./platform-error.ts";

/** Refusals of the MQTT engine, for the device log. `expected` begins with the clause of the standard where there is one. */
export const mqttErrors = {
  "mqtt.malformed_packet": {
    http: 400,
    en: "The bytes are no MQTT packet: {received}; expected {expected}.",
    zh: "收到的字节不是合法的 MQTT 报文：{received}；应为 {expected}。",
  },
  "mqtt.string_invalid": {
    http: 400,
    en: "A text in the packet is not valid UTF-8 for MQTT: {received}; expected {expected}.",
    zh: "报文中的文本不符合 MQTT 的 UTF-8 要求：{received}；应为 {expected}。",
  },
  "mqtt.protocol_error": {
    http: 400,
    en: "The packet breaks a rule of MQTT: {received}; expected {expected}.",
    zh: "报文违反 MQTT 规则：{received}；应为 {expected}。",
  },
  "mqtt.protocol_name_invalid": {
    http: 400,
    en: "The CONNECT names the protocol {received}; expected {expected}.",
    zh: "CONNECT 中的协议名为 {received}；应为 {expected}。",
  },
  "mqtt.unsupported_version": {
    http: 400,
    en: "This version of MQTT is not spoken here: {received}; expected {expected}.",
    zh: "不支持此 MQTT 版本：{received}；应为 {expected}。",
  },
  "mqtt.client_id_invalid": {
    http: 400,
    en: "The client id is not allowed: {received}; expected {expected}.",
    zh: "客户端 ID 不合法：{received}；应为 {expected}。",
  },
  "mqtt.client_id_missing": {
    http: 400,
    en: "The client id is missing: {received}; expected {expected}.",
    zh: "缺少客户端 ID：{received}；应为 {expected}。",
  },
  "mqtt.authentication_method_unknown": {
    http: 400,
    en: "The authentication method {received} is not known here; expected {expected}.",
    zh: "未知的认证方法 {received}；应为 {expected}。",
  },
  "mqtt.authentication_method_changed": {
    http: 400,
    en: "The authentication method changed to {received}; expected {expected}, as in CONNECT.",
    zh: "认证方法变为 {received}；应与 CONNECT 中的 {expected} 一致。",
  },
  "mqtt.authentication_not_expected": {
    http: 400,
    en: "{received} is not expected at this point of the authentication; expected {expected}.",
    zh: "认证的此阶段不应收到 {received}；应为 {expected}。",
  },
  "mqtt.authentication_steps_exceeded": {
    http: 400,
    en: "The authentication does not end; expected {expected}.",
    zh: "认证过程未能结束；应为 {expected}。",
  },
  "mqtt.authentication_identity_changed": {
    http: 403,
    en: "Re-authentication named {received}; expected {expected}.",
    zh: "重新认证的身份为 {received}；应为 {expected}。",
  },
  "mqtt.will_qos_not_supported": {
    http: 400,
    en: "The QoS of the will is not supported: {received}; expected {expected}.",
    zh: "不支持遗嘱消息的 QoS：收到 {received}；应为 {expected}。",
  },
  "mqtt.will_retain_not_supported": {
    http: 400,
    en: "A retained will is not supported: {received}; expected {expected}.",
    zh: "不支持保留的遗嘱消息：收到 {received}；应为 {expected}。",
  },
  "mqtt.topic_filter_invalid": {
    http: 400,
    en: "The topic filter is not valid: {received}; expected {expected}.",
    zh: "Topic 过滤器不合法：{received}；应为 {expected}。",
  },
  "mqtt.topic_name_invalid": {
    http: 400,
    en: "The topic is not valid: {received}; expected {expected}.",
    zh: "Topic 不合法：{received}；应为 {expected}。",
  },
  "mqtt.subscription_identifiers_not_supported": {
    http: 400,
    en: "Subscription identifiers are not available here: {received}; expected {expected}.",
    zh: "此处不支持订阅标识符：{received}；应为 {expected}。",
  },
  "mqtt.topic_too_long": {
    http: 400,
    en: "The topic is too long: {received}; expected {expected}.",
    zh: "Topic 过长：{received}；应为 {expected}。",
  },
  "mqtt.topic_too_deep": {
    http: 400,
    en: "The topic has too many levels: {received}; expected {expected}.",
    zh: "Topic 层级过多：{received}；应为 {expected}。",
  },
  "mqtt.topic_alias_invalid": {
    http: 400,
    en: "The topic alias is out of range: {received}; expected {expected}.",
    zh: "Topic 别名超出范围：{received}；应为 {expected}。",
  },
  "mqtt.topic_alias_unknown": {
    http: 400,
    en: "The topic alias {received} was not set on this connection; expected {expected}.",
    zh: "本次连接未设置 Topic 别名 {received}；应为 {expected}。",
  },
  "mqtt.packet_too_large": {
    http: 413,
    en: "The packet is too large: {received}; expected {expected}.",
    zh: "报文过大：{received}；应为 {expected}。",
  },
  "mqtt.payload_too_large": {
    http: 413,
    en: "The payload is too large and the message was dropped: {received}; expected {expected}.",
    zh: "消息内容过大，消息已丢弃：{received}；应为 {expected}。",
  },
  "mqtt.cannot_encode": {
    http: 500,
    en: "The server made a packet that no bytes can express: {received}; expected {expected}. This is a fault of the server; please report it.",
    zh: "服务器生成了无法编码的报文：{received}；应为 {expected}。这是服务器的缺陷，请反馈。",
  },
  "mqtt.internal_error": {
    http: 500,
    en: "The server failed while it served this connection and closed it; the cause is in the server's log.",
    zh: "服务器处理该连接时出错并已将其关闭；原因见服务器日志。",
  },
  "mqtt.connect_expected": {
    http: 400,
    en: "The connection did not begin with a CONNECT: {received}; expected {expected}.",
    zh: "连接的第一个报文不是 CONNECT：{received}；应为 {expected}。",
  },
  "mqtt.second_connect": {
    http: 400,
    en: "Another {received} came on a connection that was already accepted; expected {expected}.",
    zh: "已建立的连接上再次收到 {received}；应为 {expected}。",
  },
  "mqtt.client_packet_size_too_small": {
    http: 400,
    en: "The client takes packets of at most {received}, too few for the CONNACK; expected {expected}.",
    zh: "客户端可接收的最大报文为 {received}，不足以容纳 CONNACK；应为 {expected}。",
  },
  "mqtt.answer_too_large": {
    http: 400,
    en: "The answer to {received} is larger than the client takes; expected {expected}.",
    zh: "对 {received} 的应答超过客户端可接收的最大报文；应为 {expected}。",
  },
  "mqtt.acknowledgement_mismatch": {
    http: 400,
    en: "The message was answered with the wrong packet: {received}; expected {expected}.",
    zh: "对消息的应答报文类型不正确：{received}；应为 {expected}。",
  },
  "mqtt.retained_limit": {
    http: 429,
    en: "No more messages can be retained: {received}; expected {expected}.",
    zh: "保留消息已达上限：{received}；应为 {expected}。",
  },
  "mqtt.packet_not_allowed": {
    http: 400,
    en: "The packet {received} only travels from a server; expected {expected}.",
    zh: "报文 {received} 只能由服务器发送；应为 {expected}。",
  },
  "mqtt.session_expiry_invalid": {
    http: 400,
    en: "The session expiry cannot be changed to {received} when disconnecting; expected {expected}.",
    zh: "断开时不能将会话有效期改为 {received}；应为 {expected}。",
  },
  "mqtt.subscription_identifier_not_allowed": {
    http: 400,
    en: "The PUBLISH carries a {received}; expected {expected}.",
    zh: "PUBLISH 中带有 {received}；应为 {expected}。",
  },
  "mqtt.receive_maximum_exceeded": {
    http: 429,
    en: "Too many publishes wait for their answer: {received}; expected {expected}.",
    zh: "未应答的 PUBLISH 过多：{received}；应为 {expected}。",
  },
  "mqtt.retain_not_supported": {
    http: 400,
    en: "Retained messages are not kept here: {received}; expected {expected}.",
    zh: "此处不支持保留消息：{received}；应为 {expected}。",
  },
  "mqtt.qos_not_supported": {
    http: 400,
    en: "This QoS is not supported: {received}; expected {expected}.",
    zh: "不支持此 QoS：{received}；应为 {expected}。",
  },
  "mqtt.wildcards_not_supported": {
    http: 400,
    en: "Wildcard subscriptions are not supported: {received}; expected {expected}.",
    zh: "不支持通配符订阅：{received}；应为 {expected}。",
  },
  "mqtt.shared_subscriptions_not_supported": {
    http: 400,
    en: "Shared subscriptions are not supported: {received}; expected {expected}.",
    zh: "不支持共享订阅：{received}；应为 {expected}。",
  },
  "mqtt.filters_per_subscribe_exceeded": {
    http: 400,
    en: "One SUBSCRIBE names too many filters: {received}; expected {expected}.",
    zh: "单个 SUBSCRIBE 的过滤器过多：{received}；应为 {expected}。",
  },
  "mqtt.subscriptions_exceeded": {
    http: 429,
    en: "There are too many subscriptions: {received}; expected {expected}.",
    zh: "订阅数过多：{received}；应为 {expected}。",
  },
  "mqtt.session_without_rights": {
    http: 403,
    en: "The client of this session has not come back since the server started, so its rights are not known.",
    zh: "服务器启动后该会话的客户端尚未重新连接，因此其权限未知。",
  },
  "mqtt.connect_timeout": {
    http: 408,
    en: "The connection was not admitted in time: {received}; expected one {expected}.",
    zh: "连接未能按时完成接入：{received}；应在限定时间内完成：{expected}。",
  },
  "mqtt.keep_alive_timeout": {
    http: 408,
    en: "The client was silent for too long: {received}; expected {expected}.",
    zh: "客户端静默过久：{received}；应为 {expected}。",
  },
  "mqtt.held_bytes_exceeded": {
    http: 429,
    en: "Too much was sent before the CONNACK: {received}; expected {expected}.",
    zh: "在 CONNACK 之前发送的数据过多：{received}；应为 {expected}。",
  },
  "mqtt.slow_reader": {
    http: 429,
    en: "The client does not read what it is sent: {received}; expected {expected}.",
    zh: "客户端未读取发给它的数据：{received}；应为 {expected}。",
  },
  "mqtt.connections_exceeded": {
    http: 503,
    en: "The server has as many connections as it takes: {received}; expected {expected}.",
    zh: "服务器连接数已达上限：{received}；应为 {expected}。",
  },
  "mqtt.sessions_exceeded": {
    http: 503,
    en: "The server keeps as many sessions as it takes: {received}; expected {expected}.",
    zh: "服务器会话数已达上限：{received}；应为 {expected}。",
  },
} as const satisfies ErrorTable;
