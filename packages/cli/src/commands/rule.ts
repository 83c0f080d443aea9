import { type Command, Option } from "commander";
import type { ActionAnswer, DeadLetterAnswer, Page, RuleAnswer } from "../answers.ts";
import { addPageOptions, type PageOptions, showPageLine, wholeNumber } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";
import type { Output } from "../output.ts";
import type { Translate } from "../texts/index.ts";

interface CreateOptions {
  sql?: string;
  description?: string;
  dataType?: string;
  language?: string;
  sqlVersion?: string;
  republish?: string[];
  qos?: string;
  webhook?: string[];
  errorRepublish?: string;
  start?: boolean;
}

interface CheckOptions {
  topic?: string;
  payload?: string;
  language?: string;
  sqlVersion?: string;
}

interface CheckAnswer {
  problems: { message: string; line: number; column: number }[];
  isMatch?: boolean;
  result?: unknown;
}

export function addRuleCommands(program: Command, { t, open }: CommandKit): void {
  const rule = program.command("rule").description(t("rule.about"));
  const id = wholeNumber(1, Number.MAX_SAFE_INTEGER, t);
  const languageOption = () => new Option("--language <name>", t("option.ruleLanguage")).choices(["alibaba", "aws"]);
  const versionOption = () => new Option("--sql-version <date>", t("option.sqlVersion")).choices(["2015-10-08", "2016-03-23", "beta"]);
  const collect = (text: string, before: string[] = []) => [...before, text];

  rule
    .command("create")
    .argument("<name>", t("argument.ruleName"))
    .description(t("rule.create"))
    .option("--sql <statement>", t("option.sql"))
    .option("--description <text>", t("option.description"))
    .addOption(new Option("--data-type <type>", t("option.dataType")).choices(["json", "binary"]))
    .addOption(languageOption())
    .addOption(versionOption())
    .option("--republish <topic>", t("option.republish"), collect)
    .addOption(new Option("--qos <n>", t("option.republishQos")).choices(["0", "1"]))
    .option("--webhook <url>", t("option.webhook"), collect)
    .option("--error-republish <topic>", t("option.errorRepublish"))
    .option("--start", t("option.startRule"))
    .action(async (name: string, options: CreateOptions, command: Command) => {
      const { client, output } = open(command);
      const qos = options.qos === undefined ? undefined : Number(options.qos);
      const actions = [
        ...(options.republish ?? []).map((topic) => ({ type: "republish", topic, qos })),
        ...(options.webhook ?? []).map((url) => ({ type: "webhook", url })),
      ];
      const { sql, description, dataType, language, sqlVersion, errorRepublish } = options;
      const errorAction = errorRepublish === undefined ? undefined : { type: "republish", topic: errorRepublish };
      const body = { name, sql, description, dataType, language, sqlVersion, actions, errorAction, isRunning: options.start };
      showRule(await client().call<RuleAnswer>("POST", path("rules"), { body }), output, t);
    });

  addPageOptions(rule.command("list").description(t("rule.list")), t).action(async (options: PageOptions, command: Command) => {
    const { client, output } = open(command);
    const answer = await client().call<Page<RuleAnswer>>("GET", path("rules"), {
      query: { page: options.page, pageSize: options.pageSize },
    });
    if (output.isJson) return output.json(answer);
    output.table(
      [t("head.id"), t("head.name"), t("head.state"), t("head.ruleLanguage"), t("head.sql"), t("head.actions")],
      answer.items.map((one) => [
        one.id,
        one.name,
        stateOf(one, t),
        one.language,
        one.sql,
        one.actions.map(({ action }) => describeAction(action)).join("; "),
      ]),
    );
    showPageLine(output, answer, t);
  });

  rule
    .command("show")
    .argument("<id>", t("argument.ruleId"), id)
    .description(t("rule.show"))
    .action(async (ruleId: number, _options: object, command: Command) => {
      const { client, output } = open(command);
      showRule(await client().call<RuleAnswer>("GET", path("rules", ruleId)), output, t);
    });

  rule
    .command("delete")
    .argument("<id>", t("argument.ruleId"), id)
    .description(t("rule.delete"))
    .action(async (ruleId: number, _options: object, command: Command) => {
      const { client, output } = open(command);
      await client().call("DELETE", path("rules", ruleId));
      if (output.isJson) output.json({ id: ruleId, isDeleted: true });
      else output.line(t("rule.deleted", { id: ruleId }));
    });

  for (const verb of ["start", "stop"] as const) {
    rule
      .command(verb)
      .argument("<id>", t("argument.ruleId"), id)
      .description(t(`rule.${verb}`))
      .action(async (ruleId: number, _options: object, command: Command) => {
        const { client, output } = open(command);
        const answer = await client().call<RuleAnswer>("POST", path("rules", ruleId, verb));
        if (output.isJson) output.json(answer);
        else output.line(t(verb === "start" ? "rule.started" : "rule.stopped", { id: ruleId, name: answer.name }));
      });
  }

  rule
    .command("check")
    .argument("<sql>", t("argument.sql"))
    .description(t("rule.check"))
    .option("--topic <topic>", t("option.sampleTopic"))
    .option("--payload <text>", t("option.samplePayload"))
    .addOption(languageOption())
    .addOption(versionOption())
    .action(async (sql: string, options: CheckOptions, command: Command) => {
      const { client, output } = open(command);
      if ((options.topic === undefined) !== (options.payload === undefined)) throw new CliError("cli.usage", t("error.sampleHalf"), 2);
      const sample = options.topic === undefined ? undefined : { topic: options.topic, payload: options.payload };
      const answer = await client().call<CheckAnswer>("POST", path("rules", "check"), {
        body: { sql, sample, language: options.language, sqlVersion: options.sqlVersion },
      });
      if (output.isJson) output.json(answer);
      else showCheck(answer, output, t);
      const first = answer.problems[0];
      if (first === undefined) return;
      throw new CliError("rules.sql_invalid", t("rule.problem", { line: first.line, column: first.column, message: first.message }));
    });

  addPageOptions(
    rule
      .command("dead-letters")
      .argument("<id>", t("argument.ruleId"), id)
      .description(t("rule.deadLetters"))
      .option("--retry <letterId>", t("option.retry"), id)
      .option("--delete <letterId>", t("option.deleteLetter"), id),
    t,
  ).action(async (ruleId: number, options: PageOptions & { retry?: number; delete?: number }, command: Command) => {
    const { client, output } = open(command);
    if (options.retry !== undefined) {
      await client().call("POST", path("dead-letters", options.retry, "retry"));
      return output.isJson
        ? output.json({ id: options.retry, isRetried: true })
        : output.line(t("rule.letterRetried", { id: options.retry }));
    }
    if (options.delete !== undefined) {
      await client().call("DELETE", path("dead-letters", options.delete));
      return output.isJson
        ? output.json({ id: options.delete, isDeleted: true })
        : output.line(t("rule.letterDeleted", { id: options.delete }));
    }
    const query = { page: options.page, pageSize: options.pageSize };
    const answer = await client().call<Page<DeadLetterAnswer>>("GET", path("rules", ruleId, "dead-letters"), { query });
    if (output.isJson) return output.json(answer);
    output.table(
      [t("head.id"), t("head.time"), t("head.topic"), t("head.tries"), t("head.code"), t("head.reason")],
      answer.items.map((one) => [one.id, one.time, one.topic, one.tries, one.code, one.reason]),
    );
    showPageLine(output, answer, t);
  });
}

