import type { ErrorTable } from "./platform-error.ts";

/** Refusals of the room of things. `{path}` is a place in a model or in values (`RGBColor.Red`). */
export const thingErrors = {
  "things.model_invalid": {
    http: 400,
    alibaba: "iot.prod.InvalidThingModelTsl",
    en: "The thing model cannot be used: {problems}",
    zh: "物模型不可用：{problems}",
  },
  "things.no_model": {
    http: 409,
    alibaba: "iot.prod.NotExistedThingModel",
    en: "The product {productKey} has no published thing model; publish one first.",
    zh: "产品 {productKey} 没有已发布的物模型，请先发布。",
  },
  "things.draft_empty": {
    http: 409,
    alibaba: "iot.prod.NotExistedThingModel",
    en: "The product {productKey} has no draft of a thing model; import one first.",
    zh: "产品 {productKey} 没有物模型草稿，请先导入。",
  },
  "things.module_not_found": {
    http: 404,
    alibaba: "iot.prod.NotExistedFunctionBlock",
    en: "The draft of product {productKey} has no module {functionBlockId}.",
    zh: "产品 {productKey} 的草稿中没有模块 {functionBlockId}。",
  },
  "things.version_not_found": {
    http: 404,
    alibaba: "iot.prod.NotExistedThingModelVersion",
    en: "The product {productKey} has no published thing model of version {version}.",
    zh: "产品 {productKey} 没有版本为 {version} 的已发布物模型。",
  },
  "things.version_taken": {
    http: 409,
    alibaba: "iot.prod.AlreadyExistedThingModelVersion",
    en: "The product {productKey} has a thing model of version {version} already.",
    zh: "产品 {productKey} 已有版本为 {version} 的物模型。",
  },
  "things.version_invalid": {
    http: 400,
    alibaba: "iot.prod.InvalidThingModelVersion",
    en: "The version is {received}; expected {expected}.",
    zh: "版本为 {received}，应为 {expected}。",
  },
  "things.description_too_long": {
    http: 400,
    alibaba: "iot.prod.InvalidThingModelDescription",
    en: "The description has {received} characters; at most {expected} are allowed.",
    zh: "描述长度为 {received} 个字符，最多允许 {expected} 个。",
  },
  "things.value_invalid": {
    http: 400,
    alibaba: "iot.device.InvalidPropertyValue",
    en: "The values do not fit the thing model: {problems}",
    zh: "取值不符合物模型：{problems}",
  },
  "things.property_unknown": {
    http: 404,
    alibaba: "iot.device.PropertyNotFound",
    en: "The thing model of product {productKey} has no property {identifier}.",
    zh: "产品 {productKey} 的物模型中没有属性 {identifier}。",
  },
  "things.service_unknown": {
    http: 404,
    alibaba: "iot.device.ServiceNotFound",
    en: "The thing model of product {productKey} has no service {identifier}.",
    zh: "产品 {productKey} 的物模型中没有服务 {identifier}。",
  },
  "things.device_offline": {
    http: 409,
    alibaba: "iot.device.DeviceOffline",
    en: "The device {deviceName} is not connected.",
    zh: "设备 {deviceName} 未连接。",
  },
  "things.call_timeout": {
    http: 504,
    alibaba: "iot.device.ServiceCallTimeout",
    en: "The device {deviceName} did not answer within {milliseconds} ms.",
    zh: "设备 {deviceName} 在 {milliseconds} 毫秒内未应答。",
  },
  "things.timeout_range": {
    http: 400,
    alibaba: "iot.system.ParameterError",
    en: "The timeout is {received} ms; expected {expected}.",
    zh: "超时为 {received} 毫秒，应为 {expected}。",
  },
  "things.desired_version": {
    http: 409,
    alibaba: "iot.device.DesiredVersionConflict",
    en: "The desired value of {identifier} has version {expected}; {received} was given. Nothing was changed.",
    zh: "属性 {identifier} 的期望值版本为 {expected}，收到 {received}。未作任何更改。",
  },
  "things.too_many_values": {
    http: 400,
    alibaba: "iot.system.ParameterError",
    en: "{received} values were given; at most {expected} are taken at once.",
    zh: "一次提交了 {received} 个值，最多 {expected} 个。",
  },
  "things.time_range": {
    http: 400,
    alibaba: "iot.device.InvalidTimeBucket",
    en: "The time range is {received}; expected {expected}.",
    zh: "时间范围为 {received}，应为 {expected}。",
  },
  "things.page_size": {
    http: 400,
    alibaba: "iot.system.ParameterError",
    en: "The page is to have {received} entries; expected {expected}.",
    zh: "每页条数为 {received}，应为 {expected}。",
  },
  "things.cursor_invalid": {
    http: 400,
    alibaba: "iot.system.ParameterError",
    en: "The cursor is not one that this server gave.",
    zh: "游标无效，不是本服务器给出的游标。",
  },
  "things.history_busy": {
    http: 503,
    alibaba: "iot.system.SystemException",
    en: "The history cannot take more: {expected} values wait for the disk already. Try again.",
    zh: "历史存储已满负荷：已有 {expected} 个值等待写盘，请稍后重试。",
  },
  "things.history_failed": {
    http: 500,
    alibaba: "iot.system.SystemException",
    en: "The history {file} failed: {problem}. It is tried again; what waits is kept in memory and not acknowledged.",
    zh: "历史数据库 {file} 出错：{problem}。将重试；等待写入的数据保留在内存中且不予确认。",
  },
  "things.records_dropped": {
    http: 500,
    alibaba: "iot.system.SystemException",
    en: "Records of the device {iotId} could not be put into {file} and are dropped: {problem}. This is a fault of the server.",
    zh: "设备 {iotId} 的记录无法写入 {file}，已丢弃：{problem}。这是服务器的缺陷。",
  },
  "things.too_many_modules": {
    http: 409,
    alibaba: "iot.prod.TooManyFunctionBlocks",
    en: "The product {productKey} has {expected} custom modules already, as many as are allowed.",
    zh: "产品 {productKey} 的自定义模块数已达上限 {expected}。",
  },
  "things.series_max": {
    http: 409,
    alibaba: "iot.system.ParameterError",
    en: "A device reported more than {expected} different properties; values of further ones are not kept.",
    zh: "某设备上报的不同属性超过 {expected} 个，超出部分不保存。",
  },
} as const satisfies ErrorTable;
