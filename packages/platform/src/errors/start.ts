import type { ErrorTable } from "./platform-error.ts";

export const startErrors = {
  "start.config_unreadable": {
    http: 500,
    en: "the configuration file {file} can't be read: {reason}",
    zh: "无法读取配置文件 {file}：{reason}",
  },
  "start.config_damaged": { http: 500, en: "the configuration file {file} is damaged: {reason}", zh: "配置文件 {file} 已损坏：{reason}" },
  "start.setting_unknown": {
    http: 500,
    en: "unknown setting {path}; nearest known: {nearest}",
    zh: "未知设置项 {path}；最接近的设置项：{nearest}",
  },
  "start.setting_invalid": {
    http: 500,
    en: "setting {path} ({variable}) is {received}: expected {expected}",
    zh: "设置项 {path}（{variable}）的值为 {received}：应为 {expected}",
  },
  "start.setting_unsupported": {
    http: 500,
    en: "setting {path}={received} is not supported by this version: expected {expected}",
    zh: "此版本不支持设置项 {path}={received}：应为 {expected}",
  },
  "start.plain_anonymous": {
    http: 500,
    en: "setting plain=anonymous: every MQTT client is let in without credentials and may read and write every topic, those of devices too. For development only",
    zh: "设置项 plain=anonymous：任何 MQTT 客户端无需凭证即可接入，并可读写所有 Topic（包括设备的 Topic）。仅限开发使用",
  },
  "start.data_dir_unwritable": {
    http: 500,
    en: "the data directory {dataDir} can't be written: {reason}. Choose another with --data-dir or THINGSTEAD_DATA_DIR",
    zh: "数据目录 {dataDir} 无法写入：{reason}。请用 --data-dir 或 THINGSTEAD_DATA_DIR 指定其他目录",
  },
} as const satisfies ErrorTable;
