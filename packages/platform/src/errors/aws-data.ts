import type { ErrorTable } from "./platform-error.ts";

/** Refusals of the AWS data plane (aws-iot.md, 15.1). */
export const awsDataErrors = {
  "aws.topic_invalid": {
    http: 400,
    aws: "InvalidRequest",
    en: "Nothing can be published there: received {received}, expected {expected}.",
    zh: "无法发布到该主题：收到 {received}，应为 {expected}。",
  },
  "aws.message_too_large": {
    http: 413,
    aws: "RequestEntityTooLarge",
    en: "The message has {received} bytes; at most {expected} are taken.",
    zh: "消息为 {received} 字节，最多 {expected} 字节。",
  },
  "aws.retained_not_found": {
    http: 404,
    aws: "ResourceNotFound",
    en: "There is no retained message on {received}.",
    zh: "主题 {received} 没有保留消息。",
  },
  "aws.retained_limit": {
    http: 429,
    aws: "Throttling",
    en: "The message on {received} was published but not retained: there are too many retained messages.",
    zh: "主题 {received} 的消息已发布但未保留：保留消息过多。",
  },
  "aws.connection_not_found": {
    http: 404,
    aws: "ResourceNotFound",
    en: "No client {clientId} is connected.",
    zh: "客户端 {clientId} 未连接。",
  },
  "aws.connection_deleted": {
    http: 410,
    en: "The connection was ended by {received}: connect again.",
    zh: "连接已被 {received} 断开，请重新连接。",
  },
  "aws.message_not_received": {
    http: 403,
    aws: "Forbidden",
    en: "The client {clientId} may not receive messages on {received}.",
    zh: "客户端 {clientId} 无权接收主题 {received} 的消息。",
  },
  "aws.confirmation_late": {
    http: 504,
    aws: "GatewayTimeout",
    en: "The client {clientId} did not confirm the message within {expected} seconds.",
    zh: "客户端 {clientId} 在 {expected} 秒内未确认消息。",
  },
  "aws.query_invalid": {
    http: 400,
    aws: "InvalidQuery",
    en: "The query cannot be read: received {received}, expected {expected}.",
    zh: "查询语句无效：收到 {received}，应为 {expected}。",
  },
  "aws.index_off": {
    http: 404,
    aws: "ResourceNotFound",
    en: "Index {received} does not exist: switch it on by UpdateIndexingConfiguration (thingIndexingMode is OFF).",
    zh: "索引 {received} 不存在：请通过 UpdateIndexingConfiguration 开启（thingIndexingMode 为 OFF）。",
  },
  "aws.index_unknown": {
    http: 404,
    aws: "ResourceNotFound",
    en: "There is no index {received}; expected {expected}.",
    zh: "索引 {received} 不存在；应为 {expected}。",
  },
  "aws.connectivity_unknown": {
    http: 404,
    aws: "ResourceNotFound",
    en: "Nothing is known of a connection of {received} since the server started, or within half an hour.",
    zh: "自服务器启动以来或半小时内没有 {received} 的连接信息。",
  },
  "aws.token_invalid": {
    http: 400,
    aws: "InvalidRequest",
    en: "nextToken is not one of this list: received {received}.",
    zh: "nextToken 无效：收到 {received}。",
  },
  "aws.metrics_malformed": {
    http: 400,
    aws: "InvalidRequest",
    en: "The report of metrics cannot be read: {received}; expected {expected}.",
    zh: "无法读取指标报告：{received}；应为 {expected}。",
  },
  "aws.metrics_not_judged": {
    http: 200,
    en: "The metrics were accepted; nothing here judges them but rules on their topic.",
    zh: "指标已接受；除该 Topic 上的规则外，本服务器不作分析。",
  },
} as const satisfies ErrorTable;
