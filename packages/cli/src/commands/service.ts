import type { Command } from "commander";
import { wholeNumber } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";

export function addServiceCommands(program: Command, { t, open }: CommandKit): void {
  const service = program.command("service").description(t("service.about"));

  service
    .command("call")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceName>", t("argument.deviceName"))
    .argument("<identifier>", t("argument.service"))
    .argument("[input]", t("argument.serviceInput"))
    .description(t("service.call"))
    .option("--timeout <milliseconds>", t("option.timeout"), wholeNumber(1, 600_000, t))
    .action(
      async (
        productKey: string,
        deviceName: string,
        identifier: string,
        text: string | undefined,
        options: { timeout?: number },
        command: Command,
      ) => {
        const { client, output } = open(command);
        const input = text === undefined ? undefined : parseInput(text);
        const place = path("products", productKey, "devices", deviceName, "services", identifier, "calls");
        const body = { input, timeoutMilliseconds: options.timeout };
        const answer = await client().call<{ id: string; code?: number; output?: unknown }>("POST", place, { body });
        if (output.isJson) return output.json(answer);
        if (answer.code === undefined) return output.line(t("service.sent", { id: answer.id, device: deviceName }));
        output.facts([
          [t("head.code"), answer.code],
          [t("head.output"), JSON.stringify(answer.output)],
        ]);
      },
    );

  function parseInput(text: string): object {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    } catch {
      // Told below.
    }
    throw new CliError("cli.usage", t("error.inputInvalid", { received: text.slice(0, 80) }), 2);
  }
}
