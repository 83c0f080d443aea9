export { type AlibabaApiPorts, type AlibabaCall, createAlibabaApi } from "./alibaba-api.ts";
export { type AlibabaApiLimits, defaultAlibabaApiLimits } from "./limits.ts";
