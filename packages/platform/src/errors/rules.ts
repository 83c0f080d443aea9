import type { ErrorTable } from "./platform-error.ts";

export const ruleErrors = {
  "rules.not_found": {
    http: 404,
    alibaba: "iot.rule.NotFoundRule",
    en: "There is no rule {id}.",
    zh: "规则 {id} 不存在。",
  },
  "rules.action_not_found": {
    http: 404,
    alibaba: "iot.rule.NotFoundRuleAction",
    en: "There is no rule action {id}.",
    zh: "规则动作 {id} 不存在。",
  },
  "rules.dead_letter_not_found": { http: 404, en: "There is no dead letter {id}.", zh: "死信 {id} 不存在。" },
  "rules.name_taken": {
    http: 409,
    alibaba: "iot.rule.RuleNameIsAlreadyExisted",
    en: "Another rule is called {name}.",
    zh: "已有名为 {name} 的规则。",
  },
  "rules.field_invalid": {
    http: 400,
    alibaba: "iot.common.InvalidFormattedParameter",
    en: "{field} of a rule is {received}; expected {expected}.",
    zh: "规则的 {field} 为 {received}；应为 {expected}。",
  },
  "rules.too_many": {
    http: 409,
    alibaba: "iot.rule.RuleCountExceedMax",
    en: "There are {maximum} rules already; no more are allowed.",
    zh: "规则数已达上限 {maximum}。",
  },
  "rules.too_many_actions": {
    http: 409,
    alibaba: "iot.rule.TooManyRuleAction",
    en: "A rule has at most {maximum} actions; {received} were given.",
    zh: "一条规则最多 {maximum} 个动作；收到 {received} 个。",
  },
  "rules.sql_missing": {
    http: 409,
    alibaba: "iot.rule.NullSqlForRule",
    en: 'Rule {id} has no SQL yet; it needs SELECT … FROM "…" before it can start.',
    zh: '规则 {id} 尚无 SQL；启动前需要 SELECT … FROM "…"。',
  },
  "rules.sql_invalid": {
    http: 400,
    alibaba: "iot.messagebroker.IncorrectRuleSql",
    en: "The SQL has {problems} problem(s); the first in line {line}, column {column}: {problem}.",
    zh: "SQL 有 {problems} 处错误；第一处在第 {line} 行第 {column} 列：{problem}。",
  },
  "rules.no_action": {
    http: 409,
    alibaba: "iot.rule.NullForwardDestForRule",
    en: "Rule {id} has no action; a running rule needs at least one.",
    zh: "规则 {id} 没有动作；运行中的规则至少需要一个。",
  },
  "rules.already_running": {
    http: 409,
    alibaba: "iot.ruleng.RuleAlreadyIsStarted",
    en: "Rule {id} is running already.",
    zh: "规则 {id} 已在运行。",
  },
  "rules.running": { http: 409, en: "Rule {id} is running; stop it before deleting it.", zh: "规则 {id} 正在运行；请先停止再删除。" },
  "rules.action_invalid": {
    http: 400,
    alibaba: "iot.rule.ParseRuleActionConfigError",
    en: "{field} of a rule action is {received}; expected {expected}.",
    zh: "规则动作的 {field} 为 {received}；应为 {expected}。",
  },
  "rules.address_refused": {
    http: 400,
    en: "Webhooks may not call {host}{address}: the address is not public. The setting rules.webhookAllow names exceptions.",
    zh: "Webhook 不可访问 {host}{address}：不是公网地址。例外可写入 rules.webhookAllow。",
  },
  "rules.payload_not_json": {
    http: 422,
    en: "The payload ({received}) is not JSON, so a JSON rule skipped the message.",
    zh: "消息体（{received}）不是 JSON，JSON 规则已跳过该消息。",
  },
  "rules.value_kind": {
    http: 422,
    en: "The SQL met {received} where it needs {expected}.",
    zh: "SQL 需要 {expected}，却得到 {received}。",
  },
  "rules.evaluation_failed": { http: 500, en: "The SQL could not be run: {reason}.", zh: "SQL 运行失败：{reason}。" },
  "rules.result_too_large": {
    http: 413,
    en: "The result is {received} long; at most {maximum} bytes or characters are allowed.",
    zh: "结果长度为 {received}；上限为 {maximum} 字节或字符。",
  },
  "rules.placeholder_missing": {
    http: 422,
    en: "{template} cannot be filled: the SQL result has no value for {name}.",
    zh: "无法填充 {template}：SQL 结果中没有 {name} 的值。",
  },
  "rules.placeholder_invalid": {
    http: 422,
    en: "{template} cannot be filled: {name} holds /, + or #, is empty, or is only dots.",
    zh: "无法填充 {template}：{name} 含有 /、+ 或 #，或为空，或仅为点号。",
  },
  "rules.loop_cut": {
    http: 508,
    en: "The message went through {hops} rules; at most {maximum} are allowed, so the chain was cut.",
    zh: "消息已经过 {hops} 条规则；上限 {maximum}，链路已中断。",
  },
  "rules.fan_out_cut": {
    http: 508,
    en: "Rules made {maximum} messages of one; no more are allowed, so the rest was cut. Look for a rule that reads what it publishes.",
    zh: "规则已由一条消息产生 {maximum} 条消息，达到上限，其余已中断。请检查是否有规则读取自己发布的主题。",
  },
  "rules.queue_full": {
    http: 503,
    en: "{queue} is full ({maximum}).",
    zh: "{queue} 已满（{maximum}）。",
  },
  "rules.action_failed": { http: 502, en: "The action failed: {reason}.", zh: "动作失败：{reason}。" },
  "rules.webhook_status": { http: 502, en: "The webhook answered {status}.", zh: "Webhook 返回 {status}。" },
  "rules.webhook_timeout": {
    http: 504,
    en: "The webhook did not answer within {milliseconds} ms.",
    zh: "Webhook 在 {milliseconds} 毫秒内没有响应。",
  },
  "rules.webhook_unreachable": { http: 502, en: "The webhook could not be called: {reason}.", zh: "无法调用 Webhook：{reason}。" },
  "rules.store_failed": {
    http: 503,
    en: "The store did not take {what}: {reason}. It is tried again.",
    zh: "存储未能写入 {what}：{reason}。将重试。",
  },
} as const satisfies ErrorTable;
