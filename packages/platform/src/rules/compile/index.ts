export { toAwsText } from "./aws-value.ts";
export { type CompiledRule, type CompileOptions, compileAwsExpression, compileSql, type RuleOutput } from "./compile-sql.ts";
export type { FunctionSettings } from "./functions.ts";
export { compilePath } from "./path.ts";
export { type DeviceOfTopic, type Publisher, ReadFirst, RuleMessage, type ShadowReader } from "./rule-message.ts";
export { formatJson, type SqlValue, toText, type Value } from "./value.ts";