function describeAction(action: ActionAnswer): string {
  switch (action.type) {
    case "republish":
      return `republish ${action.topic}`;
    case "webhook":
      return `webhook ${action.url}`;
    case "aws":
      return Object.entries(action.action)
        .map(([name, fields]) => `${name} ${placeOf(fields)}`.trim())
        .join(", ");
  }
}

/** The field that says where an action of the AWS API goes. */
function placeOf(fields: unknown): string {
  if (typeof fields !== "object" || fields === null) return "";
  const places = Object.entries(fields).filter(
    ([name, value]) => ["topic", "url", "functionArn"].includes(name) && typeof value === "string",
  );
  return places.map(([, value]) => String(value)).join(" ");
}

function stateOf(rule: RuleAnswer, t: Translate): string {
  return t(rule.isRunning ? "rule.running" : "rule.idle");
}

function showRule(rule: RuleAnswer, output: Output, t: Translate): void {
  if (output.isJson) {
    output.json(rule);
    return;
  }
  output.facts([
    [t("head.id"), rule.id],
    [t("head.name"), rule.name],
    [t("head.description"), rule.description],
    [t("head.state"), stateOf(rule, t)],
    [t("head.ruleLanguage"), [rule.language, rule.sqlVersion].filter((word) => word !== undefined).join(" ")],
    [t("head.sql"), rule.sql],
    [t("head.dataType"), rule.dataType],
    [t("head.actions"), rule.actions.map(({ action }) => describeAction(action)).join("; ")],
    ...(rule.errorAction === undefined ? [] : [[t("head.errorAction"), describeAction(rule.errorAction)] as [string, string]]),
    [
      t("head.statistics"),
      Object.entries(rule.statistics)
        .map(([name, count]) => `${name} ${count}`)
        .join(", "),
    ],
    [t("head.createdAt"), rule.createdAt],
  ]);
}

function showCheck(answer: CheckAnswer, output: Output, t: Translate): void {
  if (answer.problems.length > 0) return;
  if (answer.isMatch === undefined) {
    output.line(output.paint("green", t("rule.valid")));
    return;
  }
  output.line(answer.isMatch ? output.paint("green", t("rule.match")) : t("rule.noMatch"));
  if (answer.isMatch) output.line(JSON.stringify(answer.result, undefined, 2));
}
