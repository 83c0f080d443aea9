/** Topic rules (aws-iot.md, 14.1 and 16): the rules of the platform that are written in AWS SQL. Destinations of HTTP actions need no confirmation here. */
import { type AwsAccount, arnOf } from "@thingstead/dialects";
import { PlatformError } from "../../../errors/index.ts";
import {
  type AwsAction,
  awsSqlVersions,
  type NewRule,
  type Rule,
  type RuleAction,
  type RuleEngine,
  readTopicPattern,
} from "../../../rules/index.ts";
import { withDetails } from "../answer.ts";
import { MemberReader, queryFlag, queryInteger, queryText, refuseMember } from "../members.ts";
import type { AwsOperation, AwsRequest } from "../operation.ts";
import { emptyAnswer, iotOperation, label, toSeconds } from "./iot-operation.ts";

export interface TopicRuleOperationPorts {
  account: AwsAccount;
  rules: Pick<RuleEngine, "create" | "update" | "find" | "list" | "start" | "stop" | "delete">;
}

/** One page of the rule room, which has a limit of its own. */
const rulesPerPage = 100;
const resultsMax = 10_000;

export function createTopicRuleOperations({ account, rules }: TopicRuleOperationPorts): AwsOperation[] {
  const arn = (name: string): string => arnOf(account, `rule/${name}`);

  /** The vendor says of a rule that is not there that one may not see it. */
  function get(name: string): Rule {
    const rule = rules.find(name);
    if (rule?.language !== "aws") throw new PlatformError("rules.not_found", { id: name });
    return rule;
  }

  async function all(): Promise<Rule[]> {
    const found: Rule[] = [];
    for (let page = 1; ; page += 1) {
      const { items } = await rules.list({ page, pageSize: rulesPerPage }, "aws");
      found.push(...items);
      if (items.length < rulesPerPage) return found.sort((a, b) => (a.name < b.name ? -1 : 1));
    }
  }

  async function setRunning(rule: Rule, isRunning: boolean): Promise<void> {
    if (rule.isRunning === isRunning) return;
    await (isRunning ? rules.start(rule.id) : rules.stop(rule.id));
  }

  return [
    iotOperation("CreateTopicRule", async (request) => {
      const name = label(request, "ruleName");
      const { isDisabled, errorAction, ...fields } = readPayload(request);
      const rule: NewRule = { name, language: "aws", ...fields, isRunning: !isDisabled };
      if (errorAction !== undefined) rule.errorAction = errorAction;
      try {
        await rules.create(rule);
      } catch (error) {
        if (!(error instanceof PlatformError) || error.code !== "rules.name_taken") throw error;
        throw withDetails(error, { resourceId: name, resourceArn: arn(name) });
      }
      return emptyAnswer;
    }),

    iotOperation("ReplaceTopicRule", async (request) => {
      const rule = get(label(request, "ruleName"));
      const { isDisabled, errorAction, ...fields } = readPayload(request);
      // Until the new statement is accepted the old one goes on.
      const changed = await rules.update(rule.id, { ...fields, errorAction: errorAction ?? null });
      await setRunning(changed, !isDisabled);
      return emptyAnswer;
    }),

    iotOperation("GetTopicRule", async (request) => {
      const rule = get(label(request, "ruleName"));
      const { name, sql, description, createdAt, actions, isRunning, sqlVersion, errorAction } = rule;
      return {
        json: {
          ruleArn: arn(name),
          rule: {
            ruleName: name,
            sql,
            description,
            createdAt: toSeconds(createdAt),
            actions: actions.map(({ action }) => formatAction(action)),
            ruleDisabled: !isRunning,
            awsIotSqlVersion: sqlVersion,
            ...(errorAction === undefined ? {} : { errorAction: formatAction(errorAction) }),
          },
        },
      };
    }),

    iotOperation("DeleteTopicRule", async (request) => {
      const rule = get(label(request, "ruleName"));
      await setRunning(rule, false);
      await rules.delete(rule.id);
      return emptyAnswer;
    }),

    iotOperation("ListTopicRules", async ({ query }) => {
      const maxResults = queryInteger(query, "maxResults", { min: 1, max: resultsMax }) ?? resultsMax;
      const topic = queryText(query, "topic");
      const isDisabled = queryFlag(query, "ruleDisabled");
      const after = readToken(queryText(query, "nextToken"));
      const found: Rule[] = [];
      for (const rule of await all()) {
        if (after !== undefined && rule.name <= after) continue;
        if (isDisabled !== undefined && rule.isRunning === isDisabled) continue;
        if (topic === undefined || readTopicPattern(rule.sql)?.takes(topic) === true) found.push(rule);
      }
      const page = found.slice(0, maxResults);
      const last = found.length > page.length ? page.at(-1) : undefined;
      return {
        json: {
          rules: page.map(({ name, sql, createdAt, isRunning }) => ({
            ruleArn: arn(name),
            ruleName: name,
            topicPattern: readTopicPattern(sql)?.filter,
            createdAt: toSeconds(createdAt),
            ruleDisabled: !isRunning,
          })),
          ...(last === undefined ? {} : { nextToken: Buffer.from(last.name).toString("base64url") }),
        },
      };
    }),

    iotOperation("EnableTopicRule", async (request) => {
      await setRunning(get(label(request, "ruleName")), true);
      return emptyAnswer;
    }),

    iotOperation("DisableTopicRule", async (request) => {
      await setRunning(get(label(request, "ruleName")), false);
      return emptyAnswer;
    }),
  ];
}

/** The body is the rule itself. */
function readPayload(request: AwsRequest) {
  const body = request.json();
  const members = new MemberReader(body);
  const actions = members.objectList("actions") ?? members.refuse("actions", "a list of actions");
  const given = Array.isArray(body.actions) ? body.actions : [];
  const errorAction = members.raw("errorAction");
  return {
    sql: members.requiredText("sql"),
    description: members.text("description") ?? "",
    sqlVersion: members.choice("awsIotSqlVersion", awsSqlVersions) ?? "2015-10-08",
    isDisabled: members.flag("ruleDisabled") ?? false,
    actions: actions.map((_, index): RuleAction => ({ type: "aws", action: given[index] as AwsAction })),
    errorAction: errorAction === undefined ? undefined : ({ type: "aws", action: errorAction } as const),
  };
}

/** What was made over the platform's own API is told in the vendor's words. */
function formatAction(action: RuleAction): AwsAction {
  switch (action.type) {
    case "aws":
      return action.action;
    case "republish":
      return { republish: { roleArn: "", topic: action.topic, qos: action.qos ?? 0 } };
    case "webhook": {
      const headers = Object.entries(action.headers ?? {}).map(([key, value]) => ({ key, value }));
      return { http: { url: action.url, headers } };
    }
  }
}

function readToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const name = Buffer.from(token, "base64url").toString();
  return /^\w+$/.test(name) ? name : refuseMember("nextToken", token, "the nextToken of the answer before");
}
