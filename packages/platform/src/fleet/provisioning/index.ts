export type { HookCaller } from "./hook.ts";
export { defaultProvisioningLimits, type ProvisioningLimits } from "./limits.ts";
export { createProvisioning, type Provisioning, type ProvisionRequest } from "./provisioning.ts";
export { type TemplateRecord, type TemplateVersion, templateTypes } from "./template-book.ts";
