import type { PreparedAction } from "./action.ts";
import type { CompiledRule } from "./compile/index.ts";
import type { RuleStatistics } from "./rule.ts";

/** A rule as messages meet it. Replaced as a whole when the rule changes; messages on their way keep the one they met. */
export interface RunningRule {
  id: number;
  name: string;
  dataType: "json" | "binary";
  compiled: CompiledRule;
  actions: readonly PreparedAction[];
  statistics: RuleStatistics;
}
