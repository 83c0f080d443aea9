import type { ErrorTable } from "./platform-error.ts";

export const scriptErrors = {
  "scripts.too_large": {
    http: 413,
    alibaba: "iot.prod.InvalidScriptContent",
    en: "The script has {received} bytes; at most {expected} are allowed.",
    zh: "脚本为 {received} 字节，最多 {expected} 字节。",
  },
  "scripts.code_invalid": {
    http: 422,
    alibaba: "iot.prod.InvalidScriptContent",
    en: "The script cannot be loaded: {received}.",
    zh: "脚本无法加载：{received}。",
  },
  "scripts.not_found": {
    http: 404,
    alibaba: "iot.prod.NotExistedScript",
    en: "The product {productKey} has no script.",
    zh: "产品 {productKey} 没有解析脚本。",
  },
  "scripts.busy": { http: 503, en: "Too many scripts run already. Try again.", zh: "正在运行的脚本过多，请稍后重试。" },
} as const satisfies ErrorTable;
