import type { ErrorTable } from "./platform-error.ts";

/** Codes of the log about itself: some are thrown or reported, `suppressed` and `lost` are codes of entries. */
export const deviceLogErrors = {
  "device_log.suppressed": {
    http: 429,
    en: "{count} entries were not logged: more arrived than the log takes.",
    zh: "有 {count} 条日志因超过速率限制而未记录。",
  },
  "device_log.lost": {
    http: 500,
    en: "{count} entries were lost: the store did not take them and memory for them ran out.",
    zh: "有 {count} 条日志丢失：存储不可写，且内存缓冲已满。",
  },
  "device_log.store_failed": {
    http: 500,
    en: "The device log cannot be stored; entries are kept in memory and tried again: {problem}",
    zh: "设备日志无法存储，已保留在内存中并将重试：{problem}",
  },
  "device_log.invalid_limit": {
    http: 400,
    alibaba: "iot.common.InvalidPageParams",
    en: "A page of {received} entries is not possible. Expected 1 to {expected}.",
    zh: "每页条数 {received} 无效，应为 1 到 {expected}。",
  },
  "device_log.too_many_followers": {
    http: 503,
    en: "{expected} are following the device log already, the most allowed.",
    zh: "正在跟踪设备日志的连接数已达上限 {expected}。",
  },
} as const satisfies ErrorTable;
