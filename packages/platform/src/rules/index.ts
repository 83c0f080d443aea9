export { defaultRuleLimits } from "./limits.ts";
export type * from "./ports.ts";
export type * from "./rule.ts";
export { awsSqlVersions } from "./rule.ts";
export { createRuleEngine, defaultRuleSettings, type RuleEnginePorts } from "./rule-engine.ts";
export {
  createAddressPolicy,
  createHttpWebhookSender,
  type WebhookOutcome,
  type WebhookRequest,
} from "./sinks/index.ts";
export { readTopicPattern } from "./topic-pattern.ts";
