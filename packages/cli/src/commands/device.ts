import { type Command, Option } from "commander";
import type { DeviceAnswer, Page } from "../answers.ts";
import { addPageOptions, type PageOptions, showPageLine } from "../arguments.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";
import type { Output } from "../output.ts";
import type { Translate } from "../texts/index.ts";
import { addDeviceBatchCommands } from "./device-batch.ts";
import { addSignCommand } from "./device-sign.ts";

interface CreateOptions {
  deviceSecret?: string;
  iotId?: string;
  nickname?: string;
}

export function addDeviceCommands(program: Command, kit: CommandKit): void {
  const { t, open } = kit;
  const device = program.command("device").description(t("device.about"));

  device
    .command("create")
    .argument("<productKey>", t("argument.productKey"))
    .argument("[deviceName]", t("argument.deviceNameOptional"))
    .description(t("device.create"))
    .option("--device-secret <secret>", t("option.deviceSecret"))
    .option("--iot-id <id>", t("option.iotId"))
    .option("--nickname <text>", t("option.nickname"))
    .action(async (productKey: string, deviceName: string | undefined, options: CreateOptions, command: Command) => {
      const { client, output } = open(command);
      const { deviceSecret, iotId, nickname } = options;
      const body = { deviceName, deviceSecret, iotId, nickname };
      showDevice(await client().call<DeviceAnswer>("POST", path("products", productKey, "devices"), { body }), output, t);
    });

  addPageOptions(
    device
      .command("list")
      .argument("[productKey]", t("argument.productKeyOptional"))
      .description(t("device.list"))
      .addOption(new Option("--status <status>", t("option.status")).choices(["UNACTIVE", "ONLINE", "OFFLINE", "DISABLE"]))
      .option("--name-prefix <text>", t("option.namePrefix")),
    t,
  ).action(async (productKey: string | undefined, options: PageOptions & { status?: string; namePrefix?: string }, command: Command) => {
    const { client, output } = open(command);
    const { page, pageSize, status, namePrefix } = options;
    const place = productKey === undefined ? path("devices") : path("products", productKey, "devices");
    const answer = await client().call<Page<DeviceAnswer>>("GET", place, { query: { page, pageSize, status, namePrefix } });
    if (output.isJson) return output.json(answer);
    output.table(
      [t("head.productKey"), t("head.deviceName"), t("head.status"), t("head.lastOnlineAt"), t("head.remoteAddress"), t("head.nickname")],
      answer.items.map((one) => [one.productKey, one.deviceName, one.status, one.lastOnlineAt, one.remoteAddress, one.nickname]),
    );
    showPageLine(output, answer, t);
  });

  device
    .command("show")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceName>", t("argument.deviceName"))
    .description(t("device.show"))
    .option("--secret", t("option.secret"))
    .action(async (productKey: string, deviceName: string, options: { secret?: boolean }, command: Command) => {
      const { client, output } = open(command);
      const query = { secret: options.secret };
      showDevice(await client().call<DeviceAnswer>("GET", path("products", productKey, "devices", deviceName), { query }), output, t);
    });

  device
    .command("delete")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceName>", t("argument.deviceName"))
    .description(t("device.delete"))
    .action(async (productKey: string, deviceName: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      await client().call("DELETE", path("products", productKey, "devices", deviceName));
      if (output.isJson) output.json({ productKey, deviceName, isDeleted: true });
      else output.line(t("device.deleted", { productKey, deviceName }));
    });

  for (const verb of ["enable", "disable"] as const) {
    device
      .command(verb)
      .argument("<productKey>", t("argument.productKey"))
      .argument("<deviceName>", t("argument.deviceName"))
      .description(t(`device.${verb}`))
      .action(async (productKey: string, deviceName: string, _options: object, command: Command) => {
        const { client, output } = open(command);
        const answer = await client().call<DeviceAnswer>("POST", path("products", productKey, "devices", deviceName, verb));
        if (output.isJson) output.json(answer);
        else output.line(t(`device.${verb}d`, { productKey, deviceName }));
      });
  }

  addDeviceBatchCommands(device, kit);
  addSignCommand(device, kit);
}

function showDevice(device: DeviceAnswer, output: Output, t: Translate): void {
  if (output.isJson) {
    output.json(device);
    return;
  }
  output.facts([
    [t("head.productKey"), device.productKey],
    [t("head.deviceName"), device.deviceName],
    [t("head.deviceSecret"), device.deviceSecret],
    [t("head.iotId"), device.iotId],
    [t("head.nickname"), device.nickname],
    [t("head.status"), device.status],
    [t("head.createdAt"), device.createdAt],
    [t("head.activatedAt"), device.activatedAt],
    [t("head.lastOnlineAt"), device.lastOnlineAt],
    [t("head.lastOfflineAt"), device.lastOfflineAt],
    [t("head.remoteAddress"), device.remoteAddress],
  ]);
}
