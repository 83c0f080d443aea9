import type { Clock, Random } from "../clock.ts";
import { compileSql, type FunctionSettings, formatJson, RuleMessage } from "./compile/index.ts";
import type { RuleLimits } from "./limits.ts";
import type { AwsSqlVersion, RuleEngine, RuleLanguage } from "./rule.ts";
import { asRuleError } from "./rule-error.ts";
import { deviceOfTopic } from "./rule-log.ts";

export interface CheckPorts {
  language?: RuleLanguage;
  sqlVersion?: AwsSqlVersion;
  limits: RuleLimits;
  settings: FunctionSettings;
  clock: Clock;
  random: Random;
}

/** A rule tried on one message: nothing is sent and nothing is counted. A failed run is a problem at the start of the text. */
export function checkSql(
  sql: string,
  sample: Parameters<RuleEngine["check"]>[1],
  { clock, random, ...options }: CheckPorts,
): ReturnType<RuleEngine["check"]> {
  const { rule, problems } = compileSql(sql, options);
  if (rule === undefined || sample === undefined) return { problems };
  if (!rule.matchesTopic(sample.topic)) return { problems, isMatch: false };
  const known = deviceOfTopic(sample.topic) ?? { productKey: "", deviceName: "" };
  const device = { productKey: sample.productKey ?? known.productKey, deviceName: sample.deviceName ?? known.deviceName };
  try {
    const output = rule.run(new RuleMessage({ topic: sample.topic, bytes: sample.payload, device, time: clock.now(), random }));
    if (output === undefined) return { problems, isMatch: false };
    const { value, bytes } = output;
    // What an AWS rule makes of a payload that is no JSON.
    if (value === undefined && options.language === "aws") return { problems, isMatch: true, result: bytes };
    return { problems, isMatch: true, result: JSON.parse(formatJson(value ?? null)) };
  } catch (error) {
    const failure = asRuleError(error, "rules.evaluation_failed");
    return { problems: [{ message: failure.message, line: 1, column: 1 }], isMatch: false };
  }
}
