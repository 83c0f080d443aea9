import { Argument, type Command } from "commander";
import type { TopicAnswer } from "../answers.ts";
import { wholeNumber } from "../arguments.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";

export function addTopicCommands(program: Command, { t, open }: CommandKit): void {
  const topic = program.command("topic").description(t("topic.about"));

  topic
    .command("create")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<topic>", t("argument.topicClass"))
    .addArgument(new Argument("<operation>", t("argument.operation")).choices(["PUB", "SUB", "ALL"]))
    .description(t("topic.create"))
    .option("--description <text>", t("option.description"))
    .action(async (productKey: string, name: string, operation: string, options: { description?: string }, command: Command) => {
      const { client, output } = open(command);
      const body = { topic: name, operation, description: options.description };
      const answer = await client().call<TopicAnswer>("POST", path("products", productKey, "topics"), { body });
      if (output.isJson) output.json(answer);
      else output.line(t("topic.created", { id: answer.id, template: answer.template, operation: answer.operation }));
    });

  topic
    .command("list")
    .argument("<productKey>", t("argument.productKey"))
    .description(t("topic.list"))
    .action(async (productKey: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      const answer = await client().call<{ items: TopicAnswer[] }>("GET", path("products", productKey, "topics"));
      if (output.isJson) return output.json(answer);
      output.table(
        [t("head.id"), t("head.topic"), t("head.operation"), t("head.description")],
        answer.items.map((one) => [one.id, one.template, one.operation, one.description]),
      );
    });

  topic
    .command("delete")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<id>", t("argument.topicId"), wholeNumber(1, Number.MAX_SAFE_INTEGER, t))
    .description(t("topic.delete"))
    .action(async (productKey: string, id: number, _options: object, command: Command) => {
      const { client, output } = open(command);
      await client().call("DELETE", path("products", productKey, "topics", id));
      if (output.isJson) output.json({ productKey, id, isDeleted: true });
      else output.line(t("topic.deleted", { id }));
    });
}
