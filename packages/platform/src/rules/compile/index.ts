export { type CompiledRule, compileSql, type RuleOutput } from "./compile-sql.ts";
export type { FunctionSettings } from "./functions.ts";
export { compilePath } from "./path.ts";
export { type DeviceOfTopic, RuleMessage } from "./rule-message.ts";
export { formatJson, toText, type Value } from "./value.ts";
