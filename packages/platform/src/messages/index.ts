export { createMessages } from "./create-messages.ts";
export { defaultMessageLimits } from "./limits.ts";
export type * from "./messages.ts";
