export { type AccessKey, type AccessKeys, createAccessKeys } from "./access-keys.ts";
export type { RawApiRequest, RawApiResponse } from "./raw-request.ts";
