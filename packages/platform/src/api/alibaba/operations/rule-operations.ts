/** SQL rules (reference 1.8.J, 2.1, 2.7). */
import { PlatformError } from "../../../errors/index.ts";
import type { Rule, RuleAction, RuleActionRecord, RuleEngine } from "../../../rules/index.ts";
import { defineOperation, type OperationTable, readPage } from "../operation.ts";
import { joinRuleParts, joinTopic, type RuleParts, splitRuleSql, splitTopic } from "../rule-parts.ts";
import { formatJavaDate, formatUtc } from "../vendor-times.ts";

const sqlParts = {
  ProductKey: "text?",
  Select: "text?",
  ShortTopic: "text?",
  Topic: "text?",
  TopicType: "integer?",
  Where: "text?",
} as const;

interface SqlPartsInput {
  readonly ProductKey: string | undefined;
  readonly Select: string | undefined;
  readonly ShortTopic: string | undefined;
  readonly Topic: string | undefined;
  readonly TopicType: number | undefined;
  readonly Where: string | undefined;
}

const noParts: RuleParts = { select: "", where: "", ...splitTopic("") };
const dataTypes: Readonly<Record<string, Rule["dataType"]>> = { JSON: "json", BINARY: "binary" };

export const ruleOperations: OperationTable = {
  CreateRule: defineOperation({ Name: "text", RuleDesc: "text?", DataType: "text?", ...sqlParts }, async (input, { rules }) => {
    const dataType = dataTypes[input.DataType || "JSON"];
    if (dataType === undefined) throw new PlatformError("alibaba.rule_data_type_invalid", { received: input.DataType ?? "" });
    const parts = changeParts(noParts, input);
    const { id } = await rules.create({ name: input.Name, description: input.RuleDesc ?? "", sql: joinRuleParts(parts), dataType });
    return { RuleId: id };
  }),

  UpdateRule: defineOperation({ RuleId: "integer", Name: "text?", RuleDesc: "text?", ...sqlParts }, async (input, { rules }) => {
    const rule = await getOwn(input.RuleId, rules);
    const change: Parameters<RuleEngine["update"]>[1] = {};
    if (input.Name) change.name = input.Name;
    if (input.RuleDesc !== undefined) change.description = input.RuleDesc;
    if (Object.keys(sqlParts).some((name) => input[name as keyof SqlPartsInput] !== undefined)) {
      change.sql = joinRuleParts(changeParts(splitRuleSql(rule.sql) ?? noParts, input));
    }
    await rules.update(input.RuleId, change);
    return {};
  }),

  GetRule: defineOperation({ RuleId: "integer" }, async (input, { rules }) => {
    const rule = await getOwn(input.RuleId, rules);
    return { RuleInfo: { ...showRule(rule), TopicType: partsOf(rule).topicType } };
  }),

  ListRule: defineOperation({ CurrentPage: "integer", PageSize: "integer" }, async (input, { rules, limits }) => {
    const { page, pageSize } = readPage(input.CurrentPage, input.PageSize, limits.rulePageEntriesMax);
    const { items, total } = await rules.list({ page, pageSize }, "alibaba");
    return { Data: { RuleInfo: items.map(showRule) }, Page: page, PageSize: pageSize, Total: total };
  }),

  DeleteRule: defineOperation({ RuleId: "integer" }, async (input, { rules }) => {
    await getOwn(input.RuleId, rules);
    await rules.delete(input.RuleId);
    return {};
  }),

  StartRule: defineOperation({ RuleId: "integer" }, async (input, { rules }) => {
    const { sql } = await getOwn(input.RuleId, rules);
    const parts = splitRuleSql(sql);
    // A statement of another form is for the rule engine to judge.
    if (parts?.select === "") throw new PlatformError("alibaba.rule_sql_missing", { parameter: "Select" });
    if (parts?.productKey === "") throw new PlatformError("alibaba.rule_sql_missing", { parameter: "ProductKey" });
    if (parts?.shortTopic === "") throw new PlatformError("alibaba.rule_sql_missing", { parameter: "ShortTopic" });
    await rules.start(input.RuleId);
    return {};
  }),

  StopRule: defineOperation({ RuleId: "integer" }, async (input, { rules }) => {
    await getOwn(input.RuleId, rules);
    await rules.stop(input.RuleId);
    return {};
  }),

  CreateRuleAction: defineOperation(
    { RuleId: "integer", Type: "text", Configuration: "text", ErrorActionFlag: "boolean?" },
    async (input, { rules }) => {
      if (input.ErrorActionFlag) throw new PlatformError("alibaba.rule_error_action_not_supported");
      await getOwn(input.RuleId, rules);
      const { id } = await rules.addAction(input.RuleId, readAction(input.Type, input.Configuration));
      return { ActionId: id };
    },
  ),

  GetRuleAction: defineOperation({ ActionId: "integer" }, async (input, { rules, limits }) => {
    const record = await findAction(input.ActionId, rules, limits.rulePageEntriesMax);
    return { RuleActionInfo: showAction(record) };
  }),

  ListRuleActions: defineOperation({ RuleId: "integer" }, async (input, { rules }) => {
    const { actions } = await getOwn(input.RuleId, rules);
    return { RuleActionList: { RuleActionInfo: actions.map(showAction) } };
  }),

  UpdateRuleAction: defineOperation({ ActionId: "integer", Type: "text", Configuration: "text" }, async (input, { rules, limits }) => {
    await findAction(input.ActionId, rules, limits.rulePageEntriesMax);
    await rules.updateAction(input.ActionId, readAction(input.Type, input.Configuration));
    return {};
  }),

  DeleteRuleAction: defineOperation({ ActionId: "integer" }, async (input, { rules, limits }) => {
    await findAction(input.ActionId, rules, limits.rulePageEntriesMax);
    await rules.removeAction(input.ActionId);
    return {};
  }),
};

