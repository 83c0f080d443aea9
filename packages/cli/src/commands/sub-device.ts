import type { Command } from "commander";
import type { DeviceIdentityAnswer, Page } from "../answers.ts";
import { addPageOptions, type PageOptions, showPageLine } from "../arguments.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";

export function addSubDeviceCommands(program: Command, { t, open }: CommandKit): void {
  const subDevice = program.command("sub-device").description(t("subDevice.about"));
  const ofGateway = (command: Command) =>
    command.argument("<gatewayProductKey>", t("argument.gatewayProductKey")).argument("<gatewayName>", t("argument.gatewayName"));

  addPageOptions(ofGateway(subDevice.command("list")).description(t("subDevice.list")), t).action(
    async (productKey: string, deviceName: string, { page, pageSize }: PageOptions, command: Command) => {
      const { client, output } = open(command);
      const place = path("products", productKey, "devices", deviceName, "sub-devices");
      const answer = await client().call<Page<DeviceIdentityAnswer>>("GET", place, { query: { page, pageSize } });
      if (output.isJson) return output.json(answer);
      output.table(
        [t("head.productKey"), t("head.deviceName"), t("head.iotId")],
        answer.items.map((one) => [one.productKey, one.deviceName, one.iotId]),
      );
      showPageLine(output, answer, t);
    },
  );

  ofGateway(subDevice.command("add"))
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceNames...>", t("argument.deviceNames"))
    .description(t("subDevice.add"))
    .action(async (gatewayKey: string, gatewayName: string, productKey: string, names: string[], _options: object, command: Command) => {
      const { client, output } = open(command);
      const body = { devices: names.map((deviceName) => ({ productKey, deviceName })) };
      const place = path("products", gatewayKey, "devices", gatewayName, "sub-devices");
      const answer = await client().call<{ items: DeviceIdentityAnswer[] }>("POST", place, { body });
      if (output.isJson) output.json(answer);
      else output.line(t("subDevice.added", { count: answer.items.length, gateway: gatewayName }));
    });

  ofGateway(subDevice.command("remove"))
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceName>", t("argument.deviceName"))
    .description(t("subDevice.remove"))
    .action(async (gatewayKey: string, gatewayName: string, productKey: string, deviceName: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      await client().call("DELETE", path("products", gatewayKey, "devices", gatewayName, "sub-devices", productKey, deviceName));
      if (output.isJson) output.json({ productKey, deviceName, isRemoved: true });
      else output.line(t("subDevice.removed", { productKey, deviceName, gateway: gatewayName }));
    });

  subDevice
    .command("gateway")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceName>", t("argument.deviceName"))
    .description(t("subDevice.gateway"))
    .action(async (productKey: string, deviceName: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      const place = path("products", productKey, "devices", deviceName, "gateway");
      const answer = await client().call<{ gateway: DeviceIdentityAnswer | null }>("GET", place);
      if (output.isJson) return output.json(answer);
      const { gateway } = answer;
      if (gateway === null) output.line(t("subDevice.noGateway", { productKey, deviceName }));
      else output.line(`${gateway.productKey}/${gateway.deviceName}`);
    });
}
