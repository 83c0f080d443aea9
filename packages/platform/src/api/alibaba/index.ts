export { createAlibabaApi } from "./alibaba-api.ts";
export { defaultAlibabaApiLimits } from "./limits.ts";