/** Rules in another cloud's SQL are not this API's. */
async function getOwn(ruleId: number, rules: RuleEngine): Promise<Rule> {
  const rule = await rules.get(ruleId);
  if (rule.language !== "alibaba") throw new PlatformError("rules.not_found", { id: ruleId });
  return rule;
}

/** A statement that is not of the vendor's form (made by our own API) shows as a whole in Select. */
function partsOf({ sql }: Rule): RuleParts {
  return splitRuleSql(sql) ?? { ...noParts, select: sql };
}

function changeParts(known: RuleParts, input: SqlPartsInput): RuleParts {
  const topic = changeTopic(known, input);
  return { ...splitTopic(topic), select: input.Select?.trim() ?? known.select, where: input.Where?.trim() ?? known.where };
}

/** `ProductKey` and `ShortTopic` make the topic; a whole `Topic` counts when there is no short one. */
function changeTopic(known: RuleParts, { ProductKey, ShortTopic, Topic, TopicType }: SqlPartsInput): string {
  const topicType = TopicType ?? known.topicType;
  if (topicType !== 0 && topicType !== 1 && topicType !== 2) {
    throw new PlatformError("alibaba.rule_topic_type_invalid", { received: topicType });
  }
  if (ShortTopic === undefined && Topic) return Topic;
  if (ProductKey === undefined && ShortTopic === undefined && TopicType === undefined) return known.topic;
  return joinTopic(ProductKey ?? known.productKey, ShortTopic ?? known.shortTopic, topicType);
}

function showRule(rule: Rule) {
  const { select, productKey, shortTopic, topic, where } = partsOf(rule);
  return {
    Id: rule.id,
    Name: rule.name,
    RuleDesc: rule.description,
    Status: rule.isRunning ? "RUNNING" : "STOP",
    DataType: rule.dataType === "json" ? "JSON" : "BINARY",
    Select: select,
    ProductKey: productKey,
    ShortTopic: shortTopic,
    Topic: topic,
    Where: where,
    Created: formatJavaDate(rule.createdAt),
    Modified: formatJavaDate(rule.modifiedAt),
    UtcCreated: formatUtc(rule.createdAt),
    UtcModified: formatUtc(rule.modifiedAt),
  };
}

function readAction(type: string, configuration: string): RuleAction {
  if (type !== "REPUBLISH") throw new PlatformError("alibaba.rule_action_type_not_supported", { received: type, expected: "REPUBLISH" });
  const value = parseJson(configuration);
  const topic = value !== null && typeof value === "object" && "topic" in value ? value.topic : undefined;
  if (typeof topic !== "string" || topic === "") {
    const expected = '{"topic":"/productKey/deviceName/user/get","topicType":1}';
    throw new PlatformError("alibaba.rule_action_configuration_invalid", { type, expected });
  }
  const topicType = value !== null && typeof value === "object" && "topicType" in value ? value.topicType : 1;
  if (Number(topicType) !== 1) throw new PlatformError("alibaba.rule_system_topic_not_supported", { received: String(topicType) });
  return { type: "republish", topic };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function showAction({ id, ruleId, action }: RuleActionRecord) {
  return { Id: id, RuleId: ruleId, ErrorActionFlag: false, ...showConfiguration(action) };
}

function showConfiguration(action: RuleAction): { Type: string; Configuration: string } {
  switch (action.type) {
    case "republish":
      return { Type: "REPUBLISH", Configuration: JSON.stringify({ topic: action.topic, topicType: 1 }) };
    case "webhook":
      // Headers stay out: they often hold a token of the receiver.
      return { Type: "HTTP", Configuration: JSON.stringify({ url: action.url, method: action.method ?? "POST" }) };
    case "aws":
      throw new PlatformError("alibaba.rule_action_not_found", { received: Object.keys(action.action).join(", ") });
  }
}

/** The vendor names an action without its rule. There are few rules (the rules room limits them), so they are looked through. */
async function findAction(actionId: number, rules: RuleEngine, pageSize: number): Promise<RuleActionRecord> {
  for (let page = 1; ; page += 1) {
    const { items } = await rules.list({ page, pageSize }, "alibaba");
    for (const rule of items) {
      const record = rule.actions.find(({ id }) => id === actionId);
      if (record !== undefined) return record;
    }
    if (items.length < pageSize) throw new PlatformError("alibaba.rule_action_not_found", { received: actionId });
  }
}
