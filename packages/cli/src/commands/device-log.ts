import type { Command } from "commander";
import type { DeviceLineAnswer } from "../answers.ts";
import { wholeNumber } from "../arguments.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";
import { showPlainly } from "../output.ts";

interface ShowOptions {
  level?: string;
  module?: string;
  text?: string;
  since?: string;
  limit: number;
}

const linesMax = 200;

/** Logs that devices write themselves; what this server sees of devices is `thingstead log`. */
export function addDeviceLogCommands(program: Command, { t, open }: CommandKit): void {
  const log = program.command("device-log").description(t("deviceLog.about"));

  log
    .command("show")
    .argument("<productKey>", t("argument.productKey"))
    .argument("[deviceName]", t("argument.deviceName"))
    .description(t("deviceLog.show"))
    .option("--level <level>", t("option.logLevel"))
    .option("--module <module>", t("option.logModule"))
    .option("--text <text>", t("option.logText"))
    .option("--since <time>", t("option.since"))
    .option("--limit <n>", t("option.limit"), wholeNumber(1, linesMax, t), 50)
    .action(async (productKey: string, deviceName: string | undefined, options: ShowOptions, command: Command) => {
      const { client, output } = open(command);
      const query = { productKey, deviceName, ...options };
      const answer = await client().call<{ items: DeviceLineAnswer[] }>("GET", path("device-lines"), { query });
      if (output.isJson) return output.json(answer);
      for (const line of answer.items.toReversed()) {
        const parts = [line.receivedAt, line.deviceName, line.level.padEnd(5), line.module, line.code, line.content];
        output.line(parts.map((part) => showPlainly(part)).join("  "));
      }
    });

  for (const [verb, isWanted] of [
    ["on", true],
    ["off", false],
  ] as const) {
    log
      .command(verb)
      .argument("<productKey>", t("argument.productKey"))
      .argument("<deviceName>", t("argument.deviceName"))
      .description(t(`deviceLog.${verb}`))
      .action(async (productKey: string, deviceName: string, _options: object, command: Command) => {
        const { client, output } = open(command);
        const place = path("products", productKey, "devices", deviceName, "log-upload");
        const answer = await client().call<{ isWanted: boolean }>("PUT", place, { body: { isWanted } });
        if (output.isJson) output.json(answer);
        else output.line(t(`deviceLog.is${isWanted ? "On" : "Off"}`, { deviceName }));
      });
  }
}
