import type { Command } from "commander";
import { assignments, wholeNumber } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";
import type { Output } from "../output.ts";
import type { Translate } from "../texts/index.ts";

interface ShadowAnswer {
  state: { reported: Record<string, unknown>; desired: Record<string, unknown> };
  version: number;
}

interface SetOptions {
  all?: boolean;
  shadowVersion?: number;
}

export function addShadowCommands(program: Command, { t, open }: CommandKit): void {
  const shadow = program.command("shadow").description(t("shadow.about"));
  const placeOf = (productKey: string, deviceName: string) => path("products", productKey, "devices", deviceName, "shadow");

  shadow
    .command("get")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceName>", t("argument.deviceName"))
    .description(t("shadow.get"))
    .action(async (productKey: string, deviceName: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      showShadow(await client().call<ShadowAnswer>("GET", placeOf(productKey, deviceName)), output, t);
    });

  shadow
    .command("set")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceName>", t("argument.deviceName"))
    .argument("[name=value...]", t("argument.shadowValues"), assignments(t))
    .description(t("shadow.set"))
    .option("--all", t("option.shadowAll"))
    .option("--shadow-version <n>", t("option.shadowVersion"), wholeNumber(1, Number.MAX_SAFE_INTEGER, t))
    .action(
      async (
        productKey: string,
        deviceName: string,
        values: Record<string, unknown> | undefined,
        { all = false, shadowVersion: version }: SetOptions,
        command: Command,
      ) => {
        const { client, output } = open(command);
        const isEmpty = values === undefined || Object.keys(values).length === 0;
        if (isEmpty && !all) throw new CliError("cli.usage", t("error.shadowNoValues"), 2);
        const body = { desired: isEmpty ? null : values, isDelta: !all, version };
        showShadow(await client().call<ShadowAnswer>("PUT", placeOf(productKey, deviceName), { body }), output, t);
      },
    );
}

function showShadow(shadow: ShadowAnswer, output: Output, t: Translate): void {
  if (output.isJson) {
    output.json(shadow);
    return;
  }
  const { reported, desired } = shadow.state;
  const names = [...new Set([...Object.keys(reported), ...Object.keys(desired)])];
  output.table(
    [t("head.name"), t("head.reported"), t("head.desired")],
    names.map((name) => [name, JSON.stringify(reported[name]), JSON.stringify(desired[name])]),
  );
  output.facts([[t("head.version"), shadow.version]]);
}
