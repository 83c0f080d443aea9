import type { Command } from "commander";
import type { DeviceIdentityAnswer, GroupAnswer, Page } from "../answers.ts";
import { addPageOptions, type PageOptions, showPageLine } from "../arguments.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";
import type { Output } from "../output.ts";
import type { Translate } from "../texts/index.ts";

interface CreateOptions {
  description?: string;
  super?: string;
  groupId?: string;
}

export function addGroupCommands(program: Command, { t, open }: CommandKit): void {
  const group = program.command("group").description(t("group.about"));

  group
    .command("create")
    .argument("<name>", t("argument.groupName"))
    .description(t("group.create"))
    .option("--description <text>", t("option.description"))
    .option("--super <groupId>", t("option.superGroup"))
    .option("--group-id <id>", t("option.groupId"))
    .action(async (name: string, options: CreateOptions, command: Command) => {
      const { client, output } = open(command);
      const body = { name, description: options.description, superGroupId: options.super, groupId: options.groupId };
      showGroup(await client().call<GroupAnswer>("POST", path("groups"), { body }), output, t);
    });

  addPageOptions(group.command("list").description(t("group.list")).option("--super <groupId>", t("option.superGroupOfList")), t).action(
    async (options: PageOptions & { super?: string }, command: Command) => {
      const { client, output } = open(command);
      const query = { page: options.page, pageSize: options.pageSize, superGroupId: options.super };
      const answer = await client().call<Page<GroupAnswer>>("GET", path("groups"), { query });
      if (output.isJson) return output.json(answer);
      output.table(
        [t("head.id"), t("head.name"), t("head.description"), t("head.createdAt")],
        answer.items.map((one) => [one.groupId, one.name, one.description, one.createdAt]),
      );
      showPageLine(output, answer, t);
    },
  );

  group
    .command("show")
    .argument("<groupId>", t("argument.groupId"))
    .description(t("group.show"))
    .action(async (groupId: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      showGroup(await client().call<GroupAnswer>("GET", path("groups", groupId)), output, t);
    });

  addPageOptions(group.command("devices").argument("<groupId>", t("argument.groupId")).description(t("group.devices")), t).action(
    async (groupId: string, { page, pageSize }: PageOptions, command: Command) => {
      const { client, output } = open(command);
      const answer = await client().call<Page<DeviceIdentityAnswer>>("GET", path("groups", groupId, "devices"), {
        query: { page, pageSize },
      });
      if (output.isJson) return output.json(answer);
      output.table(
        [t("head.productKey"), t("head.deviceName"), t("head.iotId")],
        answer.items.map((one) => [one.productKey, one.deviceName, one.iotId]),
      );
      showPageLine(output, answer, t);
    },
  );

  group
    .command("add")
    .argument("<groupId>", t("argument.groupId"))
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceNames...>", t("argument.deviceNames"))
    .description(t("group.add"))
    .action(async (groupId: string, productKey: string, names: string[], _options: object, command: Command) => {
      const { client, output } = open(command);
      const body = { devices: names.map((deviceName) => ({ productKey, deviceName })) };
      const answer = await client().call<{ added: number }>("POST", path("groups", groupId, "devices"), { body });
      if (output.isJson) output.json(answer);
      else output.line(t("group.added", { groupId, added: answer.added, count: names.length }));
    });

  group
    .command("remove")
    .argument("<groupId>", t("argument.groupId"))
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceName>", t("argument.deviceName"))
    .description(t("group.remove"))
    .action(async (groupId: string, productKey: string, deviceName: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      await client().call("DELETE", path("groups", groupId, "devices", productKey, deviceName));
      if (output.isJson) output.json({ groupId, productKey, deviceName, isRemoved: true });
      else output.line(t("group.removed", { groupId, productKey, deviceName }));
    });

  group
    .command("delete")
    .argument("<groupId>", t("argument.groupId"))
    .description(t("group.delete"))
    .action(async (groupId: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      await client().call("DELETE", path("groups", groupId));
      if (output.isJson) output.json({ groupId, isDeleted: true });
      else output.line(t("group.deleted", { groupId }));
    });
}

function showGroup(group: GroupAnswer, output: Output, t: Translate): void {
  if (output.isJson) {
    output.json(group);
    return;
  }
  output.facts([
    [t("head.id"), group.groupId],
    [t("head.name"), group.name],
    [t("head.description"), group.description],
    [t("head.superGroup"), group.superGroupId],
    [t("head.devices"), group.deviceCount],
    [t("head.createdAt"), group.createdAt],
  ]);
}
