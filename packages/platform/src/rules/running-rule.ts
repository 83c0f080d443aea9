import type { PreparedAction } from "./action.ts";
import type { CompiledRule } from "./compile/index.ts";
import type { RuleLanguage, RuleStatistics } from "./rule.ts";

/** A rule as messages meet it. Replaced as a whole when the rule changes; messages on their way keep the one they met. */
export interface RunningRule {
  id: number;
  name: string;
  language: RuleLanguage;
  compiled: CompiledRule;
  actions: readonly PreparedAction[];
  errorAction: PreparedAction | undefined;
  statistics: RuleStatistics;
}
