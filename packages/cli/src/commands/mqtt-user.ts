import { type Command, InvalidArgumentError } from "commander";
import type { MqttUserAnswer, Page } from "../answers.ts";
import { addPageOptions, type PageOptions, showPageLine } from "../arguments.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";
import type { Output } from "../output.ts";
import type { Translate } from "../texts/index.ts";

interface Right {
  operation: string;
  filter: string;
}

interface UserOptions {
  password?: string;
  description?: string;
  allow?: Right[];
}

export function addMqttUserCommands(program: Command, { t, open }: CommandKit): void {
  const user = program.command("mqtt-user").description(t("mqttUser.about"));
  const right = (text: string, before: Right[] = []): Right[] => [...before, parseRight(text, t)];

  user
    .command("create")
    .argument("<userName>", t("argument.userName"))
    .description(t("mqttUser.create"))
    .option("--password <text>", t("option.userPassword"))
    .option("--allow <right>", t("option.allow"), right)
    .option("--description <text>", t("option.description"))
    .action(async (userName: string, { password, description, allow }: UserOptions, command: Command) => {
      const { client, output } = open(command);
      const body = { userName, password, description, rights: allow };
      showUser(await client().call<MqttUserAnswer>("POST", path("mqtt-users"), { body }), output, t);
    });

  addPageOptions(user.command("list").description(t("mqttUser.list")), t).action(async (options: PageOptions, command: Command) => {
    const { client, output } = open(command);
    const query = { page: options.page, pageSize: options.pageSize };
    const answer = await client().call<Page<MqttUserAnswer>>("GET", path("mqtt-users"), { query });
    if (output.isJson) return output.json(answer);
    output.table(
      [t("head.userName"), t("head.rights"), t("head.description"), t("head.createdAt")],
      answer.items.map((one) => [one.userName, formatRights(one), one.description, one.createdAt]),
    );
    showPageLine(output, answer, t);
  });

  user
    .command("show")
    .argument("<userName>", t("argument.userName"))
    .description(t("mqttUser.show"))
    .action(async (userName: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      showUser(await client().call<MqttUserAnswer>("GET", path("mqtt-users", userName)), output, t);
    });

  user
    .command("update")
    .argument("<userName>", t("argument.userName"))
    .description(t("mqttUser.update"))
    .option("--allow <right>", t("option.allow"), right)
    .option("--description <text>", t("option.description"))
    .action(async (userName: string, { description, allow }: UserOptions, command: Command) => {
      const { client, output } = open(command);
      const body = { description, rights: allow };
      showUser(await client().call<MqttUserAnswer>("PATCH", path("mqtt-users", userName), { body }), output, t);
    });

  user
    .command("set-password")
    .argument("<userName>", t("argument.userName"))
    .description(t("mqttUser.setPassword"))
    .option("--password <text>", t("option.userPassword"))
    .action(async (userName: string, { password }: UserOptions, command: Command) => {
      const { client, output } = open(command);
      showUser(await client().call<MqttUserAnswer>("POST", path("mqtt-users", userName, "password"), { body: { password } }), output, t);
    });

  user
    .command("delete")
    .argument("<userName>", t("argument.userName"))
    .description(t("mqttUser.delete"))
    .action(async (userName: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      await client().call("DELETE", path("mqtt-users", userName));
      if (output.isJson) output.json({ userName, isDeleted: true });
      else output.line(t("mqttUser.deleted", { userName }));
    });
}

function parseRight(text: string, t: Translate): Right {
  const [, operation, filter] = /^(PUB|SUB|ALL):(.+)$/.exec(text) ?? [];
  if (operation === undefined || filter === undefined) throw new InvalidArgumentError(t("error.right", { received: text }));
  return { operation, filter };
}

const formatRights = ({ rights }: MqttUserAnswer): string => rights.map(({ operation, filter }) => `${operation}:${filter}`).join(" ");

function showUser(user: MqttUserAnswer, output: Output, t: Translate): void {
  if (output.isJson) {
    output.json(user);
    return;
  }
  output.facts([
    [t("head.userName"), user.userName],
    [t("head.password"), user.password],
    [t("head.rights"), formatRights(user)],
    [t("head.description"), user.description],
    [t("head.createdAt"), user.createdAt],
  ]);
}
