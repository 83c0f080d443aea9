export { type AccessKey, type AccessKeys, createAccessKeys } from "./access-keys.ts";
export { type AlibabaCall, createAlibabaApi, defaultAlibabaApiLimits } from "./alibaba/index.ts";
export type { HealthStatus } from "./health.ts";
export { type ApiLimits, defaultApiLimits } from "./limits.ts";
export type { ApiPorts } from "./ports.ts";
export type { RawApiRequest, RawApiResponse } from "./raw-request.ts";
export { type Api, openApi } from "./server.ts";
