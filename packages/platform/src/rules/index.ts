export { defaultRuleLimits, type RuleLimits } from "./limits.ts";
export type * from "./ports.ts";
export type * from "./rule.ts";
export { createRuleEngine, type RuleEnginePorts } from "./rule-engine.ts";
export * from "./sinks/index.ts";
