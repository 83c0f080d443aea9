import type { ErrorTable } from "./platform-error.ts";

export const accessErrors = {
  "access.client_id_too_long": {
    http: 400,
    en: "The client id is too long: {received}, expected {expected}.",
    zh: "客户端 ID 过长：收到 {received}，应为 {expected}。",
  },
  "access.client_id_malformed": {
    http: 400,
    en: "The client id cannot be read: {received}, expected {expected}.",
    zh: "客户端 ID 无法解析：收到 {received}，应为 {expected}。",
  },
  "access.secure_mode_unsupported": {
    http: 400,
    en: "This secure mode is not supported: {received}, expected {expected}.",
    zh: "不支持此安全模式：收到 {received}，应为 {expected}。",
  },
  "access.secure_mode_differs": {
    http: 200,
    en: "The secure mode does not fit the transport ({received}, expected {expected}); the device was let in all the same.",
    zh: "安全模式与传输方式不符（{received}，应为 {expected}）；设备仍获准接入。",
  },
  "access.sign_method_unknown": {
    http: 400,
    en: "The sign method {received} is unknown; expected one of {expected}.",
    zh: "未知的签名方法 {received}；应为 {expected} 之一。",
  },
  "access.user_name_malformed": {
    http: 400,
    en: "The user name {received} cannot be read; expected {expected}.",
    zh: "用户名 {received} 无法解析；应为 {expected}。",
  },
  "access.password_missing": { http: 401, en: "The password is missing: expected {expected}.", zh: "缺少密码：应为 {expected}。" },
  "access.password_malformed": {
    http: 400,
    en: "The password is too long: {received}, expected {expected}.",
    zh: "密码过长：收到 {received}，应为 {expected}。",
  },
  "access.dialect_unknown": {
    http: 401,
    en: "Neither client id nor user name belong to a cloud that is spoken here: {received}; expected {expected}.",
    zh: "客户端 ID 与用户名不属于此处支持的任何云平台：收到 {received}；应为 {expected}。",
  },
  "access.device_unknown": {
    http: 401,
    en: "There is no such device: {received}. Create it with the names burnt into its firmware.",
    zh: "设备不存在：{received}。请按固件中的名称创建该设备。",
  },
  "access.signature_mismatch": {
    http: 401,
    en: "The signature does not match. Received: {received}. The signed text must be: {expected}. Compare it with what the device signs, then compare the device secret.",
    zh: "签名不匹配。收到：{received}。待签名文本应为：{expected}。请先与设备的待签名文本比对，再核对设备密钥。",
  },
  "access.device_disabled": {
    http: 403,
    en: "The device is disabled: {received}. Enable it to let it connect.",
    zh: "设备已被禁用：{received}。启用后方可连接。",
  },
  "access.device_deleted": { http: 404, en: "The device was deleted: {received}.", zh: "设备已被删除：{received}。" },
  "access.device_reset": {
    http: 403,
    en: "The device {received} was reset: it must register itself again.",
    zh: "设备 {received} 已重置，须重新注册。",
  },
  "access.token_invalid": {
    http: 401,
    en: "The token was not issued here for this iotId, or was withdrawn: {received}. Authenticate again.",
    zh: "令牌并非此处为该 iotId 签发，或已撤销：{received}。请重新认证。",
  },
  "access.token_expired": {
    http: 401,
    en: "The token expired: {received}, now {expected}. Authenticate again.",
    zh: "令牌已过期：{received}，当前时间 {expected}。请重新认证。",
  },
  "access.token_device_gone": {
    http: 401,
    en: "The token's device does not exist any more: {received}.",
    zh: "令牌所属设备已不存在：{received}。",
  },
  "access.keep_alive_out_of_range": {
    http: 400,
    en: "The keep-alive is out of range: {received}, expected {expected}.",
    zh: "保活时间超出范围：收到 {received}，应为 {expected}。",
  },
  "access.unavailable": { http: 503, en: "The device could not be checked now; try again.", zh: "暂时无法校验设备，请重试。" },
  "access.topic_wildcard": {
    http: 400,
    en: "A message cannot be published to a wildcard: {received}; expected {expected}.",
    zh: "不能向通配符发布消息：收到 {received}；应为 {expected}。",
  },
  "access.topic_too_long": {
    http: 400,
    en: "The topic is too long: {received}; expected {expected}.",
    zh: "Topic 过长：收到 {received}；应为 {expected}。",
  },
  "access.topic_direction": {
    http: 403,
    en: "The device has no right to do this on {received}; expected {expected}.",
    zh: "设备在 {received} 上没有此操作权限；应为 {expected}。",
  },
  "access.topic_undefined": {
    http: 403,
    en: "The topic {received} is not defined for the device; expected {expected}.",
    zh: "设备未定义 Topic {received}；应为 {expected}。",
  },
  "access.topic_foreign": {
    http: 403,
    en: "The topic {received} is not the device's own; expected {expected}.",
    zh: "Topic {received} 不属于该设备；应为 {expected}。",
  },
  "access.user_credentials_wrong": {
    http: 401,
    en: "User name and password do not belong to an MQTT user: {received}; expected {expected}.",
    zh: "用户名与密码不属于任何 MQTT 用户：收到 {received}；应为 {expected}。",
  },
  "access.user_deleted": { http: 404, en: "The MQTT user was deleted: {received}.", zh: "MQTT 用户已被删除：{received}。" },
  "access.user_password_changed": {
    http: 401,
    en: "The password of the MQTT user {received} was changed; connect with the new one.",
    zh: "MQTT 用户 {received} 的密码已更改；请使用新密码连接。",
  },
  "access.topic_server_owned": {
    http: 403,
    en: "Only the server writes on {received}; clients may write on {expected}.",
    zh: "{received} 仅由服务器写入；客户端可写：{expected}。",
  },
  "access.topic_not_granted": {
    http: 403,
    en: "The MQTT user has no right to do this on {received}; its rights: {expected}.",
    zh: "该 MQTT 用户在 {received} 上没有此操作权限；其权限：{expected}。",
  },
  "access.system_topic_unhandled": {
    http: 501,
    en: "The message on the system topic {received} was taken and not processed: nothing here handles it.",
    zh: "系统 Topic {received} 的消息已接收但未处理：此处没有对应的处理功能。",
  },
  "access.parameter_missing": {
    http: 400,
    en: "A field is missing: {received}; expected {expected}.",
    zh: "缺少字段：{received}；应包含 {expected}。",
  },
  "access.parameter_malformed": {
    http: 400,
    en: "A field is malformed: {received}; expected {expected}.",
    zh: "字段格式错误：收到 {received}；应为 {expected}。",
  },
  "access.too_many_fields": {
    http: 400,
    en: "The form is too large: {received}; expected {expected}.",
    zh: "表单过大：收到 {received}；应为 {expected}。",
  },
  "access.product_unknown": {
    http: 401,
    en: "There is no such product: {received}.",
    zh: "产品不存在：{received}。",
  },
  "access.registration_insecure": {
    http: 403,
    en: "Registration hands out a secret and needs TLS: {received}, expected {expected}.",
    zh: "注册会下发密钥，必须使用 TLS：收到 {received}，应为 {expected}。",
  },
  "access.registration_closed": {
    http: 403,
    en: "The product does not let devices register ({received}); expected {expected}.",
    zh: "产品未开启设备注册（{received}）；应为 {expected}。",
  },
  "access.registration_signature": {
    http: 401,
    en: "The signature made with the product secret does not match. Received: {received}. The signed text must be: {expected}.",
    zh: "用 ProductSecret 生成的签名不匹配。收到：{received}。待签名文本应为：{expected}。",
  },
  "access.registration_device_unknown": {
    http: 404,
    en: "There is no such device: {received}; expected {expected}.",
    zh: "设备不存在：{received}；应为 {expected}。",
  },
  "access.registration_activated": {
    http: 409,
    en: "The device {received} has connected before; expected {expected}.",
    zh: "设备 {received} 已激活；应为 {expected}。",
  },
  "access.registration_clients_exceeded": {
    http: 409,
    en: "Too many physical devices share the names {received}; expected {expected}.",
    zh: "共用名称 {received} 的物理设备过多；应为 {expected}。",
  },
  "access.registration_session": {
    http: 403,
    en: "This connection only hands over credentials; nothing can be sent or subscribed on it: {received}.",
    zh: "此连接仅用于下发凭证，不能发布或订阅：{received}。",
  },
  "access.registration_session_over": {
    http: 403,
    en: "The connection that handed over credentials was not closed by the device: {received}.",
    zh: "下发凭证的连接未由设备关闭：{received}。",
  },
  "access.device_token_invalid": {
    http: 401,
    en: "The token was not issued for this client id: {received}. Register again.",
    zh: "令牌并非为该 clientId 签发：{received}。请重新注册。",
  },
  "access.sub_device_offline": {
    http: 403,
    en: "The topic {received} is a sub-device's that is not logged in; expected {expected}.",
    zh: "Topic {received} 属于未登录的子设备；应为 {expected}。",
  },
  "access.certificate_unknown": {
    http: 401,
    en: "The certificate {received} is not that of this device.",
    zh: "证书 {received} 不属于该设备。",
  },
  "access.certificate_expired": { http: 401, en: "The certificate expired: {received}.", zh: "证书已过期：{received}。" },
  "access.certificate_withdrawn": {
    http: 401,
    en: "The certificate {received} was withdrawn.",
    zh: "证书 {received} 已被撤销。",
  },
  "access.certificate_invalid": {
    http: 400,
    en: "The certificate cannot be used: {received}; expected {expected}.",
    zh: "证书无效：{received}；应为 {expected}。",
  },
  "access.certificate_issuer": {
    http: 409,
    en: "The product takes certificates of another issuer: this one is of {received}, expected {expected}.",
    zh: "该产品只接受其他签发方的证书：该证书的签发方为 {received}，应为 {expected}。",
  },
  "access.no_session": {
    http: 409,
    en: "The device {received} has not connected since the server started: it has no session.",
    zh: "设备 {received} 在服务器启动后尚未连接，没有会话。",
  },
  "access.certificate_taken": {
    http: 409,
    en: "The certificate {received} is registered already.",
    zh: "证书 {received} 已登记。",
  },
  "access.certificate_not_found": {
    http: 404,
    en: "The device has no certificate {received}.",
    zh: "设备没有证书 {received}。",
  },
  "access.too_many_certificates": {
    http: 409,
    en: "The device {received} has {expected} certificates already, the most allowed.",
    zh: "设备 {received} 的证书数已达上限 {expected}。",
  },
  "access.credential_kind": {
    http: 403,
    en: "The product uses another kind of credential: {received}; expected {expected}.",
    zh: "产品使用其他类型的凭证：收到 {received}；应为 {expected}。",
  },
  "access.protocol_level": {
    http: 400,
    en: "This version of MQTT is not spoken here: {received}; expected {expected}.",
    zh: "此处不支持该 MQTT 版本：收到 {received}；应为 {expected}。",
  },
  "access.credentials_missing": {
    http: 401,
    en: "The client asked for an AWS IoT endpoint and brought {received}; expected {expected}.",
    zh: "客户端访问 AWS IoT 端点，但凭证为 {received}；应提供：{expected}。",
  },
  "access.certificate_unregistered": {
    http: 401,
    en: "The certificate {received} is not registered, and no registered CA that takes new ones has signed it.",
    zh: "证书 {received} 未登记，也不是由可自动注册的已登记 CA 签发。",
  },
  "access.certificate_inactive": {
    http: 403,
    en: "The certificate may not be used: {received}; expected {expected}.",
    zh: "证书不可用：{received}；应为 {expected}。",
  },
  "access.certificate_just_registered": {
    http: 403,
    en: "The certificate was registered by this connection: {received}. The device has to connect again.",
    zh: "证书已由此连接登记：{received}。设备须重新连接。",
  },
  "access.server_name_missing": {
    http: 400,
    en: "The certificate is good only for clients that name the server: {received}; expected {expected}.",
    zh: "该证书只用于提供服务器名称的客户端：收到 {received}；应为 {expected}。",
  },
  "access.policy_denied": {
    http: 403,
    en: "The policies do not allow {received}; expected {expected}.",
    zh: "策略不允许 {received}；应为 {expected}。",
  },
  "access.topic_reserved": {
    http: 403,
    en: "The topic {received} is reserved or not defined; expected {expected}.",
    zh: "Topic {received} 为保留或未定义的 Topic；应为 {expected}。",
  },
  "access.retain_reserved": {
    http: 403,
    en: "Nothing is retained on the reserved topic {received}; expected {expected}.",
    zh: "保留 Topic {received} 上不能发布保留消息；应为 {expected}。",
  },
  "access.qos_refused": {
    http: 400,
    en: "This quality of service is not offered: {received}; expected {expected}.",
    zh: "不支持此 QoS：收到 {received}；应为 {expected}。",
  },
  "access.request_signature": {
    http: 401,
    en: "The signature of the WebSocket request is not good: {received}; expected {expected}.",
    zh: "WebSocket 请求的签名无效：{received}；应为 {expected}。",
  },
  "access.authorizer_unknown": {
    http: 401,
    en: "There is no such authorizer: {received}; expected {expected}.",
    zh: "授权方不存在：{received}；应为 {expected}。",
  },
  "access.authorizer_token": {
    http: 401,
    en: "The token for the authorizer is not good: {received}; expected {expected}.",
    zh: "授权方的令牌无效：{received}；应为 {expected}。",
  },
  "access.authorizer_failed": {
    http: 502,
    en: "The authorizer could not be asked: {received}; expected {expected}.",
    zh: "无法询问授权方：{received}；应为 {expected}。",
  },
  "access.authorizer_refused": {
    http: 403,
    en: "The authorizer {received} did not let the client in; expected {expected}.",
    zh: "授权方 {received} 拒绝了该客户端；应为 {expected}。",
  },
  "access.connection_lifetime": {
    http: 403,
    en: "The connection reached its longest time, {received}; expected {expected}.",
    zh: "连接已达最长时间 {received}；应为 {expected}。",
  },
} as const satisfies ErrorTable;
