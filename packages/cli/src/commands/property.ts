import type { Command } from "commander";
import { assignments, wholeNumber } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";

interface TimedValue {
  value: unknown;
  time: string;
}

interface GetOptions {
  history?: boolean;
  from?: string;
  to?: string;
  limit: number;
}

export function addPropertyCommands(program: Command, { t, open }: CommandKit): void {
  const property = program.command("property").description(t("property.about"));

  property
    .command("set")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceName>", t("argument.deviceName"))
    .argument("<identifier=value...>", t("argument.assignment"), assignments(t))
    .description(t("property.set"))
    .option("--desired", t("option.desired"))
    .action(
      async (productKey: string, deviceName: string, values: Record<string, unknown>, options: { desired?: boolean }, command: Command) => {
        const { client, output } = open(command);
        const device = ["products", productKey, "devices", deviceName];
        if (options.desired === true) {
          const answer = await client().call<{ versions: Record<string, number> }>("PATCH", path(...device, "desired"), {
            body: { values },
          });
          if (output.isJson) return output.json(answer);
          output.table(
            [t("head.identifier"), t("head.version")],
            Object.entries(answer.versions).map(([identifier, version]) => [identifier, version]),
          );
          return;
        }
        const answer = await client().call<{ id: string }>("POST", path(...device, "properties"), { body: { values } });
        if (output.isJson) output.json(answer);
        else output.line(t("property.sent", { id: answer.id, device: deviceName }));
      },
    );

  property
    .command("get")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceName>", t("argument.deviceName"))
    .argument("[identifier]", t("argument.identifier"))
    .description(t("property.get"))
    .option("--history", t("option.history"))
    .option("--from <time>", t("option.from"))
    .option("--to <time>", t("option.to"))
    .option("--limit <n>", t("option.limit"), wholeNumber(1, 1_000, t), 20)
    .action(async (productKey: string, deviceName: string, identifier: string | undefined, options: GetOptions, command: Command) => {
      const { client, output } = open(command);
      const place = ["products", productKey, "devices", deviceName, "properties"];
      if (options.history === true) {
        if (identifier === undefined) throw new CliError("cli.usage", t("error.historyOfOne"), 2);
        const query = { from: options.from, to: options.to, limit: options.limit };
        const answer = await client().call<{ items: TimedValue[] }>("GET", path(...place, identifier, "history"), { query });
        if (output.isJson) return output.json(answer);
        output.table(
          [t("head.time"), t("head.value")],
          answer.items.map(({ time, value }) => [time, JSON.stringify(value)]),
        );
        return;
      }
      const { values } = await client().call<{ values: Record<string, TimedValue> }>("GET", path(...place));
      const shown = Object.entries(values).filter(([name]) => identifier === undefined || name === identifier);
      if (identifier !== undefined && shown.length === 0)
        throw new CliError("cli.property_unset", t("error.propertyUnset", { identifier }));
      if (output.isJson) return output.json({ values: Object.fromEntries(shown) });
      output.table(
        [t("head.identifier"), t("head.value"), t("head.time")],
        shown.map(([name, { value, time }]) => [name, JSON.stringify(value), time]),
      );
    });
}
