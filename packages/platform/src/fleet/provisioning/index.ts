export type { Provisioned } from "./apply-plan.ts";
export type { ProvisioningClaim } from "./claims.ts";
export type { HookCaller } from "./hook.ts";
export { defaultProvisioningLimits, type ProvisioningLimits } from "./limits.ts";
export { createProvisioning, type Provisioning, type ProvisioningPorts, type ProvisionRequest } from "./provisioning.ts";
export {
  type ProvisioningTemplates,
  type TemplateRecord,
  type TemplateType,
  type TemplateVersion,
  templateTypes,
} from "./template-book.ts";
